"""Every raw file, and what the header of each says."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from accretor import instruments as dialects
from accretor.core.errors import HeaderError
from accretor.core.frame import Exposure
from accretor.core.mosaic import Mosaic
from accretor.core.observation import Observation
from accretor.core.part import Part
from accretor.core.settings import InstrumentSettings, Target
from accretor.core.slug import slug
from accretor.io import header, matching

_FITS_NAME = re.compile(r"\.(fits?|fts)(\.fz|\.gz)?$", re.IGNORECASE)
LONGER_THAN_CLOCK = 1.5
"""Second; two exposures longer than this cannot have the same time, even on a clock of whole seconds."""
FEWEST_FOR_USUAL = 10
"""Frames from which on there is a usual exposure."""
FAR = 2.5
"""Times the usual exposure, or part of it, beyond which one is far from it."""
MOST_ODD, ODD_PART = 3, 0.03
"""How many frames, or which part of them, may have such an exposure and be left out."""
_NAMELESS = InstrumentSettings(name="")
_FIELDS: list[tuple[str, Any]] = [
    (field.name, type(getattr(Exposure(kind="light"), field.name))) for field in dataclasses.fields(Exposure)
]
"""The fields of an exposure with their plain types, which are not numpy's."""


@dataclass(frozen=True)
class RawFile:
    """A file below ``raw/``."""

    path: str
    """POSIX, relative to ``raw/``."""
    size: int
    """Byte."""
    mtime_ns: int
    """Last change, nanosecond since 1970."""
    exposure: Exposure | None
    """What its header says; None if the file is not usable."""
    reason: str = ""
    """Why it is not usable; "" if it is."""

    @property
    def name(self) -> str:
        """Name without folder."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Assignment:
    """What becomes of a raw file."""

    file: RawFile
    observation: Observation | None
    """None for calibration frames, and where there is a reason."""
    reason: str = ""
    """Why the file is left out; "" for frames of an observation and for calibration frames."""
    remark: str = ""
    """What had to be assumed."""


def scan(raw: Path, apart: Iterable[Path] = ()) -> list[tuple[str, int, int]]:
    r"""Return path, size and time of change of every regular file below *raw*, sorted by path.

    Links to files and folders are followed, each folder is visited once, by its own name
    rather than by a link to it: a link to a folder above makes no loop. Files and folders
    that stand *apart*, such as our own, are passed over.

    Returns
    -------
    list of (path, size, mtime_ns)
        The path is POSIX and relative to *raw*; bytes of a name that are not UTF-8 are written ``\xNN``.

    Raises
    ------
    OSError
        If *raw* or a folder below cannot be listed: frames must not vanish quietly.
    """
    found: list[tuple[str, int, int]] = []
    seen = {_identity(path.stat()) for path in apart if path.exists()}
    links: list[Path] = []
    waiting = [raw]
    while waiting or links:
        folder = waiting.pop() if waiting else links.pop(0)
        key = _identity(folder.stat())
        if key in seen:
            continue
        seen.add(key)
        below = "" if folder == raw else f"{folder.relative_to(raw).as_posix()}/"
        with os.scandir(folder) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
        for child in children:
            try:
                status = os.stat(child.path)  # noqa: PTH116  # a DirEntry has no inode on Windows
            except OSError:  # a link to nowhere, or a file that has just gone
                continue
            if stat.S_ISDIR(status.st_mode):
                (links if child.is_symlink() else waiting).append(Path(child.path))
            elif stat.S_ISREG(status.st_mode) and _identity(status) not in seen:
                found.append((_utf8(f"{below}{child.name}"), status.st_size, status.st_mtime_ns))
        links.sort()
    return sorted(found)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def refresh(
    raw: Path,
    known: Sequence[RawFile],
    instruments: Sequence[InstrumentSettings],
    *,
    apart: Iterable[Path] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[RawFile]:
    """Return all files below *raw*; only headers of new or changed ones are read.

    Parameters
    ----------
    raw : Path
    known : sequence of RawFile
        Of the last time, read with the same *instruments*; a file of the same size and time of change is not
        opened again.
    instruments : sequence of InstrumentSettings
        None: dialect and telescope are taken from the header.
    apart : iterable of Path, optional
        Files and folders that are passed over.
    progress : callable, optional
        Is told how many of how many new files are read.

    Returns
    -------
    list of RawFile
        Sorted by path. A bad file never raises: it has the reason.
    """
    old = {(file.path, file.size, file.mtime_ns): file for file in known}
    present = scan(raw, apart)
    n_new = sum(key not in old for key in present)
    files = []
    n_read = 0
    for key in present:
        file = old.get(key)
        if file is None:
            file = examine(raw, *key, instruments)
            n_read += 1
            if progress is not None:
                progress(n_read, n_new)
        files.append(file)
    return files


def examine(
    raw: Path, path: str, size: int, mtime_ns: int, instruments_known: Sequence[InstrumentSettings]
) -> RawFile:
    """Return the file *path* below *raw* with what its header says, or why it is not usable."""
    try:
        exposure, reason = _exposure(raw, path, instruments_known), ""
    except HeaderError as error:
        exposure, reason = None, str(error)
    except OSError as error:
        exposure, reason = None, f"cannot be read: {error.strerror or error}"
    return RawFile(path, size, mtime_ns, exposure, reason)


def assign(files: Sequence[RawFile], targets: Sequence[Target], raw: Path | None = None) -> list[Assignment]:
    """Tell to which observation each file belongs, or why to none.

    Parameters
    ----------
    files : sequence of RawFile
    targets : sequence of Target
    raw : Path, optional
        Folder of the files: two short exposures with the same whole-second time are the same only if
        their bytes are; without it they are kept.

    Returns
    -------
    list of Assignment
        One for each file, in the order of *files*. The size, binning and gain of an observation are those
        of most of its frames; of two copies of an exposure the name that comes first is kept.
    """
    named: dict[str, Target | None] = {}
    first = [_assigned(file, targets, named) for file in files]
    groups: dict[Observation, list[int]] = defaultdict(list)
    for i, item in enumerate(first):
        if item.observation is not None:
            groups[item.observation].append(i)
    reasons: dict[int, str] = {}
    for members in groups.values():
        odd = _odd_sizes({i: files[i] for i in members})
        odd |= _odd_exposures({i: files[i] for i in members if i not in odd})
        reasons |= odd
        reasons |= _duplicates({i: files[i] for i in members if i not in odd}, raw)
    return [
        dataclasses.replace(item, observation=None, reason=reasons[i]) if i in reasons else item
        for i, item in enumerate(first)
    ]


def to_row(file: RawFile) -> dict[str, str | int | float | bool]:
    """Return a flat row: path, size, mtime_ns, reason, and the fields of the exposure by their names.

    Without an exposure its fields have their defaults, and ``kind`` is "".
    """
    row: dict[str, str | int | float | bool] = {
        "path": file.path,
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "reason": file.reason,
    }
    exposure = file.exposure or Exposure(kind="light")
    row |= {name: getattr(exposure, name) for name, _ in _FIELDS}
    if file.exposure is None:
        row["kind"] = ""
    return row


def from_row(row: Mapping[str, object]) -> RawFile:
    """Return the file of a row of `to_row`; further columns do not matter.

    The reason is read for unusable files only: that of a usable one was found later, from the other files.
    """
    kind = str(row["kind"])
    exposure = Exposure(*[plain(row[name]) for name, plain in _FIELDS]) if kind else None
    return RawFile(
        path=str(row["path"]),
        size=int(str(row["size"])),
        mtime_ns=int(str(row["mtime_ns"])),
        exposure=exposure,
        reason="" if kind else str(row["reason"]),
    )


def _exposure(raw: Path, path: str, known: Sequence[InstrumentSettings]) -> Exposure:
    parts = PurePosixPath(path).parts
    if any(part.startswith(".") for part in parts):
        raise HeaderError("", "hidden file")
    if not _FITS_NAME.search(path) and not path.lower().endswith(".fz"):
        raise HeaderError("", "not a FITS name")
    if not (raw / path).exists():
        raise HeaderError("", "the name of the file is not UTF-8; rename it")
    found = header.read(raw / path)
    settings = _instrument(found, known)
    exposure = dialects.exposure(found, parts[-1], settings, found.printed)
    exposure = dataclasses.replace(exposure, hdu=found.hdu)
    if found.amplifiers is not None:
        return _put_together(exposure, found.amplifiers, settings)
    return _with_mask(exposure, found.masks, dialects.chosen(found, settings).masks)


def _with_mask(
    exposure: Exposure, beside: Mapping[str, int], known: Mapping[str, tuple[int, int]]
) -> Exposure:
    """Return the exposure of a light frame with the map of bad pixels beside it, if that is one we know."""
    name = next((name for name in known if name in beside), "")
    if not name or exposure.kind != "light" or exposure.part:
        return exposure
    bad, full = known[name]
    level = exposure.saturation
    part = Part(full=(beside[name], full, level)) if full and level > 0 else Part()
    return dataclasses.replace(exposure, mask_hdu=beside[name], mask_bits=bad, part=str(part))


def _put_together(exposure: Exposure, whole: Mosaic, settings: InstrumentSettings) -> Exposure:
    """Return the exposure of a frame that is put together of those of its amplifiers: in electron."""
    part = Part(
        amplifiers=tuple((item.hdu, item.plane) for item in whole.amplifiers),
        is_levelled=whole.is_levelled,
        has_no_crosstalk=bool(whole.crosstalk),
    )
    level = "without its overscan" if whole.is_levelled else "with its zero level"
    gains = ", ".join(f"{item.gain:g}" for item in whole.amplifiers)
    remarks = [f"{len(whole.amplifiers)} amplifiers, each {level} and times its gain ({gains} electron/ADU)"]
    if whole.crosstalk:
        most = max(value for row in whole.crosstalk for value in row)
        remarks.append(f"crosstalk between them, up to {most:g}, is taken off by CRSTLKnn of the header")
    if settings.gain is not None:
        remarks.append("gain of the settings is not used: the amplifiers have their own")
    return dataclasses.replace(
        exposure, part=str(part), gain=1.0, remark="; ".join(filter(None, [exposure.remark, *remarks]))
    )


def _instrument(found: header.RawHeader, known: Sequence[InstrumentSettings]) -> InstrumentSettings:
    if not known:
        return _NAMELESS
    for settings in known:
        if settings.match and _matches(settings.match, found):
            return settings
    for settings in known:
        if not settings.match:
            return settings
    shown = ", ".join(
        f"{keyword} = {found.get(keyword.upper(), 'missing')!r}"
        for keyword in sorted({key for one in known for key in one.match})
    )
    raise HeaderError("", f"none of the instruments {', '.join(one.name for one in known)} matches: {shown}")


def _matches(wanted: Mapping[str, str], found: header.RawHeader) -> bool:
    return all(
        fnmatchcase(str(found.get(keyword.upper(), "")).strip().casefold(), pattern.strip().casefold())
        for keyword, pattern in wanted.items()
    )


def _utf8(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _lacking(exposure: Exposure) -> str:
    """Return all that the header does not tell and the settings must, with the keys; "" if nothing."""
    names, keys = [], []
    if not all(math.isfinite(value) for value in (exposure.latitude, exposure.longitude)):
        names.append("site")
        keys.append("latitude, longitude and height")
    if not exposure.filter:
        names.append("filter")
        keys.append('filters = {"" = "..."} or keywords = {filter = "CARD"}')
    if not names:
        return ""
    return f"the header tells no {' and no '.join(names)}: give {', and '.join(keys)} in [[instrument]]"


def _assigned(file: RawFile, targets: Sequence[Target], named: dict[str, Target | None]) -> Assignment:
    exposure = file.exposure
    if exposure is None or exposure.kind != "light":
        return Assignment(file, None, file.reason)
    if not exposure.mid:
        return Assignment(file, None, exposure.remark or "no time of observation")
    match = matching.find_target(exposure, targets, named)
    if match.target is None:
        return Assignment(file, None, match.reason)
    if lacking := _lacking(exposure):
        return Assignment(file, None, lacking)
    observation = Observation(
        target=slug(match.target.name),
        night=matching.night(exposure),
        telescope=slug(exposure.instrument),
        filter=slug(exposure.filter),
    )
    return Assignment(file, observation, remark=match.remark)


def _odd_sizes(members: Mapping[int, RawFile]) -> dict[int, str]:
    shapes = {i: _shape(_header_of(file)) for i, file in members.items()}
    count = Counter(shapes.values())
    # Of a night that is there both raw and calibrated the calibrated frames are taken.
    usual = max(count, key=lambda shape: (count[shape], shape[-1], shape))
    return {
        i: f"{_shown(shape, usual)}, but {count[usual]} of {len(shapes)} frames are {_shown(usual, shape)}"
        for i, shape in shapes.items()
        if shape != usual
    }


def _odd_exposures(members: Mapping[int, RawFile]) -> dict[int, str]:
    """Return the few frames whose exposure is far from that of the others: of focus and pointing.

    An observer who changes the exposure in the night keeps it, so that many frames have it.
    """
    seconds = {i: _header_of(file).exposure for i, file in members.items()}
    known = sorted(value for value in seconds.values() if value > 0)
    if len(known) < FEWEST_FOR_USUAL:
        return {}
    usual = known[len(known) // 2]
    count = Counter(seconds.values())
    most = max(MOST_ODD, ODD_PART * len(members))
    return {
        i: f"exposure of {value:g} s, the others have {usual:g} s: of focus or pointing?"
        for i, value in seconds.items()
        if count[value] <= most and not usual / FAR <= value <= usual * FAR
    }


def _duplicates(members: Mapping[int, RawFile], raw: Path | None) -> dict[int, str]:
    by_time: dict[str, list[int]] = defaultdict(list)
    for i, file in sorted(members.items(), key=lambda item: item[1].path):
        by_time[_header_of(file).mid].append(i)
    reasons = {}
    for same in by_time.values():
        kept: list[int] = []
        for i in same:
            twin = next((j for j in kept if _is_same_exposure(members[i], members[j], raw)), None)
            if twin is None:
                kept.append(i)
            else:
                reasons[i] = f"same exposure as {members[twin].path}"
    return reasons


def _is_same_exposure(one: RawFile, other: RawFile, raw: Path | None) -> bool:
    """Tell whether two frames of the same time are one.

    A clock of whole seconds may show the same time for two exposures that are shorter.
    """
    exposure = _header_of(one)
    if exposure.exposure > LONGER_THAN_CLOCK:
        return True
    if math.isfinite(exposure.exposure):
        start = datetime.fromisoformat(exposure.mid) - timedelta(seconds=exposure.exposure / 2)
        if start.microsecond:
            return True
    if raw is None or one.size != other.size:
        return False
    return _digest(raw / one.path) == _digest(raw / other.path)


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:  # gone since the scan: not the same as anything
        return str(path).encode()


def _header_of(file: RawFile) -> Exposure:
    assert file.exposure is not None
    return file.exposure


Shape: TypeAlias = tuple[int, int, str, str, str, str, str]
"""What all frames of an observation share: width, height, binning, gain, read-out mode, camera,
calibrations."""


def _shape(exposure: Exposure) -> Shape:
    gain = "" if math.isnan(exposure.gain) else f"{exposure.gain:.3g}"
    of_camera = exposure.binning, gain, exposure.mode, exposure.camera
    return exposure.width, exposure.height, *of_camera, exposure.calibrated


def _shown(shape: Shape, other: Shape) -> str:
    """Return *shape* in words; mode, camera and calibrations only where they are not those of the *other*."""
    words = [f"{shape[0]} x {shape[1]} pixels binned {shape[2]}"]
    words += [f"with gain {shape[3]}"] if shape[3] else []
    told = [
        f"in mode {shape[4]!r}",
        f"of the camera {shape[5]!r}",
        f"calibrated before ({shape[6]})" if shape[6] else "not calibrated before",
    ]
    words += [text for text, mine, theirs in zip(told, shape[4:], other[4:], strict=True) if mine != theirs]
    return " ".join(words)
