"""Small pictures of figures as they should look; ``python -m tests.figure_references`` draws them anew.

Look at each one before you keep it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from accretor.plots import bands, precision, style, systematics
from accretor.plots.field import field
from accretor.plots.lightcurve import light_curve
from accretor.science import noise

FOLDER = Path(__file__).parent / "plots" / "references"
WIDTH = 240
"""Dots: letters are grey spots, and lines, points and places of panels are seen."""
HEAD = {"title": "TIC 292152376.01 (TOI-1234.01)   UT2017.12.20", "subtitle": "Hilltop-0m5 (ip filter)"}
MID, HALF = 2458107.71, 0.065


def table(n: int, *, depth: float = 0.022) -> dict[str, Any]:
    """Return a light curve without noise, so that it looks the same everywhere."""
    time = 2458107.6 + np.linspace(0, 0.22, n)
    model = 1 - depth * np.clip((1.05 - np.abs(time - MID) / HALF) / 0.2, 0, 1)
    wave = np.sin(np.arange(n) * 2.3)
    used = np.arange(n) % 17 != 5
    return {
        "bjd_tdb": time, "airmass": 1.1 + 10 * (time - time[0]) ** 2, "is_used": used,
        "reason": np.where(used, "", "clouds"),
        "relative_flux": model * (1 + 0.1 * (time - time[0])) + 0.003 * wave,
        "relative_flux_error": np.full(n, 0.003), "trend": 1 + 0.1 * (time - time[0]),
        "detrended_flux": model + 0.003 * wave, "model": model, "residual": 0.003 * wave,
        "fwhm": 3.5 + 0.2 * wave,
        "sky": 250 + 500 * (time - time[0]), "x": 424 + 40 * (time - time[0]), "y": 286 + 0.3 * wave,
        "total_comparison": 2.3e6 * (1 - 0.02 * np.abs(wave)), "zero_point": -0.05 * np.abs(wave),
        "shift_x": 40 * (time - time[0]), "shift_y": 0.3 * wave, "elongation": 1.1 + 0.05 * wave,
    }  # fmt: skip


def results() -> dict[str, Any]:
    return {
        "n_frame_good": 132, "n_frame_poor": 8, "aperture_radius_px": 6.0, "annulus_inner_px": 12.0,
        "annulus_outer_px": 20.0, "n_comparison": 58, "rms_per_point_ppt": 2.1, "rms_10min_ppt": 0.9,
        "predicted_rms_ppt": 3.0, "rp_rs": 0.1483, "rp_rs_error": 0.0021, "depth_ppt": 22.0,
        "tc_bjd_tdb": MID + 0.001, "tc_error_day": 0.0008, "duration_hour": 3.11, "coverage": "Full",
        "ingress_bjd_tdb": MID - HALF, "egress_bjd_tdb": MID + HALF, "mid_bjd_tdb": MID,
        "prediction_error_day": 0.002, "detrend": ["airmass"], "pixel_scale_arcsec": 2.0, "has_fit": True,
        "exposure_s": 60.0, "flip_bjd_tdb": MID + 0.03,
    }  # fmt: skip


def _field() -> Figure:
    y, x = np.indices((120, 160))
    image = 100 + 3 * np.sin(x * 1.7 + y * 2.9)
    stars = [(80, 60, 4000.0), (30, 90, 2500.0), (130, 30, 1500.0), (50, 20, 800.0)]
    for star_x, star_y, peak in stars:
        image = image + peak * np.exp(-((x - star_x) ** 2 + (y - star_y) ** 2) / 8)
    columns = {
        "x": np.array([star[0] for star in stars]), "y": np.array([star[1] for star in stars]),
        "label": np.array(["T1", "C2", "C3", ""]),
        "role": np.array(["target", "comparison", "comparison", "neighbour"]),
    }  # fmt: skip
    cd = np.array([[-1.0, 0.1], [0.1, 1.0]]) * 5 / 3600
    return field(image, stars=columns, radius_px=6, cd=cd, **HEAD)


def _rms_magnitude() -> Figure:
    flux = np.geomspace(5e3, 2e6, 60)
    budget = noise.budget(flux, area=100, sky_variance=300, sky_area=900, scintillation_error=1e-3)
    role = ["target" if i == 40 else "comparison" if i % 2 else "other" for i in range(60)]
    scatter = 1000 * budget.total * (1 + 0.3 * np.sin(np.arange(60)) ** 2)
    return precision.rms_magnitude(flux, scatter, role, exposure=60.0, budget=budget, **HEAD)


FIGURES: dict[str, Callable[[], Figure]] = {
    "lightcurve": lambda: light_curve(table(140), results(), **HEAD),
    "frames": lambda: systematics.frame_strip(table(140), **HEAD),
    "panels": lambda: bands.panels(
        [bands.Band(name, table(140, depth=depth)) for name, depth in (("gp", 0.022), ("ip", 0.020))],
        ingress=MID - HALF, egress=MID + HALF, error=0.002, **HEAD,
    ),
    "field": _field,
    "rms-magnitude": _rms_magnitude,
}  # fmt: skip


def small(figure: Figure) -> Image.Image:
    """Return a figure as a small grey picture."""
    with Image.open(io.BytesIO(style.save(figure))) as image:
        height = round(image.height * WIDTH / image.width)
        return image.convert("L").resize((WIDTH, height), Image.Resampling.BOX)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the root mean square difference of two pictures, of 255; infinite if their sizes differ."""
    if one.size != other.size:
        return float("inf")
    first, second = (np.asarray(image, dtype=float) for image in (one, other))
    return float(np.sqrt(np.mean((first - second) ** 2)))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        small(draw()).save(FOLDER / f"{name}.png", optimize=True)
