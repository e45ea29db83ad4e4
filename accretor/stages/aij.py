"""A night that begins with AstroImageJ's measurement table: its dumps are made from that.

The dumps are those of the stages that measure frames; so calibration, plotting and
packaging do with it what they do with any night. Fluxes, positions, widths and times of
frames are the table's; BJD_TDB is computed anew from JD_UTC, and compared with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.aij import columns as aij_columns
from accretor.aij import table as aij_table
from accretor.core import versions
from accretor.core.arrays import Floats
from accretor.core.dumps import FRAMES, MASTERS, PHOTOMETRY, STARS, TEMPLATE_STARS
from accretor.core.errors import Blocked, Unusable
from accretor.core.settings import WorkspaceSettings
from accretor.io import dump, records
from accretor.io import fits as io_fits
from accretor.io.dump import Row
from accretor.science import times
from accretor.stages import framewcs, photometry, platesolve, preprocess
from accretor.stages.bench import Bench, Done
from accretor.stages.rows import GOOD, fingerprint, summary

if TYPE_CHECKING:
    from accretor.io.layout import Layout
    from accretor.stages.platesolve import Solution
    from accretor.stages.workspace import ObservationPlan


SATURATION = 55000.0
"""ADU; AstroImageJ's own default, where the settings do not tell."""
NIGHT = 1.0
"""Day that no night lasts."""
CLOCK = 1.0
"""Second between the table's BJD_TDB and ours that is worth saying."""
NEIGHBOUR_RADIUS = 150.0
"""Arcsec."""

Table = dict[str, Any]


@dataclass(frozen=True)
class Night:
    """A table in our units: n frames in ascending time, n_star apertures."""

    table: Table
    order: Any
    """Rows of the table in ascending time."""
    names: tuple[str, ...]
    """T1 first."""
    gain: float
    noise: float
    saturation: float
    flux: Floats
    """(n, n_star) electron."""
    error: Floats
    remarks: tuple[str, ...]

    def column(self, name: str, default: float = math.nan) -> Floats:
        """Return a column of the table, in our order; *default* where there is none."""
        cells = self.table.get(name)
        if not isinstance(cells, np.ndarray):
            return np.full(len(self.order), default)
        return np.asarray(cells[self.order], dtype=np.float64)

    def stars(self, kind: str, default: float = math.nan) -> Floats:
        """Return the columns of all stars, (n, n_star)."""
        return np.column_stack([self.column(f"{kind}_{name}", default) for name in self.names])

    @property
    def labels(self) -> list[str]:
        """Names of the frames, each once."""
        found = [str(self.table["Label"][row]) for row in self.order] if "Label" in self.table else []
        found = found or [f"row {row + 1}" for row in self.order]
        return [
            label if found.count(label) == 1 else f"{label} ({row + 1})"
            for label, row in zip(found, self.order, strict=True)
        ]


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Write the dumps of an observation from its table."""
    plan.aij.check()
    path = plan.aij.table
    assert path is not None
    try:
        night = read(path, plan)
    except Unusable as verdict:
        raise Blocked(f"{path.as_posix()}: {verdict.reason}") from None
    frames, remarks = _frames(night, plan)
    x, y = night.stars("X(FITS)") - 1, night.stars("Y(FITS)") - 1
    image, solution = _image(plan, frames)
    at = _template(night, image)
    stars, meta = _star_list(plan, night, frames, at, x, y, solution, image)
    rows, photometry_meta = _photometry(night, frames, x, y, at)
    info = [_info(night, frame, row) for row, frame in enumerate(frames)]
    paths = plan.paths
    detector = {"gain": night.gain, "read_noise": night.noise, "saturation": night.saturation}
    everything = [f"measured in AstroImageJ: {path.name}", *night.remarks, *remarks]
    if image is None:
        everything.append("no image beside the table: no field, no seeing profile, no plate solution")
    dump.write(
        paths.frames,
        FRAMES,
        frames,
        {"summary": summary(frames), "remarks": everything, "detector": detector},
    )
    dump.write(paths.masters, MASTERS, [], {"remarks": []})
    dump.write(paths.image_info, STARS, info, {"summary": summary(info)})
    files = [paths.frames, paths.masters, paths.image_info, paths.template_stars]
    if image is not None and solution is not None:
        cards = {"OBJECT": plan.target.name, "BUNIT": "electron", "RAWFILE": meta["frame"], **solution.cards}
        meta["image"] = io_fits.write_image(paths.template_image, image * night.gain, cards)
        files.append(paths.template_image)
    dump.write(paths.template_stars, TEMPLATE_STARS, stars, meta)
    records.write(paths.photometry, PHOTOMETRY, rows, {"star": len(night.names), "radius": 1}, {})
    dump.write(paths.photometry_info, PHOTOMETRY, rows, {"summary": summary(rows), **photometry_meta})
    measured, _ = photometry.columns(paths, "input", "x", "y")
    framewcs.write(plan, frames, measured)
    files += [paths.photometry, paths.photometry_info, paths.frame_wcs]
    return Done(tuple(files), f"{len(rows)} frames of {path.name}, {len(night.names)} stars")


def read(path: Path, plan: ObservationPlan) -> Night:
    """Return the night in a measurement table.

    Raises
    ------
    Unusable
        If it is no table of several apertures, or nothing tells the gain.
    """
    table = aij_table.read(path)
    names = tuple(name.removeprefix("Source-Sky_") for name in table if name.startswith("Source-Sky_"))
    if "T1" not in names:
        raise Unusable("is no table of AstroImageJ's multi-aperture photometry: it has no Source-Sky_T1")
    needed = ("JD_UTC", *(f"{axis}(FITS)_T1" for axis in "XY"))
    if missing := [name for name in needed if not isinstance(table.get(name), np.ndarray)]:
        raise Unusable(f"has no column {', '.join(missing)}")
    names = ("T1", *(name for name in names if name != "T1"))
    order = np.flatnonzero(np.isfinite(table["JD_UTC"]) & (table["JD_UTC"] > 0))
    order = order[np.argsort(table["JD_UTC"][order], kind="stable")]
    if not len(order):
        raise Unusable("no row has a time (JD_UTC)")
    raw = Night(table, order, names, 1.0, 0.0, SATURATION, np.zeros(0), np.zeros(0), ())
    flux, error = raw.stars("Source-Sky"), raw.stars("Source_Error")
    gain, noise, error, remarks = _detector(raw, plan, flux, error)
    saturation = plan.instrument.saturation or SATURATION
    if plan.instrument.saturation is None:
        remarks = (*remarks, f"saturation level not known: {SATURATION:.0f} ADU assumed")
    return Night(table, order, names, gain, noise, saturation, flux * gain, error * gain, remarks)


def _detector(
    raw: Night, plan: ObservationPlan, flux: Floats, error: Floats
) -> tuple[float, float, Floats, tuple[str, ...]]:
    """Return gain, noise (electron), the errors of the fluxes (ADU), and what is to be said of them."""
    radius = raw.column("Source_Radius")[:, np.newaxis]
    n_source = np.where(np.isfinite(raw.stars("N_Src_Pixels")), raw.stars("N_Src_Pixels"), np.pi * radius**2)
    sky, n_sky = raw.stars("Sky/Pixel"), raw.stars("N_Sky_Pixels")
    own = plan.instrument
    if own.gain is None:
        gain, noise = aij_columns.detector_of(flux, error, sky, n_source, n_sky)
        said = f"gain {gain:.4g} and noise {noise:.3g} electron per pixel, from the table's own errors"
        if abs(gain - 1) < 1e-6 and noise < 1e-3:
            said = (
                "the table's errors are of AstroImageJ's defaults (gain 1, no read noise); "
                "give gain and read_noise in [[instrument]]"
            )
        return gain, noise, error, (said,)
    dark = own.dark_current * exposures(raw)[0][:, np.newaxis]
    error = aij_columns.source_error(
        flux,
        sky=sky,
        n_source=n_source,
        n_sky=n_sky,
        dark=dark,
        gain=own.gain,
        read_noise=own.read_noise or 0.0,
    )
    return own.gain, own.read_noise or 0.0, error, ()


def exposures(night: Night) -> tuple[Floats, list[str]]:
    """Return the exposure times, second, and what is to be said of them.

    Raises
    ------
    Unusable
        If the table does not tell.
    """
    for name in ("EXPTIME", "EXPOSURE"):
        found = night.column(name)
        if np.isfinite(found).all() and (found > 0).all():
            return found, []
    # AstroImageJ's JD_SOBS is the start of the exposure, JD_UTC its middle.
    found = np.round(2 * 86400 * (night.column("JD_UTC") - night.column("JD_SOBS")), 2)
    if np.isfinite(found).all() and (found > 0).all():
        return found, ["exposure time not in the table: twice the time from JD_SOBS to JD_UTC"]
    raise Unusable("EXPTIME has no numbers, and there is no JD_SOBS to have the exposure time from")


def _frames(night: Night, plan: ObservationPlan) -> tuple[list[Row], list[str]]:
    """Return the rows of frames.ecsv, and what is to be said of them."""
    jd = night.column("JD_UTC")
    exposure, remarks = exposures(night)
    direction = times.Direction(*preprocess.direction(plan.target))
    latitude, longitude, height = plan.site
    is_known = math.isfinite(latitude) and math.isfinite(longitude)
    # Without a site, that of the pole: 42 ms at most.
    site = times.Site(latitude, longitude, height) if is_known else times.Site(90.0, 0.0)
    mid = [times.iso(float(value)) for value in jd]
    found = times.frame_times(mid, direction, site)
    if not is_known:
        remarks.append("site not known: BJD_TDB is good to 0.04 s; give latitude and longitude")
    if (span := float(jd[-1] - jd[0])) > NIGHT:
        remarks.append(f"the table spans {span:.1f} days: a light curve and a package are of one night")
    theirs = night.column("BJD_TDB")
    n_void = int((theirs == 0).sum())
    if n_void:
        remarks.append(f"BJD_TDB of the table is 0 in {n_void} of {len(theirs)} rows; ours is used")
    off = 86400 * (np.where(theirs == 0, np.nan, theirs) - found.bjd_tdb)
    if np.isfinite(off).any() and abs(worst := float(off[np.nanargmax(np.abs(off))])) > CLOCK:
        remarks.append(f"BJD_TDB of the table is {worst:+.1f} s from ours, which is used: other coordinates?")
    airmass = night.column("AIRMASS")
    peak = night.stars("Peak")
    rows = []
    for i, label in enumerate(night.labels):
        row = {
            "image_name": label,
            "path": "",
            "obstime": mid[i],
            "exptime": exposure[i],
            "filter": plan.observation.filter,
            "jd_utc": jd[i],
            "bjd_tdb": found.bjd_tdb[i],
            "hjd_utc": found.hjd_utc[i],
            "airmass": airmass[i] if np.isfinite(airmass[i]) or not is_known else found.airmass[i],
            "altitude": night.column("ALT_OBJ")[i],
            "ccd_temperature": night.column("CCD-TEMP")[i],
            "level": math.nan,
            "n_saturated": int((peak[i] >= night.saturation).sum()),
            "n_undefined": 0,
            "remark": "",
            "status": GOOD,
            "reason": "",
        }
        given = [label, float(jd[i]), float(exposure[i]), night.flux[i].tolist(), night.error[i].tolist()]
        rows.append(
            {**row, "input": fingerprint(given), "context": fingerprint(versions.AIJ, repr(plan.target))}
        )
    return rows, remarks


def _image(plan: ObservationPlan, frames: list[Row]) -> tuple[Floats | None, Solution | None]:
    """Return the image that was given with the table, and its plate solution.

    Raises
    ------
    Blocked
        If it cannot be used.
    """
    path = plan.aij.image
    if path is None:
        return None, None
    where = times.at_epoch(times.Direction(*preprocess.direction(plan.target)), frames[0]["jd_utc"])
    reasons = []
    for hdu in (0, 1):  # compressed images are in the second
        try:
            image = io_fits.read_image(path, hdu)
            height, width = image.shape
            return np.asarray(image), platesolve.from_header(path, hdu, where, (height, width))
        except (Unusable, IndexError, OSError) as error:
            reasons.append(str(error))
    raise Blocked(f"{path.as_posix()}: cannot be used: {reasons[0]}; solve it, or remove it")


def _template(night: Night, image: Floats | None) -> int:
    """Return the row of the frame that stands for all: the sharpest of those with all stars."""
    fwhm = _seeing(night)
    whole = np.isfinite(night.flux).all(axis=1) & np.isfinite(fwhm)
    return int(np.argmin(np.where(whole, fwhm, np.inf))) if whole.any() else 0


def _seeing(night: Night) -> Floats:
    """Return the FWHM of each frame, pixel: the median of its stars."""
    fwhm = night.stars("FWHM")
    known = np.isfinite(fwhm).any(axis=1)
    found = np.full(len(fwhm), np.nan)
    found[known] = np.nanmedian(fwhm[known], axis=1)
    width = night.column("Width_T1")
    return np.asarray(np.where(np.isfinite(found), found, width))


def _star_list(
    plan: ObservationPlan,
    night: Night,
    frames: list[Row],
    at: int,
    x: Floats,
    y: Floats,
    solution: Solution | None,
    image: Floats | None,
) -> tuple[list[Row], Row]:
    """Return the star list in the frame *at*, and its header."""
    place = np.column_stack([x[at], y[at]])
    if solution is not None:  # the image is a frame of its own, which may be shifted
        sky = [aij_table.sky_position(night.table, name) for name in night.names]
        if all(sky):
            place = np.asarray(solution.wcs().all_world2pix(np.array(sky), 0))
        radec = np.asarray(solution.wcs().all_pix2world(place, 0))
    else:
        radec = np.array(
            [aij_table.sky_position(night.table, name) or (math.nan, math.nan) for name in night.names]
        )
    scale = platesolve.pixel_scale(solution) if solution else _scale(plan, place, radec)
    height = round(float(np.nanmedian(night.column("Y(FITS)_T1") + night.column("Y(IJ)_T1") - 0.5)))
    shape = list(image.shape) if image is not None else [height, math.ceil(float(np.nanmax(x)) + 1)]
    flux, fwhm = night.flux[at], float(_seeing(night)[at])
    apart = np.hypot(*(place[:, np.newaxis] - place[np.newaxis]).transpose(2, 0, 1))
    near = (apart < 3 * fwhm) & (apart > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        contrast = np.where(near, np.maximum(flux, 0), 0).sum(axis=1) / np.abs(flux)
    saturated = np.asarray((night.stars("Peak") >= night.saturation).any(axis=0))
    rows = [
        {
            "star": star,
            "role": "target" if star == 0 else "comparison" if name.startswith("C") else "neighbour",
            "x": place[star, 0],
            "y": place[star, 1],
            "ra": radec[star, 0],
            "dec": radec[star, 1],
            "flux": flux[star],
            "contrast": contrast[star],
            "is_saturated": bool(saturated[star]),
        }
        for star, name in enumerate(night.names)
    ]
    meta = {
        "frame": frames[at]["image_name"],
        "input": frames[at]["input"],
        "context": fingerprint(versions.AIJ),
        "fwhm": round(fwhm, 4),
        "shape": shape,
        "pixel_scale": round(scale, 5) if math.isfinite(scale) else None,
        "solution": solution.origin if solution else "none",
        "wcs": solution.cards if solution else {},
        "image": "",
    }
    return rows, meta


def _scale(plan: ObservationPlan, place: Floats, radec: Floats) -> float:
    """Return the pixel scale, arcsec: of the settings, else by the distances of the stars from the target."""
    if plan.instrument.pixel_scale:
        return plan.instrument.pixel_scale
    ra, dec = np.radians(radec).T
    east, north = (ra - ra[0]) * np.cos(dec[0]), dec - dec[0]
    apart = np.degrees(np.hypot(east, north))[1:] * 3600
    pixel = np.hypot(*(place - place[0])[1:].T)
    known = np.isfinite(apart) & (pixel > 0)
    return float(np.median(apart[known] / pixel[known])) if known.any() else math.nan


def _photometry(
    night: Night, frames: list[Row], x: Floats, y: Floats, at: int
) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of the photometry, and its header."""
    radius = night.column("Source_Radius")
    median = float(np.nanmedian(radius))
    angle, shift = _motion(x, y, at)
    gain, peak = night.gain, night.stars("Peak")
    kinds = {
        "star_fwhm": "FWHM",
        "x_width": "X-Width",
        "y_width": "Y-Width",
        "angle": "Angle",
        "roundness": "Roundness",
        "n_sky": "N_Sky_Pixels",
    }
    measured = {name: night.stars(kind) for name, kind in kinds.items()}
    measured["angle"] = -measured["angle"]  # AstroImageJ's y axis grows downward
    sky = night.stars("Sky/Pixel") * gain
    rows = [
        {
            "image_name": frame["image_name"],
            "obstime": frame["obstime"],
            "n_match": int(np.isfinite(night.flux[i]).sum()),
            "match_rms": math.nan,
            "shift_x": shift[i, 0],
            "shift_y": shift[i, 1],
            "rotation": angle[i],
            "aperture_scale": radius[i] / median,
            "flux": night.flux[i][:, np.newaxis],
            "flux_error": night.error[i][:, np.newaxis],
            "sky": sky[i],
            "sky_noise": np.full(len(night.names), np.nan),
            "x": x[i],
            "y": y[i],
            "peak": peak[i],
            **{name: values[i] for name, values in measured.items()},
            "flag": np.where(peak[i] >= night.saturation, float(photometry.SATURATED), 0.0),
            **{name: frame[name] for name in ("status", "reason", "input", "context")},
        }
        for i, frame in enumerate(frames)
    ]
    inner, outer = (float(np.nanmedian(night.column(f"Sky_Rad({end})"))) for end in ("min", "max"))
    meta = {"radii": [round(median, 4)], "annulus": [inner, outer], "n_star": len(night.names)}
    if np.nanmax(radius) > np.nanmin(radius):
        meta["source_radius"] = [float(value) for value in radius]
    return rows, meta


def _motion(x: Floats, y: Floats, at: int) -> tuple[Floats, Floats]:
    """Return the rotation (degree) of each frame against frame *at*, and the shift of its stars (pixel)."""
    here = x + 1j * y
    there = here[at]
    known = np.asarray(np.isfinite(here) & np.isfinite(there))
    count = np.maximum(known.sum(axis=1), 1)
    centre = np.where(known, here, 0).sum(axis=1) / count
    reference = np.where(known, there, 0).sum(axis=1) / count
    product = (here - centre[:, np.newaxis]) * np.conj(there - reference[:, np.newaxis])
    angle = np.asarray(np.degrees(np.angle(np.where(known, product, 0).sum(axis=1))))
    moved = centre - reference
    return np.where(count > 1, angle, 0.0), np.column_stack([moved.real, moved.imag])


def _info(night: Night, frame: Row, row: int) -> Row:
    """Return a row of image_info.ecsv."""
    return {
        "image_name": frame["image_name"],
        "obstime": frame["obstime"],
        "exptime": frame["exptime"],
        "flts": frame["filter"],
        "bkg": float(night.column("Sky/Pixel_T1")[row]) * night.gain,
        "bkg_noise": math.nan,
        "fwhm": float(_seeing(night)[row]),
        "elongation": math.nan,
        "nstar": len(night.names),
        "starnum": len(night.names),
        **{name: frame[name] for name in ("status", "reason", "input", "context")},
    }
