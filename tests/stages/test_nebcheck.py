"""A neighbour is never cleared on what was not measured, whichever frames and apertures lack it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.science import eclipse, neb
from accretor.science.eclipse import Window
from accretor.stages import nebcheck
from accretor.stages.nebnight import Night, Rules

N_FRAME, RADII = 90, np.array([3.0, 5.0])
TIME = 2460739.35 + np.arange(N_FRAME) * 180 / 86400
RULES = Rules(
    window=Window(float(TIME[30]), float(TIME[60]), 0.0),
    depth=10.0,
    limit=5.0,
    cadence=180.0,
    fwhm=3.0,
    scale=1.0,
    radius=5.0,
    gain=1.5,
    read_noise=8.0,
    dark=np.zeros(N_FRAME),
)
BENCH = SimpleNamespace(progress=lambda done, total: None)
STAR = {
    "position": 1,
    "identifier": "a star",
    "ra": 1.0,
    "dec": 2.0,
    "separation": 60.0,
    "position_angle": 90.0,
    "delta_tmag": 2.0,
    "nearest": 30.0,
    "tmag": 13.0,
}


def night(missing=None, saturated=None):
    """A quiet neighbour two magnitudes below the target, and five comparison stars."""
    rng = np.random.Generator(np.random.PCG64(4))
    shape = (N_FRAME, 1, len(RADII))
    light = np.array([3e6, 1e6, 2e6, 3e6, 2e6, 1e6])
    flux = 4.8e5 * (1 + rng.normal(0, 0.003, shape))
    if missing is not None:
        flux[missing[:, np.newaxis, :]] = np.nan
    full = np.zeros((N_FRAME, 1), dtype=bool) if saturated is None else saturated[:, np.newaxis]
    flux[full] = np.nan
    at_zero = np.concatenate([np.full(shape, 3e6), flux], axis=1)
    stars = light[:, np.newaxis] * (1 + rng.normal(0, 0.001, (N_FRAME, 6, len(RADII))))
    return Night(
        time=TIME, exposure=np.full(N_FRAME, 150.0), flip=np.ones(N_FRAME), radii=RADII,
        scale=np.ones(N_FRAME),
        flux=at_zero, flux_error=np.sqrt(np.abs(at_zero)), sky=np.full((N_FRAME, 2), 50.0),
        n_sky=np.full((N_FRAME, 2), 500.0), is_saturated=np.column_stack([np.zeros(N_FRAME, bool), full]),
        star_flux=stars, star_error=np.sqrt(stars), star_sky=np.full((N_FRAME, 6), 50.0),
        star_n_sky=np.full((N_FRAME, 6), 500.0),
        star_place=np.array([[100.0, 100], [20, 20], [180, 20], [20, 180], [180, 180], [100, 20]]),
        is_listed=np.ones(6, dtype=bool), place=np.array([[100.0, 100], [160, 100]]),
        target_place=np.full((N_FRAME, 2), 100.0),
    )  # fmt: skip


def found(**changes):
    return nebcheck.run([STAR], night(**changes), RULES, margin=0.5, bench=BENCH)[0].row


def is_cleared(row):
    return row["disposition"] in (neb.CLEARED, neb.LIKELY) or row["verdict"] in (
        eclipse.CLEARED,
        eclipse.LIKELY,
    )


def holes(draw):
    """Frames that lack the star: everywhere, or through one aperture, in a row or here and there."""
    missing = np.zeros((N_FRAME, len(RADII)), dtype=bool)
    for radius in range(len(RADII)):
        first = draw(st.integers(0, N_FRAME))
        missing[first : draw(st.integers(first, N_FRAME)), radius] = True
        missing[:, radius] |= np.array(draw(st.lists(st.booleans(), min_size=9, max_size=9)) * 10)
        if draw(st.booleans()):
            missing[:, radius] = False
    return missing


def test_a_quiet_neighbour_that_was_seen_in_all_frames_is_cleared():
    row = found()

    assert (row["disposition"], row["verdict"]) == (neb.CLEARED, eclipse.CLEARED)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_neighbour_is_cleared_by_an_aperture_that_lacks_half_the_frames_or_the_window(data):
    missing = holes(data.draw)
    row = found(missing=missing)

    if row["disposition"] in (neb.CLEARED, neb.LIKELY):
        seen = ~missing[:, int(np.argmin(np.abs(RADII - row["radius"])))]
        assert seen.sum() >= 0.5 * N_FRAME
        # A frame stands for its own time, and for a gap of one frame beside it at most.
        assert seen[30:61].mean() > 0.25
    if (~missing).sum(axis=0).max() < 0.5 * N_FRAME or missing[30:61].all():
        assert not is_cleared(row)
    if is_cleared(row):
        assert row["reason"] == "" or "%" not in row["reason"] or "observed" not in row["reason"]


def test_a_few_frames_through_one_aperture_clear_no_star():
    # Three alike values have no scatter: they would clear anything.
    missing = np.zeros((N_FRAME, len(RADII)), dtype=bool)
    missing[3:, 1] = True
    row = found(missing=missing)

    assert row["radius"] == RADII[0]


@pytest.mark.parametrize("kept", [slice(0, 9), slice(0, 40), slice(61, 90), slice(29, 47)])
def test_a_neighbour_seen_in_a_part_of_the_night_is_not_cleared(kept):
    missing = np.ones((N_FRAME, len(RADII)), dtype=bool)
    missing[kept] = False

    assert not is_cleared(found(missing=missing))


def test_a_neighbour_that_is_saturated_in_many_frames_is_not_cleared():
    saturated = np.arange(N_FRAME) % 4 == 0

    row = found(saturated=saturated)
    assert not is_cleared(row)
    assert row["reason"].startswith("saturated in 23 of 90 frames")


def test_a_neighbour_in_the_light_of_the_target_is_not_cleared():
    close = {**STAR, "separation": 2.0}
    (tested,) = nebcheck.run([close], night(), dataclasses.replace(RULES), margin=0.5, bench=BENCH)

    assert not is_cleared(tested.row)
