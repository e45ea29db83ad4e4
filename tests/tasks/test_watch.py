"""`doit watch` while a camera writes frames."""

from __future__ import annotations

import re
import shutil
import threading
import time

from tests.harness import make, run, start


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
            time.sleep(0.3)
            shutil.copyfile(frame, partial)
            time.sleep(0.5)

    process = start(workspace, "watch", "--interval", "0.2", "--idle", "0.05")
    writer = threading.Thread(target=camera)
    time.sleep(4)
    writer.start()
    out, err = process.communicate(timeout=200)
    writer.join()
    assert process.returncode == 0, err
    measured = [int(n) for n in re.findall(r"^photometry .* (\d+) measured", out, flags=re.MULTILINE)]
    assert sum(measured) == 23, "each good frame is measured once"
    assert len(measured) >= 2, "the light curve grew in steps"
    assert "no frame for 0.05 minutes: done" in out
    assert "Traceback" not in out + err
    assert run(workspace).stages == []
