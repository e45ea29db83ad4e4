"""HEASARC's fitsverify, where it is installed: a second opinion on FITS files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from accretor.core.errors import Unusable

PROGRAM = "fitsverify"
TIMEOUT = 60.0
"""Second."""


def is_installed() -> bool:
    """Return whether the program can be run."""
    return shutil.which(PROGRAM) is not None


def check(path: Path) -> None:
    """Have the program look at *path*; nothing where it is not installed.

    Raises
    ------
    Unusable
        If it finds errors; its warnings count for nothing.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        return
    try:
        done = subprocess.run(  # noqa: S603  # one file name of ours, and no shell
            [program, "-e", str(path.resolve())],
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Unusable(f"{PROGRAM} could not be run: {type(error).__name__}") from None
    said = (done.stderr + b"\n" + done.stdout).decode("utf-8", "replace")
    errors = [
        " ".join(line.split()).strip("* ").removeprefix("Error: ")
        for line in said.splitlines()
        if "*** Error" in line
    ]
    if errors:
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise Unusable(f"{PROGRAM} says: {errors[0]}{more}")
    if done.returncode and "0 error" not in said:
        raise Unusable(f"{PROGRAM} fails with status {done.returncode}")
