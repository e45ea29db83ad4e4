"""Pictures of the frames that the light curve leaves out, made small enough to stand side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from accretor.core.dumps import FRAMES
from accretor.core.errors import Unusable
from accretor.io import dump
from accretor.io.dump import Row
from accretor.stages import masters, reduced

if TYPE_CHECKING:
    from accretor.core.arrays import Image
    from accretor.io.layout import Layout
    from accretor.stages.figures import Keywords, Night
    from accretor.stages.workspace import ObservationPlan

MOST: Final = 12
"""Frames that are shown, evenly through those that were left out."""
SIDE: Final = 200
"""Pixels on the longer side of a picture, about."""


def prepare(night: Night, layout: Layout) -> Keywords:
    """Return what the figure is drawn from but for the pixels.

    In ``images`` the digest of each raw frame, and what it is reduced with, stand for them.
    """
    rows = [row for row in night.curve if not row["is_used"]]
    shown = [
        rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).round().astype(int))
    ]
    where = f"{night.plan.observation.telescope} ({night.plan.observation.filter} filter)"
    frames = {row["image_name"]: row for row in dump.read(night.paths.frames, FRAMES).rows}
    raw = [frames[row["image_name"]] for row in shown]
    files = reduced.frame_files(night.plan, layout, raw, masters.files(night.paths))
    return {
        "images": [(row["input"], *reduced.identity(frame)) for row, frame in zip(raw, files, strict=True)],
        "names": [row["image_name"] for row in shown],
        "reasons": [row["reason"] or "no reason given" for row in shown],
        "n_more": len(rows) - len(shown),
        "title": night.title,
        "subtitle": f"{where}: {len(rows)} of {len(night.curve)} frames left out",
    }


def with_pixels(keywords: Keywords, plan: ObservationPlan, layout: Layout) -> Keywords:
    """Return *keywords* of `prepare` with the frames themselves in the places of what stands for them."""
    rows = {row["input"]: row for row in dump.read(plan.paths.frames, FRAMES).rows}
    found = masters.files(plan.paths)
    images = [_picture(plan, layout, rows[digest], found) for digest, *_ in keywords["images"]]
    return {**keywords, "images": images}


def _picture(plan: ObservationPlan, layout: Layout, row: Row, found: masters.MasterFiles) -> Image | None:
    """Return a frame through its masters with few pixels; None if it cannot be read."""
    try:
        (files,) = reduced.frame_files(plan, layout, [row], found)
        _, image = reduced.read(files)
    except (Unusable, OSError):
        return None
    return smaller(image)


def smaller(image: Image) -> Image:
    """Return *image* (ny, nx) in means of square blocks, with about `SIDE` pixels on its longer side."""
    from accretor.science import geometry

    return geometry.bin_image(image, max(1, round(max(image.shape) / SIDE)))
