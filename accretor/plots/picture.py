"""Pictures made smaller for a page that holds them all."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accretor.plots import style

if TYPE_CHECKING:
    from PIL.Image import Image

_N_GREY = 32
_TINTS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.88)
"""Parts of white in a colour: letters and lines have soft edges."""
_SHADES = (0.72, 0.4)
"""Factors of a colour towards black: names are written in the first, and edges are dark."""


@dataclass(frozen=True)
class Picture:
    """A PNG file, and its size in dots."""

    data: bytes
    width: int
    height: int


def reduced(png: bytes) -> Picture:
    """Return a figure as a PNG file of 256 colours, which is a third as large and looks the same.

    The colours are those of `accretor.plots.style` with their tints, and greys; so that a thin circle
    keeps its own among a million grey pixels, which it would not if the picture chose them.

    Parameters
    ----------
    png : bytes
        As `accretor.plots.style.save` gives it.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        flat = image.convert("RGB").quantize(palette=_palette(), dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        flat.save(buffer, format="PNG")
        return Picture(buffer.getvalue(), image.width, image.height)


@functools.cache
def _palette() -> Image:
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb
    from PIL import Image

    named = [
        style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.TARGET, style.COMPARISON, style.AIJ_SKY,
        style.AIJ_AIRMASS, style.AIJ_COUNTS, style.AIJ_X, style.AIJ_Y,
    ]  # fmt: skip
    # Pale already; a tint of them would be taken for white.
    pale = ["#E4ECF4", "#E8A9A9", "#BFD9EC"]
    colors: list[tuple[float, ...]] = [(level / (_N_GREY - 1),) * 3 for level in range(_N_GREY)]
    for name in named:
        color = to_rgb(name)
        colors += [tuple(part + white * (1 - part) for part in color) for white in _TINTS]
        colors += [tuple(part * factor for part in color) for factor in _SHADES]
    colors += [to_rgb(name) for name in pale]
    left = 256 - len(colors)
    colors += [tuple(colormaps["cividis"](step / max(left - 1, 1))[:3]) for step in range(left)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([round(255 * part) for color in colors[:256] for part in color])
    return palette
