from __future__ import annotations

import numpy as np
import pytest

from accretor.core.settings import Ephemeris
from accretor.plots import style
from accretor.plots.phased import Curve, normalised, phased

EPHEMERIS = Ephemeris(t0=2459000.5, period=3.4561, duration=2.6, depth=12.0, t0_error=4e-4, source="ExoFOP")


def curve(number=0, *, low=-3.0, high=3.0, n=80, sigma=0.003, **changes):
    rng = np.random.default_rng(number)
    hours = np.linspace(low, high, n)
    mid = EPHEMERIS.t0 + (100 + 17 * number) * EPHEMERIS.period
    flux = 1.3 * (np.where(abs(hours) < 1.3, 0.988, 1.0) + rng.normal(0, sigma, n))
    values = {
        "label": f"202503{number:02d} LCO-CTIO-1m0",
        "filter": ("gp", "ip", "Rc", "TESS", "zs", "")[number % 6],
        "time": mid + hours / 24,
        "flux": flux,
        "error": np.full(n, 1.3 * sigma),
        "origin": f"tag {18493 + number}",
    }
    return Curve(**(values | changes))


def draw(*curves, **changes):
    return phased(curves, EPHEMERIS, **{"title": "TIC 123456789 (TOI-1234.01): all observations", **changes})


def test_two_renders_give_the_same_bytes():
    first, second = (style.save(draw(curve(1), curve(2))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("n_curve", [1, 2, 16])
def test_no_text_touches_another_or_leaves_the_page(is_legible, n_curve):
    is_legible(
        draw(*(curve(number, is_ours=number % 3 == 1) for number in range(n_curve)), subtitle="16 curves")
    )


def test_each_curve_lies_at_its_predicted_transit_whatever_its_epoch():
    lines = [line for line in draw(curve(0), curve(5)).axes[0].lines if line.get_marker() == "."]
    for line in lines:
        hours, flux = line.get_xdata(), line.get_ydata()
        assert hours[0] == pytest.approx(-3, abs=1e-4)
        inside = abs(hours) < 1.2
        depth = np.median(flux[~inside & (abs(hours) > 1.4)]) - np.median(flux[inside])
        assert depth == pytest.approx(0.012, abs=3 * 0.003 / np.sqrt(20))


def test_the_level_is_that_outside_the_transit():
    hours = np.linspace(-2, 2, 41)
    flux = np.where(abs(hours) < 1.3, 0.9, 1.0) * 7
    assert normalised(flux, hours, 2.6)[0] == 1
    assert normalised(flux[15:25], hours[15:25], 2.6)[0] == 1  # nothing is outside


def test_a_curve_without_points_or_errors_or_level_is_drawn_as_far_as_it_goes():
    empty = np.empty(0)
    nothing = curve(1, time=empty, flux=empty, error=empty)
    style.save(
        draw(nothing, curve(2, error=np.full(80, np.nan)), curve(3, flux=np.full(80, np.nan)), curve(4, n=1))
    )


def test_a_week_of_points_does_not_squeeze_the_transit():
    low, high = draw(curve(0), curve(1, low=-90, high=90)).axes[0].get_xlim()
    assert (low, high) == pytest.approx((-8.112, 8.112))


def test_no_curve_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="no observation"):
        draw()
