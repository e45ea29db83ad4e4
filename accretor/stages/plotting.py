"""Plotting: the figures of an observation, of a night with several filters, and of a target."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core import versions
from accretor.core.settings import WorkspaceSettings
from accretor.io import atomic
from accretor.plots.registry import DIAGNOSTICS, FIGURES, OF_TARGET, OF_VISIT, OPTIONAL, FigureEntry
from accretor.stages.bench import Bench, Done

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.figures import Keywords, Night
    from accretor.stages.workspace import ObservationPlan


LEFT_OUT = next(entry for entry in OPTIONAL if entry.name == "left_out")


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Draw the figures of an observation that are not there yet, or are drawn from something else now."""
    from accretor.stages import figures, leftout

    night = figures.Night(plan)
    wanted = {plan.paths.plots / entry.tail: entry for entry in figures_of(plan)}
    # A night that begins with a table has no frames to show.
    if plan.is_table or all(row["is_used"] for row in night.curve):
        (plan.paths.plots / LEFT_OUT.tail).unlink(missing_ok=True)
    else:
        wanted[plan.paths.plots / LEFT_OUT.tail] = LEFT_OUT

    def prepare(entry: FigureEntry) -> Keywords:
        return leftout.prepare(night, layout) if entry is LEFT_OUT else figures.prepare(entry, night)

    def complete(entry: FigureEntry, keywords: Keywords) -> Keywords:
        return leftout.with_pixels(keywords, plan, layout) if entry is LEFT_OUT else keywords

    return _draw(wanted, prepare, plan.paths.figures, bench, complete)


def figures_of(plan: ObservationPlan) -> tuple[FigureEntry, ...]:
    """Return the figures that can be drawn; a night that begins with a table has no frames to choose from."""
    lacking = {"template"} if plan.is_table else set()
    if plan.is_table and not plan.aij.image:
        lacking.add("template_image")
    return tuple(entry for entry in (*FIGURES, *DIAGNOSTICS) if not lacking.intersection(entry.dumps))


def run_visit(
    plans: Sequence[ObservationPlan], layout: Layout, settings: WorkspaceSettings, bench: Bench
) -> Done:
    """Draw the figures that show all filters of a night."""
    from accretor.stages import figures

    paths = layout.visit(plans[0].observation.visit)
    nights = [figures.Night(plan) for plan in plans]
    return _draw(
        {paths.plots / entry.tail: entry for entry in OF_VISIT},
        lambda entry: _of_visit(entry, nights),
        layout.work / plans[0].observation.visit.slug / "figures.json",
        bench,
    )


def run_target(
    plans: Sequence[ObservationPlan], layout: Layout, settings: WorkspaceSettings, bench: Bench
) -> Done:
    """Draw the figures that show all nights of a target."""
    from accretor.stages import figures

    target = plans[0].observation.target
    nights = [figures.Night(plan) for plan in plans]
    (entry,) = OF_TARGET
    return _draw(
        {layout.o_c(target): entry},
        lambda _: _o_c(nights),
        layout.work / target / "figures.json",
        bench,
    )


def _as_they_are(_: FigureEntry, keywords: Keywords) -> Keywords:
    return keywords


def _draw(
    wanted: dict[Path, FigureEntry],
    prepare: Callable[[FigureEntry], Keywords],
    record: Path,
    bench: Bench,
    complete: Callable[[FigureEntry, Keywords], Keywords] = _as_they_are,
) -> Done:
    """Draw the figures whose arguments have changed, or whose files are not as they were left.

    What is long to read, only those that are drawn need: *complete* puts it into their arguments.
    """
    from accretor.stages import figures

    known = {} if bench.redo else _recorded(record)
    made: dict[str, dict[str, str]] = {}
    changed: list[tuple[Path, FigureEntry, Keywords]] = []
    for path, entry in wanted.items():
        keywords = prepare(entry)
        made_from = figures.fingerprint([versions.PLOTTING, entry.function, keywords])
        before = known.get(entry.tail, {})
        if before.get("made_from") != made_from or before.get("sha256") != _digest(path):
            changed.append((path, entry, complete(entry, keywords)))
        made[entry.tail] = {"made_from": made_from}
    # Those that hold an image are drawn here, and need not be sent to another process.
    changed.sort(key=lambda item: "image" not in item[2])
    drawings = [(entry, keywords) for _, entry, keywords in changed]
    for number, (index, content) in enumerate(bench.pool.share(_picture, drawings), start=1):
        atomic.write_bytes(changed[index][0], content)
        bench.progress(number, len(changed))
    for path, entry in wanted.items():
        made[entry.tail]["sha256"] = _digest(path)
    atomic.write_text(record, json.dumps(made, indent=1) + "\n")
    n_kept = len(wanted) - len(changed)
    kept = f", {n_kept} kept" if n_kept else ""
    return Done(tuple(wanted), f"{len(changed)} figure{'s' if len(changed) != 1 else ''}{kept}")


def _picture(drawing: tuple[FigureEntry, Keywords]) -> bytes:
    """Return the PNG file of a figure."""
    from accretor.plots import style
    from accretor.stages import figures

    return style.save(figures.drawn(*drawing))


def load() -> None:
    """Load what figures are drawn with, in a process that will draw some."""
    from accretor.plots import style

    for entry in (*FIGURES, *DIAGNOSTICS):
        entry.load()
    style.save(style.nothing("", ""))  # the type


def _recorded(path: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _of_visit(entry: FigureEntry, nights: Sequence[Night]) -> Keywords:
    from accretor.plots.bands import Band

    first = nights[0]
    bands = []
    for night in nights:
        results = night.results
        ratio = f"Rp/R* {results['rp_rs']:.4f} ± {results['rp_rs_error']:.4f}" if results["has_fit"] else ""
        table = {**night.table, "is_counted": night.counted}
        bands.append(Band(results["filter"], table, ratio, night.line))
    filters = ", ".join(band.filter for band in bands)
    keywords: Keywords = {
        "bands": bands,
        "ingress": first.results["ingress_bjd_tdb"],
        "egress": first.results["egress_bjd_tdb"],
        "error": first.results["prediction_error_day"],
        "title": first.title,
        "subtitle": f"{first.results['telescope']} ({filters})",
    }
    bin_minutes = max(night.bin_minutes for night in nights)
    # Over each other, filters are told apart by fewer points.
    keywords["bin_minutes"] = bin_minutes if entry.name == "panels" else 2 * bin_minutes
    return keywords


def _o_c(nights: Sequence[Night]) -> Keywords:
    from accretor.plots.timing import MidTransit

    target = nights[0].plan.target
    transits = [
        MidTransit(
            epoch=night.results["epoch"],
            o_c=night.results["o_c_minute"],
            error=1440 * night.results["tc_error_day"],
            filter=night.results["filter"],
            label=f"{night.results['night']} {night.results['telescope']}",
        )
        for night in nights
        if night.results["has_fit"] and night.results["o_c_minute"] is not None
    ]
    title = target.designation
    if not transits or target.ephemeris is None:
        return {"title": title, "nothing": "no transit of this target was fitted"}
    return {"transits": transits, "ephemeris": target.ephemeris, "title": title,
            "subtitle": "observed minus predicted mid-transit"}  # fmt: skip
