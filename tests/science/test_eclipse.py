"""Our own test of neighbours: eclipses are found, quiet stars are quiet, what is missing clears nothing."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from accretor.science import eclipse
from accretor.science.eclipse import Curve, Window

BEGIN = 2460739.35
HOUR = 1 / 24


def night(
    generator: np.random.Generator,
    *,
    noise: float,
    n: int = 150,
    hours: float = 5.0,
    red: float = 0.0,
    level: float = 5e4,
) -> Curve:
    """Return a quiet star with white *noise*, and *red* times as much that lasts 20 minutes (relative)."""
    time = BEGIN + np.linspace(0, hours * HOUR, n)
    value = 1 + noise * generator.standard_normal(n)
    if red:
        lag = np.abs(time[:, np.newaxis] - time) * 1440
        factor = np.linalg.cholesky(np.exp(-lag / 20) + 1e-9 * np.eye(n))
        value += red * noise * (factor @ generator.standard_normal(n))
    return Curve(time, level * value, np.full(n, level * noise), np.ones(n), np.full(n, 60.0))


WINDOW = Window(BEGIN + 1.5 * HOUR, BEGIN + 3.5 * HOUR, 0.0)


def dimmed(curve: Curve, depth: float, shape: str = "trapezoid", window: Window = WINDOW) -> Curve:
    """Return *curve* with an eclipse, *depth* relative."""
    middle, half = (window.ingress + window.egress) / 2, (window.egress - window.ingress) / 2
    flat = {"box": 0.999, "trapezoid": 0.5, "vee": 0.0}[shape]
    profile = np.clip((half - np.abs(curve.time - middle)) / (half * (1 - flat)), 0, 1)
    return dataclasses.replace(curve, flux=curve.flux * (1 - depth * profile))


def test_the_depth_of_a_box_comes_back_and_its_errors_are_those_of_the_noise():
    pull = []
    for seed in range(60):
        curve = dimmed(night(np.random.Generator(np.random.PCG64(seed)), noise=0.01), 0.05, "box")
        box = eclipse.measure(curve, WINDOW, 50.0, cadence=180.0)
        pull.append((box.depth - 50) / box.error)

    assert abs(np.mean(pull)) < 0.5
    assert 0.6 < np.std(pull) < 1.3


def test_correlated_noise_widens_the_error():
    white, red = (
        np.mean(
            [
                eclipse.measure(
                    night(np.random.Generator(np.random.PCG64(seed)), noise=0.01, red=red),
                    WINDOW, 50.0, cadence=180.0,
                ).error
                for seed in range(10)
            ]
        )
        for red in (0.0, 1.0)
    )  # fmt: skip

    assert red > 2 * white


# Two neighbours that both fake 18.9 ppt or 1.9 ppt: 30 % of a star 3 or 5.5 magnitudes fainter.
@pytest.mark.parametrize(("delta_mag", "noise", "depth"), [(3.0, 0.010, 18.9), (5.5, 0.065, 1.9)])
@pytest.mark.parametrize("shape", ["box", "trapezoid", "vee"])
def test_an_eclipse_of_30_percent_is_an_event_or_dip_in_every_night_and_never_cleared(
    delta_mag, noise, depth, shape
):
    needed = depth * 10 ** (0.4 * (delta_mag - 0.5))
    words = []
    for seed in range(40):
        curve = night(np.random.Generator(np.random.PCG64(seed)), noise=noise, red=0.3)
        words.append(
            eclipse.verdict(
                eclipse.measure(dimmed(curve, 0.3, shape), WINDOW, needed, cadence=180.0), needed
            )[0]
        )

    assert set(words) <= {eclipse.EVENT, eclipse.DIP}
    assert words.count(eclipse.EVENT) >= 38


@pytest.mark.slow
@pytest.mark.parametrize("red", [0.0, 1.0])
def test_quiet_stars_give_no_false_event_in_1500(red):
    words = []
    for seed in range(50):
        generator = np.random.Generator(np.random.PCG64(seed))
        for star in range(30):
            delta_mag = 0.2 * star
            noise = 0.003 * 10 ** (0.3 * delta_mag)
            needed = 10 * 10 ** (0.4 * (delta_mag - 0.5))
            curve = night(generator, noise=noise, n=100, red=red)
            words.append(eclipse.verdict(eclipse.measure(curve, WINDOW, needed, cadence=180.0), needed)[0])

    assert words.count(eclipse.EVENT) == 0  # fewer than 1e-3 a star
    assert words.count(eclipse.DIP) < 0.02 * len(words)


def test_quiet_bright_stars_are_cleared_and_noisy_ones_are_not():
    def word(noise: float) -> str:
        curve = night(np.random.Generator(np.random.PCG64(5)), noise=noise)
        return eclipse.verdict(eclipse.measure(curve, WINDOW, 60.0, cadence=180.0), 60.0)[0]

    assert [word(noise) for noise in (0.005, 0.25)] == [eclipse.CLEARED, eclipse.NOT_CLEARED]


def test_an_eclipse_at_the_wrong_side_of_an_uncertain_window_is_found():
    shifted = Window(WINDOW.ingress + 0.8 * HOUR, WINDOW.egress + 0.8 * HOUR, 0.0)
    curve = dimmed(night(np.random.Generator(np.random.PCG64(2)), noise=0.01), 0.2, "box", shifted)
    uncertain = dataclasses.replace(WINDOW, sigma=0.3 * HOUR)

    exact, wide = (eclipse.measure(curve, window, 200.0, cadence=180.0) for window in (WINDOW, uncertain))

    assert wide.depth == pytest.approx(200, abs=30)
    assert wide.depth > exact.depth + 20


def test_a_step_at_the_meridian_flip_is_no_eclipse():
    curve = night(np.random.Generator(np.random.PCG64(3)), noise=0.005)
    flip = np.where(curve.time > BEGIN + 1.5 * HOUR, 1.0, -1.0)
    stepped = dataclasses.replace(curve, flux=curve.flux * (1 - 0.03 * (flip > 0)), flip=flip)

    box = eclipse.measure(stepped, WINDOW, 100.0, cadence=180.0)

    assert abs(box.depth) < 4 * box.error


def test_single_bad_points_do_not_count():
    curve = night(np.random.Generator(np.random.PCG64(4)), noise=0.01)
    flux = curve.flux.copy()
    flux[[60, 80]] = 0.0

    box = eclipse.measure(dataclasses.replace(curve, flux=flux), WINDOW, 100.0, cadence=180.0)

    assert abs(box.depth) < 4 * box.error
    assert box.n_frame == 148


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (slice(0, 9), "measured in 9 frames"),
        (slice(0, 45), "in the predicted window"),
        (slice(50, 100), "out of the predicted window"),
        (slice(0, 75), "% of the predicted window observed"),
    ],
)
def test_what_was_not_observed_clears_no_star(kept, reason):
    curve = night(np.random.Generator(np.random.PCG64(6)), noise=0.001)
    flux = np.full(len(curve.flux), np.nan)
    flux[kept] = curve.flux[kept]

    word, said = eclipse.verdict(
        eclipse.measure(dataclasses.replace(curve, flux=flux), WINDOW, 100.0, cadence=180.0), 100.0
    )

    assert word == eclipse.NOT_CLEARED
    assert reason in said


@pytest.mark.parametrize("level", [0.0, -300.0, 2.0])
def test_a_star_without_light_is_not_cleared(level):
    generator = np.random.Generator(np.random.PCG64(7))
    curve = night(generator, noise=0.01)
    flux = level + 100 * generator.standard_normal(150)
    dark = dataclasses.replace(curve, flux=flux, error=np.full(150, 100.0))

    loss = eclipse.measure(dark, WINDOW, 5000.0, cadence=180.0)
    word, reason = eclipse.verdict(loss, 5000.0)

    assert (word, reason.split(":")[0]) == (eclipse.NOT_CLEARED, "its light is not seen")
    assert math.isnan(loss.significance)


def test_coverage_is_the_part_of_the_window_with_frames():
    time = BEGIN + np.arange(0, 300, 2.0) / 1440
    exposure = np.full(len(time), 100.0)
    window = Window(BEGIN + 60 / 1440, BEGIN + 180 / 1440, 0.0)
    gap = (time < window.ingress) | (time > window.ingress + 0.5 * 120 / 1440)

    assert eclipse.covered(time, exposure, window) == pytest.approx(1.0, abs=1e-6)
    assert eclipse.covered(time[gap], exposure[gap], window) == pytest.approx(0.5, abs=0.03)
    assert eclipse.covered(time, exposure, Window(BEGIN - 1, BEGIN - 0.9, 0.0)) == 0
    wide = dataclasses.replace(window, sigma=60 / 1440)
    late = time > window.ingress
    assert eclipse.covered(time[late], exposure[late], wide) == pytest.approx(0.75, abs=0.02)
