"""Archives from elsewhere, unpacked whole or not at all, and never outside their folder."""

from __future__ import annotations

import os
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from accretor.core.errors import Unusable

_CHUNK = 1 << 20
_LONGEST = 150
"""Characters of a name."""
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True)
class Limits:
    """What an archive may grow to; a package of one night is 20 files and, with its image, 100 MB."""

    n_file: int = 2000
    n_byte: int = 4 << 30
    """Of all files together."""
    ratio: float = 200.0
    """Unpacked over packed, of one file; text and tables stay below 20."""
    free: int = 1 << 20
    """Bytes below which no ratio is too large."""


LIMITS = Limits()


def check(path: Path, limits: Limits = LIMITS) -> list[zipfile.ZipInfo]:
    """Return the files of an archive that can be unpacked; nothing is written.

    Raises
    ------
    Unusable
        If it is no archive, is cut or damaged, or holds what no archive of files should.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = _members(archive, limits)
            for member in found:
                with archive.open(member) as source:
                    while source.read(_CHUNK):
                        pass
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unusable(f"the archive is damaged: {error}") from None


def unpack(path: Path, folder: Path, limits: Limits = LIMITS) -> list[str]:
    """Unpack an archive into *folder*, which must not be there, and return the names of the files.

    A folder that holds all files of the archive is left out of the names.

    Raises
    ------
    Unusable
        If the archive cannot be trusted (see `check`); *folder* is then not made.
    """
    part = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with zipfile.ZipFile(path) as archive:
            names = _write(archive, _members(archive, limits), part)
        part.replace(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unusable(f"the archive is damaged: {error}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return names


def _members(archive: zipfile.ZipFile, limits: Limits) -> list[zipfile.ZipInfo]:
    found = [member for member in archive.infolist() if not member.is_dir()]
    if len(found) > limits.n_file:
        raise Unusable(f"the archive has {len(found)} files, at most {limits.n_file} are unpacked")
    total = 0
    for member in found:
        name = member.filename
        mode = stat.S_IFMT(member.external_attr >> 16)
        if mode not in (0, stat.S_IFREG):
            raise Unusable(f"{name!r} in the archive is a link or a device")
        if member.flag_bits & 1:
            raise Unusable(f"{name!r} in the archive is encrypted")
        _parts(name)
        total += member.file_size
        packed = max(member.compress_size, 1)
        if member.file_size > limits.free and member.file_size / packed > limits.ratio:
            raise Unusable(
                f"{name!r} in the archive unpacks to {member.file_size / packed:.0f} times its size: "
                "refused as a zip bomb"
            )
    if total > limits.n_byte:
        raise Unusable(
            f"the archive unpacks to {total / 1e6:.4g} MB, at most {limits.n_byte / 1e6:.4g} MB are unpacked"
        )
    return found


def _parts(name: str) -> tuple[str, ...]:
    """Return the parts of a name, made safe for every file system.

    Raises
    ------
    Unusable
        If the name leads elsewhere.
    """
    raw = name.replace("\\", "/")
    parts = PurePosixPath(raw).parts
    if raw.startswith("/") or not parts or ".." in parts or re.match(r"[A-Za-z]:", raw):
        raise Unusable(f"{name!r} in the archive leads out of its folder")
    return tuple(_safe(part) for part in parts)


def _safe(part: str) -> str:
    plain = _UNFIT.sub("_", unicodedata.normalize("NFC", part)).rstrip(". ") or "_"
    plain = f"_{plain}" if _DEVICE.match(plain) or plain.startswith(".") else plain
    suffix = PurePosixPath(plain).suffix[:20]
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - len(suffix)] + suffix


def _write(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path) -> list[str]:
    places = [_parts(member.filename) for member in members]
    if places and all(len(place) > 1 for place in places) and len({place[0] for place in places}) == 1:
        places = [place[1:] for place in places]
    written: dict[str, str] = {}
    for member, place in zip(members, places, strict=True):
        name = "/".join(place)
        if name.casefold() in written:
            raise Unusable(f"two files of the archive are {name!r}")
        written[name.casefold()] = name
        target = folder.joinpath(*place)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise Unusable(f"{name!r} in the archive is a file and a folder") from None
        with archive.open(member) as source, target.open("xb") as file:
            # zipfile stops at the size that the archive claims, which was checked.
            shutil.copyfileobj(source, file, _CHUNK)
            file.flush()
            os.fsync(file.fileno())
    return sorted(written.values())
