"""What else tells the time in a night's headers and file names, and whether it agrees with the time stamps.

A light curve with a wrong clock looks perfect and is worthless. Every other clock is asked: Julian date and
sidereal time of the header, the altitude of the mount, the order in which files were numbered, and that no
exposure can begin before the last has ended.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats

FLAGGED = 2.0
"""Second of disagreement above which it is said."""
BLOCKED = 60.0
"""Second of disagreement above which nothing is to be published."""
SIDEREAL_FLAGGED = 15.0
"""Second; a sidereal time shares the longitude's rounding, 0.05 degrees are 12 s."""
SIDEREAL_JUMP = 4.0
"""Second by which a sidereal time of whole seconds may wander during a night."""
LEAST_RATE = 3.0
"""Degree per hour that the altitude must change for it to be a clock; near the meridian it is none."""
LEAST_STEP_FRAMES = 5
"""Frames on each side of a step of the clock."""
MOST_ORDERED = 0.2
"""If more neighbours in the numbering are against the order of time, the numbers mean something else."""
_NUMBERED = re.compile(r"^(.*?)(\d+)(\D*)$")


@dataclass(frozen=True)
class Clocks:
    """What is known of the times of a night's frames, in the order of time; NaN where nothing is."""

    name: tuple[str, ...]
    """(n,) paths of the files."""
    mid: Floats
    """(n,) Julian date of mid-exposure, day."""
    exposure: Floats
    """(n,) second."""
    julian_offset: Floats
    """(n,) second; a Julian date of the header minus the time stamps."""
    sidereal_offset: Floats
    """(n,) second; the sidereal time of the header minus the time stamps."""
    altitude_header: Floats
    """(n,) degree."""
    altitude: Floats
    """(n,) degree, by the time stamps."""


@dataclass(frozen=True)
class Verdict:
    """What the clocks say."""

    remarks: tuple[str, ...]
    """Disagreements of more than 2 s."""
    problems: tuple[str, ...]
    """Disagreements of more than 60 s: a package must not be sent with them."""


def check(clocks: Clocks) -> Verdict:
    """Compare the time stamps with every other clock of a night.

    Returns
    -------
    Verdict
        Sentences with numbers; both empty where nothing disagrees, or nothing else is known.
    """
    remarks: list[str] = []
    problems: list[str] = []
    for seconds, said in (
        _julian(clocks),
        _sidereal(clocks),
        _sidereal_jump(clocks),
        altitude_step(clocks),
        numbering(clocks),
        overlap(clocks),
    ):
        if said:
            (problems if seconds > BLOCKED else remarks).append(said)
    return Verdict(tuple(remarks), tuple(problems))


def _julian(clocks: Clocks) -> tuple[float, str]:
    offset = clocks.julian_offset
    known = np.isfinite(offset)
    wrong = known & (np.abs(np.nan_to_num(offset)) > FLAGGED)
    if not wrong.any():
        return 0.0, ""
    worst = offset[np.nanargmax(np.abs(offset))]
    return abs(float(worst)), (
        f"the Julian date in the headers is up to {worst:+.1f} s from the time stamps "
        f"({wrong.sum()} of {known.sum()} frames by more than {FLAGGED:g} s)"
    )


def _sidereal(clocks: Clocks) -> tuple[float, str]:
    known = clocks.sidereal_offset[np.isfinite(clocks.sidereal_offset)]
    if not known.size or abs(offset := float(np.median(known))) <= SIDEREAL_FLAGGED:
        return 0.0, ""
    return abs(offset), (
        f"the sidereal time in the headers is {offset:+.0f} s from that of the time stamps: "
        "check the clock and the longitude"
    )


def _sidereal_jump(clocks: Clocks) -> tuple[float, str]:
    known = np.flatnonzero(np.isfinite(clocks.sidereal_offset))
    if len(known) < 2:
        return 0.0, ""
    away = clocks.sidereal_offset[known] - np.median(clocks.sidereal_offset[known])
    worst = int(np.argmax(np.abs(away)))
    seconds = float(abs(away[worst]))
    if seconds <= SIDEREAL_JUMP:
        return 0.0, ""
    return seconds, (
        f"the clock jumped against the sidereal time: by {away[worst]:+.0f} s at {clocks.name[known[worst]]}"
    )


def altitude_step(clocks: Clocks) -> tuple[float, str]:
    """Return the size of a step of the clock against the altitude of the mount, second, and a sentence.

    The change of the difference of both altitudes from five frames to the next five, over
    the rate of the altitude: what is constant or slow in it is of the mount.
    """
    if len(clocks.mid) < 4 * LEAST_STEP_FRAMES:
        return 0.0, ""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.gradient(clocks.altitude, clocks.mid * 24)
    difference = clocks.altitude_header - clocks.altitude
    good = np.flatnonzero(np.isfinite(difference) & (np.abs(rate) > LEAST_RATE))
    if len(good) < 4 * LEAST_STEP_FRAMES:
        return 0.0, ""
    blocks = np.lib.stride_tricks.sliding_window_view(difference[good], LEAST_STEP_FRAMES)
    level = np.median(blocks, axis=1)
    change = level[LEAST_STEP_FRAMES:] - level[:-LEAST_STEP_FRAMES]
    steps = 3600 * change / rate[good[LEAST_STEP_FRAMES : LEAST_STEP_FRAMES + len(change)]]
    best = int(np.argmax(np.abs(steps)))
    others = np.abs(np.arange(len(steps)) - best) >= LEAST_STEP_FRAMES
    usual = float(np.median(np.abs(steps[others]))) if others.any() else 0.0
    if abs(steps[best]) <= BLOCKED or abs(steps[best]) <= 6 * usual:
        return 0.0, ""
    return abs(float(steps[best])), (
        f"the clock jumped by {-steps[best]:+.0f} s against the altitude of the mount at "
        f"{clocks.name[good[best + LEAST_STEP_FRAMES]]}"
    )


def numbering(clocks: Clocks) -> tuple[float, str]:
    """Return by how much the time goes back from one file number to the next, second, and a sentence."""
    groups: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for index, name in enumerate(clocks.name):
        if found := _NUMBERED.match(name.rpartition(".")[0] or name):
            groups[found[1], found[3]].append((int(found[2]), index))
    worst, said, n_back, n_pair = 0.0, "", 0, 0
    for members in groups.values():
        order = [index for _, index in sorted(members)]
        for earlier, later in itertools.pairwise(order):
            n_pair += 1
            back = float(clocks.mid[earlier] - clocks.mid[later]) * 86400
            n_back += back > 0
            if back > max(worst, FLAGGED):
                worst = back
                said = (
                    f"{clocks.name[later]} is {back:.0f} s before {clocks.name[earlier]}, "
                    "which has the lower number: the clock was set back, or the numbers are not in order"
                )
    if n_back > MOST_ORDERED * n_pair:
        return 0.0, ""
    return worst, said


def overlap(clocks: Clocks) -> tuple[float, str]:
    """Return by how much an exposure begins before the last has ended, second, and a sentence."""
    half = np.nan_to_num(clocks.exposure) / 2
    gap = np.diff(clocks.mid) * 86400 - half[1:] - half[:-1]
    if not gap.size or gap.min() >= -FLAGGED:
        return 0.0, ""
    at = int(np.argmin(gap))
    return float(-gap[at]), (
        f"{int((gap < -FLAGGED).sum())} exposures begin before the last has ended, "
        f"{clocks.name[at + 1]} by {-gap[at]:.0f} s: was the clock set back, or are these two cameras?"
    )
