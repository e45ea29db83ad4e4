"""What each stage of accretor costs for one frame, in CPU seconds; printed as JSON.

uv run python -m benchmarks.own WORKSPACE N_FRAME
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Bring the workspace to where its frames can be measured, then measure some of them again."""
    workspace, n_frame = Path(sys.argv[1]).resolve(), int(sys.argv[2])
    command = [sys.executable, "-m", "doit", "-f", str(ROOT / "dodo.py"), "photometry"]
    done = subprocess.run(  # noqa: S603  # our own program
        [*command, f"workspace={workspace}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    with contextlib.chdir(workspace):
        seconds = _seconds(n_frame)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    total = [sum(parts) for parts in zip(*seconds.values(), strict=True)]
    stages = {name: statistics.median(found) for name, found in seconds.items()}
    print(json.dumps({"seconds": total, "failed": 0, "memory": memory, "stages": stages}))


def _seconds(n_frame: int) -> dict[str, list[float]]:
    from accretor.stages import photometry, preprocess, registration, scratch
    from accretor.stages.workspace import open_workspace

    workspace = open_workspace(Path(), is_recorded=False)
    plan = workspace.observations[0]
    jobs = {
        "preprocess": preprocess.jobs(plan, workspace.layout, workspace.settings),
        "registration": registration.jobs(plan, workspace.layout, workspace.settings),
        "photometry": photometry.jobs(plan, workspace.layout, workspace.settings),
    }
    work: dict[str, Any] = {
        "preprocess": preprocess.look,
        "registration": registration.measure,
        "photometry": photometry.measure,
    }
    place = scratch.folder(plan)
    by_input = {stage: {job.input: job.payload for job in found} for stage, found in jobs.items()}
    inputs = [job.input for job in jobs["photometry"][: n_frame + 1]]
    seconds: dict[str, list[float]] = {stage: [] for stage in work}
    for digest in inputs:
        for stage, measure in work.items():
            payload = by_input[stage][digest]
            if stage == "preprocess":
                payload = replace(payload, unpacked=str(place))
            else:
                files = replace(payload.files, unpacked=str(scratch.file_of(place, str(digest))))
                payload = replace(payload, files=files)
            begun = time.process_time()
            measure(payload)
            seconds[stage].append(time.process_time() - begun)
    scratch.clear(plan)
    # The first frame pays for the libraries.
    return {stage: found[1:] for stage, found in seconds.items()}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
