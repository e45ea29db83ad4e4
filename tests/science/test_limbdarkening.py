from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from accretor.science import limbdarkening

TABLE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "limb_darkening_power2_fit.json"


@pytest.mark.parametrize(
    ("teff", "logg", "wavelength"), [(5770, 4.4, 0.62), (3900, 4.7, 0.75), (7500, 4.0, 0.55)]
)
def test_coefficients_are_those_of_the_published_fit(teff, logg, wavelength):
    if not TABLE.exists():
        pytest.skip("real data are not here")
    fit = json.loads(TABLE.read_text())
    variable = {"t": (teff - 5750) / 2250, "l": 3 * np.log(wavelength / 0.63), "s": logg - 4.25, "z": 0.0}

    def value(term):
        powers = [factor.split("^") if "^" in factor else (factor, "1") for factor in term.split()]
        return np.prod([variable[name] ** int(power) for name, power in powers])

    expected = [sum(c * value(term) for c, term in zip(fit[law], fit["terms"], strict=True)) for law in "gh"]

    np.testing.assert_allclose(limbdarkening.power2(teff, logg, wavelength), expected, rtol=1e-9)


def test_the_sun_is_as_dark_at_its_limb_as_observed():
    # Cox 2000, Allen's Astrophysical Quantities, 0.55 um: I = 1 - 0.93 (1 - mu) + 0.23 (1 - mu^2)
    mu = np.array([0.3, 0.5, 0.8])
    observed = 1 - 0.93 * (1 - mu) + 0.23 * (1 - mu**2)

    green = limbdarkening.intensity(mu, *limbdarkening.power2(5777, 4.44, 0.55))
    red = limbdarkening.intensity(mu, *limbdarkening.power2(5777, 4.44, 0.78))

    np.testing.assert_allclose(green, observed, atol=0.06)
    assert np.all(red > green)


def test_quadratic_law_is_near_the_power_2_law():
    mu = np.linspace(0.1, 1, 50)
    u1, u2 = limbdarkening.quadratic(0.7, 0.68)

    quadratic = 1 - u1 * (1 - mu) - u2 * (1 - mu) ** 2

    assert np.max(np.abs(quadratic - limbdarkening.intensity(mu, 0.7, 0.68))) < 0.02


def test_quadratic_law_that_is_a_power_law_is_found_exactly():
    # With h = 2: 1 - g (1 - mu^2) = 1 - 2 g (1 - mu) + g (1 - mu)^2.
    np.testing.assert_allclose(limbdarkening.quadratic(0.4, 2.0), (0.8, -0.4), atol=1e-12)


def test_what_is_assumed_is_said():
    known = limbdarkening.of_star(6200, 4.3, "rp")
    unknown = limbdarkening.of_star(None, None, "rp")
    odd = limbdarkening.of_star(3000, 5.0, "gp")

    assert known.remarks == ()
    assert unknown.remarks == ("limb darkening of the Sun assumed: teff of the target is not given",)
    assert odd.remarks == (
        "limb darkening extrapolated to filter gp",
        "limb darkening extrapolated to 3000 K",
    )
    assert odd.g_error > known.g_error


def test_an_unknown_filter_is_taken_for_clear_and_said():
    found = limbdarkening.of_star(6200, 4.3, "NB_680")

    assert found.g == limbdarkening.of_star(6200, 4.3, "clear").g
    assert "NB_680" in found.remarks[0]


@pytest.mark.parametrize("filter_name", sorted(limbdarkening.WAVELENGTH))
@pytest.mark.parametrize("teff", [2500, 5000, 12000])
def test_intensity_is_positive_and_falls_to_the_limb(filter_name, teff):
    law = limbdarkening.of_star(teff, 4.5, filter_name)

    intensity = limbdarkening.intensity(np.linspace(0, 1, 30), law.g, law.h)

    assert np.all(intensity > 0)
    assert np.all(np.diff(intensity) > 0)


def test_the_quadratic_prior_moves_the_light_of_the_disc_as_much_as_the_power_2_prior():
    law = limbdarkening.of_star(5000, 4.5, "rp")
    mu = np.linspace(0, 1, 20001)

    def disc(name, step):
        first, second, error = law.coefficients(name)
        return np.trapezoid(limbdarkening.profile(name, first + step * error, second, mu) * 2 * mu, mu)

    change = {name: disc(name, 1) - disc(name, -1) for name in ("power-2", "quadratic")}
    assert change["quadratic"] == pytest.approx(change["power-2"], rel=0.01)
    assert disc("quadratic", 0) == pytest.approx(disc("power-2", 0), abs=0.003)


@pytest.mark.parametrize("law", ["power-2", "quadratic"])
@pytest.mark.parametrize("filter_name", ["B", "rp", "zs"])
def test_within_its_limits_a_disc_is_bright_at_no_place_below_nothing_and_grows_no_brighter(law, filter_name):
    _, second, _ = limbdarkening.of_star(4000, 4.6, filter_name).coefficients(law)
    mu = np.linspace(1e-6, 1, 200)

    for first in limbdarkening.limits(law, second):
        intensity = limbdarkening.profile(law, first, second, mu)
        assert intensity.min() > -1e-9
        assert np.all(np.diff(intensity) > -1e-9)
