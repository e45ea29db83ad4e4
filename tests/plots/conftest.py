"""A night made from known numbers, and the eyes with which the tests look at a figure."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

MID = 2458107.7113
HALF = 3.108 / 48


def night(
    n_frame: int, *, has_fit: bool = True, seed: int = 1
) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    random = np.random.Generator(np.random.PCG64(seed))
    time = 2458107.61 + np.linspace(0, 0.2, n_frame)
    shape = np.clip((1.05 - np.abs(time - MID) / HALF) / 0.2, 0, 1)
    model = 1 - 0.022 * shape * has_fit
    trend = 1 + 0.1 * (time - time[0])
    raw = model * trend + 0.004 * random.standard_normal(n_frame)
    used = random.random(n_frame) > 0.05
    used[0] = True
    table = {
        "bjd_tdb": time, "jd_utc": time - 0.005, "exptime": np.full(n_frame, 60.0),
        "airmass": 1.1 + 10 * (time - time[0]) ** 2, "is_used": used, "reason": np.where(used, "", "clouds"),
        "relative_flux": raw, "relative_flux_error": np.full(n_frame, 0.004), "trend": trend,
        "detrended_flux": raw / trend, "model": model, "residual": raw / trend - model,
        "zero_point": np.zeros(n_frame), "fwhm": 3.5 + 0.2 * random.standard_normal(n_frame),
        "sky": 250 + 500 * (time - time[0]), "x": 424 + 40 * (time - time[0]), "y": 286 - time + time[0],
        "total_comparison": 2.3e6 * (1 - 0.05 * random.random(n_frame)),
    }  # fmt: skip
    results: dict[str, object] = {
        "n_frame_good": int(used.sum()), "n_frame_poor": int((~used).sum()), "aperture_radius_px": 6.0,
        "annulus_inner_px": 12.0, "annulus_outer_px": 20.0, "n_comparison": 58, "rms_per_point_ppt": 4.05,
        "rms_10min_ppt": 2.43, "predicted_rms_ppt": 3.91, "rp_rs": 0.1489, "rp_rs_error": 0.0021,
        "depth_ppt": 22.17, "tc_bjd_tdb": 2458107.71236, "tc_error_day": 0.00080, "duration_hour": 3.11,
        "coverage": "Full", "ingress_bjd_tdb": MID - HALF, "egress_bjd_tdb": MID + HALF, "mid_bjd_tdb": MID,
        "prediction_error_day": 0.0012, "detrend": ["airmass", "fwhm"], "pixel_scale_arcsec": 5.2,
        "has_fit": has_fit, "exposure_s": 60.0, "flip_bjd_tdb": MID + 0.012,
    }  # fmt: skip
    if not has_fit:
        for key in ("rp_rs", "rp_rs_error", "depth_ppt", "tc_error_day", "duration_hour", "flip_bjd_tdb"):
            results[key] = None
        for key in ("tc_bjd_tdb", "mid_bjd_tdb", "ingress_bjd_tdb", "egress_bjd_tdb", "prediction_error_day"):
            results[key] = float("nan")
    return table, results


def texts_of(figure: Figure) -> list[Text]:
    """Return every text that is drawn: also tick labels, legends and axis labels."""
    figure.draw_without_rendering()
    # Matplotlib keeps tick labels beyond the ends of an axis, and does not draw them.
    hidden = set()
    for axis, coordinate in [(axes.xaxis, 0) for axes in figure.axes] + [
        (axes.yaxis, 1) for axes in figure.axes
    ]:
        low, high = sorted(axis.get_view_interval())
        for text in axis.get_ticklabels(which="both"):
            if not low - 1e-9 <= text.get_position()[coordinate] <= high + 1e-9:
                hidden.add(text)
    found = figure.findobj(Text)
    return [text for text in found if text.get_visible() and text.get_text().strip() and text not in hidden]


def words_of(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in texts_of(figure))


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
    return [
        (first, second)
        for (first, one), (second, two) in itertools.combinations(boxes, 2)
        if min(one.x1, two.x1) - max(one.x0, two.x0) > 1 and min(one.y1, two.y1) - max(one.y0, two.y0) > 1
    ]


def outside(figure: Figure) -> list[str]:
    page = figure.bbox
    return [
        text.get_text()
        for text in texts_of(figure)
        for box in [text.get_window_extent()]
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]


def is_legible(figure: Figure) -> None:
    assert overlaps(figure) == []
    assert outside(figure) == []


@pytest.fixture(name="night")
def _night() -> Callable[..., tuple[dict[str, np.ndarray], dict[str, object]]]:
    return night


@pytest.fixture(name="words_of")
def _words_of() -> Callable[[Figure], str]:
    return words_of


@pytest.fixture(name="is_legible")
def _is_legible() -> Callable[[Figure], None]:
    return is_legible
