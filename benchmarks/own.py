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

import msgspec

ROOT = Path(__file__).resolve().parents[1]
TOGETHER = "in one pass"


def memory() -> float:
    """Return the largest resident size of this process so far, MB.

    Not that of `resource`, which on Linux also counts what the process was started from.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Bring the workspace to where its frames can be measured, then measure some of them again."""
    workspace = Path(sys.argv[1]).resolve()
    _reduce(workspace)
    if sys.argv[2] == "--workers":
        print(json.dumps({"wall": _wall(workspace, int(sys.argv[3]))}))
        return
    with contextlib.chdir(workspace):
        seconds = _seconds(int(sys.argv[2]))
    together = seconds.pop(TOGETHER)
    total = [sum(parts) for parts in zip(*seconds.values(), strict=True)]
    stages = {name: statistics.median(found) for name, found in seconds.items()}
    print(
        json.dumps({"seconds": together, "failed": 0, "memory": memory(), "stages": stages, "apart": total})
    )


def _reduce(workspace: Path) -> None:
    """Bring the workspace to where its frames can be measured.

    Raises
    ------
    SystemExit
        If that fails, with what was said.
    """
    command = [sys.executable, "-m", "doit", "-f", str(ROOT / "dodo.py"), "photometry"]
    done = subprocess.run(  # noqa: S603  # our own program
        [*command, f"workspace={workspace}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def _wall(workspace: Path, n_worker: int) -> float:
    """Return the seconds that a run over frames takes of which nothing is known but the masters."""
    from accretor.compute.pool import Pool
    from accretor.stages import photometry, preprocess, registration
    from accretor.stages.workspace import open_workspace

    with contextlib.chdir(workspace):
        opened = open_workspace(Path(), is_recorded=False)
        plan = opened.observations[0]
        work: list[tuple[Any, Any]] = [
            (stage.jobs(plan, opened.layout, opened.settings), measure)
            for stage, measure in (
                (preprocess, preprocess.look),
                (registration, registration.measure),
                (photometry, photometry.measure),
            )
        ]
        executor = {"executor": "serial" if n_worker == 1 else "processes", "workers": n_worker}
        pool = Pool(msgspec.structs.replace(opened.settings.compute, **executor))
        begun = time.monotonic()
        for jobs, measure in work:
            for _ in pool.map(measure, [job.payload for job in jobs]):
                pass
        spent = time.monotonic() - begun
        pool.close()
    return spent


def _seconds(n_frame: int) -> dict[str, list[float]]:
    """Return what each stage costs by itself, and what they cost in one pass, as in a night that grows."""
    from accretor.compute import local
    from accretor.stages import ahead, photometry, preprocess, registration, scratch
    from accretor.stages.workspace import open_workspace

    local.keep_memory()  # as every run does before its first frame
    workspace = open_workspace(Path(), is_recorded=False)
    plan = workspace.observations[0]
    first = preprocess.jobs(plan, workspace.layout, workspace.settings)
    # Frames of which nothing is known yet.
    new = [replace(job, input=None) for job in first]
    jobs = {
        "preprocess": first,
        "registration": registration.jobs(plan, workspace.layout, workspace.settings),
        "photometry": photometry.jobs(plan, workspace.layout, workspace.settings),
        TOGETHER: ahead.of_preprocess(plan, workspace.layout, workspace.settings, new)[0],
    }
    work: dict[str, Any] = {
        "preprocess": preprocess.look,
        "registration": registration.measure,
        "photometry": photometry.measure,
        TOGETHER: preprocess.look,
    }
    place = scratch.folder(plan)
    by_input: dict[str, dict[Any, Any]] = {
        stage: {job.input: job.payload for job in found} for stage, found in jobs.items()
    }
    by_input[TOGETHER] = {job.input: late.payload for job, late in zip(first, jobs[TOGETHER], strict=True)}
    inputs = [job.input for job in jobs["photometry"][: n_frame + 1]]
    seconds: dict[str, list[float]] = {stage: [] for stage in work}
    for digest in inputs:
        for stage, measure in work.items():
            payload = by_input[stage][digest]
            if stage == "preprocess":
                payload = replace(payload, unpacked=str(place))
            elif stage != TOGETHER:
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
