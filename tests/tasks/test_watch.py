"""`doit watch` while a camera writes frames."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from accretor.io.layout import Layout
from tasks import watch
from tasks._round import Ready
from tests.harness import make, run, start
from tests.pipeline import processes


def test_watch_takes_up_frames_as_they_arrive_and_ends_when_idle(tmp_path):
    night = make(tmp_path / "night")
    workspace = make(tmp_path / "workspace", lights=range(16))
    arriving = sorted((night / "raw").rglob("TOI-9999*.fits"))[16:]
    folder = next((workspace / "raw").rglob("TOI-9999*.fits")).parent

    def camera() -> None:
        for frame in arriving:
            partial = folder / frame.name
            # A camera writes a frame over a while: first a part of it is there.
            partial.write_bytes(frame.read_bytes()[:20000])
            time.sleep(0.05)
            shutil.copyfile(frame, partial)
            time.sleep(0.1)

    process = start(workspace, "watch", "--interval", "0.2", "--idle", "0.03")
    writer = threading.Thread(target=camera)
    assert processes.wait_until(lambda: list((workspace / "work").rglob("frames.ecsv"))), "a round has begun"
    writer.start()
    out, err = process.communicate(timeout=200)
    writer.join()
    assert process.returncode == 0, err
    measured = [int(n) for n in re.findall(r"^photometry .* (\d+) measured", out, flags=re.MULTILINE)]
    assert sum(measured) == 23, "each good frame is measured once"
    assert len(measured) >= 2, "the light curve grew in steps"
    assert "no new frame for 0.03 min: done" in out
    assert "Traceback" not in out + err
    assert run(workspace).stages == []


@pytest.mark.long
@pytest.mark.parametrize("elsewhere", [True, False], ids=["another folder", "the workspace itself"])
def test_watch_looks_where_the_settings_say_the_frames_are(tmp_path, elsewhere):
    workspace = make(tmp_path / "workspace")
    frames = tmp_path / "night" if elsewhere else workspace / "night"
    (workspace / "raw").rename(frames)
    config = workspace / "workspace.toml"
    config.write_text(f'raw = "{frames.as_posix() if elsewhere else "."}"\n' + config.read_text())

    process = start(workspace, "watch", "--interval", "0.2", "--idle", "0.02")
    out, err = process.communicate(timeout=200)

    assert process.returncode == 0, err
    assert out.count("photometry   TOI-9999.01") == 1, "what the round wrote is no new frame"
    assert "Traceback" not in out + err


OLD = [("old/1.fits", 9, 1), ("old/2.fits", 9, 2)]
NEW = [("new/1.fits", 9, 3), ("new/2.fits", 9, 4)]


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        pytest.param([], OLD + NEW[:1], ["old", "new"], id="the first round"),
        pytest.param(OLD + NEW[:1], OLD + NEW, ["new"], id="a frame of tonight"),
        pytest.param(OLD, OLD + NEW[:1], ["new"], id="another came while the round went on"),
        pytest.param(OLD + NEW, [("old/1.fits", 9, 8), *OLD[1:], *NEW], [], id="an early frame is touched"),
        pytest.param(OLD + NEW, [*OLD, NEW[0], ("new/2.fits", 99, 5)], ["new"], id="the last grows"),
        pytest.param(OLD + NEW, OLD + NEW[:1], [], id="a frame goes"),
        pytest.param(OLD + NEW, [("bias/1.fits", 9, 9), *OLD, *NEW], [], id="a bias"),
    ],
)
def test_alerts_are_only_of_the_observations_that_frames_came_for(monkeypatch, before, now, said):
    plans = [
        SimpleNamespace(
            observation=SimpleNamespace(slug=name),
            frames=[SimpleNamespace(path=path) for path, *_ in files],
            paths=SimpleNamespace(light_curve=Path(name)),
        )
        for name, files in (("old", OLD), ("new", NEW))
    ]
    monkeypatch.setattr(watch, "open_workspace", lambda *_, **__: SimpleNamespace(observations=plans))
    monkeypatch.setattr(watch, "dump", SimpleNamespace(read=lambda *_: SimpleNamespace(rows=[])))
    monkeypatch.setattr(watch, "alerts", SimpleNamespace(of_light_curve=lambda _: ["clouds"]))
    assert list(watch._alerts(before, now)) == [f"{name}: clouds" for name in said]


def test_the_time_of_a_round_is_not_idle_time(monkeypatch, capsys):
    clock = SimpleNamespace(now=0.0, n_round=0)

    def passes(seconds):
        clock.now += seconds

    def a_long_round(*_):
        clock.n_round += 1
        passes(600)

    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=passes))
    monkeypatch.setattr(watch, "layout_of", Layout)
    monkeypatch.setattr(watch, "_settled", lambda _: OLD)
    monkeypatch.setattr(watch, "Ready", lambda _: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(watch, "_round", a_long_round)
    watch.watch(interval=10, idle=1)
    assert clock.n_round == 1
    assert clock.now == 600 + 70, "a minute has passed since the round"
    assert "no new frame for 1 min: done" in capsys.readouterr().out


@pytest.mark.long
def test_a_round_that_was_ready_has_no_library_left_to_load(tmp_path, monkeypatch, capfd):
    workspace = make(tmp_path / "workspace", lights=range(20))
    new = sorted((make(tmp_path / "night") / "raw").rglob("TOI-9999*.fits"))[20]
    folder = next((workspace / "raw").rglob("TOI-9999*.fits")).parent
    assert run(workspace).status == 0
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")

    with contextlib.closing(Ready(workspace)) as ready:
        ready.prepare()
        shutil.copyfile(new, folder / new.name)
        ready.go()

    out, err = capfd.readouterr()
    assert "1 measured, 20 kept" in out
    # What is loaded first for a graph; a round that waits has no graph.
    before, _, late = err.partition(" tasks._first\n")
    assert " scipy.ndimage._filters\n" in before
    loaded = re.findall(r"\| +([\w.]+)$", late, flags=re.MULTILINE)
    assert "tasks.plotting" in loaded
    heavy = ("astropy", "matplotlib", "numpy", "photutils", "PIL", "scipy")
    assert [name for name in loaded if name.startswith(heavy)] == []


@pytest.mark.long
@pytest.mark.skipif(not processes.HERE, reason="needs /proc")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_round_that_waits_ends_with_its_watch(tmp_path, end):
    workspace = make(tmp_path / "workspace")
    assert run(workspace).status == 0
    process = start(workspace, "watch", "--interval", "0.2")
    assert processes.wait_until(lambda: _round_waits(process.pid)), "a round has been done"

    os.kill(process.pid, end)
    process.communicate(timeout=30)

    assert processes.wait_until(lambda: not processes.members(process.pid))


def _round_waits(session: int) -> bool:
    """Return whether the watch has two processes, itself and one that has loaded what it needs."""
    others = [pid for pid in processes.members(session) if pid != session]
    if len(others) != 1:
        return False
    return "matplotlib" in Path(f"/proc/{others[0]}/maps").read_text()
