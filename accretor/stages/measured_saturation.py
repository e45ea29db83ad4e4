"""Saturation level of a camera that no header and no setting tells: seen in the frames, and said."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from accretor.core.errors import Unusable
from accretor.core.settings import WorkspaceSettings
from accretor.io import pixels
from accretor.io.dump import Row
from accretor.io.inventory import RawFile
from accretor.stages import masters
from accretor.stages.bench import Bench
from accretor.stages.rows import GOOD
from accretor.stages.workspace import FULL

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

MOST_FRAMES = 40
"""Frames that are looked at, evenly over the night."""
GROWN = 2.0
"""Factor by which a night has grown when it is looked at anew, whether the choice still holds."""


def find_out(
    plan: ObservationPlan,
    layout: Layout,
    settings: WorkspaceSettings,
    found: Mapping[RawFile, Row],
    bench: Bench,
) -> tuple[Row, list[str]]:
    """Return the saturation level where nothing tells it, and a remark on how it was had.

    It is a choice on which every measurement depends: with the policy ``keep`` it stays, whatever
    frames are added, and what the frames would now tell is remarked.

    Returns
    -------
    dict
        ``saturation`` (ADU), ``saturation_of`` (frames there were), ``is_saturation_seen``, and
        ``saturation_now``, what they would now tell; empty where header or settings tell.
    list of str
    """
    if plan.is_saturation_told:
        return {}, []
    good = [file for file, row in found.items() if row["status"] == GOOD]
    old = masters.recorded_detector(plan.paths)
    is_kept = settings.ensemble.policy == "keep" and not (bench.renew or bench.redo) and "saturation" in old
    result = {key: value for key, value in old.items() if key.startswith(("saturation", "is_saturation"))}
    if not is_kept or len(good) >= GROWN * old["saturation_of"]:
        result = _of_frames(good, layout, result if is_kept else {})
    level, now = result["saturation"], result["saturation_now"]
    if result["is_saturation_seen"]:
        said = f"saturation level not known: {level:g} ADU estimated, where pixels of the frames pile up"
    else:
        said = f"saturation level not known: {level:g} ADU assumed, for no pixels pile up below"
    if now != level:
        said += f"; they now do at {now:g} ADU: say saturation = {now:g} in [[instrument]], or doit renew=..."
    return result, [said]


def _of_frames(good: Sequence[RawFile], layout: Layout, kept: Row) -> Row:
    """Return what the frames tell, beside a choice that is *kept*."""
    from accretor.science import levels

    step = max(1, -(-len(good) // MOST_FRAMES))
    level = levels.full(_images(good[::step], layout))
    is_seen = not math.isnan(level)
    now = level if is_seen else FULL
    if kept:
        # Without a pile there is nothing against the choice: the level was not reached since.
        return {**kept, "saturation_now": now if is_seen else kept["saturation"], "saturation_of": len(good)}
    return {
        "saturation": now,
        "is_saturation_seen": is_seen,
        "saturation_of": len(good),
        "saturation_now": now,
    }


def _images(files: Sequence[RawFile], layout: Layout) -> Iterator[NDArray[np.generic]]:
    """Yield raw frames; one that cannot be read tells nothing."""
    for file in files:
        if (exposure := file.exposure) is not None:
            try:
                yield pixels.read(layout.raw / file.path, exposure.hdu, exposure.part)
            except Unusable:
                continue
