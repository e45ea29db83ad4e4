"""What the programs of peers share: work on each frame is timed in CPU seconds, the first not counted."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RADII = np.array([0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0])
"""Times the FWHM of the first frame."""
ANNULUS = (4.0, 7.0)
N_STAR = 50


def memory() -> float:
    """Return the largest resident size of this process so far, MB.

    Not that of `resource`, which on Linux also counts what the process was started from.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(prepare: Callable[[list[Path], np.ndarray, np.ndarray], Callable[[Path], Any]]) -> None:
    """Time what *prepare* returns on each frame, and print it as JSON.

    The command line is: master dark (.npy), master flat (.npy), frames. What *prepare*
    does with the first frame is not timed.
    """
    warnings.simplefilter("ignore")
    dark, flat = np.load(sys.argv[1]), np.load(sys.argv[2])
    frames = [Path(name) for name in sys.argv[3:]]
    work = prepare(frames, dark, flat)
    work(frames[0])
    seconds, failed = [], 0
    for frame in frames[1:]:
        begun = time.process_time()
        try:
            work(frame)
        except Exception as error:  # a peer may fail in any way; it is counted
            failed += 1
            sys.stderr.write(f"{frame.name}: {error!r}\n")
            continue
        seconds.append(time.process_time() - begun)
    print(json.dumps({"seconds": seconds, "failed": failed, "memory": memory()}))
