"""SG1's check: an example by hand, its words, and what it makes of odd data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.science import neb
from accretor.science.neb import Session

MINUTE = 1 / 1440


def session(n: int, *, spacing: float = 100.0, inside: tuple[float, float] = (0, 0), depth: float = 10.0):
    """Return *n* frames, *spacing* second apart, with a transit *inside* (second after the first)."""
    begin = 2460739.4
    return Session(
        time=begin + np.arange(n) * spacing / 86400,
        target=np.full(n, 1000.0),
        radius=3.9,
        ingress=begin + inside[0] / 86400,
        egress=begin + inside[1] / 86400,
        depth=depth,
    )


def test_an_example_comes_out_as_by_hand():
    # 6 frames in 500 s: 83.3 s each, so 180 s make bins of 2. The second bin is in the transit.
    night = session(6, inside=(190, 310))
    source = np.array([100.0, 100.0, 100.0, 100.0, 100.0, 120.0])
    relative = np.array([1.00, 1.02, 0.98, 0.96, 1.01, 0.99])

    found = neb.check(night, source, relative, np.full(6, 0.01))

    assert night.binning == 2
    assert night.duration == pytest.approx(500 / 60, abs=1e-6)
    # Mean 103.3333; weights 0.09 for each 100, 0.0036 for the 120: (45 + 0.432) / 0.4536.
    assert found.net_counts == pytest.approx(100.158730, abs=1e-6)
    # 2.5 five times and 2.302047 once; mean 2.467008; weights 918.7 and 36.75:
    # the five weigh 125 times as much as the one.
    assert found.delta_mag == pytest.approx(2.498429, abs=2e-6)
    # Bins 1.01, 0.97, 1.00; level (1.01 + 1.00) / 2; about 1: +0.0049751, -0.0348259, -0.0049751.
    np.testing.assert_allclose(found.bin_flux, [1.0049751, 0.9651741, 0.9950249], atol=1e-7)
    assert found.rms == pytest.approx(20.51296, abs=1e-4)
    # 10 ppt * 10^(0.4 (2.498429 - 0.5))
    assert found.depth_needed == pytest.approx(63.0044, abs=2e-3)
    assert found.ratio == pytest.approx(63.0044 / 20.51296, abs=2e-4)
    assert found.disposition == "Likely cleared"
    np.testing.assert_allclose((found.bin_time - night.time[0]) * 86400, [50, 250, 450], atol=1e-3)


def test_a_short_last_bin_is_kept_with_its_own_mean():
    np.testing.assert_allclose(neb.means(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), 2), [2, 6, 9])


def test_bins_far_off_are_left_out_and_the_rest_is_levelled_by_its_plain_mean():
    night = session(60, spacing=200.0, inside=(-900, -300))
    relative = 1 + 0.001 * np.tile([1.0, -1.0], 30)
    relative[7] = 2.0

    found = neb.check(night, np.full(60, 500.0), relative, np.full(60, 0.01))

    assert np.flatnonzero(np.isnan(found.bin_flux)).tolist() == [7]
    kept = np.delete(relative, 7)
    assert found.rms == pytest.approx(1000 * np.sqrt(np.mean((kept / kept.mean() - 1) ** 2)), rel=1e-9)


@pytest.mark.parametrize("inside", [(-900, -300), (9000, 9900), (-600, 9000)])
def test_without_frames_on_both_sides_of_a_contact_all_bins_make_the_level(inside):
    relative = np.linspace(0.9, 1.1, 20)

    found = neb.check(
        session(20, spacing=200.0, inside=inside), np.full(20, 9e3), relative, np.full(20, 0.01)
    )

    assert np.nanmean(found.bin_flux) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "needed", "ratio", "word"),
    [
        (1.99, 5000.0, 50.0, neb.FLUX_TOO_LOW),
        (-3.0, 10.0, 50.0, neb.FLUX_TOO_LOW),
        (math.nan, 10.0, 50.0, neb.FLUX_TOO_LOW),
        (2.0, 1000.0, 0.1, neb.TOO_FAINT),
        (2.0, 999.9, 5.0, neb.CLEARED),
        (2.0, 999.9, 4.999, neb.LIKELY),
        (2.0, 10.0, 3.0, neb.LIKELY),
        (2.0, 10.0, 2.999, neb.NOT_CLEARED),
        (2.0, 10.0, math.nan, neb.NOT_CLEARED),
        (2.0, math.nan, math.nan, neb.NOT_CLEARED),
    ],
)
def test_the_words_come_in_the_order_of_the_macro(counts, needed, ratio, word):
    assert neb.disposition(counts, needed, ratio) == word


def test_a_star_whose_light_is_negative_counts_15_magnitudes_in_such_frames():
    night = session(4, spacing=200.0)

    found = neb.check(night, np.full(4, -5.0), np.full(4, -0.01), np.full(4, 0.01))

    assert (found.delta_mag, found.disposition) == (15.0, neb.FLUX_TOO_LOW)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30))
def test_the_macros_mean_lies_within_its_values(values):
    array = np.array(values) / 7
    found = neb.centred_mean(array)

    assert array.min() - 1e-6 <= found <= array.max() + 1e-6


@pytest.mark.parametrize(
    ("depth", "limit"), [(0.1, 10.0), (0.5, 8.3), (1, 7.5), (5, 5.8), (10, 5.0), (50, 3.3), (100, 2.5)]
)
def test_the_limit_of_brightness_is_that_of_sg1s_table(depth, limit):
    assert round(neb.magnitude_limit(depth), 1) == limit


def test_of_several_apertures_that_with_the_greatest_ratio_is_told():
    night = session(30, spacing=200.0)
    generator = np.random.Generator(np.random.PCG64(1))
    relative = 1 + 0.01 * generator.standard_normal(30)
    checked = [
        neb.check(night, np.full(30, 900.0), 1 + factor * (relative - 1), np.full(30, 0.01))
        for factor in (2.0, 0.5, 1.0)
    ]
    empty = neb.check(night, np.full(30, -1.0), relative, np.full(30, 0.01))

    assert neb.merge(checked) == 1
    assert neb.merge([empty, *checked]) == 2
    assert neb.merge([empty, empty]) == 0


def test_the_faintest_cleared_star_is_told_and_others_do_not_count():
    words = [neb.CLEARED, neb.LIKELY, neb.CLEARED, neb.TOO_FAINT, neb.NOT_CLEARED]

    assert neb.faintest_cleared(np.array([1.0, 5.0, 3.2, 7.0, 6.0]), words) == 3.2
    assert math.isnan(neb.faintest_cleared(np.array([1.0]), [neb.LIKELY]))
