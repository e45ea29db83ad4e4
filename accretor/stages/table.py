"""The AstroImageJ files of one filter of a package, from the dumps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.aij import apertures as aij_apertures
from accretor.aij import plotcfg, radec
from accretor.aij.columns import (
    MeasurementInput,
    TransitColumns,
    differential,
    ij_x,
    ij_y,
    measurement_columns,
    source_error,
)
from accretor.core.dumps import COMPARISON, FRAMES, LIGHT_CURVE, MAGNITUDES, TEMPLATE_STARS
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science.ephemeris import orbital_period
from accretor.stages import figures, framewcs, preprocess
from accretor.stages import photometry as photometry_stage
from accretor.stages import results as results_of
from accretor.stages.rows import fingerprint

if TYPE_CHECKING:
    from accretor.aij.table import Cells
    from accretor.core.arrays import Floats
    from accretor.core.settings import PackagingSettings
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
    "flip": "Meridian_Flip",
}
_NEAR = 0.5
"""Pixel by which a radius of the grid may differ from the one that is asked for."""


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
    """Columns of the photometry, (n_used, n_table_star); the flux (n_used, n_table_star, n_radius)."""
    radii: tuple[float, ...]
    """Pixel."""
    radius: float
    """Pixel; the one of the table."""
    flip: Floats
    """(n_used,) -1 where the frame is turned against the template by more than 90 degrees, else +1."""
    context: str
    """Digest of what the photometry was made with."""
    magnitude: tuple[float, ...] = ()
    """Of the stars of the table, in the catalogue and the band that the filter is tied to; NaN where it has
    none, or one that is not to be believed; empty where there is no zero point."""
    own_radius: tuple[float, ...] = ()
    """(n_used,) pixel, of a table of AstroImageJ whose aperture followed the seeing; else empty."""
    scale: tuple[float, ...] = ()
    """(n_used,) factor on radius and annulus in each frame, where ours followed the seeing; else empty."""

    @property
    def is_primary(self) -> bool:
        """Whether this is the aperture of the light curve."""
        return bool(self.radius == self.results["aperture_radius_px"])

    @property
    def flux(self) -> Floats:
        """(n_used, n_table_star) electron, through the aperture of the table."""
        return np.asarray(self.columns["flux"][:, :, _nearest(self.radii, self.radius)])


def collect(plan: ObservationPlan) -> Measured:
    """Read what the package of an observation is made from."""
    paths = plan.paths
    results = results_of.read(paths.results)
    curve = dump.read(paths.light_curve, LIGHT_CURVE).rows
    labelled = [row for row in dump.read(paths.comparison, COMPARISON).rows if row["label"]]
    labelled.sort(key=lambda row: int(row["label"][1:]))
    listed = {row["star"]: row for row in dump.read(paths.template_stars, TEMPLATE_STARS).rows}
    frames = {row["image_name"]: row for row in dump.read(paths.frames, FRAMES).rows}
    star = [row["star"] for row in labelled]
    measured, meta = photometry_stage.columns(
        paths, "image_name", "rotation", "context", "aperture_scale", *_MEASURES, stars=star
    )
    used = [row for row in curve if row["is_used"]]
    place = {name: i for i, name in enumerate(measured["image_name"])}
    which = [place[row["image_name"]] for row in used]
    return Measured(
        plan=plan,
        results=results,
        curve=curve,
        used=used,
        frames=[frames[row["image_name"]] for row in used],
        stars=[listed[number] for number in star],
        names=tuple(row["label"] for row in labelled),
        columns={name: measured[name][which] for name in _MEASURES},
        radii=tuple(meta["radii"]),
        radius=results["aperture_radius_px"],
        flip=np.where(np.abs(measured["rotation"][which]) > 90, -1.0, 1.0),
        magnitude=_magnitudes(plan, star),
        own_radius=tuple(meta["source_radius"][i] for i in which) if "source_radius" in meta else (),
        scale=_scale(plan, measured["aperture_scale"][which]),
        context=fingerprint(sorted({str(item) for item in measured["context"][which]})),
    )


def _scale(plan: ObservationPlan, scale: Floats) -> tuple[float, ...]:
    is_variable = not plan.is_table and plan.settings.photometry.mode == "variable"
    return tuple(float(value) for value in scale) if is_variable else ()


def _magnitudes(plan: ObservationPlan, stars: list[int]) -> tuple[float, ...]:
    # A night that begins with a table has no zero point of its own.
    if not plan.frames or dump.read_meta(plan.paths.magnitudes)["reason"]:
        return ()
    known = {
        row["star"]: row["catalog_magnitude"]
        for row in dump.read(plan.paths.magnitudes, MAGNITUDES).rows
        if not row["flag"]
    }
    return tuple(float(known.get(star, math.nan)) for star in stars)


def further(found: Measured, settings: PackagingSettings) -> tuple[dict[int, Measured], list[str]]:
    """Return the tables through the further radii of the settings, by whole pixels, and what is left out.

    The SG1 upload tool takes the table of the largest radius for that of the result; so
    none is wider than the aperture of the light curve.
    """
    tables: dict[int, Measured] = {}
    left_out = []
    for wanted in settings.radii:
        radius = found.radii[_nearest(found.radii, wanted)]
        if abs(radius - wanted) > _NEAR:
            left_out.append(
                f"[packaging] radii: {wanted:g} px was not measured; the nearest is {radius:g} px"
            )
        elif radius >= found.radius:
            left_out.append(
                f"[packaging] radii: {wanted:g} px is not below the {found.radius:g} px of the light curve; "
                "the SG1 upload tool would take its table for that of the result"
            )
        elif round(radius) in tables:
            left_out.append(f"[packaging] radii: {wanted:g} px has the name of another, {round(radius)}px")
        else:
            tables[round(radius)] = replace(found, radius=radius)
    return tables, left_out


def _nearest(radii: tuple[float, ...], radius: float) -> int:
    return int(np.argmin(np.abs(np.array(radii) - radius)))


def columns_of(found: Measured) -> dict[str, Cells]:
    """Return the columns of the measurement table."""
    return measurement_columns(measurement_input(found))


def has_positions(found: Measured) -> bool:
    """Return whether all stars of the table are known on the sky."""
    return bool(np.isfinite([[star["ra"], star["dec"]] for star in found.stars]).all())


def apertures(found: Measured, comment: str = "") -> bytes:
    """Return the ``.radec`` file; needs a plate solution."""
    return radec.write(
        [
            radec.Aperture(star["ra"], star["dec"], is_comparison=name.startswith("C"), magnitude=magnitude)
            for star, name, magnitude in zip(found.stars, found.names, _given(found), strict=True)
        ],
        comment,
    )


def places(found: Measured) -> bytes:
    """Return the ``.apertures`` file, with places in the template."""
    results, detector = found.results, found.plan.detector
    height = dump.read_meta(found.plan.paths.template_stars)["shape"][0]
    return aij_apertures.write(
        aij_apertures.Apertures(
            radius=found.radius,
            sky_inner=results["annulus_inner_px"],
            sky_outer=results["annulus_outer_px"],
            places=tuple(
                aij_apertures.Place(
                    x=float(ij_x(star["x"])),
                    y=float(ij_y(star["y"], height)),
                    is_comparison=name.startswith("C"),
                    ra=star["ra"],
                    dec=star["dec"],
                    magnitude=magnitude,
                )
                for star, name, magnitude in zip(found.stars, found.names, _given(found), strict=True)
            ),
            gain=detector.gain,
            read_noise=detector.read_noise,
            dark_current=found.plan.instrument.dark_current,
            has_variable_radius=bool(found.scale),
            fwhm_factor=_fwhm_factor(found) if found.scale else aij_apertures.FWHM_FACTOR,
        )
    )


def _fwhm_factor(found: Measured) -> float:
    """Return the radius over the FWHM of the template, which is that of every frame to its own FWHM."""
    return float(round(found.radius / dump.read_meta(found.plan.paths.template_stars)["fwhm"], 4))


def _given(found: Measured) -> list[float]:
    """Return the magnitudes to give to AstroImageJ: those of the comparison stars, NaN for the others."""
    known = found.magnitude or (math.nan,) * len(found.names)
    return [
        value if name.startswith("C") else math.nan for name, value in zip(found.names, known, strict=True)
    ]


def plot_configuration(found: Measured, comment: str = "") -> bytes:
    """Return the ``.plotcfg`` file."""
    results, target = found.results, found.plan.target
    date = figures.utc_date(results)
    cadence = (
        np.median(np.diff([row["bjd_tdb"] for row in found.used])) * 1440 if len(found.used) > 1 else 1.0
    )
    return plotcfg.write(
        plotcfg.PlotConfig(
            title=found.plan.settings.plotting.title
            or f"TIC {target.tic}.{target.planet}     UT{date[:4]}.{date[4:6]}.{date[6:]}",
            subtitle=figures.subtitle({**results, "aperture_radius_px": found.radius}, len(found.used)),
            first_time=found.used[0]["bjd_tdb"],
            last_time=found.used[-1]["bjd_tdb"],
            ingress=dump.or_nan(results["ingress_bjd_tdb"]),
            egress=dump.or_nan(results["egress_bjd_tdb"]),
            flip=dump.or_nan(results["flip_bjd_tdb"]),
            transit=_transit_start(found),
            detrend=tuple(_DETREND_COLUMNS[name] for name in results["detrend"] if name in _DETREND_COLUMNS)[
                :3
            ],
            bin_size=max(1, round(found.plan.settings.plotting.bin_minutes / max(float(cadence), 1e-6))),
            depth=_depth(found),
            scatter=results["rms_per_point_ppt"],
            comparison=tuple(name for name in found.names if name.startswith("C"))[:3],
        ),
        comment,
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


def measurement_input(found: Measured) -> MeasurementInput:
    """Return what the measurement table is computed from."""
    plan, results, columns = found.plan, found.results, found.columns
    detector = plan.detector
    ra, dec, _, _ = preprocess.direction(plan.target)
    n = len(found.used)
    flux, sky = found.flux / detector.gain, columns["sky"] / detector.gain
    scale = np.array(found.scale) if found.scale else np.ones(n)
    radius = np.array(found.own_radius) if found.own_radius else found.radius * scale
    frame = {
        name: dump.numbers(found.frames, name)
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
    right_ascension, declination = _sky_positions(found)
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
        star_ra_hour=right_ascension / 15,
        star_dec_degree=declination,
        radius=radius,
        sky_inner=results["annulus_inner_px"] * scale,
        sky_outer=results["annulus_outer_px"] * scale,
        gain=detector.gain,
        read_noise=detector.read_noise,
        dark_current=plan.instrument.dark_current,
        saturation=detector.saturation,
        image_height=dump.read_meta(plan.paths.template_stars)["shape"][0],
        fwhm_factor=_fwhm_factor(found) if found.scale else None,
        base_radius=found.radius,
        normalised_flux=sums.flux[:, 0] / level,
        normalised_error=sums.flux_error[:, 0] / level,
        magnitude=np.array(_given(found)) if found.magnitude else None,
        transit=_transit_columns(found) if results["has_fit"] and found.is_primary else None,
        extra=_extra(found),
    )


def _sky_positions(found: Measured) -> tuple[Floats, Floats]:
    """Return where the stars are on the sky, (n_used, n_table_star) degree, as each frame shows them.

    In a frame without a plate solution of its own, or a star without a centre in it, the star list tells.
    """
    names = [row["image_name"] for row in found.frames]
    x, y = found.columns["x"], found.columns["y"]
    seen = framewcs.positions(framewcs.cards(found.plan), names, x, y)
    listed = (dump.numbers(found.stars, "ra"), dump.numbers(found.stars, "dec"))
    ra, dec = (np.where(np.isfinite(own), own, given) for own, given in zip(seen, listed, strict=True))
    return ra, dec


def _extra(found: Measured) -> dict[str, Cells]:
    """Return the columns that AstroImageJ's user, or we, add."""
    extra: dict[str, Cells] = {"Meridian_Flip": found.flip} if len(set(found.flip)) > 1 else {}
    if found.is_primary:
        extra |= {
            "ensemble_flux_T1": dump.numbers(found.used, "relative_flux"),
            "ensemble_flux_err_T1": dump.numbers(found.used, "relative_flux_error"),
            "ensemble_zero_point": dump.numbers(found.used, "zero_point"),
        }
    return extra


def _displayed(angle: Floats) -> Floats:
    """Return an orientation as AstroImageJ tells it, whose y axis grows downwards; 0 to 360 degree."""
    acute = (angle + 90) % 180 - 90
    return np.asarray(np.where(acute > 0, 360 - acute, -acute))


def _transit_columns(found: Measured) -> TransitColumns:
    trend = dump.numbers(found.used, "trend")
    return TransitColumns(
        flux=dump.numbers(found.used, "detrended_flux"),
        flux_error=dump.numbers(found.used, "relative_flux_error") / trend,
        model=dump.numbers(found.used, "model"),
        residual=dump.numbers(found.used, "residual"),
    )


def _out_of_transit(time: Floats, flux: Floats, results: Row) -> float:
    """Return the level of *flux* outside the predicted transit, or of all of it where that is too short."""
    outside = np.ones(len(time), dtype=bool)
    if results["ingress_bjd_tdb"] is not None:
        outside = (time < results["ingress_bjd_tdb"]) | (time > results["egress_bjd_tdb"])
    least = 3
    return float(np.nanmedian(flux[outside] if outside.sum() >= least else flux))
