"""What a terminal shows of work that takes long, and what a pipe does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.harness import ROOT

WORK = """
import time
from tasks._stage import Progress
Progress.QUIET = 0.05
tell = Progress("photometry:TOI-1234.01")
for done in range(1, 21):
    time.sleep(0.05)
    tell(done, 20)
"""
FAILED = "from tasks import _terminal; print(_terminal.strong('FAILED'))"


def on_terminal(script, **environment):
    """Run *script* with a terminal for its output; return what it shows."""
    pty = pytest.importorskip("pty", reason="no terminals can be made here")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # Linux tells so that the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(timeout=60) == 0
    return shown.decode()


def test_a_terminal_shows_how_many_are_left_how_fast_and_how_long():
    shown = on_terminal(WORK)

    lines = re.findall(r"photometry:TOI-1234\.01  (\d+)/20, (\d+) left  ([\d.]+)/s  (\d+) s", shown)
    assert len(lines) >= 2
    for done, left, rate, seconds in lines:
        assert int(done) + int(left) == 20
        assert 2 < float(rate) <= 20
        assert int(seconds) == pytest.approx(int(left) / float(rate), abs=1)
    assert shown.endswith("\r\x1b[K")


def test_a_pipe_and_a_dumb_terminal_show_nothing():
    piped = subprocess.run(
        [sys.executable, "-c", WORK], cwd=ROOT, capture_output=True, timeout=60, check=True
    )

    assert piped.stderr + piped.stdout == b""
    assert on_terminal(WORK, TERM="dumb") == ""


def test_red_is_for_terminals_and_no_color_is_honoured():
    assert on_terminal(FAILED) == "\x1b[31mFAILED\x1b[0m\r\n"
    assert on_terminal(FAILED, NO_COLOR="1") == "FAILED\r\n"
    piped = subprocess.run(
        [sys.executable, "-c", FAILED], cwd=ROOT, capture_output=True, timeout=60, check=True
    )
    assert piped.stdout.split() == [b"FAILED"]
