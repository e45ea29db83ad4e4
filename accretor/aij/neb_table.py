"""The NEB search table as AstroImageJ's NEB macro lays it out; SG1 and its programs read it by place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from accretor.science.neb import BAND, DISPOSITIONS, FLUX_TOO_LOW

COLUMNS = "Star  from target  PA (deg.)  dmag   RMS(ppt)  NEBdepth(ppt)  NEBdepth/RMS"
"""Second line of the head; readers look for it."""

EXPLAINED = (
    "Likely cleared (NEBdepth/RMS from 3 to 5)",
    "Cleared (NEBdepth/RMS 5 or more)",
    "Cleared-too faint (NEBdepth 1000 ppt or more)",
    "***Not Cleared-flux too low*** (weighted mean of Source-Sky below 2 per pixel of the aperture)",
    "***Not Cleared*** (all others)",
)


@dataclass(frozen=True)
class Star:
    """A line of the table; NaN for what is not known."""

    name: str
    """As ``T2``."""
    separation: float
    """From the target, arcsec."""
    position_angle: float
    """Degree, east of north."""
    delta_mag: float
    rms: float
    """Ppt."""
    depth_needed: float
    """Ppt."""
    ratio: float
    disposition: str
    radius: float
    """Of the aperture, pixel; shown in a merged table only."""


@dataclass(frozen=True)
class Head:
    """What stands above the lines."""

    table: str
    """Name of the measurement table."""
    maker: str
    """What the table was made by, after ``Created by``."""
    date: str
    """As ``2025-03-04``."""
    pixel_scale: float
    """Arcsec per pixel."""
    day: int
    """BJD of the start of the day in which the observation began: the table has what follows it."""
    ingress: float
    """Predicted contact, BJD_TDB day."""
    egress: float
    """Predicted contact, BJD_TDB day."""
    depth: float
    """Ppt."""
    search_radius: float
    """Arcmin."""
    duration: float
    """Minute."""
    n_frame: int
    spacing: float
    """Second."""
    cadence: float
    """Second."""
    binning: int
    radius: float | None
    """Mean aperture radius, pixel; None for a table of several."""
    shift_sd: tuple[float, float]
    """Of the target in x and y, pixel."""
    shift_range: tuple[float, float]
    """Greatest less least place of the target in x and y, pixel."""


def write(head: Head, stars: Sequence[Star]) -> bytes:
    """Return the table: lines end with CR LF, the last with LF alone, as the macro's do on every system."""
    lines = [
        *_head(head),
        *(_row(star, is_merged=head.radius is None) for star in stars),
        *_foot(head, stars),
    ]
    return ("\r\n".join(lines) + "\n").encode("utf-8")


def _head(head: Head) -> list[str]:
    items = [
        f"Pixel Scale (arc-seconds/pixel): {head.pixel_scale:.2f}",
        f"Predicted ingress time: {head.ingress - head.day:.8f}",
        f"Predicted egress time:  {head.egress - head.day:.8f}",
        f"Target predicted depth: {head.depth:g}",
        "Target Star: T1",
        f"Search Radius: {head.search_radius:g}",
        f"Duration of Observation (min.): {head.duration:.1f}",
        f"Number of Images: {head.n_frame}",
        f"Average Exposure Plus Delay Time (sec.): {head.spacing:.1f}",
        f"Cadence Requested When Calculating RMS (sec.): {head.cadence:.1f}",
        f"Binning Used When Calculating RMS: {head.binning}",
    ]
    if head.radius is not None:
        arcsec = head.radius * head.pixel_scale
        items.append(f"Average Aperture Radius: {head.radius:.1f} (pixels); {arcsec:.1f} (arc-seconds)")
    items.append(f"Dmag correction factor to account for difference with TESS band:{BAND:.1f}")
    return [
        f"{'':23}TFOP NEB Search Table for:",
        "",
        f"{'':11}{head.table}",
        "",
        f"{'':17}Created by {head.maker}",
        f"{'':26}on {head.date}",
        f"{'':10}{'-' * 48}",
        *(f"{'':20}{item}" for item in items),
        "",
        f"{'':6}Separation{'':13}Uncorr.",
        f"{COLUMNS}    Disposition" if head.radius is not None else f"{COLUMNS} Aperture(px)  Disposition",
    ]


def _row(star: Star, *, is_merged: bool) -> str:
    angle = _justified(star.position_angle, 0) if math.isfinite(star.position_angle) else "  NA"
    needed, ratio = _justified(star.depth_needed, 1), _justified(star.ratio, 1)
    if star.disposition == FLUX_TOO_LOW:
        needed = ratio = f"{'N/A':>8}"
    aperture = (f"{star.radius:>6.1f}" if math.isfinite(star.radius) else f"{'N/A':>6}") if is_merged else ""
    return (
        f"{star.name:>3}{'':6}{_separation(star.separation)}{'':5}{angle} {_justified(star.delta_mag, 3)} "
        f"{_justified(star.rms, 2)}{'':7}{needed}  {ratio}{'':6}{aperture}{'':3}{star.disposition}"
    )


def _foot(head: Head, stars: Sequence[Star]) -> list[str]:
    counts = [sum(star.disposition == word for star in stars) for word in DISPOSITIONS]
    width = max(len(str(count)) for count in counts)
    sd = " and ".join(
        f"{_free(value * head.pixel_scale)} in {axis}"
        for value, axis in zip(head.shift_sd, "XY", strict=True)
    )
    most = " and ".join(
        f"{_free(value)} in {axis}" for value, axis in zip(head.shift_range, "XY", strict=True)
    )
    return [
        "",
        "Possible dispositions of the star being the source of the target predicted depth:",
        *(f"   {line}" for line in EXPLAINED),
        "",
        "Summary count of dispositions:",
        *(f"    {count:>{width}} {word}" for count, word in zip(counts, DISPOSITIONS, strict=True)),
        "",
        "Image shift statistics:",
        f"{'':13}stdev.(arc-seconds): {sd}",
        f"{'':13}max. deviation (pixels): {most}",
    ]


def _separation(arcsec: float) -> str:
    """Return minutes and seconds, as ``0'12"``."""
    minute, second = divmod(math.floor(arcsec + 0.5), 60)
    return f"{minute}'{second:02d}\""


def _justified(value: float, digits: int) -> str:
    """Return *value* with its whole part in six characters; as N/A where it is not known."""
    width = 6 + (digits + 1 if digits else 0)
    return f"{value:>{width}.{digits}f}" if math.isfinite(value) else f"{'N/A':>{width}}"


def _free(value: float) -> str:
    """Return a number as ImageJ's macros show it: whole, or with four decimals."""
    return f"{value:.0f}" if value == round(value) else f"{value:.4f}"
