"""What each figure is drawn from: the dumps of an observation made into the arguments of its function.

In a notebook, on an opened workspace::

    from accretor.stages import figures
    from accretor.stages.workspace import open_workspace

    workspace = open_workspace(Path("my-workspace"), is_recorded=False)
    figures.draw(workspace.observations[0], "light_curve")
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from accretor.core.dumps import (
    APERTURES,
    COMPARISON,
    FRAMES,
    LIGHT_CURVE,
    PHOTOMETRY,
    STARS,
    TEMPLATE,
    TEMPLATE_STARS,
)
from accretor.core.errors import Unusable
from accretor.io import dump
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.plots.registry import DIAGNOSTICS, FIGURES, FigureEntry
from accretor.stages import photometry as photometry_stage
from accretor.stages import results as results_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from accretor.core.arrays import Booleans, Columns, Floats
    from accretor.core.settings import WorkspaceSettings
    from accretor.io.layout import ObservationPaths
    from accretor.stages.workspace import ObservationPlan

ZOOM_ARCMIN: Final = 3.0
"""Half the width of the zoomed field (TFOP SG1: about 6 by 6 arcmin)."""

N_LINE: Final = 600
"""Moments at which the line of the model is computed."""

SECONDS: Final = 86400.0

Keywords = dict[str, Any]


class Night:
    """One observation with its dumps, each read when a figure first needs it."""

    def __init__(self, plan: ObservationPlan) -> None:
        self.plan = plan
        self.paths: ObservationPaths = plan.paths
        self.settings: WorkspaceSettings = plan.settings

    @cached_property
    def results(self) -> Row:
        """The numbers."""
        return results_of.read(self.paths.results)

    @cached_property
    def curve(self) -> list[Row]:
        """Rows of the light curve."""
        return dump.read(self.paths.light_curve, LIGHT_CURVE).rows

    @cached_property
    def comparison(self) -> list[Row]:
        """Every star and its part in the ensemble."""
        return dump.read(self.paths.comparison, COMPARISON).rows

    @cached_property
    def chosen(self) -> dump.Dump:
        """The template's star list."""
        return dump.read(self.paths.template_stars, TEMPLATE_STARS)

    @cached_property
    def image(self) -> Any:
        """The template's pixels."""
        return io_fits.read_image(self.paths.template_image)

    @cached_property
    def table(self) -> Columns:
        """Columns of the light curve."""
        return columns(self.curve)

    @cached_property
    def counted(self) -> Booleans:
        """Frames of the light curve whose scatter counts: those used, in the user's intervals."""
        from accretor.science import statistics

        used = np.asarray(self.table["is_used"], dtype=bool)
        within = used & statistics.inside(self.table["bjd_tdb"], self.settings.calibration.rms_intervals)
        return within if within.any() else used

    @property
    def line(self) -> Columns | None:
        """The transit of the fit along a fine line of time; None without a fit."""
        from accretor.science import ephemeris, limbdarkening, transit

        results = self.results
        if not results["has_fit"] or (orbit := self.plan.target.ephemeris) is None:
            return None
        time = self.table["bjd_tdb"][np.asarray(self.table["is_used"], dtype=bool)]
        moment = np.linspace(time[0], time[-1], N_LINE)
        law, g, h = (results[name] for name in ("limb_law", "limb_g", "limb_h"))
        model = transit.light_curve(
            moment - results["tc_bjd_tdb"],
            np.full(N_LINE, results["exposure_s"]),
            tc=0.0,
            period=ephemeris.orbital_period(orbit),
            k=results["rp_rs"],
            a_rs=results["a_rs"],
            impact=results["impact"],
            law=lambda mu: limbdarkening.profile(law, g, h, mu),
        )
        return {"bjd_tdb": moment, "model": model}

    @property
    def bin_minutes(self) -> float:
        """Length of the bins, minute: that of the settings, or as many times it as two frames need.

        Bins of one frame and of two in turn would scatter unlike either.
        """
        time = self.table["bjd_tdb"][np.asarray(self.table["is_used"], dtype=bool)]
        wanted = self.settings.plotting.bin_minutes
        cadence = 1440 * float(np.median(np.diff(time))) if len(time) > 1 else 0.0
        return wanted * max(1, math.ceil(2 * cadence / wanted - 0.1))

    @property
    def title(self) -> str:
        """First line of every figure."""
        return title(self.plan, self.results)

    @property
    def heading(self) -> Keywords:
        """Both lines of every figure."""
        return {"title": self.title, "subtitle": subtitle(self.results, self.results["n_frame_good"])}


def draw(plan: ObservationPlan, name: str) -> Figure:
    """Return the figure *name* of an observation.

    Raises
    ------
    KeyError
        If there is no such figure.
    """
    entry = next((entry for entry in (*FIGURES, *DIAGNOSTICS) if entry.name == name), None)
    if entry is None:
        raise KeyError(name)
    return drawn(entry, prepare(entry, Night(plan)))


def drawn(entry: FigureEntry, keywords: Keywords) -> Figure:
    """Return the figure of *entry* from what `prepare` gave."""
    if reason := keywords.get("nothing"):
        from accretor.plots import style

        return style.nothing(keywords["title"], reason)
    return entry.load()(**keywords)


def prepare(entry: FigureEntry, night: Night) -> Keywords:
    """Return the arguments of the figure of *entry*; ``nothing`` is why there is nothing to draw."""
    try:
        return _PREPARE[entry.name](night)
    except Unusable as error:
        return {"title": night.title, "nothing": error.reason}


def fingerprint(value: Any) -> str:
    """Return a digest of what a figure is drawn from: arrays, numbers, text, and mappings of them."""
    digest = hashlib.sha256()
    _feed(digest.update, value)
    return digest.hexdigest()


def _feed(update: Callable[[bytes], None], value: Any) -> None:
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        update(f"{value.dtype.str}{value.shape}".encode())
        update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        for key in value:
            update(f"{key}:".encode())
            _feed(update, value[key])
    elif isinstance(value, (list, tuple)):
        update(f"[{len(value)}]".encode())
        for item in value:
            _feed(update, item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _feed(update, {field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    else:
        shown = value.tolist() if isinstance(value, np.ndarray) else value
        update(f"{type(value).__name__}{shown!r};".encode())


def utc_date(results: Row) -> str:
    """Return the UT date of the start of the first exposure, YYYYMMDD."""
    from astropy.time import Time

    start = Time(results["start_jd_utc"], format="jd", scale="utc")
    return str(start.strftime("%Y%m%d"))


def title(plan: ObservationPlan, results: Row) -> str:
    """Return the first line of the figures of an observation."""
    if plan.settings.plotting.title:
        return plan.settings.plotting.title
    date = utc_date(results)
    target = plan.target
    return f"{target.designation}   UT{date[:4]}.{date[4:6]}.{date[6:]}"


def title_before_results(plan: ObservationPlan) -> str:
    """Return the first line of figures that are drawn before there is a light curve."""
    rows = dump.read(plan.paths.frames, FRAMES).rows
    start = min(row["jd_utc"] - row["exptime"] / 172800 for row in rows)
    return title(plan, {"start_jd_utc": start})


def subtitle(results: Row, n_frame: int) -> str:
    """Return the second line of the SG1 layout: telescope, filter, exposures, aperture and annulus."""
    radii = "-".join(
        f"{results[name]:.3g}" for name in ("aperture_radius_px", "annulus_inner_px", "annulus_outer_px")
    )
    exposures = f"{n_frame} x {results['exposure_s']:g} s"
    return f"{results['telescope']} ({results['filter']} filter, {exposures}, fap {radii})"


def columns(rows: Sequence[Row]) -> Columns:
    """Return *rows* as columns."""
    return {name: np.array(dump.column(rows, name)) for name in rows[0]} if rows else {}


def _light_curve(night: Night) -> Keywords:
    return {
        "table": night.table,
        "results": night.results,
        "bin_minutes": night.bin_minutes,
        "counted": night.counted,
        "line": night.line,
        **night.heading,
    }


def _comparison(night: Night) -> Keywords:
    from accretor.science import statistics

    stars = listed(night.comparison)
    if not stars:
        raise Unusable("no comparison star is measured in every frame")
    used = np.asarray(night.table["is_used"], dtype=bool)
    flux, names, scatter = leave_one_out(night, stars)
    if night.settings.calibration.rms_intervals:
        scatter = [1000 * statistics.scatter(flux[night.counted, star]) for star in range(len(stars))]
    return {
        "bjd_tdb": night.table["bjd_tdb"][used],
        "flux": flux[used],
        "names": names,
        "rms_ppt": scatter,
        "is_used": np.ones(int(used.sum()), dtype=bool),
        "ingress": night.results["ingress_bjd_tdb"],
        "egress": night.results["egress_bjd_tdb"],
        "bin_minutes": night.bin_minutes,
        **night.heading,
    }


def listed(comparison: Sequence[Row]) -> list[Row]:
    """Return the comparison stars of the measurement table, of all stars, in its order."""
    stars = [row for row in comparison if row["label"].startswith("C")]
    return sorted(stars, key=lambda row: int(row["label"][1:]))


def leave_one_out(night: Night, stars: list[Row]) -> tuple[Floats, list[str], list[float]]:
    """Return the relative flux of each star of the table against the others, for each row of the light curve.

    Returns
    -------
    flux : (n_frame, n_star)
        NaN where a frame was not measured.
    names : list of str
    scatter : list of float, ppt
    """
    from accretor.science import ensemble

    measured, meta = photometry_stage.columns(night.paths, "image_name", "flux")
    radius = int(np.argmin(np.abs(np.array(meta["radii"]) - night.results["aperture_radius_px"])))
    index = [row["star"] for row in stars]
    relative = ensemble.relative_flux(measured["flux"][:, index, radius], np.ones(len(index)))
    relative /= np.nanmedian(relative, axis=0)
    place = {name: i for i, name in enumerate(measured["image_name"])}
    full = np.full((len(night.curve), len(index)), np.nan)
    for i, row in enumerate(night.curve):
        if row["image_name"] in place:
            full[i] = relative[place[row["image_name"]]]
    return full, [row["label"] for row in stars], [row["scatter"] for row in stars]


def _field(night: Night, zoom: float | None) -> Keywords:
    labels = {row["star"]: row["label"] for row in night.comparison}
    rows = [row for row in night.chosen.rows if labels[row["star"]]]
    stars = {
        "x": np.array(dump.column(rows, "x")),
        "y": np.array(dump.column(rows, "y")),
        "label": np.array([labels[row["star"]] for row in rows]),
        "role": np.array(["target" if labels[row["star"]][0] == "T" else "comparison" for row in rows]),
    }
    return {
        "image": night.image,
        "stars": stars,
        "radius_px": night.results["aperture_radius_px"],
        "cd": _cd_matrix(night.chosen.meta["wcs"]),
        "pixel_scale": night.results["pixel_scale_arcsec"],
        "zoom": zoom,
        **night.heading,
    }


def _cd_matrix(cards: Row) -> Any:
    """Return the 2x2 matrix of a plate solution, degree per pixel; None without one."""
    if not cards:
        return None
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    return np.asarray(WCS(Header(cards)).celestial.pixel_scale_matrix)


def _seeing(night: Night) -> Keywords:
    target = night.chosen.rows[0]
    return {
        "image": night.image,
        "x": target["x"],
        "y": target["y"],
        "radius": night.results["aperture_radius_px"],
        "sky_inner": night.results["annulus_inner_px"],
        "sky_outer": night.results["annulus_outer_px"],
        "fwhm_px": night.chosen.meta["fwhm"],
        "pixel_scale": night.results["pixel_scale_arcsec"] or math.nan,
        "title": night.title,
        "centre": (target["x"] + 1, target["y"] + 1),
    }


def _frame_strip(night: Night) -> Keywords:
    info = {row["image_name"]: row for row in dump.read(night.paths.image_info, STARS).rows}
    aligned = {row["image_name"]: row for row in dump.read(night.paths.photometry_info, PHOTOMETRY).rows}
    names = [row["image_name"] for row in night.curve]

    def of(rows: Mapping[str, Row], name: str, default: Sequence[float] | None = None) -> Floats:
        return np.array([
            rows[key][name] if key in rows else (math.nan if default is None else default[i])
            for i, key in enumerate(names)
        ], dtype=np.float64)  # fmt: skip

    table = {
        "bjd_tdb": night.table["bjd_tdb"],
        "is_used": night.table["is_used"],
        "reason": night.table["reason"],
        "fwhm": of(info, "fwhm"),
        "sky": of(info, "bkg"),
        "zero_point": night.table["zero_point"],
        "shift_x": of(aligned, "shift_x"),
        "shift_y": of(aligned, "shift_y"),
        "elongation": of(info, "elongation"),
    }
    return {"table": table, **night.heading}


def _drift(night: Night) -> Keywords:
    used = np.asarray(night.table["is_used"], dtype=bool)
    if not np.isfinite(night.table["x"][used]).any():
        raise Unusable("the target was measured in no frame that is used")
    return {
        **{name: night.table[name] for name in ("bjd_tdb", "x", "y", "is_used")},
        "pixel_scale": night.results["pixel_scale_arcsec"],
        "flip": night.results["flip_bjd_tdb"],
        **night.heading,
    }


def _sky_track(night: Night) -> Keywords:
    from accretor.science import times
    from accretor.stages import preprocess

    used = {row["image_name"]: row["is_used"] for row in night.curve}
    rows = [row for row in dump.read(night.paths.frames, FRAMES).rows if row["obstime"]]
    if not rows:
        raise Unusable("no frame has a time")
    mid = [row["obstime"] for row in rows]
    direction, site = times.Direction(*preprocess.direction(night.plan.target)), times.Site(*night.plan.site)
    if not all(math.isfinite(value) for value in night.plan.site[:2]):
        raise Unusable("the site of the telescope is not known")
    altitude, azimuth = times.horizontal(mid, direction, site)
    days = np.array([times.julian_date(text) for text in mid])
    return {
        "hours": 24 * ((days[:, 0] - days[0, 0]) + days[:, 1]),
        "altitude": altitude,
        "azimuth": azimuth,
        "airmass": np.array(dump.column(rows, "airmass")),
        "is_used": np.array([used.get(row["image_name"], False) for row in rows]),
        **night.heading,
    }


def _time_averaging(night: Night) -> Keywords:
    counted = night.counted
    if counted.sum() < 2:
        raise Unusable(f"{int(counted.sum())} frames are used, 2 needed")
    table, results = night.table, night.results
    model = np.where(np.isfinite(table["model"]), table["model"], 1.0)
    name = "model removed" if results["has_fit"] else "trend removed"
    raw = table["relative_flux"] / model
    marks = {}
    if results["has_fit"] and results["duration_hour"]:
        ingress = _ingress_minutes(results)
        marks = {"ingress": ingress} if math.isfinite(ingress) else {}
    return {
        "bjd_tdb": table["bjd_tdb"][counted],
        "residuals": {
            name: table["residual"][counted],
            "undetrended": (raw / np.nanmedian(raw[counted]) - 1)[counted],
        },
        "marks": marks,
        **night.heading,
    }


def _ingress_minutes(results: Row) -> float:
    """Return the time from first to second contact, minute; NaN where the planet never is wholly inside."""
    k, b, duration = (float(results[name]) for name in ("rp_rs", "impact", "duration_hour"))
    if (1 - k) ** 2 <= b**2:
        return math.nan
    inner, outer = math.sqrt((1 - k) ** 2 - b**2), math.sqrt((1 + k) ** 2 - b**2)
    return 30 * duration * (1 - inner / outer)


def _rms_magnitude(night: Night) -> Keywords:
    from accretor.science import annulus, noise

    rows, results = night.comparison, night.results
    flux = np.array(dump.column(rows, "flux"), dtype=np.float64)
    scatter = _scatter_of_all(night)
    good = (flux > 0) & np.isfinite(scatter) & (scatter > 0)
    if not good.any():
        raise Unusable("no star has a scatter")
    used = np.asarray(night.table["is_used"], dtype=bool)
    detector, diameter = night.plan.detector, night.plan.instrument.telescope_diameter
    area = math.pi * results["aperture_radius_px"] ** 2
    sky_area = math.pi * (results["annulus_outer_px"] ** 2 - results["annulus_inner_px"] ** 2)
    twinkle = 0.0
    if diameter is not None:
        twinkle = float(np.median(noise.scintillation(
            night.table["airmass"][used], night.table["exptime"][used], diameter=diameter,
            height=night.plan.site[2], coefficient=night.settings.calibration.scintillation,
        )))  # fmt: skip
    budget = noise.budget(
        np.geomspace(flux[good].min() / 2, flux[good].max() * 2, 80),
        area=area,
        sky_variance=_sky_variance(night, detector.read_noise),
        sky_area=sky_area,
        scintillation_error=twinkle,
        level_variance=annulus.SKY_VARIANCE[night.settings.photometry.sky],
    )
    return {
        "flux": flux,
        "scatter_ppt": scatter,
        "role": [_role(row) for row in rows],
        "exposure": results["exposure_s"],
        "budget": budget,
        "target_ppt": results["rms_per_point_ppt"],
        **night.heading,
    }


def _scatter_of_all(night: Night) -> Floats:
    """Return the scatter of every star (ppt): that of the ensemble's choice, or in the user's intervals."""
    from accretor.science import ensemble, statistics

    rows = night.comparison
    if not night.settings.calibration.rms_intervals:
        return np.array(dump.column(rows, "scatter"), dtype=np.float64)
    measured, meta = photometry_stage.columns(night.paths, "image_name", "flux")
    radius = int(np.argmin(np.abs(np.array(meta["radii"]) - night.results["aperture_radius_px"])))
    weight = np.array([float(row["is_comparison"]) for row in rows])
    counted = {row["image_name"] for row, is_in in zip(night.curve, night.counted, strict=True) if is_in}
    flux = measured["flux"][[name in counted for name in measured["image_name"]], :, radius]
    # A star of the ensemble that one frame lacks must not take that frame from all others.
    weight[~np.isfinite(flux).all(axis=0)] = 0.0
    if (weight > 0).sum() < 2:
        raise Unusable("fewer than two comparison stars are measured in every frame of the intervals")
    known = np.isfinite(flux).any(axis=0)
    found = np.full(len(rows), math.nan)
    relative = ensemble.relative_flux(flux[:, known], weight[known])
    found[known] = [1000 * statistics.scatter(curve / np.nanmedian(curve)) for curve in relative.T]
    return found


def _sky_variance(night: Night, read_noise: float) -> float:
    """Return the variance of a pixel of sky, electron^2: as measured, since without a bias its level lies."""
    measured, _ = photometry_stage.columns(night.paths, "sky_noise")
    found = measured["sky_noise"][np.isfinite(measured["sky_noise"])]
    return float(np.median(found)) ** 2 if found.size else read_noise**2


def _role(row: Row) -> str:
    if row["star"] == 0:
        return "target"
    if row["is_comparison"]:
        return "comparison"
    return "saturated" if str(row["reason"]).startswith("saturated") else "other"


def _aperture_curve(night: Night) -> Keywords:
    rows = dump.read(night.paths.apertures, APERTURES).rows
    scatter = np.array(dump.column(rows, "scatter"), dtype=np.float64)
    if not np.isfinite(scatter).any():
        raise Unusable("no aperture has a scatter")
    return {
        "radius": np.array(dump.column(rows, "radius"), dtype=np.float64),
        "scatter_ppt": scatter,
        "chosen": night.results["aperture_radius_px"],
        "fwhm": night.results["fwhm_px"],
        "pixel_scale": night.results["pixel_scale_arcsec"],
        **night.heading,
    }


def _template_score(night: Night) -> Keywords:
    found = dump.read(night.paths.template, TEMPLATE)
    times = {row["image_name"]: row["bjd_tdb"] for row in dump.read(night.paths.frames, FRAMES).rows}
    names = dump.column(found.rows, "image_name")
    place = {name: i for i, name in enumerate(names)}
    return {
        "bjd_tdb": np.array([times.get(name, math.nan) for name in names], dtype=np.float64),
        "score": np.array(dump.column(found.rows, "score"), dtype=np.float64),
        "reason": dump.column(found.rows, "reason"),
        "chosen": place.get(found.meta.get("template", "")),
        "best": place.get(found.meta.get("best", "")),
        **night.heading,
    }


_PREPARE: dict[str, Callable[[Night], Keywords]] = {
    "light_curve": _light_curve,
    "comparison_stars": _comparison,
    "field": lambda night: _field(night, None),
    "field_zoom": lambda night: _field(night, ZOOM_ARCMIN),
    "seeing_profile": _seeing,
    "frame_strip": _frame_strip,
    "centroid_drift": _drift,
    "sky_track": _sky_track,
    "time_averaging": _time_averaging,
    "rms_magnitude": _rms_magnitude,
    "aperture_curve": _aperture_curve,
    "template_score": _template_score,
}
"""By the name of the figure."""
