"""Master bias, dark, flat and self-dark of an observation: made, recorded, read back."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accretor.core import versions
from accretor.core.dumps import MASTERS
from accretor.core.errors import DumpError, Unusable
from accretor.io import dump, twins
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.io.inventory import RawFile
from accretor.stages.rows import fingerprint

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Image
    from accretor.io.layout import ObservationPaths
    from accretor.science.calibrated import Repairs
    from accretor.science.detector import Masters

log = logging.getLogger("accretor")

KINDS = ("bias", "dark", "flat", "selfdark")


@dataclass(frozen=True)
class Source:
    """A frame that goes into a master."""

    path: Path
    hdu: int
    digest: str
    exposure: float
    """Second."""


@dataclass(frozen=True)
class MasterFiles:
    """The masters on disk, as the workers get them: paths and digests, no pixels."""

    bias: str = ""
    dark: str = ""
    dark_exposure: float = math.nan
    """Second; NaN for a dark that must not be scaled."""
    flat: str = ""
    digests: tuple[tuple[str, str], ...] = ()
    """Kind and sha256 of each master."""

    @property
    def has_zero_level(self) -> bool:
        """Whether they take off the level of the unexposed detector, so that the sky is light alone."""
        return bool(self.bias) or not math.isnan(self.dark_exposure)

    @functools.cached_property
    def id(self) -> str:
        """Short digest of all of them."""
        return fingerprint(self.digests)


def source(raw: Path, file: RawFile, digest: str) -> Source:
    """Return *file* as a source of a master."""
    assert file.exposure is not None
    return Source(raw / file.path, file.exposure.hdu, digest, file.exposure.exposure)


def recorded(paths: ObservationPaths) -> dict[str, Row]:
    """Return the masters that there are, by kind; {} if the record cannot be trusted."""
    try:
        rows = dump.read(paths.masters, MASTERS).rows
    except FileNotFoundError:
        return {}
    except DumpError as error:
        aside = dump.set_aside(paths.masters)
        log.warning("%s; it is kept as %s and the masters are made again", error, aside.name)
        return {}
    return {row["kind"]: row for row in rows if paths.master(row["kind"]).is_file()}


def input_of(kind: str, sources: Sequence[Source], made_with: Sequence[str]) -> str:
    """Return the identity of a master: what it is made from, and with."""
    return fingerprint(versions.MASTERS, kind, sorted(item.digest for item in sources), list(made_with))


def make(
    kind: str, sources: Sequence[Source], paths: ObservationPaths, masters: MasterFiles, identity: str
) -> Row:
    """Combine *sources* into the master *kind*, write it, and return its row of the record.

    Files whose data are damaged are left out: the record names those that are in it.

    Raises
    ------
    Unusable
        If none of the files can be read, or the frames cannot be combined.
    """
    ordered = sorted(sources, key=lambda item: (item.path.name, item.digest))
    try:
        image = _combined(kind, ordered, masters)
    except Unusable:
        readable = [item for item in ordered if _is_readable(item)]
        if len(readable) == len(ordered):
            raise
        if not readable:
            raise Unusable(
                f"none of {len(ordered)} {kind} frames can be read, {ordered[0].path.name} for one; "
                "copy them again or take them out of raw/"
            ) from None
        ordered = readable
        image = _combined(kind, ordered, masters)
    exposures = [item.exposure for item in ordered]
    exposure = 0.0 if kind == "bias" else sorted(exposures)[len(exposures) // 2]
    cards = {
        "IMAGETYP": (f"master {kind}", "made by accretor"),
        "NCOMBINE": (len(ordered), "frames combined"),
    }
    digest = io_fits.write_image(paths.master(kind), image, cards)
    return {
        "kind": kind,
        "n_frame": len(ordered),
        "exposure": exposure,
        "frames": " ".join(item.path.name for item in ordered),
        "input": identity,
        "digest": digest,
    }


def left_out(row: Row, sources: Sequence[Source]) -> list[str]:
    """Return the names of the files that should be in a master, but are too damaged for it."""
    return sorted({item.path.name for item in sources} - set(row["frames"].split(" ")))


def _combined(kind: str, ordered: Sequence[Source], masters: MasterFiles) -> Image:
    from accretor.science import combine

    with io_fits.Stack([(item.path, item.hdu) for item in ordered]) as stack:
        if kind == "bias":
            return combine.master_bias(stack.rows, stack.height, stack.width)
        if kind == "dark":
            return combine.master_dark(stack.rows, stack.height, stack.width, bias=load(masters).bias)
        if kind == "flat":
            exposure = np.array([item.exposure for item in ordered])
            return combine.master_flat(
                stack.rows, stack.height, stack.width, exposure=exposure, masters=load(masters)
            )
        bias = load(masters).bias  # taken off first, or it would be taken off twice
        read = stack.frame if bias is None else lambda i: stack.frame(i) - bias
        return combine.self_dark(read, len(ordered), len(ordered))


def _is_readable(item: Source) -> bool:
    try:
        io_fits.read_image(item.path, item.hdu)
    except Unusable:
        return False
    return True


def files(paths: ObservationPaths) -> MasterFiles:
    """Return the masters of an observation as they are recorded.

    Raises
    ------
    DumpError
        If there is no record.
    """
    rows = {row["kind"]: row for row in dump.read(paths.masters, MASTERS).rows}
    dark = rows.get("dark") or rows.get("selfdark")
    return MasterFiles(
        bias=str(paths.master("bias")) if "bias" in rows else "",
        dark=str(paths.master(dark["kind"])) if dark else "",
        dark_exposure=dark["exposure"] if dark and dark["kind"] == "dark" else math.nan,
        flat=str(paths.master("flat")) if "flat" in rows else "",
        digests=tuple((kind, rows[kind]["digest"]) for kind in KINDS if kind in rows),
    )


@functools.lru_cache(maxsize=4)
def load(files: MasterFiles) -> Masters:
    """Read the masters; each process keeps those it used last."""
    from accretor.science import detector

    digests = dict(files.digests)

    def image(path: str) -> Image | None:
        if not path:
            return None
        place = Path(path).with_suffix("")
        return twins.shared(place, digests[place.name], lambda: io_fits.read_image(Path(path)))

    dark, flat = image(files.dark), image(files.flat)
    bad = None
    if dark is not None or flat is not None:
        place = Path(files.dark or files.flat).with_name("bad")
        identity = fingerprint(versions.MASTERS, files.digests)
        bad = twins.shared(place, identity, lambda: np.asarray(detector.bad_pixels(dark, flat)))
    return detector.Masters(
        bias=image(files.bias), dark=dark, dark_exposure=files.dark_exposure, flat=flat, bad=bad
    )


@functools.lru_cache(maxsize=4)
def response(files: MasterFiles, gain: float) -> Image | None:
    """Return electron per ADU of each pixel by the master flat; None without one."""
    from accretor.science import calibrated

    flat = load(files).flat
    if flat is None:
        return None
    identity = fingerprint(versions.MASTERS, dict(files.digests)["flat"], gain)
    place = Path(files.flat).with_name("response")
    return twins.shared(place, identity, lambda: calibrated.response(flat, gain))


@functools.lru_cache(maxsize=4)
def mending(files: MasterFiles) -> Repairs | Booleans | None:
    """Return how bad pixels are mended to find stars; where that is too much, which they are."""
    from accretor.science import calibrated

    bad = load(files).bad
    if bad is None:
        return None
    found = calibrated.repairs(bad)
    return bad if found is None else found
