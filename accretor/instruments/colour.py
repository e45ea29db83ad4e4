"""Colour cameras and cubes: which of the pixels are the image, and what that does to the numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from accretor.core.errors import HeaderError
from accretor.core.frame import Exposure
from accretor.core.part import WHOLE, Colour, Part, cells
from accretor.core.settings import InstrumentSettings
from accretor.instruments.dialect import Cards

_NAMES: dict[Colour, str] = {"green": "TG", "red": "TR", "blue": "TB", "superpixel": "clear"}
"""Of the bands of a colour camera without a filter: those of the AAVSO."""
_COLOURLESS = {"", "clear", "IRCUT"}
_PATTERN = ["B", "G", "G", "R"]
"""Letters of the pattern of a colour camera, which some programs write as the filter."""


@dataclass(frozen=True)
class Choice:
    """What is taken of the pixels."""

    part: Part = WHOLE
    colour: Colour | None = None
    remarks: tuple[str, ...] = ()


def choose(header: Cards, instrument: InstrumentSettings) -> Choice:
    """Return which pixels are the image.

    Raises
    ------
    HeaderError
        If it is a cube and nothing says which plane.
    """
    plane = _plane(header, instrument)
    pattern, source = _pattern(header, instrument)
    if instrument.colour == "none" or not pattern:
        is_mosaic = bool(pattern) or "XBAYROFF" in header or instrument.colour not in {"auto", "none"}
        remark = "colour camera: pixels of different colours stand side by side"
        if is_mosaic and not pattern:
            remark += '; give bayer = "RGGB" (or as it is) in [[instrument]]'
        return Choice(Part(plane), None, (remark,) if is_mosaic else ())
    colour: Colour = "green" if instrument.colour == "auto" else instrument.colour
    offset = tuple(_offset(header, keyword) for keyword in ("XBAYROFF", "YBAYROFF"))
    try:
        chosen = cells(pattern, colour, *offset)
    except ValueError as error:
        return Choice(Part(plane), None, (f"colour camera, {source}: {error}",))
    what = "all four" if colour == "superpixel" else "the two green" if colour == "green" else f"the {colour}"
    remarks = [f"colour camera: mean of {what} of each 2 x 2 pixels ({source} {pattern})"]
    if len(chosen) == 1:
        remarks = [f"colour camera: {what} of each 2 x 2 pixels ({source} {pattern})"]
    if str(header.get("ROWORDER", "")).strip().upper() == "BOTTOM-UP" and not instrument.bayer:
        remarks.append(
            "ROWORDER is BOTTOM-UP, and programs differ in which row BAYERPAT begins with: set bayer"
        )
    return Choice(Part(plane, chosen), colour, tuple(remarks))


def applied(exposure: Exposure, choice: Choice, instrument: InstrumentSettings) -> Exposure:
    """Return *exposure* for the pixels that are taken.

    The mean of n pixels of gain g is one pixel of gain n g, for the electrons of all n are counted,
    with a read noise of sqrt(n) times that of one.
    """
    part = choice.part
    if part == WHOLE:
        return exposure
    if not part.cells:
        return replace(exposure, part=str(part))
    n = part.n_mean
    name, remark = exposure.filter, exposure.remark
    is_colourless = name in _COLOURLESS or sorted(name) == _PATTERN
    if exposure.kind in {"light", "flat"} and choice.colour and is_colourless:
        own = _NAMES[choice.colour]
        name = instrument.filters.get(own, own)
        said = (
            [] if name != own or own == "clear" else [f"{own!r} is no band of ExoFOP: filters can rename it"]
        )
        old = [text for text in remark.split("; ") if text and not text.startswith("filter ")]
        remark = "; ".join([*old, *said])
    return replace(
        exposure,
        part=str(part),
        filter=name,
        width=exposure.width // part.step,
        height=exposure.height // part.step,
        gain=exposure.gain * n,
        read_noise=exposure.read_noise * math.sqrt(n),
        pixel_scale=exposure.pixel_scale * part.step,
        overscan=instrument.overscan.strip(),  # of the image as it is taken; programs write none
        trim=instrument.trim.strip(),
        remark=remark,
    )


def _plane(header: Cards, instrument: InstrumentSettings) -> int:
    if header.get("NAXIS") != 3:
        return 0
    depth = header.get("NAXIS3", 1)
    if depth == 1:
        return 1
    if instrument.plane and isinstance(depth, int) and instrument.plane <= depth:
        return instrument.plane
    sizes = " x ".join(str(header.get(f"NAXIS{axis}", "?")) for axis in (1, 2, 3))
    raise HeaderError(
        "NAXIS",
        f"this is a 3-D image ({sizes}), of a colour camera or a cube; 2-D needed, "
        f"or plane = 1 to {depth} in [[instrument]]",
    )


def _pattern(header: Cards, instrument: InstrumentSettings) -> tuple[str, str]:
    if instrument.bayer:
        return instrument.bayer.upper(), "bayer"
    for keyword in ("BAYERPAT", "COLORTYP", "CFAIMAGE", "FILTER"):
        value = str(header.get(keyword, "")).strip().upper()
        if sorted(value) == _PATTERN:
            return value, keyword
    return "", ""


def _offset(header: Cards, keyword: str) -> int:
    value = header.get(keyword, 0)
    return value if isinstance(value, int) else 0
