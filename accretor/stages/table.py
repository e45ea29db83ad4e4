"""The AstroImageJ files of one filter of a package, from the dumps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.aij import plotcfg, radec
from accretor.aij import table as aij_table
from accretor.aij.columns import (
    MeasurementInput,
    TransitColumns,
    differential,
    measurement_columns,
    source_error,
)
from accretor.core.dumps import COMPARISON, FRAMES, LIGHT_CURVE, TEMPLATE_STARS
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science.ephemeris import orbital_period
from accretor.stages import photometry as photometry_stage
from accretor.stages import plotting, preprocess
from accretor.stages import results as results_of

if TYPE_CHECKING:
    from accretor.core.arrays import Floats
    from accretor.stages.workspace import ObservationPlan

SECONDS = 86400.0
_MEASURES = (
    *("flux", "sky", "n_sky", "peak", "x", "y"),
    *("star_fwhm", "x_width", "y_width", "angle", "roundness"),
)
"""Columns of the photometry that are in the package."""
_DETREND_COLUMNS = {
    "airmass": "AIRMASS",
    "time": "BJD_TDB",
    "x": "X(FITS)_T1",
    "y": "Y(FITS)_T1",
    "fwhm": "FWHM_T1",
    "sky": "Sky/Pixel_T1",
}


@dataclass(frozen=True)
class Measured:
    """What the dumps of one observation say, for the frames that are used."""

    plan: ObservationPlan
    results: Row
    curve: list[Row]
    """All rows of the light curve."""
    used: list[Row]
    """Those that are used."""
    frames: list[Row]
    """Rows of frames.ecsv of the frames used."""
    stars: list[Row]
    """Rows of the star list of the stars of the table: T1, C2 ..."""
    names: tuple[str, ...]
    columns: dict[str, Any]
    """Columns of the photometry, (n_used, n_table_star)."""


def collect(plan: ObservationPlan) -> Measured:
    """Read what the package of an observation is made from."""
    paths = plan.paths
    results = results_of.read(paths.results)
    curve = dump.read(paths.light_curve, LIGHT_CURVE).rows
    labelled = [row for row in dump.read(paths.comparison, COMPARISON).rows if row["label"]]
    labelled.sort(key=lambda row: int(row["label"][1:]))
    listed = {row["star"]: row for row in dump.read(paths.template_stars, TEMPLATE_STARS).rows}
    frames = {row["image_name"]: row for row in dump.read(paths.frames, FRAMES).rows}
    measured, meta = photometry_stage.columns(paths, "image_name", *_MEASURES)
    used = [row for row in curve if row["is_used"]]
    place = {name: i for i, name in enumerate(measured["image_name"])}
    which = [place[row["image_name"]] for row in used]
    star = [row["star"] for row in labelled]
    radius = int(np.argmin(np.abs(np.array(meta["radii"]) - results["aperture_radius_px"])))
    columns = {
        name: (measured[name][:, :, radius] if name == "flux" else measured[name])[np.ix_(which, star)]
        for name in _MEASURES
    }
    return Measured(
        plan=plan,
        results=results,
        curve=curve,
        used=used,
        frames=[frames[row["image_name"]] for row in used],
        stars=[listed[number] for number in star],
        names=tuple(row["label"] for row in labelled),
        columns=columns,
    )


def measurements(found: Measured) -> bytes:
    """Return the measurement table."""
    return aij_table.write(measurement_columns(_input(found)))


def apertures(found: Measured) -> bytes:
    """Return the ``.radec`` file; needs a plate solution."""
    return radec.write(
        [
            radec.Aperture(star["ra"], star["dec"], is_comparison=name.startswith("C"))
            for star, name in zip(found.stars, found.names, strict=True)
        ]
    )


def plot_configuration(found: Measured) -> bytes:
    """Return the ``.plotcfg`` file."""
    results, target = found.results, found.plan.target
    date = plotting.utc_date(results)
    cadence = (
        np.median(np.diff([row["bjd_tdb"] for row in found.used])) * 1440 if len(found.used) > 1 else 1.0
    )
    return plotcfg.write(
        plotcfg.PlotConfig(
            title=found.plan.settings.plotting.title
            or f"TIC {target.tic}.{target.planet}     UT{date[:4]}.{date[4:6]}.{date[6:]}",
            subtitle=plotting.subtitle(results, len(found.used)),
            first_time=found.used[0]["bjd_tdb"],
            last_time=found.used[-1]["bjd_tdb"],
            ingress=_number(results["ingress_bjd_tdb"]),
            egress=_number(results["egress_bjd_tdb"]),
            flip=_number(results["flip_bjd_tdb"]),
            transit=_transit_start(found),
            detrend=tuple(_DETREND_COLUMNS[name] for name in results["detrend"] if name in _DETREND_COLUMNS)[
                :3
            ],
            bin_size=max(1, round(found.plan.settings.plotting.bin_minutes / max(float(cadence), 1e-6))),
            depth=_depth(found),
            scatter=results["rms_per_point_ppt"],
            comparison=found.names[1:4],
        )
    )


def _depth(found: Measured) -> float:
    if found.results["depth_ppt"]:
        return float(found.results["depth_ppt"])
    ephemeris = found.plan.target.ephemeris
    return ephemeris.depth if ephemeris else 10.0


def _transit_start(found: Measured) -> plotcfg.TransitStart | None:
    results, ephemeris = found.results, found.plan.target.ephemeris
    if not results["has_fit"] or ephemeris is None:
        return None
    return plotcfg.TransitStart(
        period=orbital_period(ephemeris),
        tc=results["tc_bjd_tdb"],
        depth=results["rp_rs"] ** 2,
        a_rs=results["a_rs"],
        inclination=math.degrees(math.acos(min(1.0, results["impact"] / results["a_rs"]))),
        u1=results["u1"],
        u2=results["u2"],
        **({"teff": found.plan.target.teff} if found.plan.target.teff else {}),
    )


def _input(found: Measured) -> MeasurementInput:
    plan, results, columns = found.plan, found.results, found.columns
    detector = plan.detector
    ra, dec, _, _ = preprocess.direction(plan.target)
    n = len(found.used)
    flux, sky = columns["flux"] / detector.gain, columns["sky"] / detector.gain
    radius = np.full(n, results["aperture_radius_px"])
    frame = {
        name: _of(found.frames, name)
        for name in ("jd_utc", "hjd_utc", "bjd_tdb", "airmass", "altitude", "exptime", "ccd_temperature")
    }
    error = source_error(
        flux,
        sky=sky,
        n_source=np.pi * radius[:, np.newaxis] ** 2,
        n_sky=columns["n_sky"],
        dark=plan.instrument.dark_current * frame["exptime"][:, np.newaxis],
        gain=detector.gain,
        read_noise=detector.read_noise,
    )
    sums = differential(flux, error, np.array([name.startswith("C") for name in found.names]))
    level = _out_of_transit(frame["bjd_tdb"], sums.flux[:, 0], results)
    return MeasurementInput(
        label=[row["image_name"] for row in found.used],
        jd_utc=frame["jd_utc"],
        jd_start=frame["jd_utc"] - frame["exptime"] / 2 / SECONDS,
        hjd_utc=frame["hjd_utc"],
        bjd_tdb=frame["bjd_tdb"],
        airmass=frame["airmass"],
        altitude=frame["altitude"],
        exposure=frame["exptime"],
        ccd_temperature=frame["ccd_temperature"],
        ra_hour=ra / 15,
        dec_degree=dec,
        names=found.names,
        flux=flux,
        sky=sky,
        n_sky=columns["n_sky"],
        peak=columns["peak"],
        x=columns["x"],
        y=columns["y"],
        fwhm=columns["star_fwhm"],
        x_width=columns["x_width"],
        y_width=columns["y_width"],
        angle=_displayed(columns["angle"]),
        roundness=columns["roundness"],
        star_ra_hour=_of(found.stars, "ra") / 15,
        star_dec_degree=_of(found.stars, "dec"),
        radius=radius,
        sky_inner=np.full(n, results["annulus_inner_px"]),
        sky_outer=np.full(n, results["annulus_outer_px"]),
        gain=detector.gain,
        read_noise=detector.read_noise,
        dark_current=plan.instrument.dark_current,
        saturation=detector.saturation,
        image_height=dump.read_meta(plan.paths.template_stars)["shape"][0],
        normalised_flux=sums.flux[:, 0] / level,
        normalised_error=sums.flux_error[:, 0] / level,
        transit=_transit_columns(found) if results["has_fit"] else None,
        extra={
            "ensemble_flux_T1": _of(found.used, "relative_flux"),
            "ensemble_flux_err_T1": _of(found.used, "relative_flux_error"),
            "ensemble_zero_point": _of(found.used, "zero_point"),
        },
    )


def _displayed(angle: Floats) -> Floats:
    """Return an orientation as AstroImageJ tells it, whose y axis grows downwards; 0 to 360 degree."""
    acute = (angle + 90) % 180 - 90
    return np.asarray(np.where(acute > 0, 360 - acute, -acute))


def _transit_columns(found: Measured) -> TransitColumns:
    trend = _of(found.used, "trend")
    return TransitColumns(
        flux=_of(found.used, "detrended_flux"),
        flux_error=_of(found.used, "relative_flux_error") / trend,
        model=_of(found.used, "model"),
        residual=_of(found.used, "residual"),
    )


def _out_of_transit(time: Floats, flux: Floats, results: Row) -> float:
    """Return the level of *flux* outside the predicted transit, or of all of it where that is too short."""
    outside = np.ones(len(time), dtype=bool)
    if results["ingress_bjd_tdb"] is not None:
        outside = (time < results["ingress_bjd_tdb"]) | (time > results["egress_bjd_tdb"])
    least = 3
    return float(np.nanmedian(flux[outside] if outside.sum() >= least else flux))


def _of(rows: list[Row], name: str) -> Floats:
    return np.array(dump.column(rows, name), dtype=np.float64)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
