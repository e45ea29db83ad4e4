"""What a run says at its end: what there is, what was left out, what to do next."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from accretor.config import lacking
from accretor.core.dumps import LIGHT_CURVE
from accretor.core.errors import Blocked, DumpError
from accretor.core.observation import Visit
from accretor.io import dump
from accretor.io.dump import Row
from accretor.stages import manifest
from accretor.stages import results as results_of
from accretor.stages.workspace import ObservationPlan, Workspace
from tasks import _blocked, _wishes, _workspace

log = logging.getLogger("accretor")

MOST_REASONS = 6
"""Reasons that are listed; the tables have all."""


def lines(n_done: int, n_current: int, n_blocked: int) -> Iterator[str]:
    """Yield the lines of the summary."""
    workspace = _workspace.current()
    if not workspace.observations:
        n_file = len(workspace.assignments)
        yield f"No frame of a target is below raw/ ({n_file} file{'' if n_file == 1 else 's'} there)."
    for visit, plans in workspace.visits.items():
        yield from _spared(f"{visit.target}  {visit.night}", partial(_visit, workspace, visit, plans))
    if workspace.left_out:
        yield "files left out (work/inventory.ecsv):"
        yield from _reasons(
            Counter(reason for _, reason in workspace.left_out),
            {reason: path for path, reason in workspace.left_out},
        )
    counts = [f"{n_done} done", f"{n_current} up to date"]
    if n_blocked:
        counts.append(f"{n_blocked} wait for what failed")
    yield f"tasks: {', '.join(counts)}"
    yield from _spared("what to do next", partial(_next, workspace))


def _spared(what: str, lines: Callable[[], Iterator[str]]) -> Iterator[str]:
    """Yield *lines*; a bug in them costs these lines, and neither the others nor the end of the run."""
    try:
        yield from lines()
    except Exception as error:  # the work is done and stands: what tells of it must not end in a traceback
        log.info("the summary of %s broke", what, exc_info=True)
        yield f"  {what}: the summary broke here ({type(error).__name__}: {error}); the products stand"


def _visit(workspace: Workspace, visit: Visit, plans: tuple[ObservationPlan, ...]) -> Iterator[str]:
    made = [(plan, found) for plan in plans if (found := _results(plan))]
    if not made:
        return
    yield ""
    yield f"{visit.target}  {visit.night}  {visit.telescope}"
    for plan, results in made:
        yield from _observation(results, plan)
        for stage in _wishes.STAGES:
            if failed := _blocked.reason(stage, plan.observation.slug):
                yield f"         these numbers are of an earlier run; now {stage} failed: {failed}"
    paths = workspace.layout.visit(visit)
    try:
        package = manifest.read(paths)
    except Blocked:
        return
    state = ", NOT complete" if package["problems"] else ""
    yield f"  package  {_workspace.shown(paths.package)}  ({len(package['files'])} files{state})"
    for problem in package["problems"]:
        yield f"    problem: {problem}"
    for remark in package.get("remarks", ()):
        yield f"    note: {remark}"
    if missing := lacking.for_exofop(workspace.settings, (plan.instrument for plan in plans)):
        yield f"    for ExoFOP fill in workspace.toml: {', '.join(missing)}"
    if paths.report.is_file():
        yield f"  report   {_workspace.shown(paths.report)}"


def _results(plan: ObservationPlan) -> Row | None:
    try:
        return results_of.read(plan.paths.results)
    except (FileNotFoundError, DumpError):
        return None


def _observation(results: Row, plan: ObservationPlan) -> Iterator[str]:

    def value(name: str, form: str) -> str:
        return results_of.number(results[name], form)

    n_frame = results["n_frame_good"] + results["n_frame_poor"]
    yield (
        f"  {results['filter']:<6} {results['n_frame_good']} of {n_frame} frames, aperture "
        f"{results['aperture_radius_px']:.2f} px, {results['n_comparison']} comparison stars"
    )
    predicted = f" (predicted {_ppt(results['predicted_rms_ppt'])})" if results["predicted_rms_ppt"] else ""
    yield (
        f"         scatter {_ppt(results['rms_per_point_ppt'])} per point{predicted}, "
        f"{_ppt(results['rms_10min_ppt'])} in 10 min"
    )
    if results["has_fit"]:
        ephemeris = plan.target.ephemeris
        predicted = f", predicted {ephemeris.depth:g} ppt" if ephemeris else ""
        yield (
            f"         Rp/R* {value('rp_rs', '.4f')} ± {value('rp_rs_error', '.4f')} "
            f"(depth {value('depth_ppt', '.2f')} ± {value('depth_error_ppt', '.2f')} ppt{predicted})"
        )
        yield (
            f"         Tc {value('tc_bjd_tdb', '.5f')} ± {value('tc_error_day', '.5f')} BJD_TDB "
            f"(O-C {value('o_c_minute', '+.1f')} ± {value('o_c_error_minute', '.1f')} min), "
            f"coverage {results['coverage']}"
        )
    else:
        yield f"         no transit fit: {results['fit_reason']}"
    for flag in results["flags"]:
        yield f"         note: {flag}"
    poor = _poor(plan.paths.light_curve) if results["n_frame_poor"] else []
    if poor:
        yield "         frames left out:"
        yield from _reasons(
            Counter(reason for _, reason in poor), {reason: name for name, reason in poor}, indent=11
        )


def _poor(light_curve: Path) -> list[tuple[str, str]]:
    """Return the frames that are not in the light curve, each with the reason."""
    try:
        names, reasons = dump.read_columns(light_curve, LIGHT_CURVE, ("image_name", "reason"))
    except (FileNotFoundError, DumpError):
        return []
    return [(name, reason) for name, reason in zip(names, reasons, strict=True) if reason]


def _ppt(value: float | None) -> str:
    return f"{value:.2f} ppt" if value is not None and math.isfinite(value) else "unknown"


def _reasons(counts: Counter[str], example: dict[str, str], indent: int = 2) -> Iterator[str]:
    """Yield the reasons, the most frequent first, each with one file that it holds for."""
    for reason, count in counts.most_common(MOST_REASONS):
        more = f" and {count - 1} more" if count > 1 else ""
        yield f"{' ' * indent}{Path(example[reason]).name}{more}: {reason}"
    if len(counts) > MOST_REASONS:
        n_more = len(counts) - MOST_REASONS
        yield f"{' ' * indent}... and {n_more} other reason{'' if n_more == 1 else 's'}"


def _next(workspace: Workspace) -> Iterator[str]:
    truth = workspace.layout.root / "truth.json"
    if truth.is_file() and workspace.observations:
        if results := _results(workspace.observations[0]):
            yield from _against_truth(json.loads(truth.read_text(encoding="utf-8")), results)
        yield ""
        program, example = _workspace.program(), _workspace.shown(workspace.layout.config)
        yield f"Your own images: put them into PATH/raw/, then:  {program} init workspace=PATH"
        yield (
            f"It writes PATH/workspace.toml ({example} is a commented example) and says what is to be "
            "filled in."
        )
    elif reported := [visit for visit in workspace.visits if workspace.layout.visit(visit).report.is_file()]:
        target = reported[0].target
        show, send = (_workspace.command(f"{name}:{target}") for name in ("show", "upload"))
        yield f"Next:  {show} open=yes  shows the report,  {send}  what would be sent."
    elif workspace.visits:
        yield f"Next:  {_workspace.command('list')}  says how far each stage is, and what stops it."


def _against_truth(truth: Row, results: Row) -> Iterator[str]:
    """Compare what was measured with what was put into a simulated night."""
    if None in (results["rp_rs"], results["rp_rs_error"], results["tc_bjd_tdb"], results["tc_error_day"]):
        return
    yield "truth of this simulated night:"
    for name, unit, measured, error, true in (
        ("Rp/R*", "", results["rp_rs"], results["rp_rs_error"], truth["rp_rs"]),
        ("Tc", " BJD_TDB", results["tc_bjd_tdb"], results["tc_error_day"], truth["tc"]),
    ):
        sigma = (measured - true) / error
        yield f"  {name:<6} {true:.5f}{unit}: measured {measured:.5f}, off by {sigma:+.1f} sigma"
