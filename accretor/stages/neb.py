"""The check for eclipsing binaries nearby: which neighbours could have caused what TESS saw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from accretor.core.dumps import FORCED_POSITIONS, NEIGHBOURS
from accretor.core.settings import WorkspaceSettings
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science import eclipse, neb
from accretor.stages import nebcheck, nebfiles, nebnight, positions
from accretor.stages import results as results_of
from accretor.stages.bench import Bench, Done

if TYPE_CHECKING:
    from accretor.io.layout import Layout, ObservationPaths
    from accretor.stages.nebcheck import Tested
    from accretor.stages.nebnight import Night
    from accretor.stages.workspace import ObservationPlan


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Write ``neighbours.ecsv``, and the table and figures that SG1 asks for."""
    paths = plan.paths
    results = results_of.read(paths.results)
    places = dump.read(paths.forced_positions, FORCED_POSITIONS)
    about = {key: value for key, value in places.meta.items() if key != "remarks"}
    remarks = list(places.meta["remarks"])
    stars = [row for row in places.rows if row["kind"] == positions.NEIGHBOUR]
    night = nebnight.read(paths, places.rows)
    tested: list[Tested] = []
    if plan.target.ephemeris is None:
        remarks.append("no ephemeris: neither the depth nor the time of an eclipse is known")
    else:
        remarks += _gap(about, places.rows[0], plan.target.ephemeris.depth)
        if stars and night is None:
            remarks.append("too few frames are measured")
        elif stars and night is not None:
            rules = nebnight.rules(plan, results, settings, night)
            tested = nebcheck.run(stars, night, rules, settings.neb.margin, bench)
    rows = [item.row for item in tested] or [nebcheck.untested(star, remarks) for star in stars]
    files = _products(plan, results, settings, tested, night, bench)
    dump.write(
        paths.neighbours, NEIGHBOURS, rows, {**about, **_summary(rows), "files": files, "remarks": remarks}
    )
    written = [paths.plots / name for name in files]
    return Done((paths.neighbours, *written), "; ".join([_said(rows), *remarks]))


def delta_mag(paths: ObservationPaths) -> float | None:
    """Return the faintest neighbour that is cleared, magnitudes below the target, for the form of ExoFOP.

    With an event that of the star that has it; None if there is neither.
    """
    return dump.read_meta(paths.neighbours).get("delta_mag")


def _gap(about: Row, target: Row, depth: float) -> list[str]:
    """Say how far the catalogue falls short of the faintest star that could cause the *depth*, ppt."""
    faintest, needed = about.get("faintest_tmag"), target["tmag"] + neb.magnitude_limit(depth)
    if faintest is None or not math.isfinite(needed) or faintest >= needed:
        return []
    return [
        f"the catalogue's faintest star has T = {faintest:.1f} mag; "
        f"one of T = {needed:.1f} mag could still cause the depth, and may be missing"
    ]


def _summary(rows: list[Row]) -> dict[str, Any]:
    """Return what the header of the dump says of all neighbours."""
    events = [row for row in rows if row["verdict"] == eclipse.EVENT]
    faintest = neb.faintest_cleared(dump.numbers(rows, "delta_mag"), dump.column(rows, "disposition"))
    if events:
        faintest = float(events[0]["delta_mag"])
    return {
        "summary": {word: sum(row["verdict"] == word for row in rows) for word in _WORDS},
        "dispositions": {word: sum(row["disposition"] == word for row in rows) for word in neb.DISPOSITIONS},
        "events": [row["identifier"] for row in events],
        "delta_mag": round(faintest, 3) if math.isfinite(faintest) else None,
        "said": _sentence(rows, [row["identifier"] for row in events], faintest),
    }


def _sentence(rows: list[Row], events: list[str], faintest: float) -> str:
    """Return the outcome as the notes have it; "" if no neighbour was tested."""
    tested = [row for row in rows if row["disposition"]]
    if not tested:
        return ""
    if events:
        return f"An eclipse at the predicted time and depth was seen in {', '.join(events)}."
    until = (
        f"; the faintest cleared is {faintest:.1f} mag fainter than the target"
        if math.isfinite(faintest)
        else ""
    )
    return f"Of {len(tested)} neighbours: {_counted(tested)}{until}."


def _counted(tested: list[Row]) -> str:
    """Return how many of the neighbours SG1's rule clears."""
    words = (neb.CLEARED, neb.LIKELY, neb.TOO_FAINT)
    counts = [(sum(row["disposition"] == word for row in tested), word.lower()) for word in words]
    open_ = len(tested) - sum(count for count, _ in counts)
    return ", ".join(f"{count} {word}" for count, word in (*counts, (open_, "not cleared")) if count)


_WORDS = (eclipse.CLEARED, eclipse.LIKELY, eclipse.NOT_CLEARED, eclipse.DIP, eclipse.EVENT)


def _said(rows: list[Row]) -> str:
    counts = {word: sum(row["verdict"] == word for row in rows) for word in _WORDS}
    parts = [f"{count} {word}" for word, count in counts.items() if count]
    tested = [row for row in rows if row["disposition"]]
    by_rule = f"; by SG1's rule: {_counted(tested)}" if tested else ""
    return f"{len(rows)} neighbours{by_rule}" + (f"; by our test: {', '.join(parts)}" if parts else "")


def _products(
    plan: ObservationPlan,
    results: Row,
    settings: WorkspaceSettings,
    tested: list[Tested],
    night: Night | None,
    bench: Bench,
) -> dict[str, str]:
    """Write the files for SG1, and return their names and digests; without any, remove those of before."""
    listed = [item for item in tested if item.row["neighbour"]]
    if night is None or not listed:
        nebfiles.remove(plan.paths)
        return {}
    rules = nebnight.rules(plan, results, settings, night)
    return nebfiles.write(
        plan,
        results,
        nebfiles.Check(
            rows=[item.row for item in listed],
            verdicts=[item.verdict for item in listed],
            time=night.time,
            radii=tuple(float(radius) for radius in night.radii),
            target_place=night.target_place,
            ingress=rules.window.ingress,
            egress=rules.window.egress,
            depth=rules.depth,
            scale=rules.scale,
            cadence=rules.cadence,
            search_radius=settings.forced.radius / 60,
        ),
        bench,
    )
