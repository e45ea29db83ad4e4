"""What the calibration of a night costs, part by part, in CPU seconds.

    uv run python -m benchmarks.calibration [FILE]

A made night of 1,000 frames, 200 stars and 10 aperture radii, in memory. The generalised least squares fit
of a light curve of 1,000 points must be under a second, the search for comparison stars among 200
under a second, the whole under three. With FILE the numbers are kept there as JSON; the command
fails if one is too great.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from accretor.core.settings import CalibrationSettings, Ephemeris, Target
from accretor.science import (
    curve,
    differential,
    ephemeris,
    fit,
    lightcurve,
    limbdarkening,
    selection,
    solution,
)
from accretor.science import noise as noises
from accretor.science.lightcurve import Photometry

N_FRAME, N_STAR, N_RADIUS = 1000, 200, 10
MID = 2460000.0
EPHEMERIS = Ephemeris(t0=MID, period=3.1, duration=2.5, depth=10.0, t0_error=0.001)
TARGET = Target(name="TOI-1.01", tic=1, ra=0.0, dec=0.0, teff=5900, logg=4.4)
LIMIT = {"fit of 1,000 points": 1.0, "search among 200 stars": 1.0, "whole calibration": 3.0}
"""Second."""
REPEATS = 3


def night(seed: int = 1) -> Photometry:
    """Return the photometry of a made night with a transit of 10 ppt in the first star."""
    random = np.random.Generator(np.random.PCG64(seed))
    time_ = MID + np.linspace(-3.2, 3.2, N_FRAME) / 24
    airmass = 1.05 + 0.6 * np.linspace(0, 1, N_FRAME) ** 2
    exposure = np.full(N_FRAME, 20.0)
    law = limbdarkening.of_star(5900, 4.4, "rp")
    series = curve.Series(time_, exposure, np.ones(N_FRAME), np.ones(N_FRAME), np.ones(N_FRAME, dtype=bool))
    problem = curve.set_up(series, ephemeris.predict(EPHEMERIS, MID), EPHEMERIS, TARGET, law)
    level = np.geomspace(2e4, 2e6, N_STAR)
    level[0] = 5e5
    light = level * np.exp(-0.15 * airmass)[:, np.newaxis] * random.normal(1, 0.002, (N_FRAME, N_STAR))
    light[:, 0] *= fit.transit_model(problem, problem.start)
    radii = np.linspace(3.0, 12.0, N_RADIUS)
    enclosed = 1 - np.exp(-((radii / 2.5) ** 2))
    flux = light[:, :, np.newaxis] * enclosed
    error = np.sqrt(flux + 800 * np.pi * radii**2)
    return Photometry(
        time=time_,
        exposure=exposure,
        airmass=airmass,
        fwhm=3.5 + 0.2 * random.normal(size=N_FRAME),
        flip=np.ones(N_FRAME),
        flux=flux + random.normal(0, 1, flux.shape) * error,
        flux_error=error,
        sky=random.normal(800, 5, (N_FRAME, N_STAR)),
        x=500 + random.normal(0, 0.5, (N_FRAME, N_STAR)),
        y=500 + random.normal(0, 0.5, (N_FRAME, N_STAR)),
        is_saturated=np.zeros((N_FRAME, N_STAR), dtype=bool),
        is_near_edge=np.zeros((N_FRAME, N_STAR), dtype=bool),
        radii=radii,
        template_fwhm=3.5,
        position=random.uniform(0, 2000, (N_STAR, 2)),
        target=0,
        neighbour_contrast=np.zeros(N_STAR),
        height=random.uniform(5e3, 6e3, (N_FRAME, N_STAR)),
    )


def seconds() -> dict[str, float]:
    """Return what each part costs, the median of some repeats."""
    made = night()
    scintillation = noises.scintillation(
        made.airmass, made.exposure, diameter=0.6, height=500.0, coefficient=1.56
    )
    settings = CalibrationSettings()
    middle = differential.measure(made, scintillation, settings)
    series = curve.Series(made.time, made.exposure, middle.flux, middle.error, np.isfinite(middle.error))
    law = limbdarkening.of_star(5900, 4.4, "rp")
    whole = curve.set_up(series, ephemeris.predict(EPHEMERIS, MID), EPHEMERIS, TARGET, law)

    def fitted() -> None:
        short = fit.condense(whole, solution.MAX_POINT)
        solution.solve(short, solution.prepare(short, None))

    def searched() -> None:
        aperture = differential.at_radius(made, scintillation, middle.radius_index)
        stars = selection.Candidates(
            flux=made.flux[:, :, middle.radius_index],
            error=aperture.error,
            is_saturated=made.is_saturated,
            is_near_edge=made.is_near_edge,
            neighbour_contrast=made.neighbour_contrast,
            target=0,
        )
        reasons = selection.eligible(stars, pinned=(), excluded=(), max_comparison=N_STAR)
        selection.constant(stars, reasons)

    def calibrated() -> None:
        lightcurve.calibrate(
            made,
            ephemeris=EPHEMERIS,
            filter_name="rp",
            target=TARGET,
            diameter=0.6,
            site_height=500.0,
            settings=settings,
        )

    return dict(zip(LIMIT, map(_seconds, (fitted, searched, calibrated)), strict=True))


def _seconds(work: Callable[[], Any]) -> float:
    """Return the median CPU time of *work*; the first time, which brings the libraries, is not counted."""
    work()
    found = []
    for _ in range(REPEATS):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return statistics.median(found)


def main() -> None:
    """Measure, print, keep."""
    found = seconds()
    for name, value in found.items():
        sys.stdout.write(f"{name:24s} {value:6.2f} s CPU, {LIMIT[name]:g} s allowed\n")
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    late = [name for name, value in found.items() if value > LIMIT[name]]
    if late:
        raise SystemExit(f"too slow: {', '.join(late)}")


if __name__ == "__main__":
    if "OMP_NUM_THREADS" in os.environ:
        main()
    else:
        # Threads of the libraries would count for CPU seconds what they spend waiting.
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [sys.executable, "-m", "benchmarks.calibration", *sys.argv[1:]]
        raise SystemExit(subprocess.run(command, env=os.environ | one, check=False).returncode)  # noqa: S603  # ourselves
