"""Packaging: one flat folder for each visit, with what TFOP SG1 asks for, named as it asks."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from accretor.aij import subset
from accretor.aij import table as aij_table
from accretor.core.errors import Blocked
from accretor.core.settings import WorkspaceSettings
from accretor.exofop import naming, validate
from accretor.io import atomic, dump
from accretor.io import fits as io_fits
from accretor.plots.registry import FIGURES
from accretor.stages import exporting, figures, manifest, noting, provenance, table
from accretor.stages.bench import Bench, Done

if TYPE_CHECKING:
    from pathlib import Path

    from accretor.aij.table import Cells
    from accretor.io.layout import Layout, ObservationPaths, VisitPaths
    from accretor.stages.provenance import Provenance
    from accretor.stages.table import Measured
    from accretor.stages.workspace import ObservationPlan


Content = bytes | Callable[[BinaryIO], object]
"""Of a file: its bytes, or what writes them, for files that are too large to be held."""


def run(
    plans: tuple[ObservationPlan, ...], layout: Layout, settings: WorkspaceSettings, bench: Bench
) -> Done:
    """Make the package of a visit from all its filters, and the manifest beside it.

    A package that lacks something SG1 requires is made as far as it can be; the
    manifest says what is missing, and the upload refuses it.
    """
    visit = plans[0].observation.visit
    paths = layout.visit(visit)
    found = [table.collect(plan) for plan in plans]
    date = min(figures.utc_date(item.results) for item in found)
    origin = [provenance.of(item, settings) for item in found]
    files: dict[str, Content] = {}
    remarks: list[str] = []
    for item, words in zip(found, origin, strict=True):
        for (tail, n_pixel), content in _contents(item, settings, words, remarks).items():
            files[_name(item.plan, date, tail, n_pixel)] = content
    files[_name(plans[0], date, "notes.txt")] = noting.text(found, origin, date, layout, settings)
    exports: dict[Path, bytes] = {}
    for item, words in zip(found, origin, strict=True):
        prefix = _name(item.plan, date, "notes.txt").removesuffix("_notes.txt")
        made, failed = exporting.files(item, prefix, date, settings, words)
        exports |= {item.plan.paths.exports / name: content for name, content in made.items()}
        remarks += failed
    kept = _set_aside(paths, files)
    for name, content in sorted(files.items()):
        _write(paths.package / name, content)
    for path, export in sorted(exports.items()):
        _write(path, export)
    wanted = {*(paths.package / name for name in files), *exports}
    _tidy((paths.package, *(plan.paths.exports for plan in plans)), wanted)
    target = plans[0].target
    problems = validate.problems(paths.package, tic=target.tic, planet=target.planet) + _wrong_clocks(plans)
    for plan in plans:
        observation = plan.observation
        remarks += naming.cautions(observation.telescope, observation.filter)
    atomic.write_text(
        paths.manifest, _manifest(paths.package, sorted(files), problems, remarks, found, origin)
    )
    said = f"{len(files)} files" + (f"; NOT complete: {'; '.join(problems)}" if problems else ", complete")
    if kept:
        remarks.append(
            f"{', '.join(kept)} had been changed by hand and is made again; yours is in {paths.changed}, and "
            "words of your own belong into notes.txt.j2 (doit notes)"
        )
    said += "".join(f"; note: {remark}" for remark in dict.fromkeys(remarks))
    return Done((*sorted(wanted), paths.manifest), said)


def _tidy(folders: Iterable[Path], wanted: Set[Path]) -> None:
    """Remove from *folders* the files of earlier packages that this one has not."""
    for folder in folders:
        for stray in folder.rglob("*"):
            if stray.is_file() and stray not in wanted and not naming.is_of_the_system(stray.name):
                stray.unlink()


def _set_aside(paths: VisitPaths, files: Mapping[str, Content]) -> list[str]:
    """Move what a person changed in or added to the package out of the way; return the names.

    That is what is neither as it was packed nor as it will be.
    """
    try:
        packed = manifest.read(paths)["files"]
    except Blocked:
        packed = {}
    kept = []
    for path in sorted(paths.package.rglob("*")):
        if not path.is_file() or path.name.endswith(atomic.PART) or naming.is_of_the_system(path.name):
            continue
        digest = io_fits.digest(path)
        known = packed.get(path.name, {}).get("sha256")
        if digest == known or (path.name in files and digest == _digest_of(files[path.name])):
            continue
        paths.changed.mkdir(exist_ok=True)
        path.replace(_place_of(paths.changed, path, digest))
        kept.append(path.name)
    return kept


def _place_of(folder: Path, path: Path, digest: str) -> Path:
    """Return where in *folder* a file goes: what was kept there earlier, and is other, stays."""
    place, number = folder / path.name, 1
    while place.exists() and io_fits.digest(place) != digest:
        number += 1
        place = folder / f"{path.stem}.{number}{path.suffix}"
    return place


def _digest_of(content: Content) -> str:
    if not isinstance(content, bytes):
        buffer = io.BytesIO()
        content(buffer)
        content = buffer.getvalue()
    return hashlib.sha256(content).hexdigest()


def _wrong_clocks(plans: tuple[ObservationPlan, ...]) -> list[str]:
    """Return in what the clocks of the headers disagree by more than a minute, for each filter."""
    return [
        f"filter {plan.observation.filter}: {said}; correct it in [[instrument]], or set [preprocess] "
        "believe_clock = true when you know that the time stamps are right"
        for plan in plans
        for said in dump.read_meta(plan.paths.frames).get("problems", [])
    ]


def _name(plan: ObservationPlan, date: str, tail: str, n_pixel: int | None = None) -> str:
    observation = plan.observation
    return naming.file_name(
        plan.target.tic, plan.target.planet, date, observation.telescope, observation.filter, tail, n_pixel
    )


def _contents(
    found: Measured, settings: WorkspaceSettings, words: Provenance, remarks: list[str]
) -> dict[tuple[str, int | None], Content]:
    """Return the files of one filter by the last part of their names and the radius in them."""
    paths = found.plan.paths
    files: dict[tuple[str, int | None], Content] = {
        (entry.tail, None): provenance.in_png((paths.plots / entry.tail).read_bytes(), words)
        for entry in FIGURES
        if entry.is_packaged and (paths.plots / entry.tail).is_file()
    }
    for name in _neb_files(paths):
        files[f"measurements_{name}", None] = (paths.plots / name).read_bytes()
    tables, left_out = table.further(found, settings.packaging)
    remarks += left_out
    has_plate = found.results["plate_solution"] != "none"
    for n_pixel, item in ((None, found), *tables.items()):
        columns = table.columns_of(item)
        files["measurements.tbl", n_pixel] = partial(_write_lines, columns)
        files["measurements.plotcfg", n_pixel] = table.plot_configuration(item, str(words))
        if table.has_positions(item):
            files["measurements.radec", n_pixel] = table.apertures(item, str(words))
        if n_pixel is None:
            files["subset.csv", None] = subset.write(columns)
    if has_plate:
        files["WCS.fits", None] = io_fits.with_cards(paths.template_image, provenance.cards(words))
    return files


def _neb_files(paths: ObservationPaths) -> list[str]:
    """Return the files of the check of the neighbours, in the folder of the figures."""
    # A night that begins with a table has no pixels to check them in.
    return list(dump.read_meta(paths.neighbours).get("files", {}))


def _write_lines(columns: Mapping[str, Cells], file: BinaryIO) -> None:
    for line in aij_table.lines(columns):
        file.write(line)


def _write(path: Path, content: Content) -> None:
    if isinstance(content, bytes):
        atomic.write_bytes(path, content)
    else:
        atomic.write(path, content)


def _manifest(
    package: Path,
    names: list[str],
    problems: list[str],
    remarks: list[str],
    found: list[Measured],
    origin: list[Provenance],
) -> str:
    content = {
        "problems": problems,
        "remarks": list(dict.fromkeys(remarks)),
        "made_from": {
            item.plan.observation.filter: asdict(words) for item, words in zip(found, origin, strict=True)
        },
        "files": {
            name: {"size": (package / name).stat().st_size, "sha256": io_fits.digest(package / name)}
            for name in names
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
