from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from accretor.science import limbdarkening, transit


def power2(mu):
    return limbdarkening.intensity(mu, 0.72, 0.67)


def quadratic(mu):
    return 1 - 0.4 * (1 - mu) - 0.25 * (1 - mu) ** 2


def uniform(mu):
    return np.ones_like(mu)


def by_planet(z, k, law):
    """Integrate over the planet's disc in its own polar coordinates, adaptively; planet within the star."""

    def ring(rho):
        def light(phi):
            r2 = z * z + rho * rho + 2 * z * rho * np.cos(phi)
            return float(law(np.array(np.sqrt(max(0.0, 1 - r2)))))

        return 2 * rho * quad(light, 0, np.pi, epsabs=1e-11)[0]

    total = quad(lambda mu: 2 * np.pi * mu * float(law(np.array(mu))), 0, 1, epsabs=1e-12)[0]
    return 1 - quad(ring, 0, k, epsabs=1e-11)[0] / total


def by_grid(z, k, law, n=3000):
    """Add the light of the pixels of a fine grid that the planet covers."""
    axis = (np.arange(n) + 0.5) / n * 2 - 1
    x, y = np.meshgrid(axis, axis)
    r2 = x * x + y * y
    light = np.where(r2 < 1, law(np.sqrt(np.maximum(0, 1 - r2))), 0.0)
    return 1 - light[(x - z) ** 2 + y**2 < k * k].sum() / light.sum()


def overlap(z, k):
    """Area of two overlapping circles over that of the greater (Mandel & Agol 2002, uniform source)."""
    if z >= 1 + k:
        return 0.0
    if z <= abs(1 - k):
        return min(1.0, k * k)
    one = np.arccos((1 - k * k + z * z) / (2 * z))
    two = np.arccos((k * k + z * z - 1) / (2 * k * z))
    kite = 0.5 * np.sqrt(4 * z * z - (1 + z * z - k * k) ** 2)
    return (k * k * two + one - kite) / np.pi


@pytest.mark.parametrize("law", [power2, quadratic])
@pytest.mark.parametrize(("z", "k"), [(0.0, 0.1), (0.3, 0.15), (0.55, 0.05), (0.84, 0.15), (0.05, 0.2)])
def test_flux_within_the_disc_equals_an_adaptive_integral_over_the_planet(z, k, law):
    assert transit.flux(np.array([z]), k, law)[0] == pytest.approx(by_planet(z, k, law), abs=1e-7)


@pytest.mark.parametrize(("z", "k"), [(0.95, 0.15), (1.1, 0.15), (0.9, 0.3)])
def test_flux_at_the_limb_equals_the_sum_over_a_grid(z, k):
    assert transit.flux(np.array([z]), k, power2)[0] == pytest.approx(by_grid(z, k, power2), abs=2e-5)


@given(z=st.floats(0, 2.5), k=st.floats(0.001, 1.4))
@settings(max_examples=200, deadline=None)
def test_flux_of_a_uniform_star_is_the_area_left(z, k):
    assert transit.flux(np.array([z]), k, uniform)[0] == pytest.approx(1 - overlap(z, k), abs=1e-6)


@given(z=st.floats(0, 3), k=st.floats(0, 0.5))
@settings(deadline=None)
def test_flux_lies_between_the_whole_star_and_none(z, k):
    assert 0 <= transit.flux(np.array([z]), k, power2)[0] <= 1 + 1e-12


def test_no_planet_and_no_contact_take_no_light():
    assert transit.flux(np.array([0.0, 0.4]), 0.0, power2).tolist() == [1, 1]
    assert transit.flux(np.array([1.2, np.inf]), 0.1, power2).tolist() == [1, 1]


def test_there_is_no_transit_behind_the_star():
    time = np.array([0.0, 1.5, 3.0])

    z = transit.separation(time, tc=0.0, period=3.0, a_rs=8.0, impact=0.2)

    np.testing.assert_allclose(z, [0.2, np.inf, 0.2])


def test_duration_is_the_time_between_the_contacts_of_the_orbit():
    orbit = {"period": 3.0, "a_rs": 7.0, "impact": 0.4}
    time = np.linspace(-0.2, 0.2, 400_001)
    z = transit.separation(time, tc=0.0, **orbit)

    for inner, reach in ((False, 1.1), (True, 0.9)):
        inside = time[z < reach]
        found = transit.duration(**orbit, k=0.1, inner=inner)
        assert found == pytest.approx(np.ptp(inside), abs=3e-6)


def test_a_planet_that_misses_has_no_duration():
    assert transit.duration(period=3, k=0.1, a_rs=7, impact=1.2) == 0
    assert transit.duration(period=3, k=0.1, a_rs=7, impact=0.95, inner=True) == 0


@given(a_rs=st.floats(2, 60), impact=st.floats(0, 0.9))
def test_semi_major_axis_comes_back_from_the_duration(a_rs, impact):
    full = transit.duration(period=5, k=0.1, a_rs=a_rs, impact=impact)

    assert transit.a_rs_of_duration(period=5, k=0.1, impact=impact, full=full) == pytest.approx(a_rs)


def test_long_exposures_are_averaged():
    orbit = {"tc": 0.0, "period": 3.0, "k": 0.1, "a_rs": 7.0, "impact": 0.3, "law": power2}
    moment = -0.062  # in the ingress, where the light changes fastest
    fine = moment + (np.arange(600) + 0.5) / 600 * 600 / 86400 - 300 / 86400

    long = transit.light_curve(np.array([moment]), np.array([600.0]), **orbit)
    expected = transit.light_curve(fine, np.zeros(600), **orbit).mean()

    assert long[0] == pytest.approx(expected, abs=5e-5)


STAR = (0.6, lambda mu: limbdarkening.parts("power-2", 0.67, mu))


@given(z=st.floats(0, 1.6), k=st.floats(0.02, 0.45))
@settings(max_examples=200, deadline=None)
def test_slopes_are_differences_of_the_flux(z, k):
    assume(abs(z - abs(1 - k)) > 0.01)  # at the contacts the slopes themselves change without bound
    assume(abs(z - (1 + k)) > 0.01)
    first, parts = STAR
    step = 1e-5

    def flux(z, k, first):
        return transit.flux(np.array([z]), k, lambda mu: limbdarkening.profile("power-2", first, 0.67, mu))[0]

    found = transit.slopes(np.array([z]), k, first, parts)

    assert found.flux[0] == flux(z, k, first)
    # The flux is even in z.
    assert found.by_z[0] == pytest.approx(
        (flux(z + step, k, first) - flux(abs(z - step), k, first)) / (2 * step), abs=2e-6
    )
    assert found.by_k[0] == pytest.approx(
        (flux(z, k + step, first) - flux(z, k - step, first)) / (2 * step), abs=2e-6
    )
    assert found.by_first[0] == pytest.approx(
        (flux(z, k, first + step) - flux(z, k, first - step)) / (2 * step), abs=1e-7
    )


@pytest.mark.parametrize("law", ["power-2", "quadratic"])
def test_slopes_of_a_light_curve_are_its_differences(law):
    time = np.linspace(-0.1, 1.6, 700)  # the planet is behind the star at 1.5 days
    exposure = np.full(700, 60.0)
    truth = np.array([0.003, 0.12, 7.0, 0.4, 0.5])

    def curve(parameter):
        tc, k, a_rs, impact, first = parameter
        return transit.light_curve(
            time, exposure, tc=tc, period=3.0, k=k, a_rs=a_rs, impact=impact,
            law=lambda mu: limbdarkening.profile(law, first, 0.3, mu),
        )  # fmt: skip

    tc, k, a_rs, impact, first = truth
    flux, slope = transit.light_curve_slopes(
        time, exposure, tc=tc, period=3.0, k=k, a_rs=a_rs, impact=impact, first=first,
        parts=lambda mu: limbdarkening.parts(law, 0.3, mu),
    )  # fmt: skip

    np.testing.assert_array_equal(flux, curve(truth))
    for column, step in enumerate(np.diag([1e-6, 1e-5, 1e-4, 1e-4, 1e-4])):
        expected = (curve(truth + step) - curve(truth - step)) / (2 * step.sum())
        # Near a contact a difference runs over the kink in the curve.
        scale = np.abs(expected).max()
        assert scale > 0
        np.testing.assert_allclose(slope[:, column], expected, atol=2e-3 * scale)
        assert np.median(np.abs(slope[:, column] - expected)) < 1e-7 * scale
