"""Transits put into the comparison stars of a real night, and found again, to see whether errors are true.

uv run python -m benchmarks.injections WORKSPACE [OBSERVATION] [--seed N]

The workspace must have been reduced (doit calibration). The true target and its transit
are taken out of the night; every comparison star within a magnitude of it (and brighter
ones) takes its place in turn, with transits at random times. What comes back, minus what
was put in, over its error should have a standard deviation of 1.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accretor.core.settings import CalibrationSettings, Ephemeris
from accretor.science import lightcurve, limbdarkening, transit
from accretor.science.lightcurve import Photometry

FAINTEST_HOST = 0.4
"""Flux of a host over that of the target: a magnitude."""

N_EACH = 3
"""Transits in each host."""

REACH = 0.02
"""Greatest distance of a transit from its prediction, day."""

RP_RS, IMPACT = (0.135, 0.165), (0.0, 0.5)
"""Ranges of the radius ratio and of the impact parameter: the planet of the night, give or take a tenth."""

PERIOD = 2.15
DURATION = 3.0


@dataclass(frozen=True)
class Night:
    """A real night, without what was found in it."""

    photometry: Photometry
    filter_name: str
    diameter: float | None
    site_height: float
    mid: float
    """Middle of the transits put in, BJD_TDB day."""


@dataclass(frozen=True)
class Pull:
    """One transit put in and found again; errors are the fit's own."""

    star: int
    rp_rs: float
    tc_pull: float
    rp_rs_pull: float
    tc_pull_white: float
    rp_rs_pull_white: float
    is_detected: bool


def pulls(night: Night, *, seed: int, n_each: int = N_EACH) -> Iterator[Pull]:
    """Put transits into the hosts of *night* one after the other, and yield what comes back."""
    random = np.random.Generator(np.random.PCG64(seed))
    for star in hosts(night):
        for _ in range(n_each):
            tc = night.mid + random.uniform(-REACH, REACH)
            yield _one(night, star, tc, rp_rs=random.uniform(*RP_RS), impact=random.uniform(*IMPACT))


def hosts(night: Night) -> list[int]:
    """Return the comparison stars of the target that are bright enough to stand for it."""
    found = lightcurve.calibrate(
        night.photometry,
        ephemeris=None,
        filter_name=night.filter_name,
        target=None,
        diameter=night.diameter,
        site_height=night.site_height,
        settings=CalibrationSettings(),
    )
    level = np.nanmedian(night.photometry.flux[:, :, found.radius_index], axis=0)
    bright = level > FAINTEST_HOST * level[night.photometry.target]
    return [int(star) for star in np.nonzero(found.stars.is_comparison & bright)[0]]


def _one(night: Night, star: int, tc: float, *, rp_rs: float, impact: float) -> Pull:
    law = limbdarkening.of_star(None, None, night.filter_name)
    given = night.photometry
    light = transit.light_curve(
        given.time,
        given.exposure,
        tc=tc,
        period=PERIOD,
        k=rp_rs,
        a_rs=transit.a_rs_of_duration(period=PERIOD, k=rp_rs, impact=impact, full=DURATION / 24),
        impact=impact,
        law=lambda mu: limbdarkening.intensity(mu, law.g, law.h),
    )
    flux = given.flux.copy()
    flux[:, star] *= light[:, np.newaxis]
    found = lightcurve.calibrate(
        dataclasses.replace(given, flux=flux, target=star),
        ephemeris=Ephemeris(t0=night.mid, period=PERIOD, duration=DURATION, depth=1000 * rp_rs**2),
        filter_name=night.filter_name,
        target=None,
        diameter=night.diameter,
        site_height=night.site_height,
        settings=CalibrationSettings(exclude=(given.target,)),
    ).fit
    assert found is not None
    return Pull(
        star,
        rp_rs,
        (found.tc - tc) / found.tc_error,
        (found.rp_rs - rp_rs) / found.rp_rs_error,
        (found.tc - tc) / found.tc_error_white,
        (found.rp_rs - rp_rs) / found.rp_rs_error_white,
        found.is_detected,
    )


def load(workspace: Path, observation: str = "") -> Night:
    """Return the photometry of an observation of *workspace*, the first one unless it is named."""
    from accretor.stages import calibration
    from accretor.stages.workspace import open_workspace

    plans = open_workspace(workspace, is_recorded=False).observations
    plan = next(plan for plan in plans if observation in {"", plan.observation.slug})
    photometry = calibration.load(plan).photometry
    return Night(
        photometry,
        plan.observation.filter,
        plan.instrument.telescope_diameter,
        plan.site[2],
        0.5 * float(photometry.time[0] + photometry.time[-1]),
    )


def report(found: list[Pull]) -> str:
    """Return mean, standard deviation and greatest of the pulls, in words."""
    names = ("tc_pull", "rp_rs_pull", "tc_pull_white", "rp_rs_pull_white")
    lines = [f"{len(found)} transits in {len({pull.star for pull in found})} stars"]
    for name in names:
        value = np.array([getattr(pull, name) for pull in found])
        lines.append(
            f"{name:17s} mean {value.mean():+.2f}  sd {value.std():.2f}  greatest {np.abs(value).max():.1f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("observation", nargs="?", default="", help="default: the first one")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(report(list(pulls(load(options.workspace, options.observation), seed=options.seed))))
