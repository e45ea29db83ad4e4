"""Report: the page of each visit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from accretor import __version__
from accretor.core.dumps import COMPARISON, LIGHT_CURVE
from accretor.core.errors import AccretorError, Blocked
from accretor.core.settings import WorkspaceSettings
from accretor.io import atomic, dump
from accretor.io.dump import Row
from accretor.plots.registry import OF_VISIT, OPTIONAL, FigureEntry
from accretor.report import curve, record, verdicts
from accretor.stages import madewith, plotting, upload
from accretor.stages import manifest as manifest_of
from accretor.stages import results as results_of
from accretor.stages.bench import Bench, Done
from accretor.stages.pages import Album, Content, columns, digest, link, number, reduced, relative

if TYPE_CHECKING:
    from accretor.io.layout import Layout, VisitPaths
    from accretor.stages.workspace import ObservationPlan


def run(plans: Sequence[ObservationPlan], layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Write the page of a visit, and what the index and the next page must know of it."""
    from accretor.report import page

    visit = plans[0].observation.visit
    paths = layout.visit(visit)
    manifest = manifest_of.read(paths)
    known = record.read(paths.record)
    together = [paths.plots / entry.tail for entry in OF_VISIT] if len(plans) > 1 else []
    shown = [*(path for plan in plans for path in _pictures(plan).values()), *together]
    album = Album(paths.folder, {shown[i]: small for i, small in bench.pool.share(reduced, shown)})
    kept: dict[str, Any] = {}
    bands = []
    for place, plan in enumerate(plans):
        band, kept[plan.observation.filter] = _band(plan, manifest, known, album)
        bands.append(band)
        bench.progress(place + 1, len(plans) + 1)
    first = plans[0]
    content: Content = {
        "title": f"{first.target.name}, {visit.night}, {visit.telescope}",
        "subtitle": _subtitle(first, layout),
        "version": __version__,
        "index": relative(layout.index, paths.folder),
        "bands": bands,
        "together": [album.picture(entry, path, "") for entry, path in zip(OF_VISIT, together, strict=False)],
        "notes": _notes(paths, manifest),
        "form": _form(tuple(plans), layout, settings),
        "files": _files(paths, manifest),
        "problems": manifest["problems"],
        "upload_state": f"Upload: {upload.state(paths)}.",
        "provenance": madewith.of(plans),
    }
    atomic.write_text(paths.record, record.text({"filters": kept}))
    atomic.write_text(paths.report, page.observation(content))
    size = paths.report.stat().st_size
    return Done((paths.report, paths.record), f"report.html, {size / 1e6:.1f} MB; {_counted(kept.values())}")


def seen_by_report(plans: Sequence[ObservationPlan], layout: Layout) -> dict[str, str]:
    """Return digests of files that a report shows where they are there."""
    paths = layout.visit(plans[0].observation.visit)
    return {
        "what was sent": digest(paths.ledger),
        "truth of a simulated night": digest(layout.root / "truth.json"),
        **{f"neighbours in {plan.observation.filter}": digest(_neighbour_table(plan)) for plan in plans},
        **{f"zero points in {plan.observation.filter}": digest(plan.paths.zero_points) for plan in plans},
    }


def settings_shown(settings: WorkspaceSettings) -> str:
    """Return all settings that are on the pages, or that the form follows from."""
    names = [name for name in settings.__struct_fields__ if name not in madewith.UNSEEN]
    return repr([(name, getattr(settings, name)) for name in names])


def _band(
    plan: ObservationPlan, manifest: Row, known: Mapping[str, Any], album: Album
) -> tuple[Content, dict[str, Any]]:
    """Return what the page shows of one filter, and what is kept of it."""
    results = results_of.read(plan.paths.results)
    rows = dump.read(plan.paths.light_curve, LIGHT_CURVE).rows
    neighbours, gaps = _neighbours(plan)
    said = verdicts.of_observation(results, plan.target.ephemeris, neighbours, manifest["problems"], gaps)
    used = [row for row in rows if row["is_used"]]
    name = plan.observation.filter
    before = (known.get("filters") or {}).get(name) or {}
    kept: dict[str, Any] = {
        **record.renewed(before, record.numbers(results)),
        "verdicts": [asdict(one) for one in said],
        "spark": asdict(_spark(used, results)),
    }
    stars = dump.read(plan.paths.comparison, COMPARISON).rows
    pictures = {
        entry.name: album.picture(entry, path, _told(entry, results, said, stars))
        for entry, path in _pictures(plan).items()
    }
    shown = {"light_curve", "comparison_stars", "field", "field_zoom", *(entry.name for entry in OPTIONAL)}
    content: Content = {
        "filter": name,
        "verdicts": said,
        "flags": results["flags"],
        "light_curve": pictures["light_curve"],
        "pointed": _pointed(used),
        "field": [pictures[name] for name in ("field", "field_zoom") if name in pictures],
        "neighbours": None if neighbours is None else [_neighbour_row(row) for row in neighbours],
        "neighbour_gaps": gaps,
        "neighbour_columns": columns(*(title for _, title in _NEIGHBOUR_COLUMNS)),
        "neighbour_figures": [pictures[name] for name in ("neighbour_scatter",) if name in pictures],
        "comparison": pictures["comparison_stars"],
        "stars": [_star_row(row) for row in stars if row["is_comparison"]],
        "star_columns": columns("star", "label", "x*", "y*", "flux (e)*", "weight*", "scatter (ppt)*", "χ*"),
        "other_stars": [
            [row["star"], number(row["flux"], 0), number(row["scatter"], 2), row["reason"]]
            for row in stars
            if not row["is_comparison"]
        ],
        "other_columns": columns("star", "flux (e)*", "scatter (ppt)*", "why+"),
        "systematics": [
            *(picture for key, picture in pictures.items() if key not in shown),
            *(pictures[name] for name in ("zero_points", "limits", "posterior") if name in pictures),
        ],
        "sampled": _sampled(results),
        "sampled_columns": columns(
            "parameter", "median*", "68 % from*", "to*", "by generalised least squares*", "its error*"
        ),
        "n_frame": len(rows),
        "n_used": len(used),
        "left_out": [
            [row["image_name"], number(row["bjd_tdb"], 5), row["reason"] or "no reason given"]
            for row in rows
            if not row["is_used"]
        ],
        "left_out_figures": [pictures[name] for name in ("left_out",) if name in pictures],
        "left_out_columns": columns("frame+", "BJD_TDB*", "why+"),
        "changes": record.changes(kept),
        "numbers": link(plan.paths.results.read_bytes(), "application/json"),
    }
    return content, kept


def _spark(used: Sequence[Row], results: Row) -> curve.Spark:
    window = None
    if results["ingress_bjd_tdb"] is not None:
        window = (results["ingress_bjd_tdb"], results["egress_bjd_tdb"])
    found = [dump.column(used, name) for name in ("bjd_tdb", "detrended_flux", "model")]
    return curve.spark(*found, window=window)


def _pointed(used: Sequence[Row]) -> curve.Pointed | None:
    names = ("image_name", "bjd_tdb", "detrended_flux", "relative_flux_error", "model")
    return curve.pointed(*(dump.column(used, name) for name in names))


def _pictures(plan: ObservationPlan) -> dict[FigureEntry, Path]:
    """Return the figures of an observation: those of every one, and those that are there."""
    found = {entry: plan.paths.plots / entry.tail for entry in (*plotting.figures_of(plan), *OPTIONAL)}
    return {entry: path for entry, path in found.items() if entry not in OPTIONAL or path.is_file()}


def _told(entry: FigureEntry, results: Row, said: Sequence[verdicts.Verdict], stars: Sequence[Row]) -> str:
    """Return what a picture shows, for those who cannot see it."""
    from accretor.stages import figures

    if entry.name == "light_curve":
        return ". ".join(f"{one.name}: {one.value}" for one in said[:4])
    if entry.name == "seeing_profile":
        scale = results["pixel_scale_arcsec"]
        arcsec = f" or {results['fwhm_px'] * scale:.1f} arcsec" if scale else ""
        return f"Median FWHM of the night {results['fwhm_px']:.2f} pixel{arcsec}"
    if entry.name == "aperture_curve":
        return f"Radius chosen: {results['aperture_radius_px']:.2f} pixel"
    if entry.name == "comparison_stars":
        n_drawn, n_all = len(figures.listed(stars)), results["n_comparison"]
        return f"The {n_drawn} stars of the measurement table; {n_all} are in the ensemble"
    return ""


_NEIGHBOUR_COLUMNS: Final = (
    ("neighbour", "star"),
    ("identifier", "identifier+"),
    ("separation", "separation (″)*"),
    ("position_angle", "PA (°)*"),
    ("delta_mag", "Δmag*"),
    ("depth_needed", "depth needed (ppt)*"),
    ("rms", "rms (ppt)*"),
    ("ratio", "ratio*"),
    ("disposition", "disposition"),
    ("box_depth", "depth found (ppt)*"),
    ("box_depth_error", "error*"),
    ("significance", "significance*"),
    ("reason", "why+"),
)


def _neighbour_table(plan: ObservationPlan) -> Path:
    return plan.paths.folder / "neighbours.ecsv"


def _neighbours(plan: ObservationPlan) -> tuple[list[Row] | None, list[str]]:
    """Return the rows of the check for nearby eclipsing binaries, None where there was none, and its gaps."""
    path = _neighbour_table(plan)
    if not path.is_file():
        return None, []
    from astropy.table import Table

    table = Table.read(path, format="ascii.ecsv", encoding="utf-8")
    gaps: list[str] = list(table.meta.get("remarks", []))
    return [{name: row[name] for name in table.colnames} for row in table], gaps


def _neighbour_row(row: Row) -> list[str]:
    cells = []
    for name, _ in _NEIGHBOUR_COLUMNS:
        value = row.get(name, "")
        cells.append(
            str(value) if name in ("neighbour", "identifier", "disposition", "reason") else number(value, 2)
        )
    return cells


def _sampled(results: Row) -> list[list[str]]:
    """Return the posterior beside the fit, a row for each parameter; none without sampling."""
    names = {
        "Tc (BJD_TDB)": ("tc_bjd_tdb", "tc_error_day", 6),
        "Rp/R*": ("rp_rs", "rp_rs_error", 5),
        "a/R*": ("a_rs", "a_rs_error", 3),
        "b": ("impact", "impact_error", 3),
        "limb darkening": ("limb_g", "limb_g_error", 3),
    }
    found = zip(*(results[f"posterior_{key}"] for key in ("median", "minus", "plus")), strict=True)
    return [
        [
            name,
            *(number(value, digits) for value in (middle, middle - minus, middle + plus)),
            number(results[value], digits),
            number(results[error], digits),
        ]
        for (name, (value, error, digits)), (middle, minus, plus) in zip(names.items(), found, strict=False)
    ]


def _star_row(row: Row) -> list[Any]:
    return [
        row["star"],
        row["label"],
        *(number(row[name], digits) for name, digits in
          (("x", 1), ("y", 1), ("flux", 0), ("weight", 3), ("scatter", 2), ("chi", 2))),
    ]  # fmt: skip


def _subtitle(plan: ObservationPlan, layout: Layout) -> str:
    simulated = "; this night is simulated" if (layout.root / "truth.json").is_file() else ""
    return f"TIC {plan.target.tic}, planet {plan.target.planet}; {plan.observation.night}{simulated}"


def _notes(paths: VisitPaths, manifest: Row) -> Content | None:
    name = next((name for name in manifest["files"] if name.endswith("_notes.txt")), None)
    if name is None or not (paths.package / name).is_file():
        return None
    return {"name": name, "text": (paths.package / name).read_text(encoding="utf-8")}


def _form(plans: tuple[ObservationPlan, ...], layout: Layout, settings: WorkspaceSettings) -> Content:
    """Return the plan of the upload, by the function that makes it for the upload itself."""
    try:
        plan = upload.make_plan(plans, layout, settings)
    except Blocked as error:
        return {"reason": str(error)}
    except AccretorError as error:
        return {"reason": str(error)}
    return {
        "reason": "",
        "plan_id": plan.plan_id,
        "server": plan.server,
        "is_proprietary": plan.is_proprietary,
        "lacks_user": f"_{upload.NO_USER}_" in plan.tag,
        "columns": columns("field", "value+"),
        "filters": [
            {
                "filter": series.filter,
                "fields": [[key, value or "(blank)"] for key, value in series.fields.items()],
            }
            for series in plan.filters
        ],
    }


def _files(paths: VisitPaths, manifest: Row) -> list[Content]:
    from accretor.sending.ledger import Ledger

    sent = {
        entry.item.name: entry
        for entry in Ledger(paths.ledger).latest().values()
        if entry.item.kind == "file"
    }
    found = []
    for name, file in manifest["files"].items():
        entry = sent.get(name)
        state = "not sent"
        if entry is not None:
            state = f"{entry.state} {entry.time[:10]}"
            state += "" if entry.sha256 == file["sha256"] else ", with other content"
        found.append(
            {"name": name, "size": f"{file['size'] / 1000:.1f}", "sha256": file["sha256"], "state": state}
        )
    return found


def _counted(kept: Iterable[Mapping[str, Any]]) -> str:
    states = [one["state"] for band in kept for one in band["verdicts"]]
    words = {"yes": "yes", "part": "in part", "no": "no", "unknown": "not known"}
    return ", ".join(f"{states.count(state)} {word}" for state, word in words.items() if states.count(state))
