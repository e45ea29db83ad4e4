"""The next round of `doit watch`, in a process that has loaded everything before frames come."""

from __future__ import annotations

import contextlib
import importlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
"""Where `dodo.py` lies."""

# Ctrl-C is for the watch, from the first moment on.
_WAIT = """
import signal, sys
before = signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path.insert(0, sys.argv[1])
from tasks import _round
_round.wait(sys.argv[2], before)
"""
_GO = b"\n"

LAZY = (
    *("astropy.coordinates", "astropy.io.misc.yaml", "astropy.table", "astropy.time", "astropy.wcs.utils"),
    *("scipy.ndimage", "scipy.spatial", "PIL.Image"),
)
"""Libraries that are loaded only where they are used, since most runs do without; a round does not."""

STAGES = ("preprocess", "registration", "template", "photometry", "zeropoint", "calibration", "forced",
          "neb", "plotting", "packaging", "report", "index", "figures", "leftout")  # fmt: skip
"""Modules of `accretor.stages` that a round needs."""


class Ready:
    """A process that waits to do a round; only with its first does it look at the workspace."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Start the process, and do not wait until it has loaded what it needs."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603  # our own program and folder
                [sys.executable, "-c", _WAIT, str(HOME), str(self._workspace)], stdin=subprocess.PIPE
            )

    def go(self) -> None:
        """Do what `doit` does, and return when it is done."""
        if self._process is not None and self._process.poll() is not None:
            self.close()  # something has ended it
        self.prepare()
        assert self._process is not None
        process, self._process = self._process, None
        with process:
            try:
                process.communicate(_GO)
            except BaseException:
                process.kill()
                raise

    def close(self) -> None:
        """End the process, which has done nothing yet."""
        if self._process is not None:
            self._process.terminate()
            with self._process:
                self._process = None


def wait(workspace: str, interrupt: Any) -> None:
    """Load what a round needs, wait for the word, and do what `doit` does in *workspace*.

    Parameters
    ----------
    workspace : str
    interrupt
        What Ctrl-C shall mean from then on, as of `signal.signal`.
    """
    load()
    if sys.stdin.buffer.read(1) != _GO:  # the watch is gone
        return
    signal.signal(signal.SIGINT, interrupt)
    sys.argv = ["doit", "-f", str(HOME / "dodo.py"), f"workspace={workspace}"]
    importlib.import_module("doit.__main__").main()


def load() -> None:
    """Load what a round needs."""
    for name in (*LAZY, *(f"accretor.stages.{stage}" for stage in STAGES)):
        importlib.import_module(name)
    with contextlib.suppress(OSError):  # a round without a font says so itself
        importlib.import_module("accretor.stages.plotting").load()
