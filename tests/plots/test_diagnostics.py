"""The figures for the observer: what they draw, with known numbers, and that their words can be read."""

from __future__ import annotations

import numpy as np
import pytest

from accretor.core.settings import Ephemeris
from accretor.plots import bands, posterior, precision, style, systematics, timing
from accretor.science import aperture, noise

LONG = "TIC 292152376.01 (TOI-1234.01)  " + "an observatory with a very long name " * 4
HEAD = {"title": "TIC 1.01 (TOI-1.01)   UT2017.12.20", "subtitle": "Hilltop-0m5 (ip filter)"}
MINUTE = 1 / 1440


def rng(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


def strip(n, *, reasons=("2 stars found, 8 needed", "clouds"), seed=1):
    random = rng(seed)
    used = random.random(n) > 0.2
    used[0] = True
    reason = np.array(["" if ok else reasons[i % len(reasons)] for i, ok in enumerate(used)])
    columns = {
        name: level + size * random.standard_normal(n)
        for name, level, size in (
            ("fwhm", 3, 0.2), ("sky", 14000, 300), ("zero_point", -0.2, 0.1), ("shift_x", -100, 60),
            ("shift_y", 3, 8), ("elongation", 1.2, 0.1),
        )
    }  # fmt: skip
    return {"bjd_tdb": 2458107.6 + np.linspace(0, 0.2, n), "is_used": used, "reason": reason, **columns}


@pytest.mark.parametrize("n", [1, 12, 2000])
def test_a_frame_strip_is_legible_with_few_and_many_frames(n, is_legible):
    many = tuple(f"a long reason of kind {chr(97 + i)} that goes on for long" for i in range(9))

    is_legible(systematics.frame_strip(strip(n, reasons=many), title=LONG, subtitle=LONG))


def test_every_frame_left_out_has_a_bar_in_the_lane_of_its_reason(words_of):
    table = strip(40)
    figure = systematics.frame_strip(table, **HEAD)

    lanes = [collection for collection in figure.axes[0].collections if len(collection.get_segments())]
    assert sum(len(lane.get_segments()) for lane in lanes) == np.sum(~table["is_used"])
    for reason in ("2 stars found, 8 needed", "clouds"):
        assert f"{np.sum(table['reason'] == reason)} × {reason}" in words_of(figure)


def test_reasons_that_differ_in_their_numbers_are_one_lane(words_of):
    table = strip(60, reasons=("2 stars found, 8 needed", "3 stars found, 8 needed"))

    words = words_of(systematics.frame_strip(table, **HEAD))

    assert f"{np.sum(~table['is_used'])} × # stars found, # needed" in words


def test_a_frame_strip_of_frames_that_were_never_measured_is_drawn(is_legible, words_of):
    table = strip(8)
    for name in ("fwhm", "sky", "zero_point", "shift_x", "shift_y", "elongation"):
        table[name] = np.full(8, np.nan)
    table["is_used"] = np.zeros(8, dtype=bool)

    figure = systematics.frame_strip(table, **HEAD)

    is_legible(figure)
    assert "not measured" in words_of(figure)


@pytest.mark.parametrize("n", [1, 2, 140, 2000])
def test_a_drift_is_legible_and_tells_its_size(n, is_legible, words_of):
    time = 2458107.6 + np.linspace(0, 0.2, n)
    x, y = 400 + np.linspace(0, 30, n), 300 - np.linspace(0, 4, n)

    figure = systematics.centroid_drift(
        time, x, y, np.ones(n, dtype=bool), pixel_scale=2.0, flip=time[n // 2], **HEAD
    )

    is_legible(figure)
    if n > 2:
        assert "farthest from the median: x 15.00 px, y 2.00 px = 30.0″, 4.0″" in words_of(figure)
        np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), y - np.median(y))


def test_a_track_through_the_zenith_and_one_along_the_horizon_are_legible(is_legible):
    hours = np.linspace(21.4, 28.6, 50)
    everything = np.ones(50, dtype=bool)
    for altitude, azimuth in (
        (90 - 8 * np.abs(hours - 25), np.where(hours < 25, 90.0, 270.0)),
        (2 + 3 * np.abs(hours - 25), 300 + 10 * (hours - 25)),
        (np.full(50, 89.9), np.full(50, 10.0)),
    ):
        airmass = 1 / np.sin(np.radians(altitude))
        is_legible(systematics.sky_track(hours, altitude, azimuth, airmass, everything, **HEAD))


def test_the_track_is_at_its_azimuth_and_zenith_distance(words_of):
    hours = np.array([22.0, 23.0, 24.0])
    altitude, azimuth = np.array([30.0, 60.0, 45.0]), np.array([90.0, 180.0, 270.0])

    figure = systematics.sky_track(hours, altitude, azimuth, 1 / np.sin(np.radians(altitude)),
                                   np.ones(3, dtype=bool), **HEAD)  # fmt: skip

    track = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 3)
    np.testing.assert_allclose(track.get_xdata(), [60, 0, -45], atol=1e-9)
    np.testing.assert_allclose(track.get_ydata(), [0, -30, 0], atol=1e-9)
    assert "2.00 at 22:00 → 1.15 → 1.41 at 00:00" in words_of(figure)


def test_means_of_white_noise_follow_white_noise():
    n = 4000
    residual = 1e-3 * rng(3).standard_normal(n)

    figure = precision.time_averaging(2458107 + np.arange(n) * MINUTE, {"model removed": residual}, **HEAD)

    white, measured = figure.axes[0].lines[:2]
    minutes = np.asarray(measured.get_xdata())
    np.testing.assert_allclose(white.get_ydata()[0], 1.0, rtol=4 / np.sqrt(2 * n))
    kept = minutes < 60
    error = 1 / np.sqrt(2 * n / minutes)
    ratio = np.asarray(measured.get_ydata()) / np.asarray(white.get_ydata())
    assert (np.abs(ratio - 1) < 4 * error + 0.02)[kept].all()


def test_means_of_a_drifting_star_stay_above_white_noise(words_of):
    n = 500
    time = np.arange(n) * MINUTE
    residual = 1e-3 * (rng(3).standard_normal(n) + 2 * np.sin(2 * np.pi * time / 0.15))

    figure = precision.time_averaging(2458107 + time, {"model removed": residual}, **HEAD)

    white, measured = figure.axes[0].lines[:2]
    assert measured.get_ydata()[-1] > 3 * white.get_ydata()[-1]


@pytest.mark.parametrize("n", [2, 10, 140, 2000])
def test_time_averaging_is_legible(n, is_legible):
    residual = 1e-3 * rng(n).standard_normal(n)

    both = {"model removed": residual, "undetrended": 1.3 * residual}

    is_legible(
        precision.time_averaging(2458107 + np.arange(n) * 2 * MINUTE, both, marks={"ingress": 20.0}, **HEAD)
    )


def test_the_noise_budget_is_that_of_the_ccd_equation():
    flux = np.array([1e4, 1e6])
    found = noise.budget(flux, area=50.0, sky_variance=100.0, sky_area=500.0, scintillation_error=1e-3)

    expected = np.sqrt(flux + 50 * (1 + 0.1 * np.pi / 2) * 100 + (1e-3 * flux) ** 2) / flux
    np.testing.assert_allclose(found.total, expected)


def test_the_noise_budget_is_that_of_the_errors_of_the_photometry():
    flux, area = np.array([1e4, 1e6]), np.pi * 5.0**2
    found = noise.budget(
        flux, area=area, sky_variance=164.0 + 1 / 12, sky_area=500.0, scintillation_error=0.0
    )

    error = aperture.flux_error(
        flux[:, np.newaxis], np.array([5.0]), np.full(2, 100.0), np.full(2, 9.9), np.full(2, 500),
        gain=1.0, read_noise=8.0, dark_variance=0.0,
    )  # fmt: skip
    np.testing.assert_allclose(found.total, error[:, 0] / flux)


@pytest.mark.parametrize("n", [1, 30, 2000])
def test_rms_against_magnitude_is_legible_and_shows_every_star_once(n, is_legible):
    flux = 10 ** rng(2).uniform(3.5, 6.5, n)
    budget = noise.budget(np.geomspace(1e3, 1e7, 50), area=50, sky_variance=100, sky_area=500,
                          scintillation_error=1e-3)  # fmt: skip
    role = np.array([("target", "comparison", "saturated", "other")[min(i, 1 + i % 3)] for i in range(n)])
    scatter = 1000 / np.sqrt(flux) * 1.2

    figure = precision.rms_magnitude(
        flux, scatter, role, exposure=60.0, budget=budget, target_ppt=2.0, **HEAD
    )

    is_legible(figure)
    drawn = sum(len(line.get_xdata()) for line in figure.axes[0].lines if line.get_linestyle() == "None")
    assert drawn == n
    star = next(line for line in figure.axes[0].lines if line.get_marker() == "*")
    assert star.get_ydata().tolist() == [2.0]
    assert star.get_xdata()[0] == pytest.approx(-2.5 * np.log10(flux[0] / 60))


def test_the_aperture_that_was_chosen_is_circled(is_legible, words_of):
    radius, scatter = np.array([2.0, 4.0, 6.0, 8.0]), np.array([30.0, 3.0, 2.5, 2.8])

    figure = precision.aperture_curve(radius, scatter, 6.0, fwhm=3.0, pixel_scale=0.5, **HEAD)

    is_legible(figure)
    circle = next(line for line in figure.axes[0].lines if line.get_markerfacecolor() == "none")
    assert (circle.get_xdata()[0], circle.get_ydata()[0]) == (6.0, 2.5)
    assert "chosen: 6.00 px = 3.0″" in words_of(figure)
    assert "▲ beyond: up to 30.0 ppt" in words_of(figure)


@pytest.mark.parametrize("n", [1, 140, 2000])
def test_the_template_is_circled_and_frames_that_cannot_be_it_are_crosses(n, is_legible, words_of):
    score = rng(4).standard_normal(n)
    chosen = int(np.argmax(score))
    score[np.arange(n) % 9 == 8] = np.nan
    reason = np.where(np.isnan(score), "few stars", "")
    chosen = int(np.nanargmax(score))

    figure = precision.template_score(2458107 + np.arange(n) * MINUTE, score, reason, chosen, best=0, **HEAD)

    is_legible(figure)
    crosses = next(line for line in figure.axes[0].lines if line.get_marker() == "x")
    assert len(crosses.get_xdata()) == np.isnan(score).sum()
    assert ("circle: the template" in words_of(figure)) == (n > 0)


@pytest.mark.parametrize("n_band", [1, 2, 4])
@pytest.mark.parametrize("n_frame", [10, 2000])
def test_several_filters_are_legible_stacked_and_in_panels(night, is_legible, n_band, n_frame):
    names = ("gp", "rp", "ip", "Pan-STARRS-zs")[:n_band]
    filters = [
        bands.Band(name, night(n_frame, seed=i)[0], "Rp/R* 0.1489 ± 0.0021") for i, name in enumerate(names)
    ]
    _, results = night(10)
    contacts = {"ingress": results["ingress_bjd_tdb"], "egress": results["egress_bjd_tdb"], "error": 0.001}

    for draw in (bands.stacked, bands.panels):
        is_legible(draw(filters, **contacts, **HEAD))


def test_each_filter_has_its_panel_and_all_have_one_scale(night):
    filters = [bands.Band(name, night(140, seed=i)[0]) for i, name in enumerate(("gp", "rp", "ip"))]

    figure = bands.panels(filters, **HEAD)

    assert len(figure.axes) == 3
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_the_rms_of_a_filter_is_that_of_the_frames_that_count(night, words_of):
    table, _ = night(140)
    table["is_counted"] = table["is_used"] & (np.arange(140) < 60)
    expected = 1000 * np.sqrt(np.mean(table["residual"][table["is_counted"]] ** 2))

    assert f"RMS {expected:.2f} ppt" in words_of(bands.panels([bands.Band("gp", table)], **HEAD))


def test_mid_transits_lie_at_their_epochs_within_the_error_of_the_prediction(is_legible, words_of):
    ephemeris = Ephemeris(t0=2458000.5, period=2.5, duration=3, depth=10, t0_error=0.001, period_error=1e-5)
    transits = [
        timing.MidTransit(epoch, value, 1.0, name, f"20{10 + epoch % 80}0101 A-Telescope-With-A-Name")
        for epoch, value, name in ((40, 1.0, "gp"), (40, 2.0, "rp"), (55, -3.0, "ip"), (140, 0.5, "ip"))
    ]

    figure = timing.o_c(transits, ephemeris, **HEAD)

    is_legible(figure)
    np.testing.assert_allclose(np.mean([1.0, 2.0, -3.0, 0.5]), 0.125)
    assert "mean +0.12 ± 0.50 min" in words_of(figure)
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    at_140 = band[np.isclose(band[:, 0], 140, atol=0.6), 1]
    assert at_140.max() == pytest.approx(1440 * np.hypot(0.001, 140e-5), rel=0.01)


def test_the_corner_shows_median_and_spread_of_each_parameter(is_legible, words_of):
    random = rng(7)
    samples = {
        "rp_rs": 0.1 + 0.002 * random.standard_normal(5000),
        "tc": 2458107.71 + 0.0005 * random.standard_normal(5000),
        "b": np.abs(0.3 * random.standard_normal(5000)),
    }

    figure = posterior.corner(samples, names={"rp_rs": "Rp/R*", "tc": "Tc"}, marks={"rp_rs": 0.1}, **HEAD)

    is_legible(figure)
    assert len(figure.axes) == 6
    low, middle, high = np.percentile(samples["rp_rs"], (15.87, 50, 84.13))
    assert f"{middle:.4f}\n+{high - middle:.4f} −{middle - low:.4f}" in words_of(figure)


def test_contours_hold_the_parts_of_the_samples_that_they_claim():
    first, second = rng(8).standard_normal((2, 40000))

    axes = posterior.corner({"a": first, "b": second}, **HEAD).axes[1]

    paths = axes.collections[-1].get_paths()
    held = [path.contains_points(np.column_stack([first, second])).mean() for path in paths]
    np.testing.assert_allclose(sorted(held), posterior.LEVELS, atol=0.06)


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (lambda: posterior.corner({"a": np.array([1.0])}, **HEAD), "two samples"),
        (lambda: posterior.corner({"a": np.array([1.0, np.nan])}, **HEAD), "not finite"),
        (lambda: bands.panels([], **HEAD), "no filter"),
        (lambda: precision.time_averaging(np.array([1.0]), {"a": np.array([1.0])}, **HEAD), "two points"),
        (lambda: precision.aperture_curve(np.array([1.0]), np.array([np.nan]), 1.0, **HEAD), "no aperture"),
    ],
)
def test_a_figure_of_nothing_is_refused(draw, reason):
    with pytest.raises(ValueError, match=reason):
        draw()


def test_a_figure_that_cannot_be_drawn_says_why(is_legible, words_of):
    figure = style.nothing(LONG, "no frame has a time, and " * 6)

    is_legible(figure)
    assert "Nothing to draw: no frame has a time" in words_of(figure)
