"""Plate solutions of others: in the header of a frame, or from `solve-field`."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.core.arrays import Floats
from accretor.core.errors import ServiceError, Unusable
from accretor.io import fits as io_fits

if TYPE_CHECKING:
    from astropy.wcs import WCS

TIMEOUT = 120.0
"""Second; a field with hints is solved in a few."""

SEARCH_RADIUS = 1.5
"""Degree around the target; headers that point far away are survived."""


@dataclass(frozen=True)
class Solution:
    """A plate solution of one frame, as FITS cards, and where it is from."""

    cards: dict[str, Any]
    origin: str
    """``header``, ``catalogue``, ``solve-field`` or ``nova``."""

    def wcs(self) -> WCS:
        """Return it as an astropy WCS."""
        from astropy.io.fits import Header
        from astropy.wcs import WCS, FITSFixedWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)  # what it mends need not be told
            return WCS(Header(self.cards))


def from_header(
    path: Path,
    hdu: int,
    target: tuple[float, float],
    shape: tuple[int, int],
    origin: tuple[int, int] = (0, 0),
    step: int = 1,
) -> Solution:
    """Return the plate solution in the header of *path*, if it puts the target on the frame.

    *origin* is the column and row of the raw frame that are the first of the trimmed one, of *shape*;
    *step*, pixels of the raw frame on a side of a pixel of that one.

    Raises
    ------
    Unusable
        If there is none, or if it is wrong.
    """
    header = io_fits.read_header(path, hdu)
    cards = {key: header[key] for key in header if is_wcs_key(key)}
    if step > 1:
        cards = coarser({key: _number(value) for key, value in cards.items()}, step)
    return from_cards(cards, "header", target, shape, origin)


def from_cards(
    header: Mapping[str, Any],
    way: str,
    target: tuple[float, float],
    shape: tuple[int, int],
    origin: tuple[int, int] = (0, 0),
) -> Solution:
    """Return the plate solution among the cards of *header*, if it puts the target on the frame.

    *way* is where they are from; *origin* is as in `from_header`.

    Raises
    ------
    Unusable
        If there is none, or if it is wrong.
    """
    from astropy.wcs import WCS, NoConvergence

    # Some programs write the numbers as text, which astropy would silently take for no solution.
    cards = {_RENAMED.get(key, key): _number(header[key]) for key in header if is_wcs_key(key)}
    cards |= {"NAXIS": 2, "NAXIS1": shape[1], "NAXIS2": shape[0]}
    cards |= {
        key: cards[key] - first
        for key, first in zip(("CRPIX1", "CRPIX2"), origin, strict=True)
        if isinstance(cards.get(key), float)
    }
    if not str(cards.get("CTYPE1", "")).startswith("RA--"):
        raise Unusable("the header has no plate solution")
    if not any(key.startswith(("CD1_", "CDELT")) for key in cards):
        raise Unusable("the header's plate solution has no scale")
    equinox = cards.get("EQUINOX", 2000.0)
    if cards.get("RADESYS") != "ICRS" and isinstance(equinox, float) and equinox != 2000.0:
        raise Unusable(f"the header's plate solution is of equinox {equinox}, not 2000")
    solution = Solution({key: value for key, value in cards.items() if not key.startswith("NAXIS")}, way)
    try:
        found = solution.wcs()
        x, y = (float(value) for value in found.all_world2pix(*target, 0))
    except (ValueError, NoConvergence) as error:
        said = " ".join(str(error).split())
        raise Unusable(f"the header's plate solution is broken: {said}") from error
    assert isinstance(found, WCS)
    height, width = shape
    if not (-0.5 <= x < width and -0.5 <= y < height):
        raise Unusable(
            f"the header's plate solution puts the target at x = {x:.6g}, y = {y:.6g}, off the frame"
        )
    return solution


def coarser(cards: Mapping[str, Any], step: int) -> dict[str, Any]:
    """Return a plate solution for pixels that are *step* times as large; SIP terms go with their power."""
    found: dict[str, Any] = {}
    for key, value in cards.items():
        factor, shift = 1.0, 0.0
        if key.startswith("CRPIX"):
            # The edge of the first pixel, at 0.5, stays where it is.
            factor, shift = 1 / step, 0.5 - 0.5 / step
        elif key.startswith(("CD1_", "CD2_", "CDELT")):
            factor = step
        elif power := re.fullmatch(r"(?:A|B|AP|BP)_(\d)_(\d)", key):
            factor = step ** (int(power[1]) + int(power[2]) - 1)
        found[key] = value * factor + shift if isinstance(value, float) else value
    return found


def solve_field(
    x: Floats,
    y: Floats,
    flux: Floats,
    *,
    shape: tuple[int, int],
    target: tuple[float, float],
    pixel_scale: float,
    index_folder: Path | None = None,
) -> Solution:
    """Fit a plate solution to a star list with ``solve-field`` of astrometry.net.

    The method is that of Lang et al. (2010, AJ 139, 1782).

    Parameters
    ----------
    x, y, flux : (n_star,)
        Stars of the frame; 0-based pixel.
    shape
        Height and width, pixel.
    target
        Where to search, degree.
    pixel_scale
        Arcsec per pixel, NaN if unknown.
    index_folder
        Of index files, if not those of the program's own configuration.

    Raises
    ------
    Unusable
        If it is not installed, or finds no solution.
    ServiceError
        If it fails otherwise.
    """
    program = shutil.which("solve-field")
    if program is None:
        raise Unusable("solve-field (astrometry.net) is not installed")
    height, width = shape
    with tempfile.TemporaryDirectory(prefix="accretor-") as folder:
        stars = Path(folder) / "stars.xyls"
        stars.write_bytes(_star_table(x, y, flux))
        command = [
            *(program, str(stars), "--dir", folder, "--no-plots", "--overwrite"),
            *("--width", str(width), "--height", str(height)),
            *("--x-column", "X", "--y-column", "Y", "--sort-column", "FLUX"),
            *("--ra", f"{target[0]:.6f}", "--dec", f"{target[1]:.6f}", "--radius", f"{SEARCH_RADIUS}"),
            *("--tweak-order", "2", "--crpix-center", "--cpulimit", "60"),
            *_scale_options(pixel_scale),
            *(("--backend-config", _configured(Path(folder), index_folder)) if index_folder else ()),
        ]
        try:
            done = subprocess.run(  # noqa: S603  # the options are numbers of ours, and there is no shell
                command, capture_output=True, timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            raise ServiceError("solve-field", f"gave no answer in {TIMEOUT:.0f} s") from None
        if done.returncode != 0:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise ServiceError("solve-field", f"failed with status {done.returncode}: {' '.join(last)}")
        answer = stars.with_suffix(".wcs")
        if not answer.is_file():
            raise Unusable(
                "solve-field found no plate solution; are index files for this field of view installed?"
            )
        header = io_fits.read_header(answer)
        cards = {key: header[key] for key in header if is_wcs_key(key)}
    return Solution(cards, "solve-field")


def pixel_scale(solution: Solution) -> float:
    """Return the mean pixel scale, arcsec per pixel."""
    from astropy.wcs.utils import proj_plane_pixel_scales

    scales = proj_plane_pixel_scales(solution.wcs().celestial)
    return float(scales.mean() * 3600)


def _scale_options(pixel_scale: float) -> list[str]:
    if not pixel_scale > 0:
        return ["--scale-units", "degwidth", "--scale-low", "0.05", "--scale-high", "5"]
    low, high = f"{pixel_scale * 0.8:.4f}", f"{pixel_scale * 1.25:.4f}"
    return ["--scale-units", "arcsecperpix", "--scale-low", low, "--scale-high", high]


def _configured(folder: Path, index_folder: Path) -> str:
    """Write a configuration of the program that knows the index files of *index_folder*; return its name."""
    path = folder / "astrometry.cfg"
    path.write_text(f"cpulimit 60\nadd_path {index_folder.absolute()}\nautoindex\n", encoding="utf-8")
    return str(path)


def _star_table(x: Floats, y: Floats, flux: Floats) -> bytes:
    import io

    from astropy.io import fits

    # The first pixel's centre is (1, 1) to astrometry.net.
    columns = [("X", x + 1), ("Y", y + 1), ("FLUX", flux)]
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name=name, format="D", array=array) for name, array in columns]
    )
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(buffer)
    return buffer.getvalue()


_WCS_STEMS = (
    "CTYPE",
    "CRVAL",
    "CRPIX",
    "CDELT",
    "CROTA",
    "CUNIT",
    "CD1_",
    "CD2_",
    "PC1_",
    "PC2_",
    "PV1_",
    "PV2_",
)
_WCS_KEYS = frozenset({"WCSAXES", "EQUINOX", "RADESYS", "RADECSYS", "LONPOLE", "LATPOLE"})
_RENAMED = {"RADECSYS": "RADESYS"}
"""Deprecated keywords, and what the standard calls them now."""
_SIP = ("A_", "B_", "AP_", "BP_")


def is_wcs_key(key: str) -> bool:
    """Return whether a card is part of a plate solution."""
    has_stem = key.startswith(_WCS_STEMS) and key[-1] in "0123456789"
    return (
        has_stem
        or key in _WCS_KEYS
        or (key.startswith(_SIP) and (key[-1].isdigit() or key.endswith("ORDER")))
    )


def _number(value: Any) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return number if math.isfinite(number) else value
