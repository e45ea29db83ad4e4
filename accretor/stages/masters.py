"""Master bias, dark, flat and self-dark of an observation: made, recorded, read back."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accretor.core import versions
from accretor.core.dumps import MASTERS
from accretor.core.errors import DumpError, Unusable
from accretor.core.readout import AS_IT_IS, Readout, Section, parse
from accretor.io import atomic, dump, twins
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.io.inventory import RawFile
from accretor.stages.rows import fingerprint

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Image
    from accretor.io.layout import ObservationPaths
    from accretor.science.calibrated import Repairs
    from accretor.science.combine import ReadRows
    from accretor.science.detector import Masters

log = logging.getLogger("accretor")

KINDS = ("bias", "dark", "flat", "selfdark", "bad")
OVERSCAN_ROWS = 256
"""Rows of all frames that are read at a time for their overscan."""
HOT, DEAD, LISTED = 1, 2, 4
"""Bits of the map of bad pixels: by the dark, by the flat, by the map of the settings."""

BETWEEN = " / "
"""Between the names of frames in the record; no file name holds it."""


@dataclass(frozen=True)
class Source:
    """A frame that goes into a master."""

    path: Path
    hdu: int
    digest: str
    exposure: float
    """Second."""
    name: str = ""
    """By which the record knows it; default: that of the file."""
    part: str = ""
    """Which of its pixels are the image."""
    n_combined: int = 1
    """Exposures in it; 0 for a master that does not say how many."""
    calibrated: str = ""
    """Letters of what was done to it before."""

    @property
    def label(self) -> str:
        """Name in the record."""
        return self.name or self.path.name


@dataclass(frozen=True)
class MasterFiles:
    """The masters on disk, as the workers get them: paths and digests, no pixels."""

    bias: str = ""
    dark: str = ""
    dark_exposure: float = math.nan
    """Second; NaN for a dark that must not be scaled."""
    flat: str = ""
    bad: str = ""
    readout: Readout = AS_IT_IS
    """What is done before and beside them."""
    digests: tuple[tuple[str, str], ...] = ()
    """Kind and sha256 of each master."""

    @property
    def has_zero_level(self) -> bool:
        """Whether they take off the level of the unexposed detector, so that the sky is light alone."""
        before = self.readout.has_zero_level or self.readout.overscan is not None
        is_subtracted = bool(self.bias) or before
        return is_subtracted or not math.isnan(self.dark_exposure)

    @functools.cached_property
    def id(self) -> str:
        """Short digest of all of them."""
        return fingerprint(self.digests, repr(self.readout))


def source(raw: Path, file: RawFile, digest: str) -> Source:
    """Return *file* as a source of a master."""
    assert file.exposure is not None
    exposure = file.exposure
    return Source(
        raw / file.path,
        exposure.hdu,
        digest,
        exposure.exposure,
        part=exposure.part,
        n_combined=exposure.n_combined,
        calibrated=exposure.calibrated,
    )


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


def recorded_detector(paths: ObservationPaths) -> Row:
    """Return the gain that was measured the last time; {} if there is none, or its record is damaged."""
    try:
        found: Row = dump.read_meta(paths.masters).get("detector", {})
    except DumpError:
        return {}
    return found


def of_another(kind: str, identity: str, paths: ObservationPaths) -> Row | None:
    """Take over the master of another observation that was made of the same frames in the same way.

    Nights and targets share their calibration frames; the bytes are those that making it
    again would give. A record or a master that is not whole is passed over.

    Returns
    -------
    Row or None
        The row of the record; None if there is no such master.
    """
    work = paths.folder.parents[3]  # of target, night, telescope, filter
    for record in sorted(work.glob("*/*/*/*/masters.ecsv")):
        if record == paths.masters:
            continue
        try:
            rows = dump.read(record, MASTERS).rows
            found = next((row for row in rows if (row["kind"], row["input"]) == (kind, identity)), None)
            content = (record.parent / "masters" / f"{kind}.fits").read_bytes() if found else b""
        except (DumpError, OSError):
            continue
        if found is not None and hashlib.sha256(content).hexdigest() == found["digest"]:
            atomic.write_bytes(paths.master(kind), content)
            return found
    return None


def recorded_flat_levels(paths: ObservationPaths) -> dict[str, float]:
    """Return the medians of flat frames that were measured the last time, ADU, by digest."""
    try:
        found: dict[str, float] = dump.read_meta(paths.masters).get("flat_levels", {})
    except (FileNotFoundError, DumpError):
        return {}
    return found


def input_of(
    kind: str, sources: Sequence[Source], made_with: Sequence[str], readout: Readout = AS_IT_IS
) -> str:
    """Return the identity of a master: what it is made from, and with."""
    digests = sorted(f"{item.digest} {item.part}".strip() for item in sources)
    given = [f"{item.n_combined} {item.calibrated}" for item in sources if item.n_combined != 1]
    return fingerprint(versions.MASTERS, kind, digests, list(made_with), repr(readout), *given)


def make(
    kind: str,
    sources: Sequence[Source],
    paths: ObservationPaths,
    masters: MasterFiles,
    identity: str,
) -> Row:
    """Combine *sources* into the master *kind*, write it, and return its row of the record.

    Files whose data are damaged are left out: the record names those that are in it. A master that was given
    is the only one of *sources*, and is brought into the form of our own.

    Raises
    ------
    Unusable
        If none of the files can be read, or the frames cannot be combined.
    """
    ordered = sorted(sources, key=lambda item: (item.path.name, item.digest))
    if ordered[0].n_combined != 1:
        return _given(kind, ordered[0], paths, masters, identity)
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
    return _written(kind, image, paths, ordered, len(ordered), exposure, identity)


def _written(
    kind: str,
    image: Image,
    paths: ObservationPaths,
    ordered: Sequence[Source],
    n_frame: int,
    exposure: float,
    identity: str,
    remark: str = "",
) -> Row:
    cards = {
        "IMAGETYP": (f"master {kind}", "made by accretor"),
        "NCOMBINE": (n_frame, "frames combined"),
    }
    digest = io_fits.write_image(paths.master(kind), image, cards)
    return {
        "kind": kind,
        "n_frame": n_frame,
        "exposure": exposure,
        "frames": BETWEEN.join(item.label for item in ordered),
        "bytes": bytes_of(ordered),
        "input": identity,
        "digest": digest,
        "remark": remark,
    }


def _given(kind: str, item: Source, paths: ObservationPaths, masters: MasterFiles, identity: str) -> Row:
    """Write the master that some other program made as one of ours, and return its row of the record.

    Raises
    ------
    Unusable
        If it cannot be read, or nothing tells what was done to it.
    """
    from accretor.science import given

    readout = masters.readout
    try:
        with io_fits.Stack([(item.path, item.hdu, item.part)]) as stack:
            trim = readout.trim
            is_trimmed = trim is not None and (stack.width, stack.height) == (trim.width, trim.height)
            plain = AS_IT_IS if is_trimmed else dataclasses.replace(readout, overscan=None)
            read, height, _ = levelled(stack, plain)
            image = read(0, height)[0]
        known, is_off = load(masters).bias, bool({"B", "D"} & set(item.calibrated))
        is_levelled = readout.overscan is not None
        if kind == "bias":
            image, said = given.bias(image, is_levelled=is_levelled)
        elif kind == "dark":
            image, said = given.dark(image, known, is_off=is_off, is_levelled=is_levelled)
        else:
            image, said = given.flat(image, known, is_off=is_off)
    except Unusable as verdict:
        raise Unusable(f"master {kind} {item.label}: {verdict.reason}") from None
    of = f"of {item.n_combined} frames" if item.n_combined else "of a number of frames that it does not tell"
    remark = "; ".join(filter(None, [f"master {kind} {item.label} was given, {of}", said]))
    exposure = 0.0 if kind == "bias" else item.exposure
    return _written(kind, image, paths, [item], item.n_combined, exposure, identity, remark)


def left_out(row: Row, sources: Sequence[Source]) -> list[str]:
    """Return, if files that should be in a master are not, a sentence with their names."""
    known = set(row["frames"].split(BETWEEN))
    missing = sorted(item.label for item in sources if item.label not in known)
    return [f"damaged, and not in the master {row['kind']}: {', '.join(missing)}"] if missing else []


def still_there(row: Row | None, usable: Mapping[str, Source]) -> list[str]:
    """Return the names of the frames of a recorded master, if all are among those *usable* as they were."""
    names = row["frames"].split(BETWEEN) if row else []
    if row is None or not all(name in usable for name in names):
        return []
    return names if bytes_of([usable[name] for name in names]) == row["bytes"] else []


def bytes_of(sources: Iterable[Source]) -> str:
    """Return the identity of the raw bytes of some frames."""
    return fingerprint(sorted(item.digest for item in sources))


def _combined(kind: str, ordered: Sequence[Source], masters: MasterFiles) -> Image:
    from accretor.science import combine, detector

    known = load(masters)
    with io_fits.Stack([(item.path, item.hdu, item.part) for item in ordered]) as stack:
        if kind == "selfdark":
            # What is there already is taken off first, or it would be taken off twice.
            return combine.self_dark(
                lambda index: detector.linear(stack.frame(index), known), len(ordered), len(ordered)
            )
        read, height, width = levelled(stack, masters.readout)
        if kind == "bias":
            return combine.master_bias(read, height, width)
        if kind == "dark":
            return combine.master_dark(
                read, height, width, bias=known.bias, nonlinearity=masters.readout.nonlinearity
            )
        exposure = np.array([item.exposure for item in ordered])
        return combine.master_flat(read, height, width, exposure=exposure, masters=known)


def levelled(stack: io_fits.Stack, readout: Readout) -> tuple[ReadRows, int, int]:
    """Return a reader of rows of trimmed frames without their overscan, and their height and width.

    Raises
    ------
    Unusable
        If overscan or trim section are not in the frames, or all of a frame is overscan.
    """
    from accretor.science.readout import overscan_level

    for section in (readout.overscan, readout.trim):
        if section is not None and not section.is_in(stack.width, stack.height):
            raise Unusable(f"{stack.width}x{stack.height} pixels; the section {section} is not in the frames")
    whole = Section(0, stack.width, 0, stack.height)
    if readout.overscan == whole:
        raise Unusable(f"the overscan {whole} is all of the frame: no pixel with light is left")
    trim = readout.trim or whole
    level: Image | None = None
    if (blind := readout.overscan) is not None:
        steps = range(blind.low, blind.high, OVERSCAN_ROWS)
        strips = [
            stack.rows(row, min(row + OVERSCAN_ROWS, blind.high))[:, :, blind.left : blind.right]
            for row in steps
        ]
        level = np.array([overscan_level(one) for one in np.concatenate(strips, axis=1)], dtype=np.float32)

    def read(start: int, stop: int) -> Image:
        part = stack.rows(start + trim.low, stop + trim.low)[:, :, trim.left : trim.right]
        return part if level is None else part - level[:, np.newaxis, np.newaxis]

    return read, trim.height, trim.width


def is_whole(paths: ObservationPaths, row: Row) -> bool:
    """Tell whether the file of a recorded master has the bytes that were written."""
    return bool(io_fits.digest(paths.master(row["kind"])) == row["digest"])


def _is_readable(item: Source) -> bool:
    try:
        io_fits.read_image(item.path, item.hdu, item.part)
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
    found = dump.read(paths.masters, MASTERS)
    return of_rows(paths, found.rows, readout_of(found.meta.get("readout", {})))


def of_rows(paths: ObservationPaths, record: Sequence[Row], readout: Readout) -> MasterFiles:
    """Return the masters of the rows of a record."""
    rows = {row["kind"]: row for row in record}
    dark = rows.get("dark") or rows.get("selfdark")
    return MasterFiles(
        bias=str(paths.master("bias")) if "bias" in rows else "",
        dark=str(paths.master(dark["kind"])) if dark else "",
        dark_exposure=dark["exposure"] if dark and dark["kind"] == "dark" else math.nan,
        flat=str(paths.master("flat")) if "flat" in rows else "",
        bad=str(paths.master("bad")) if "bad" in rows else "",
        readout=readout,
        digests=tuple((kind, rows[kind]["digest"]) for kind in KINDS if kind in rows),
    )


def readout_meta(readout: Readout) -> Row:
    """Return *readout* as the header of a dump holds it."""
    return {
        "overscan": str(readout.overscan or ""),
        "trim": str(readout.trim or ""),
        "nonlinearity": list(readout.nonlinearity),
        "median3": readout.is_median_filtered,
        "has_zero_level": readout.has_zero_level,
    }


def readout_of(meta: Row) -> Readout:
    """Return what `readout_meta` wrote."""
    return Readout(
        overscan=parse(meta["overscan"]) if meta.get("overscan") else None,
        trim=parse(meta["trim"]) if meta.get("trim") else None,
        nonlinearity=tuple(meta.get("nonlinearity", ())),
        is_median_filtered=meta.get("median3", False),
        has_zero_level=meta.get("has_zero_level", False),
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

    bad: Booleans | None = None
    if files.bad:
        place = Path(files.bad).with_suffix("")
        bad = twins.shared(place, digests[place.name], lambda: io_fits.read_image(Path(files.bad)) != 0)
    return detector.Masters(
        bias=image(files.bias),
        dark=image(files.dark),
        dark_exposure=files.dark_exposure,
        flat=image(files.flat),
        bad=bad,
        readout=files.readout,
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


def zero_level(files: MasterFiles, exposure: float) -> Image | None:
    """Return bias and dark as one for the frames of an *exposure*, if that is at hand; None if it is not.

    It is made when a process meets the exposure again: where no two are the same, it would
    cost more than it saves.
    """
    if not (files.bias and files.dark) or files.readout.nonlinearity:
        return None
    from accretor.science import calibrated, detector

    level = _level(files, factor := detector.dark_scale(load(files), exposure))
    if level.image is None:
        identity = fingerprint(versions.MASTERS, dict(files.digests), factor)
        place = Path(files.bias).with_name("zero")
        level.image = twins.known(place, identity)
        if level.image is None and level.is_met:
            level.image = twins.shared(place, identity, lambda: calibrated.zero_level(load(files), exposure))
        level.is_met = True
    return level.image


@dataclass
class _Level:
    """What a process knows of the zero level of an exposure."""

    image: Image | None = None
    is_met: bool = False
    """A frame of this exposure came before."""


@functools.lru_cache(maxsize=2)
def _level(files: MasterFiles, factor: float) -> _Level:
    """Return what is known of the level, to be added to."""
    return _Level()


@functools.lru_cache(maxsize=4)
def mending(files: MasterFiles) -> Repairs | Booleans | None:
    """Return how bad pixels are mended to find stars; where that is too much, which they are."""
    from accretor.science import calibrated

    bad = load(files).bad
    if bad is None:
        return None
    found = calibrated.repairs(bad)
    return bad if found is None else found
