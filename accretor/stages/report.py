"""Report: the page of each visit, and the page of all."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from accretor import __version__
from accretor.core import versions
from accretor.core.dumps import COMPARISON, LIGHT_CURVE, MASTERS
from accretor.core.errors import AccretorError, Blocked
from accretor.core.settings import Settings, WorkspaceSettings
from accretor.io import atomic, dump
from accretor.io.dump import Row
from accretor.plots.registry import OF_VISIT, OPTIONAL, FigureEntry
from accretor.report import curve, record, verdicts
from accretor.stages import manifest as manifest_of
from accretor.stages import plotting, upload
from accretor.stages import results as results_of
from accretor.stages.bench import Bench, Done

if TYPE_CHECKING:
    from accretor.io.layout import Layout, VisitPaths
    from accretor.stages.workspace import ObservationPlan, Workspace


MOST_LEFT_OUT: Final = 200
"""Files that the index names; the inventory has all."""

_PICTURES: Final = 4_300_000
"""Byte that the pictures of a page may take in it; the words need the rest of its five million."""

_UNSEEN: Final = ("compute", "export")
"""Sections of the settings from which nothing on a page follows."""

Content = dict[str, Any]


def run(plans: Sequence[ObservationPlan], layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Write the page of a visit, and what the index and the next page must know of it."""
    from accretor.report import page

    visit = plans[0].observation.visit
    paths = layout.visit(visit)
    manifest = manifest_of.read(paths)
    known = record.read(paths.record)
    album = _Album(paths.folder)
    kept: dict[str, Any] = {}
    bands = []
    for number, plan in enumerate(plans):
        band, kept[plan.observation.filter] = _band(plan, manifest, known, album)
        bands.append(band)
        bench.progress(number + 1, len(plans) + 1)
    first = plans[0]
    content: Content = {
        "title": f"{first.target.name}, {visit.night}, {visit.telescope}",
        "subtitle": _subtitle(first, layout),
        "version": __version__,
        "index": _relative(layout.index, paths.folder),
        "bands": bands,
        "together": [album.picture(entry, paths.plots / entry.tail, "") for entry in OF_VISIT]
        if len(plans) > 1
        else [],
        "notes": _notes(paths, manifest),
        "form": _form(tuple(plans), layout, settings),
        "files": _files(paths, manifest),
        "problems": manifest["problems"],
        "upload_state": f"Upload: {upload.state(paths)}.",
        "provenance": _provenance(plans),
    }
    atomic.write_text(paths.record, record.text({"filters": kept}))
    atomic.write_text(paths.report, page.observation(content))
    size = paths.report.stat().st_size
    return Done((paths.report, paths.record), f"report.html, {size / 1e6:.1f} MB; {_counted(kept.values())}")


def write_index(workspace: Workspace) -> Done:
    """Write the page of all visits."""
    from accretor.report import page

    layout = workspace.layout
    targets: dict[str, Content] = {}
    missing = []
    for visit, plans in workspace.visits.items():
        kept = record.read(layout.visit(visit).record).get("filters", {})
        for plan in plans:
            found = kept.get(plan.observation.filter)
            if found is None:
                missing.append(
                    [plan.observation.slug, "its stages have not come to an end; doit list says why"]
                )
                continue
            o_c = layout.o_c(visit.target)
            target = targets.setdefault(
                visit.target,
                {
                    "name": plan.target.name,
                    "o_c": _relative(o_c, layout.products) if o_c.is_file() else "",
                    "observations": [],
                },
            )
            target["observations"].append(_index_row(plan, found, layout))
    left_out = [[path, reason] for path, reason in workspace.left_out]
    content: Content = {
        "title": "Observations",
        "version": __version__,
        "n_observation": sum(len(target["observations"]) for target in targets.values()),
        "targets": list(targets.values()),
        "missing": missing,
        "missing_columns": _columns("observation", "why+"),
        "left_out": left_out[:MOST_LEFT_OUT],
        "left_out_columns": _columns("file+", "why+"),
        "n_more": max(0, len(left_out) - MOST_LEFT_OUT),
    }
    atomic.write_text(layout.index, page.index(content))
    n = content["n_observation"]
    return Done((layout.index,), f"index.html, {n} observation{'' if n == 1 else 's'}")


def seen_by_index(workspace: Workspace) -> dict[str, str]:
    """Return digests of what the index is made from; it is written when all else is done."""
    layout = workspace.layout
    found = {
        visit.slug: f"{_digest(layout.visit(visit).record)} {layout.o_c(visit.target).is_file()}"
        for visit in workspace.visits
    }
    listed = json.dumps(workspace.left_out)
    return {
        "version of the stage": f"{versions.REPORT} {__version__}",
        "files left out": hashlib.sha256(listed.encode()).hexdigest(),
        "observations": ", ".join(plan.observation.slug for plan in workspace.observations),
        **{f"record of {slug}": digest for slug, digest in found.items()},
    }


def seen_by_report(plans: Sequence[ObservationPlan], layout: Layout) -> dict[str, str]:
    """Return digests of files that a report shows where they are there."""
    paths = layout.visit(plans[0].observation.visit)
    return {
        "what was sent": _digest(paths.ledger),
        "truth of a simulated night": _digest(layout.root / "truth.json"),
        **{f"neighbours in {plan.observation.filter}": _digest(_neighbour_table(plan)) for plan in plans},
        **{f"zero points in {plan.observation.filter}": _digest(plan.paths.zero_points) for plan in plans},
    }


def settings_shown(settings: WorkspaceSettings) -> str:
    """Return all settings that are on the pages, or that the form follows from."""
    names = [name for name in settings.__struct_fields__ if name not in _UNSEEN]
    return repr([(name, getattr(settings, name)) for name in names])


def _band(
    plan: ObservationPlan, manifest: Row, known: Mapping[str, Any], album: _Album
) -> tuple[Content, dict[str, Any]]:
    """Return what the page shows of one filter, and what is kept of it."""
    results = results_of.read(plan.paths.results)
    rows = dump.read(plan.paths.light_curve, LIGHT_CURVE).rows
    neighbours = _neighbours(plan)
    said = verdicts.of_observation(results, plan.target.ephemeris, neighbours, manifest["problems"])
    used = [row for row in rows if row["is_used"]]
    name = plan.observation.filter
    before = (known.get("filters") or {}).get(name) or {}
    kept: dict[str, Any] = {
        **record.renewed(before, record.numbers(results)),
        "verdicts": [asdict(one) for one in said],
        "spark": asdict(_spark(used, results)),
    }
    pictures = {
        entry.name: album.picture(entry, plan.paths.plots / entry.tail, _told(entry, results, said))
        for entry in plotting.figures_of(plan)
    }
    extra = {
        entry.name: album.picture(entry, plan.paths.plots / entry.tail, "")
        for entry in OPTIONAL
        if (plan.paths.plots / entry.tail).is_file()
    }
    shown = {"light_curve", "comparison_stars", "field", "field_zoom"}
    stars = dump.read(plan.paths.comparison, COMPARISON).rows
    content: Content = {
        "filter": name,
        "verdicts": said,
        "flags": results["flags"],
        "light_curve": pictures["light_curve"],
        "pointed": _pointed(used),
        "field": [pictures[name] for name in ("field", "field_zoom") if name in pictures],
        "neighbours": None if neighbours is None else [_neighbour_row(row) for row in neighbours],
        "neighbour_columns": _columns(*(title for _, title in _NEIGHBOUR_COLUMNS)),
        "neighbour_figures": [extra[name] for name in ("neighbour_scatter",) if name in extra],
        "comparison": pictures["comparison_stars"],
        "stars": [_star_row(row) for row in stars if row["is_comparison"]],
        "star_columns": _columns("star", "label", "x*", "y*", "flux (e)*", "weight*", "scatter (ppt)*", "χ*"),
        "other_stars": [
            [row["star"], _number(row["flux"], 0), _number(row["scatter"], 2), row["reason"]]
            for row in stars
            if not row["is_comparison"]
        ],
        "other_columns": _columns("star", "flux (e)*", "scatter (ppt)*", "why+"),
        "systematics": [
            *(picture for key, picture in pictures.items() if key not in shown),
            *(extra[name] for name in ("zero_points", "limits", "posterior") if name in extra),
        ],
        "sampled": _sampled(results),
        "sampled_columns": _columns(
            "parameter", "median*", "68 % from*", "to*", "by generalised least squares*", "its error*"
        ),
        "n_frame": len(rows),
        "n_used": len(used),
        "left_out": [
            [row["image_name"], _number(row["bjd_tdb"], 5), row["reason"] or "no reason given"]
            for row in rows
            if not row["is_used"]
        ],
        "left_out_columns": _columns("frame+", "BJD_TDB*", "why+"),
        "changes": record.changes(kept),
        "numbers": _link(plan.paths.results.read_bytes(), "application/json"),
    }
    return content, kept


def _spark(used: Sequence[Row], results: Row) -> curve.Spark:
    window = None
    if results["ingress_bjd_tdb"] is not None:
        window = (results["ingress_bjd_tdb"], results["egress_bjd_tdb"])
    columns = [dump.column(used, name) for name in ("bjd_tdb", "detrended_flux", "model")]
    return curve.spark(*columns, window=window)


def _pointed(used: Sequence[Row]) -> curve.Pointed | None:
    names = ("image_name", "bjd_tdb", "detrended_flux", "relative_flux_error", "model")
    return curve.pointed(*(dump.column(used, name) for name in names))


def _told(entry: FigureEntry, results: Row, said: Sequence[verdicts.Verdict]) -> str:
    """Return what a picture shows, for those who cannot see it."""
    if entry.name == "light_curve":
        return ". ".join(f"{one.name}: {one.value}" for one in said[:4])
    if entry.name == "seeing_profile":
        scale = results["pixel_scale_arcsec"]
        arcsec = f" or {results['fwhm_px'] * scale:.1f} arcsec" if scale else ""
        return f"Median FWHM of the night {results['fwhm_px']:.2f} pixel{arcsec}"
    if entry.name == "aperture_curve":
        return f"Radius chosen: {results['aperture_radius_px']:.2f} pixel"
    if entry.name == "comparison_stars":
        return f"{results['n_comparison']} stars are in the ensemble"
    return ""


class _Album:
    """The pictures of a page, as long as there is room for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._room = _PICTURES

    def picture(self, entry: FigureEntry, path: Path, told: str) -> Content:
        """Return a picture for the page, or only its name where the page has no room left."""
        from accretor.plots import picture

        small = picture.reduced(path.read_bytes())
        link = _link(small.data, "image/png")
        found: Content = {
            "link": "",
            "file": _relative(path, self._folder),
            "name": entry.tail,
            "width": small.width // 2,
            "height": small.height // 2,
            "caption": f"{entry.description[0].upper()}{entry.description[1:]}",
            "alt": f"Figure: {entry.description}" + (f". {told}" if told else ""),
        }
        if len(link) <= self._room:
            self._room -= len(link)
            found["link"] = link
        return found


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


def _neighbours(plan: ObservationPlan) -> list[Row] | None:
    """Return the rows of the check for nearby eclipsing binaries; None where there was none."""
    path = _neighbour_table(plan)
    if not path.is_file():
        return None
    from astropy.table import Table

    table = Table.read(path, format="ascii.ecsv")
    # No star, and a remark why: nothing was checked, which is not "none".
    if len(table) == 0 and dump.read_meta(path).get("remarks"):
        return None
    return [{name: row[name] for name in table.colnames} for row in table]


def _neighbour_row(row: Row) -> list[str]:
    cells = []
    for name, _ in _NEIGHBOUR_COLUMNS:
        value = row.get(name, "")
        cells.append(
            str(value) if name in ("neighbour", "identifier", "disposition", "reason") else _number(value, 2)
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
            *(_number(value, digits) for value in (middle, middle - minus, middle + plus)),
            _number(results[value], digits),
            _number(results[error], digits),
        ]
        for (name, (value, error, digits)), (middle, minus, plus) in zip(names.items(), found, strict=False)
    ]


def _star_row(row: Row) -> list[Any]:
    return [
        row["star"],
        row["label"],
        *(_number(row[name], digits) for name, digits in
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
        "columns": _columns("field", "value+"),
        "filters": [
            {
                "filter": series.filter,
                "fields": [[key, value or "(blank)"] for key, value in series.fields.items()],
            }
            for series in plan.filters
        ],
    }


def _files(paths: VisitPaths, manifest: Row) -> list[Content]:
    from accretor.exofop.ledger import Ledger

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


def _provenance(plans: Sequence[ObservationPlan]) -> Content:
    rows: list[list[str]] = [["program", f"accretor {__version__}, science version {versions.SCIENCE}"]]
    masters: list[list[Any]] = []
    settings: dict[str, str] = {}
    for plan in plans:
        name, results = plan.observation.filter, results_of.read(plan.paths.results)
        detector = plan.detector
        latitude, longitude, height = plan.site
        rows += [
            [f"template ({name})", f"{results['template']}, plate solution: {results['plate_solution']}"],
            [
                f"detector ({name})",
                f"gain {detector.gain:g} e/ADU, read noise {detector.read_noise:g} e, "
                f"saturation {detector.saturation:g} ADU",
            ],
            [f"site ({name})", f"latitude {latitude:.5f}°, longitude {longitude:.5f}° east, {height:.0f} m"],
        ]
        masters += [
            [name, *master(row), _number(row["exposure"], 2), row["frames"]]
            for row in dump.read(plan.paths.masters, MASTERS).rows
        ]
        settings.update(_set(plan))
    ephemeris = plans[0].target.ephemeris
    if ephemeris is not None:
        rows.append(
            [
                "ephemeris",
                f"T0 {ephemeris.t0} ± {ephemeris.t0_error:g}, "
                f"P {ephemeris.period} ± {ephemeris.period_error:g} d, "
                f"{ephemeris.duration:g} h, {ephemeris.depth:g} ppt"
                + (f"; {ephemeris.source}" if ephemeris.source else ""),
            ]
        )
    return {
        "columns": _columns("what", "value+"),
        "rows": rows,
        "masters": masters,
        "master_columns": _columns("filter", "kind", "frames*", "exposure (s)*", "names+"),
        "settings": [[key, value] for key, value in settings.items()],
    }


def master(row: Row) -> list[Any]:
    """Return kind and number of frames of a master; of the map of bad pixels its number of pixels."""
    if row["kind"] == "bad":
        n = row["n_frame"]
        return [f"{n} bad pixel{'' if n == 1 else 's'}", ""]
    return [row["kind"], row["n_frame"]]


def _set(plan: ObservationPlan) -> dict[str, str]:
    """Return the settings of an observation that are not the defaults, as ``section.key``."""
    sections: list[tuple[str, Settings]] = [("target", plan.target), ("instrument", plan.instrument)]
    for name in plan.settings.__struct_fields__:
        value = getattr(plan.settings, name)
        if isinstance(value, Settings) and name not in _UNSEEN:
            sections.append((name, value))
    found = {"observer": plan.settings.observer}
    for name, section in sections:
        found.update(differing(name, section))
    return found


def differing(name: str, section: Settings) -> dict[str, str]:
    """Return the settings of a section that are not the defaults, as ``section.key``."""
    fields, defaults = section.__struct_fields__, section.__struct_defaults__
    by_name = dict(zip(fields[len(fields) - len(defaults) :], defaults, strict=True))
    found = {}
    for key in fields:
        value = getattr(section, key)
        if isinstance(value, Settings):
            found.update(differing(f"{name}.{key}", value))
        elif value not in ({}, ()) and (key not in by_name or value != by_name[key]):
            found[f"{name}.{key}"] = _written(value)
    return found


def _written(value: Any) -> str:
    """Return the value of a setting as ``workspace.toml`` has it, for people."""
    if isinstance(value, tuple | list):
        return ", ".join(_written(item) for item in value)
    if isinstance(value, Settings):
        parts = ((key, getattr(value, key)) for key in value.__struct_fields__)
        return " ".join(f"{key} = {_written(part)}" for key, part in parts if part is not None)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_written(part)}" for key, part in value.items())
    return str(value)


def _index_row(plan: ObservationPlan, kept: Mapping[str, Any], layout: Layout) -> Content:
    now, observation = kept["now"], plan.observation
    ratio, error = now["rp_rs"], now["rp_rs_error"]
    scatter = now["rms_per_point_ppt"]
    said = f"{observation.slug}: " + ", ".join(
        f"{one['name']}: {one['value']}" for one in kept["verdicts"][:2]
    )
    return {
        "report": _relative(layout.visit(observation.visit).report, layout.products),
        "night": observation.night,
        "telescope": observation.telescope,
        "filter": observation.filter,
        "spark": {**kept["spark"], "alt": f"Light curve of {said}"},
        "frames": f"{now['n_frame_good']} of {now['n_frame_good'] + now['n_frame_poor']}",
        "scatter": _number(scatter, 2),
        "ratio": f"{ratio:.4f} ± {error:.4f}" if ratio is not None and error is not None else "no fit",
        "verdicts": kept["verdicts"],
    }


def _columns(*names: str) -> list[Content]:
    """Return columns of a table: ``*`` after a name is a number, ``+`` long text."""
    return [
        {"name": name.rstrip("*+"), "is_number": name.endswith("*"), "is_long": name.endswith("+")}
        for name in names
    ]


def _number(value: Any, digits: int) -> str:
    number = float(value) if value is not None and value != "" else math.nan
    return f"{number:.{digits}f}".replace("-", "−") if math.isfinite(number) else "–"


def _counted(kept: Iterable[Mapping[str, Any]]) -> str:
    states = [one["state"] for band in kept for one in band["verdicts"]]
    words = {"yes": "yes", "part": "in part", "no": "no", "unknown": "not known"}
    return ", ".join(f"{states.count(state)} {word}" for state, word in words.items() if states.count(state))


def _link(data: bytes, kind: str) -> str:
    from accretor.report import page

    return page.data_link(data, kind)


def _relative(path: Path, folder: Path) -> str:
    """Return *path* as a link from a page in *folder*."""
    up = 0
    while not path.is_relative_to(folder):
        folder, up = folder.parent, up + 1
    return quote("/".join([*([".."] * up), *path.relative_to(folder).parts]))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""
