"""The same work by others and by us: CPU per frame in interleaved rounds, as the page docs/performance.md.

    uv run python -m benchmarks.against --cache FOLDER
    uv run python -m benchmarks.against --cache FOLDER --rounds 5 --real WORKSPACE

Work: read, dark, flat, background, detection, FWHM, alignment with the first frame, 50
centroids, 50 stars through 10 radii with the clipped median of an annulus. Each peer is
installed from PyPI (or the mirror that pip is set to) into an environment of its own in
the cache folder; one that cannot be installed, or fails, is said to. With --real, the
frames of a workspace of yours are measured too, of one observation; it is copied, and the
peers get no dark and no flat. It takes half an hour and 3 GB of disk. Not for Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from accretor.io import fits as io_fits
from accretor.synthetic import demo
from benchmarks import fields

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).resolve().parent / "peers"
PAGE = ROOT / "docs" / "performance.md"

OURS = "accretor"
LIMIT = "reading all pixels once"
DECODING = "astropy decoding each once"
PROGRAMS = {
    LIMIT: ("read_once.py", "sep", ("sep", "astropy")),
    DECODING: ("decode_once.py", "sep", ("sep", "astropy")),
    "sep, straightforward": ("sep_plain.py", "sep", ("sep", "astropy")),
    "prose 3.3.4": ("prose_sequence.py", "prose", ("prose==3.3.4", "setuptools<80", "numpy<2")),
    "eloy": ("eloy_functions.py", "eloy", ("eloy",)),
    "skynetsoap, its core": ("soap_core.py", "soap", ("skynetsoap",)),
    "ccdproc + photutils + astroalign": ("naive.py", "naive", ("ccdproc", "photutils", "astroalign")),
}
"""Name: program, environment, what is installed into it."""
PYTHONS = {"soap": "3.12", "prose": "3.11"}
"""Where an environment needs another Python than this one."""
CASES = {
    "large": ("frames of 4096 x 4096", 3, [name for name in PROGRAMS if name != DECODING]),
    "large-fz": ("the same, Rice-compressed", 3, [DECODING]),
    "small": ("frames of 650 x 500", 12, [name for name in PROGRAMS if name != DECODING]),
    "crowded": ("2048 x 2048, 5000 stars", 4, [LIMIT, "sep, straightforward"]),
    "undersampled": ("2048 x 2048, FWHM 1.3", 4, [LIMIT, "sep, straightforward"]),
    "defocused": ("2048 x 2048, FWHM 18", 4, [LIMIT, "sep, straightforward"]),
    "real": ("the frames of a real night", 12, [name for name in PROGRAMS if name != DECODING]),
}
"""Night: what it is, frames timed in each round, who else is timed."""
SETTINGS = '\n[template]\nmax_stars = 50\n\n[compute]\nexecutor = "serial"\n'


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for frames and environments")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--frames", type=int, default=0, help="frames of each night that are made; 0: all")
    parser.add_argument("--real", type=Path, help="a workspace with raw frames of one observation")
    parser.add_argument("--date", default="", help="said on the page")
    parser.add_argument(
        "--resume", action="store_true", help="keep the cases that are done, of a run cut short"
    )
    wanted = parser.parse_args()
    cache = wanted.cache.resolve()
    kept = cache / "results.json"
    results = json.loads(kept.read_text(encoding="utf-8")) if wanted.resume and kept.is_file() else {}
    for case in wanted.cases:
        if case in results:
            continue
        if case == "real" and wanted.real is None:
            continue
        if case == "real":
            workspace, frames = _real(cache, wanted.real)
        else:
            n_frame = min(wanted.frames or 10**6, fields.NIGHTS[case.removesuffix("-fz")].n_frame)
            workspace = fields.made(cache, case, n_frame)
            (workspace / "workspace.toml").write_text(demo.WORKSPACE + SETTINGS, encoding="utf-8")
            frames = fields.lights(workspace)
        results[case] = _measured(cache, case, workspace, frames, wanted.rounds)
        kept.write_text(json.dumps(results, indent=1), encoding="utf-8")
    further = {"two": _two_processes(cache), "growth": _growth()}
    (cache / "further.json").write_text(json.dumps(further, indent=1), encoding="utf-8")
    PAGE.write_text(page(results, further, cache, wanted.rounds, wanted.date), encoding="utf-8")


def _real(cache: Path, source: Path) -> tuple[Path, list[Path]]:
    """Return a copy of a workspace with the settings of the benchmark, and its frames."""
    workspace = cache / "real"
    if not workspace.is_dir():
        shutil.copytree(source / "raw", workspace / "raw")
    text = (source / "workspace.toml").read_text(encoding="utf-8")
    (workspace / "workspace.toml").write_text(text + SETTINGS, encoding="utf-8")
    frames = sorted(path for path in (workspace / "raw").rglob("*") if path.is_file())
    shape = io_fits.read_image(frames[0]).shape
    np.save(workspace / "dark.npy", np.zeros(shape))
    np.save(workspace / "flat.npy", np.ones(shape))
    return workspace, frames


def _measured(
    cache: Path, case: str, workspace: Path, lights: list[Path], rounds: int
) -> dict[str, list[Any]]:
    """Return what each program printed in each round."""
    _, n_timed, names = CASES[case]
    n_timed = min(n_timed, len(lights) - 1)
    masters = _masters(workspace)
    frames = [str(path) for path in lights[: n_timed + 1]]
    found: dict[str, list[Any]] = defaultdict(list)
    for number in range(rounds):
        for name in (OURS, *names):
            if name == OURS:
                command = [sys.executable, "-m", "benchmarks.own", str(workspace), str(n_timed)]
            else:
                command = [_environment(cache, name), str(PEERS / PROGRAMS[name][0]), *masters, *frames]
            found[name].append(_run(command))
            print(case, number + 1, name, _shown(found[name][-1]), flush=True)
    return dict(found)


def _shown(result: Any) -> str:
    return f"{1000 * statistics.median(result['seconds']):.1f} ms" if result.get("seconds") else str(result)


def _run(command: list[str]) -> Any:
    if not Path(command[0]).exists():
        return {"error": "its environment could not be made"}
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    done = subprocess.run(  # noqa: S603  # our own programs
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | one_thread,
        timeout=1800,
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else "no answer"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def _environment(cache: Path, name: str) -> str:
    """Return the Python of the environment of a peer; it is made if it is not there."""
    _, folder, packages = PROGRAMS[name]
    place = cache / "peers" / folder
    python = place / "bin" / "python"
    if not python.exists():
        version = PYTHONS.get(folder, f"{sys.version_info.major}.{sys.version_info.minor}")
        # A peer that cannot be installed is said to be so.
        subprocess.run(["uv", "venv", "-q", "--python", version, str(place)], check=False)  # noqa: S603, S607
        install = ["uv", "pip", "install", "-q", "--python", str(python), *packages]
        subprocess.run(install, check=False)  # noqa: S603
    return str(python)


def _masters(workspace: Path) -> list[str]:
    """Return the files of a master dark and a flat for the peers, which are not timed for making them."""
    dark, flat = workspace / "dark.npy", workspace / "flat.npy"
    if not flat.exists():
        level = _mean(workspace, "dark")
        np.save(dark, level)
        light = _mean(workspace, "flat") - _mean(workspace, "bias")
        np.save(flat, light / np.median(light))
    return [str(dark), str(flat)]


def _mean(workspace: Path, kind: str) -> Any:
    images = [io_fits.read_image(path).astype(np.float64) for path in fields.calibration(workspace, kind)]
    return np.median(images, axis=0)


def _two_processes(cache: Path) -> dict[str, list[float]]:
    """Return the seconds of wall time of one and of two processes over the frames of the large night."""
    workspace = fields.made(cache, "large", min(fields.NIGHTS["large"].n_frame, 30))
    command = [sys.executable, "-m", "benchmarks.own", str(workspace), "--workers"]
    found: dict[str, list[float]] = {"1": [], "2": []}
    for _ in range(3):
        for n_worker, seconds in found.items():
            result = _run([*command, n_worker])
            if "wall" in result:
                seconds.append(result["wall"])
    return found


def _growth() -> Any:
    return _run([sys.executable, "-m", "benchmarks.growth"])


def page(
    results: dict[str, dict[str, list[Any]]], further: dict[str, Any], cache: Path, rounds: int, date: str
) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Performance",
        "",
        f"Made by `python -m benchmarks.against`{f' on {date}' if date else ''}, on {_machine()}. The frames",
        "are simulated, but for those of the real night. CPU per frame, one thread, median of the frames",
        f"of a round, median of {rounds} rounds in which the programs took turns; the unit is what it costs",
        "to read all pixels once. Only ratios travel from machine to machine, and a busy one spoils them.",
        "",
        "All do the same: read, dark, flat, background, detection, FWHM, alignment with the first frame, 50",
        "centroids, 50 stars through 10 radii with the clipped median of an annulus. accretor also takes the",
        "bias off, digests the raw bytes (XXH3), adds up their DATASUM, counts saturated pixels, works out",
        "times and airmass, and measures shapes; its row is one pass over a new frame of a night whose",
        "template is known. skynetsoap's core makes no alignment and no annuli; eloy's detection is given",
        "the largest opening with which it finds 50 stars. Memory is the largest resident size.",
        "",
        f"Versions: {_versions(cache)}.",
    ]
    for case, found in results.items():
        lines += ["", f"## {case.capitalize()}: {CASES[case][0]}", ""]
        lines += ["| program | CPU, ms | times accretor | times reading | memory, MB | frames that failed |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
        own, limit = _median(found[OURS]), _median(found.get(LIMIT) or found.get(DECODING) or [])
        for name, runs in sorted(found.items(), key=lambda item: _median(item[1]) or np.inf):
            middle = _median(runs)
            if middle is None:
                lines.append(f"| {name} | failed: {_error(runs)} | | | | |")
                continue
            memory = max((run["memory"] for run in runs if "memory" in run), default=np.nan)
            said = f"{memory:.0f}" if np.isfinite(memory) else ""
            failed = max(run["failed"] for run in runs if "failed" in run)
            ratio = f"{middle / own:.2f}" if own else ""
            unit = f"{middle / limit:.1f}" if limit else ""
            lines.append(f"| {name} | {1000 * middle:.1f} | {ratio} | {unit} | {said} | {failed} |")
        stages = [run["stages"] for run in found[OURS] if "stages" in run]
        if stages:
            parts = ", ".join(
                f"{stage} {1000 * statistics.median(one[stage] for one in stages):.1f} ms"
                for stage in stages[0]
            )
            apart = statistics.median(
                statistics.median(run["apart"]) for run in found[OURS] if run.get("apart")
            )
            lines += [
                "",
                f"accretor's stages one after the other, each reading the frame by itself: {parts};",
            ]
            lines += [f"together {1000 * apart:.1f} ms, in one pass {1000 * (own or np.nan):.1f} ms."]
    one, two = (further.get("two", {}).get(n_worker, []) for n_worker in ("1", "2"))
    if one and two:
        ratio = statistics.median(one) / statistics.median(two)
        lines += ["", "## Two processes", ""]
        lines += [
            f"A first run over 29 frames of 4096 x 4096, to the photometry: {statistics.median(one):.2f} s"
        ]
        lines += [
            f"in one process, {statistics.median(two):.2f} s in two: {ratio:.2f} times as fast, the start"
        ]
        lines += ["of the workers included (median of 3, taking turns)."]
    if "rows" in further.get("growth", {}):
        lines += ["", "## Growth", "", "CPU of the photometry of one frame of 2048 x 2048, ms.", ""]
        lines += ["| stars | radii | ms |", "| ---: | ---: | ---: |"]
        lines += [
            f"| {n_star} | {n_radius} | {1000 * spent:.1f} |"
            for n_star, n_radius, spent in further["growth"]["rows"]
        ]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    names = [line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    cpu = names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {cpu}, Python {platform.python_version()}, numpy {np.__version__}"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _versions(cache: Path) -> str:
    """Return the versions of the peers as they are installed."""
    found = {}
    for _, folder, packages in PROGRAMS.values():
        python = cache / "peers" / folder / "bin" / "python"
        for package in packages:
            name = package.partition("==")[0].partition("<")[0]
            ask = f"from importlib.metadata import version; print(version({name!r}))"
            if name in ("setuptools", "numpy") or not python.exists():
                continue
            done = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=False)  # noqa: S603
            found[name] = done.stdout.strip() or "not installed"
    return ", ".join(f"{name} {version}" for name, version in sorted(found.items()))


def _median(runs: list[Any]) -> float | None:
    found = [statistics.median(run["seconds"]) for run in runs if run.get("seconds")]
    return statistics.median(found) if found else None


def _error(runs: list[Any]) -> str:
    return next((run["error"] for run in runs if "error" in run), "every frame failed").replace("|", "/")


if __name__ == "__main__":
    main()
