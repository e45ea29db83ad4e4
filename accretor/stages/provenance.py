"""Where a product is from: the program, the frames, what they were measured with, the settings.

No date and no place: the same frames and settings give the same words.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accretor import __version__
from accretor.core import versions
from accretor.stages.rows import fingerprint

if TYPE_CHECKING:
    from accretor.core.settings import WorkspaceSettings
    from accretor.stages.table import Measured

_SIGNATURE = 8
_IHDR = 25
"""Bytes of the first chunk of a PNG image."""


@dataclass(frozen=True)
class Provenance:
    """Digests of what the products of one filter follow from."""

    n_frame: int
    frames: str
    """Of the bytes of the raw frames that are used."""
    measured_with: str
    """Of the masters, settings, choices and versions with which they were measured."""
    settings: str
    """Of the target, the instrument and the settings of what came after."""
    version: str = __version__
    science: int = versions.SCIENCE
    """See `accretor.core.versions.SCIENCE`."""

    def __str__(self) -> str:
        return (
            f"accretor {self.version} (science {self.science}); {self.n_frame} frames {self.frames}, "
            f"measured with {self.measured_with}, settings {self.settings}"
        )


def of(found: Measured, settings: WorkspaceSettings) -> Provenance:
    """Return the provenance of the products of one filter."""
    plan = found.plan
    return Provenance(
        n_frame=len(found.frames),
        frames=fingerprint([row["input"] for row in found.frames]),
        measured_with=found.context,
        settings=fingerprint(
            repr(plan.target),
            repr(plan.instrument),
            repr(plan.settings.calibration),
            repr(plan.settings.plotting),
            repr(settings.packaging),
            settings.observer,
        ),
    )


def in_png(content: bytes, words: Provenance) -> bytes:
    """Return a PNG image with its provenance in text chunks, after its header."""
    at = _SIGNATURE + _IHDR
    if content[_SIGNATURE + 4 : _SIGNATURE + 8] != b"IHDR":
        return content
    chunks = b"".join(
        _chunk(key, text) for key, text in (("Software", f"accretor {words.version}"), ("Source", str(words)))
    )
    return content[:at] + chunks + content[at:]


def cards(words: Provenance) -> dict[str, tuple[str | int, str]]:
    """Return cards of a FITS header."""
    return {
        "PROGRAM": (f"accretor {words.version}", "made this file"),
        "SCIVERS": (words.science, "science version"),
        "NFRAMES": (words.n_frame, "frames of the light curve"),
        "DIGFRAM": (words.frames, "digest of the frames"),
        "DIGMEAS": (words.measured_with, "digest of what they were measured with"),
        "DIGSETT": (words.settings, "digest of the settings"),
    }


def _chunk(key: str, text: str) -> bytes:
    body = b"tEXt" + key.encode("latin-1") + b"\0" + text.encode("latin-1", "replace")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
