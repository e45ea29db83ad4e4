"""What a helper must know of a machine and a workspace, in one text without anything private."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import accretor
from accretor.config import changed, lacking
from accretor.config import workspace as config
from accretor.config.lacking import Blank
from accretor.core.errors import AccretorError
from accretor.core.scrub import scrub
from accretor.core.settings import Target, WorkspaceSettings
from accretor.io import inventory
from accretor.io.layout import Layout
from accretor.stages import catalogs, identification, init
from accretor.stages.workspace import open_workspace

if TYPE_CHECKING:
    from accretor.io.inventory import RawFile
    from accretor.stages.workspace import ObservationPlan

LIBRARIES = (
    "doit",
    "astropy",
    "pyerfa",
    "numpy",
    "scipy",
    "photutils",
    "matplotlib",
    "requests",
    "msgspec",
    "filelock",
    "jinja2",
)
EXTRAS = {
    "cluster": ("dask", "[compute] executor = dask, slurm, pbs or htcondor"),
    "keyring": ("keyring", "passwords in the system's keyring"),
    "fit": ("emcee", "sampling of the transit fit"),
    "parquet": ("pyarrow", "tables as Parquet"),
}
"""Optional parts: the module that shows that they are there, and what is lost without."""

LEAST_FREE = 1e9
"""Byte of free disk below which it is said."""
LAST_LINES = 20
"""Lines of the log about what went wrong."""


@dataclass
class Section:
    """A part of the text."""

    title: str
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What the user should mend."""


def examine(layout: Layout) -> list[Section]:
    """Look at everything; nothing is changed."""
    settings = _settings(layout)
    sections = [_program(), settings[0], _disk(layout)]
    if settings[1] is None:
        sections.append(_headers(layout))
    else:
        sections.append(_frames(layout))
        sections.append(_solvers(layout, settings[1]))
    return [*sections, _log(layout)]


def text(sections: list[Section]) -> str:
    """Return the sections as one text, the problems first, scrubbed."""
    problems = [f"  {problem}" for section in sections for problem in section.problems]
    lines = ["problems", *(problems or ["  none found"])]
    for section in sections:
        lines += ["", section.title, *(f"  {line}" for line in section.lines)]
    return scrub("\n".join(lines) + "\n", _private())


def _private() -> dict[str, str]:
    words = {str(Path.home()): "~", platform.node(): "<host>"}
    user = Path.home().name
    if len(user) > 2 and user != "root":
        words[user] = "<user>"
    return words


def _program() -> Section:
    found = Section("program")
    found.lines.append(
        f"accretor {accretor.__version__}, Python {platform.python_version()}, {platform.platform()}"
    )
    versions = []
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.problems.append(f"{name} is not installed; install accretor again")
    found.lines.append(", ".join(versions))
    for extra, (module, use) in EXTRAS.items():
        is_there = importlib.util.find_spec(module) is not None
        found.lines.append(f"accretor[{extra}] {'is installed' if is_there else 'is not installed'}: {use}")
    found.lines.append(
        f"{os.cpu_count()} processors, output as {sys.__stdout__.encoding if sys.__stdout__ else None}"
    )
    if sys.dont_write_bytecode:
        found.lines.append(
            "Python keeps no bytecode (PYTHONDONTWRITEBYTECODE is set): each run compiles the "
            "libraries anew, which takes seconds"
        )
    return found


def _settings(layout: Layout) -> tuple[Section, WorkspaceSettings | None]:
    found = Section("settings (workspace.toml; what is not here has its default)")
    if not layout.config.is_file():
        found.problems.append("there is no workspace.toml here; `doit init` writes one from your frames")
        return found, None
    try:
        settings = config.load(layout.config)
    except (AccretorError, OSError) as error:
        found.problems += [str(error), *map(_blank, _blanks(layout, ()))]
        return found, None
    found.lines += changed.lines(settings)
    targets = [identification.completed(target, layout) for target in settings.target]
    gaps = _blanks(layout, targets)
    found.problems += map(_blank, gaps)
    told = {gap.key for gap in gaps}
    if not settings.observer.strip() and "observer" not in told:
        found.problems.append("workspace.toml: observer is empty; the notes need a name")
    later = lacking.for_exofop(settings, settings.instrument)
    later = [key for key in later if not key.startswith("observer")]
    if later:
        found.lines.append(f"still to be filled in for ExoFOP: {', '.join(later)}")
    return found, settings if told <= {"observer"} else None


def _blanks(layout: Layout, targets: Sequence[Target]) -> list[Blank]:
    """Return what `doit init` left to the user and is still empty; nothing of *targets* that are known."""
    try:
        found = lacking.blanks(layout.config)
    except OSError:
        return []
    is_known = bool(targets) and all(target.is_identified for target in targets)
    return [blank for blank in found if not (is_known and blank.key in {"tic", "ra", "dec"})]


def _blank(blank: Blank) -> str:
    return f"workspace.toml, line {blank.line}: {blank.key} is to be filled in: {blank.need}"


def _headers(layout: Layout) -> Section:
    """Return what the headers say of themselves, where no settings tell what is looked for."""
    found = Section("frames (by their headers alone)")
    folder = Layout(layout.root, init.frames_of(layout.root, ""))
    try:
        files = inventory.refresh(folder.raw, [], (), apart=folder.own)
    except OSError:
        return found
    seen = [file.exposure for file in init.of_nights([file for file in files if file.exposure])]
    counts = Counter((one.instrument, one.kind, one.filter) for one in seen if one is not None)
    found.lines.append(_number(len(files), "file"))
    found.lines += [
        f"{telescope}: {n} {' in '.join(filter(None, (kind, band)))}"
        for (telescope, kind, band), n in sorted(counts.items())
    ]
    found.lines += [f"left out: {said}" for said in init.left_out(files)]
    return found


def _number(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _disk(layout: Layout) -> Section:
    found = Section("disk")
    free = shutil.disk_usage(layout.root).free
    found.lines.append(f"{free / 1e9:.1f} GB free")
    if free < LEAST_FREE:
        found.problems.append(f"the disk has {free / 1e6:.0f} MB left; make room")
    for folder in (layout.root, layout.work, layout.products):
        if folder.is_dir() and not os.access(folder, os.W_OK):
            found.problems.append(f"{folder.name or 'the workspace'} cannot be written")
    return found


def _frames(layout: Layout) -> Section:
    found = Section("frames")
    try:
        workspace = open_workspace(layout.root, is_recorded=False)
    except (AccretorError, OSError) as error:
        found.problems.append(str(error))
        return found
    n_file = len(workspace.assignments)
    left_out = Counter(reason for _, reason in workspace.left_out)
    found.lines.append(f"{_number(n_file, 'file')}, {_number(len(workspace.observations), 'observation')}")
    for plan in workspace.observations:
        of = plan.calibrations
        used = [
            _calibrations("bias", of.bias),
            _calibrations("dark", of.dark),
            _calibrations("flat", of.flat),
        ]
        frames = ", ".join(filter(None, [_number(len(plan.frames), "frame"), *used]))
        found.lines.append(f"{plan.observation.slug}: {frames}")
        for remark in _remarks(plan):
            found.lines.append(f"  {remark}")
    found.lines += [f"left out: {reason} ({_number(n, 'file')})" for reason, n in left_out.most_common(10)]
    if not workspace.observations:
        found.problems.append("no file is a frame of a target; work/inventory.ecsv says why for each")
    return found


def _calibrations(kind: str, files: Sequence[RawFile]) -> str:
    """Return how many calibration frames are used, or that a master is."""
    if len(files) == 1 and files[0].exposure and files[0].exposure.n_combined != 1:
        return f"a master {kind} that was given"
    return f"{len(files)} {kind}" if files else ""


def _remarks(plan: ObservationPlan) -> list[str]:
    is_measured = plan.is_table or plan.paths.masters.is_file()
    declared = None if is_measured else plan.declared
    try:
        said = list(plan.detector.remarks if declared is None else declared.remarks)
    except AccretorError as error:
        said = [str(error)]
    if declared is not None:
        unknown = [
            name
            for name, value in (("gain", declared.gain), ("read noise", declared.read_noise))
            if not value >= 0
        ]
        if unknown:
            said.append(f"no header tells the {' and the '.join(unknown)}: preprocess measures what it can")
    parts = [
        part for file in plan.frames if file.exposure for part in file.exposure.remark.split("; ") if part
    ]
    return said + init.alike(parts)


def _solvers(layout: Layout, settings: WorkspaceSettings) -> Section:
    """Return what may tell where a frame looks; no service is asked."""
    found = Section("plate solution and catalogues")
    program = shutil.which("solve-field")
    is_used = settings.plate_solution.solve_field
    found.lines.append(
        f"solve-field is {'installed' if program else 'not installed'}"
        + ("" if is_used else ", and not wanted ([plate_solution] solve_field = false)")
    )
    found.lines.append(
        f"nova.astrometry.net is {'' if settings.plate_solution.nova else 'not '}asked "
        "([plate_solution] nova)"
    )
    for target in settings.target:
        kept = catalogs.files(layout, settings, target)
        missing = [
            f"{target.name}: there is no file of the catalogue {name} ([[catalogs.file]] path)"
            for name in kept
            if not kept[name].is_file()
        ]
        found.problems += missing
        names = ", ".join(name for name in kept if kept[name].is_file())
        found.lines.append(f"{target.name}: {names or 'no catalogue is kept; `doit fetch` gets them'}")
    is_kept = layout.tois.is_file()
    found.lines.append(
        f"table of TOIs {'is kept' if is_kept else 'is not kept; `doit init online=yes` gets it'}"
    )
    return found


def _log(layout: Layout) -> Section:
    found = Section("last trouble in the log")
    try:
        lines = layout.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    trouble = [
        line
        for line in lines
        if any(word in line for word in (" WARNING ", " ERROR ", " failed: ", " broke"))
    ]
    found.lines += trouble[-LAST_LINES:] or ["none"]
    return found
