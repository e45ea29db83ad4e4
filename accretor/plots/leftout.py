"""The frames that were left out, side by side: clouds, trails and a dome are seen at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from accretor.plots import style
from accretor.plots.field import stretched

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from accretor.core.arrays import Image

COLUMNS = 4
_TILE, _WORDS, _GAP = 1.62, 0.42, 0.1
"""Side of a picture, height of what stands below it, and room between them, inch."""


def left_out(
    images: Sequence[Image | None],
    names: Sequence[str],
    reasons: Sequence[str],
    *,
    n_more: int = 0,
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw each frame that was left out, with its name and the reason below it.

    Parameters
    ----------
    images : sequence of (ny, nx) arrays
        Any unit, any size; None for a frame whose pixels cannot be read.
    names, reasons : sequence of str
        Of each frame.
    n_more : int
        Frames that were left out and are not shown.
    title, subtitle : str
        First lines of the figure.

    Raises
    ------
    ValueError
        If there is no frame, or they are not as many as names and reasons.
    """
    if not images or not len(images) == len(names) == len(reasons):
        raise ValueError(f"{len(images)} frames, {len(names)} names, {len(reasons)} reasons")
    n_row = math.ceil(len(images) / COLUMNS)
    pitch = _TILE + _WORDS + _GAP
    with style.house_style():
        figure = style.new_figure(0.7 + n_row * pitch + (0.2 if n_more else 0.0))
        height = float(figure.get_size_inches()[1])
        style.heading(figure, title, subtitle)
        for number, (image, name, reason) in enumerate(zip(images, names, reasons, strict=True)):
            row, column = divmod(number, COLUMNS)
            left = 0.1 + column * (_TILE + _GAP)
            bottom = height - 0.6 - row * pitch - _TILE
            axes = style.add_axes(figure, left, bottom, _TILE, _TILE)
            axes.set(xticks=[], yticks=[], anchor="S")
            if image is None:
                axes.text(0.5, 0.5, "cannot be read", ha="center", va="center", transform=axes.transAxes)
            else:
                axes.imshow(stretched(image), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            style.write(figure, left, bottom - 0.05, name, width=_TILE, va="top", fontsize=7)
            style.write(
                figure, left, bottom - 0.17, reason, width=_TILE, max_lines=2, va="top", fontsize=6.5,
                color=style.ink(style.VERMILION),
            )  # fmt: skip
        if n_more:
            style.write(figure, 0.1, 0.08, f"and {n_more} more", va="bottom", fontsize=7.2)
    return figure
