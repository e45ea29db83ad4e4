"""Work that workers import by its name."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

from accretor.core.errors import HeaderError


def square(item: int) -> int:
    return item * item


def whole(item: int) -> tuple[int, int, str]:
    return item, os.getpid(), os.environ.get("OPENBLAS_NUM_THREADS", "")


def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def deadly(item: int) -> int:
    """End the process at a negative item."""
    if item < 0:
        os._exit(9)
    return item


def deadly_and_big(item: tuple[int, bytes]) -> int:
    return deadly(item[0])


def together(item: tuple[int, str]) -> int:
    """End the process if another one is at work at the same time, as too little memory would."""
    number, folder = item
    mine = Path(folder) / str(os.getpid())
    mine.touch()
    time.sleep(0.1)
    if any(_is_alive(int(path.name)) for path in Path(folder).iterdir() if path != mine):
        os._exit(9)
    mine.unlink()
    return number


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def headless(item: int) -> Any:
    raise HeaderError("GAIN", f"{item} is not a gain")


def lingering(item: int) -> tuple[int, int]:
    """Return the item and the process, after a while."""
    time.sleep(0.05)
    return item, os.getpid()


def deadly_elsewhere(item: int) -> int:
    """End the process if it is a worker."""
    if multiprocessing.parent_process() is not None:
        os._exit(9)
    return item


def mark(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()


def blas_threads(item: int) -> int:
    """Return how many threads this process has after a product of matrices."""
    import numpy as np

    matrix = np.ones((400, 400))
    (matrix @ matrix).sum()
    return len(list(Path("/proc/self/task").iterdir()))


def once(item: tuple[int, str]) -> int:
    """End the process at the first time that a negative item is tried."""
    number, marker = item
    if number < 0 and not Path(marker).exists():
        Path(marker).touch()
        os._exit(9)
    return number


def where(item: int) -> str:
    return str(Path.cwd())
