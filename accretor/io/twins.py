"""Native copies of large arrays, which all workers of a machine map into memory and share.

A master is a FITS file, for people; its bytes are in the wrong order for the processor,
and each worker that read it would hold it again. Its twin is the same numbers, mapped:
the system keeps one copy however many processes look at it. A twin may be deleted at
any time, and is made again.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accretor.io import atomic

LARGE = 8_000_000
"""Bytes from which on an array has a twin; smaller ones are not worth a file."""


def shared(place: Path, identity: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Return the array that *make* returns, from the twin of an earlier call if there is one.

    Parameters
    ----------
    place
        Folder and first part of the name of the twin.
    identity
        Of what the array is made from: a twin of another one is not taken, and removed.
    """
    if (found := known(place, identity)) is not None:
        return found
    twin = _file(place, identity)
    array = make()
    if array.nbytes < LARGE:
        return array
    buffer = io.BytesIO()
    np.save(buffer, array)
    atomic.write_bytes(twin, buffer.getvalue())
    for other in place.parent.glob(f"{place.name}-*.npy"):
        if other != twin:
            with contextlib.suppress(OSError):  # another worker may look at it, on Windows
                other.unlink()
    return _mapped(twin)


def known(place: Path, identity: str) -> NDArray[Any] | None:
    """Return the array of a twin that is there already; see `shared`."""
    with contextlib.suppress(FileNotFoundError, ValueError, EOFError):
        return _mapped(_file(place, identity))
    return None


def _file(place: Path, identity: str) -> Path:
    return place.with_name(f"{place.name}-{identity[:16]}.npy")


def _mapped(twin: Path) -> NDArray[Any]:
    # As a plain array, whose slices cost a fifth of those of a memmap.
    return np.asarray(np.load(twin, mmap_mode="r")).view(np.ndarray)
