"""The columns of an AstroImageJ measurement table, computed with AstroImageJ's own formulas.

The error equation and the sums are those of AstroImageJ (Collins et al. 2017,
AJ 153, 77), so that our tables compare with anyone's; they know neither
scintillation nor red noise, which are in the columns of our own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from accretor.aij import magnitudes
from accretor.aij.table import Cells
from accretor.core.arrays import Booleans, Floats
from accretor.core.errors import Unusable

DIGITISATION = 0.083521
"""Variance of rounding to whole ADU as AstroImageJ has it: 0.289 squared, ADU squared."""


@dataclass(frozen=True)
class TransitColumns:
    """The target's curve after the transit fit; each (n_frame,), relative to 1 out of transit."""

    flux: Floats
    """Detrended and normalised."""
    flux_error: Floats
    model: Floats
    residual: Floats
    """Flux minus model."""


@dataclass(frozen=True)
class MeasurementInput:
    """What was measured in one night and filter: n frames in ascending time, n_star apertures."""

    label: Sequence[str]
    """Names of the raw files."""
    jd_utc: Floats
    """(n,) mid-exposure, day."""
    jd_start: Floats
    """(n,) start of exposure, UTC day."""
    hjd_utc: Floats
    """(n,) mid-exposure, day."""
    bjd_tdb: Floats
    """(n,) mid-exposure, day."""
    airmass: Floats
    """(n,) at mid-exposure."""
    altitude: Floats
    """(n,) at mid-exposure, degree."""
    exposure: Floats
    """(n,) second; finite."""
    ccd_temperature: Floats
    """(n,) degree Celsius; NaN where unknown."""
    ra_hour: float
    """Target, J2000, hour."""
    dec_degree: float
    """Target, J2000, degree."""
    names: tuple[str, ...]
    """T1, C2 and so on, in the order of the apertures; T1 is the planet's host."""
    flux: Floats
    """(n, n_star) net, ADU."""
    sky: Floats
    """(n, n_star) ADU per pixel."""
    n_sky: Floats
    """(n, n_star) pixels of the annulus that were used."""
    peak: Floats
    """(n, n_star) highest raw pixel, ADU."""
    x: Floats
    """(n, n_star) column of the centre; the first pixel's centre is 0."""
    y: Floats
    """(n, n_star) row of the centre; the first pixel's centre is 0."""
    fwhm: Floats
    """(n, n_star) pixel."""
    x_width: Floats
    """(n, n_star) width from the moments along x, pixel."""
    y_width: Floats
    """(n, n_star) width from the moments along y, pixel."""
    angle: Floats
    """(n, n_star) of the long axis, degree."""
    roundness: Floats
    """(n, n_star); 1 is round."""
    star_ra_hour: Floats
    """(n, n_star) hour, of the centre by the frame's own plate solution; NaN where there is none."""
    star_dec_degree: Floats
    """(n, n_star) degree, likewise."""
    radius: Floats
    """(n,) of the aperture, pixel."""
    sky_inner: Floats
    """(n,) inner radius of the annulus, pixel."""
    sky_outer: Floats
    """(n,) outer radius of the annulus, pixel."""
    gain: float
    """Electron per ADU."""
    read_noise: float
    """Electron."""
    dark_current: float
    """Electron per pixel and second."""
    saturation: float
    """ADU of the raw image."""
    image_height: int
    """Pixel."""
    normalised_flux: Floats
    """(n,) relative flux of T1 over its level out of transit; becomes rel_flux_T1_n."""
    normalised_error: Floats
    """(n,) becomes rel_flux_err_T1_n."""
    fwhm_factor: float | None = None
    """Radius over FWHM, where the aperture followed the seeing; None for one radius all night."""
    base_radius: float = math.nan
    """Nominal radius, pixel, where the aperture followed the seeing."""
    magnitude: Floats | None = None
    """(n_star,) of the comparison stars in a catalogue, NaN where it has none; None if none are known."""
    transit: TransitColumns | None = None
    """None where no transit was fitted."""
    extra: Mapping[str, Cells] = field(default_factory=dict)
    """Columns of our own, put last under their names."""


def measurement_columns(data: MeasurementInput) -> dict[str, Cells]:
    """Return every column of the measurement table, in AstroImageJ's order.

    Parameters
    ----------
    data : MeasurementInput
        Frames in ascending time; NaN where a star was not measured. As in
        AstroImageJ, a comparison star that is NaN makes the sums of its frame NaN.

    Returns
    -------
    dict of column name to n cells
        Ready for `accretor.aij.table.write`.

    Raises
    ------
    Unusable
        If an exposure time is unknown: the SG1 upload tool cannot read such a table.
    ValueError
        If the frames are not in ascending time, or the first aperture is not T1.
    """
    _check(data)
    error = source_error(
        data.flux,
        sky=data.sky,
        n_source=np.pi * data.radius[:, np.newaxis] ** 2,
        n_sky=data.n_sky,
        dark=data.dark_current * data.exposure[:, np.newaxis],
        gain=data.gain,
        read_noise=data.read_noise,
    )
    is_comparison = np.array([name.startswith("C") for name in data.names])
    sums = differential(data.flux, error, is_comparison)
    columns: dict[str, Cells] = {**_frame_columns(data)}
    for kind, values in (
        ("rel_flux", sums.flux),
        ("rel_flux_err", sums.flux_error),
        ("rel_flux_SNR", sums.snr),
    ):
        columns |= {f"{kind}_{name}": values[:, star] for star, name in enumerate(data.names)}
    columns |= {"tot_C_cnts": sums.total, "tot_C_err": sums.total_error}
    known = None
    if data.magnitude is not None:
        known = magnitudes.apparent(data.flux, error, data.magnitude, is_comparison)
    for star in range(len(data.names)):
        apparent = (
            {} if known is None else dict(zip(_APPARENT, (part[:, star] for part in known), strict=True))
        )
        columns |= _star_columns(data, star, error[:, star], apparent)
    columns |= {"rel_flux_T1_n": data.normalised_flux, "rel_flux_err_T1_n": data.normalised_error}
    if data.transit is not None:
        columns |= {
            "rel_flux_T1_fn": data.transit.flux,
            "rel_flux_err_T1_fn": data.transit.flux_error,
            "rel_flux_T1_fn_model": data.transit.model,
            "rel_flux_T1_fn_residual": data.transit.residual,
        }
    doubled = sorted(set(columns) & set(data.extra))
    if doubled:
        raise ValueError(f"AstroImageJ has columns {', '.join(doubled)} of its own")
    return columns | dict(data.extra)


def source_error(
    flux: Floats,
    *,
    sky: Floats,
    n_source: Floats,
    n_sky: Floats,
    dark: Floats | float,
    gain: float,
    read_noise: float,
) -> Floats:
    """Return the error of net fluxes by AstroImageJ's CCD equation.

    Parameters
    ----------
    flux, sky, n_source, n_sky : arrays of one shape, or broadcast to it
        Net flux (ADU), sky (ADU per pixel), pixels in the aperture and in the sky.
    dark : float or array, electron per pixel
        Dark current in the exposure.
    gain : float, electron per ADU
    read_noise : float, electron

    Returns
    -------
    array, ADU
        An over-subtracted (negative) sky counts with its sign, as in AstroImageJ;
        where that makes the variance negative the error is NaN.
    """
    per_pixel = sky * gain + dark + read_noise**2 + gain**2 * DIGITISATION
    # The sky level is itself measured: hence the pixels of the aperture count 1 + n/nb times.
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(flux, 0) * gain + n_source * (1 + n_source / n_sky) * per_pixel
        return np.asarray(np.sqrt(np.where(variance >= 0, variance, np.nan)) / gain)


def detector_of(
    flux: Floats, error: Floats, sky: Floats, n_source: Floats, n_sky: Floats
) -> tuple[float, float]:
    """Return the gain and the noise of a pixel with which a table's errors were computed.

    The square of AstroImageJ's error is linear in 1/gain and in the noise; so a table tells
    both, exactly. A table made with AstroImageJ's defaults gives a gain of 1 and no noise.

    Parameters
    ----------
    flux, error, sky, n_source, n_sky : arrays of one shape
        As in `source_error`; NaN and errors of 0 are left out.

    Returns
    -------
    gain : float, electron per ADU
    noise : float, electron
        Square root of dark current plus read noise squared.

    Raises
    ------
    Unusable
        If the errors are not of this equation.
    """
    known = np.isfinite(flux) & (error > 0) & np.isfinite(sky) & (n_sky > 0)
    if known.sum() < 2:
        raise Unusable("the table has no errors")
    area = (n_source * (1 + n_source / np.where(n_sky > 0, n_sky, np.nan)))[known]
    variance = error[known] ** 2
    design = np.column_stack([np.maximum(flux[known], 0) + area * sky[known], area]) / variance[:, np.newaxis]
    (inverse, rest), *_ = np.linalg.lstsq(design, 1 - DIGITISATION * area / variance, rcond=None)
    if not inverse > 0:
        raise Unusable("the errors of the table are not those of AstroImageJ's equation")
    gain = float(1 / inverse)
    worst = float(np.max(np.abs(design @ np.array([inverse, rest]) - 1 + DIGITISATION * area / variance)))
    if worst > 0.05:  # tables of AstroImageJ 3 and 4 depart by 2 per cent
        raise Unusable("the errors of the table are not those of AstroImageJ's equation")
    return gain, math.sqrt(max(float(rest), 0.0)) * gain


@dataclass(frozen=True)
class Differential:
    """Fluxes over the sum of the comparison stars."""

    flux: Floats
    """(n, n_star); a comparison star is left out of its own sum."""
    flux_error: Floats
    """(n, n_star)"""
    snr: Floats
    """(n, n_star)"""
    total: Floats
    """(n,) sum of all comparison stars, ADU."""
    total_error: Floats
    """(n,) ADU"""


def differential(flux: Floats, error: Floats, is_comparison: Booleans) -> Differential:
    """Divide each star by the plain sum of the comparison stars, as AstroImageJ does.

    Parameters
    ----------
    flux, error : (n, n_star) float64, ADU
    is_comparison : (n_star,) bool

    Returns
    -------
    Differential
        0, as in AstroImageJ, wherever a flux or a sum is 0.
    """
    variance = error**2
    total = flux[:, is_comparison].sum(axis=1)
    total_variance = variance[:, is_comparison].sum(axis=1)
    others = np.tile(total[:, np.newaxis], flux.shape[1])
    others_variance = np.tile(total_variance[:, np.newaxis], flux.shape[1])
    for star in np.flatnonzero(is_comparison):
        # Summed anew, not subtracted: the rounding is then AstroImageJ's.
        rest = is_comparison.copy()
        rest[star] = False
        others[:, star] = flux[:, rest].sum(axis=1)
        others_variance[:, star] = variance[:, rest].sum(axis=1)
    is_void = (flux == 0) | (others == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = flux / others
        noise = np.sqrt(variance / flux**2 + others_variance / others**2)
        snr = 1 / noise
        relative_error = relative * noise
    return Differential(
        flux=np.where(is_void, 0.0, relative),
        flux_error=np.where(is_void, 0.0, relative_error),
        snr=np.where(is_void, 0.0, snr),
        total=total,
        total_error=np.sqrt(total_variance),
    )


def fits_x(x: Floats) -> Floats:
    """Return X(FITS) of a column that counts from 0."""
    return x + 1


def fits_y(y: Floats) -> Floats:
    """Return Y(FITS) of a row that counts from 0."""
    return y + 1


def ij_x(x: Floats) -> Floats:
    """Return X(IJ), which counts from the outer corner of the first pixel."""
    return x + 0.5


def ij_y(y: Floats, image_height: int) -> Floats:
    """Return Y(IJ), which counts downward from the outer corner of the last FITS row."""
    return image_height - y - 0.5


def _check(data: MeasurementInput) -> None:
    unknown = int((~np.isfinite(data.exposure)).sum())
    if unknown:
        raise Unusable(f"{unknown} of {len(data.exposure)} frames have no exposure time")
    if np.any(np.diff(data.jd_utc) < 0):
        raise ValueError("the frames are not in ascending time")
    if not data.names or data.names[0] != "T1":
        raise ValueError(f"the first aperture must be T1, not {data.names[:1]}")


def _frame_columns(data: MeasurementInput) -> dict[str, Cells]:
    n_frame = len(data.label)
    peak = np.nanmax(np.where(np.isnan(data.peak), 0.0, data.peak), axis=1, initial=0.0)
    return {
        "Label": list(data.label),
        "slice": np.arange(1.0, n_frame + 1),
        "Saturated": np.where(peak > data.saturation, peak, 0.0),
        "J.D.-2400000": data.jd_utc - 2_400_000,
        "JD_UTC": data.jd_utc,
        "JD_SOBS": data.jd_start,
        "HJD_UTC": data.hjd_utc,
        "BJD_TDB": data.bjd_tdb,
        "AIRMASS": data.airmass,
        "ALT_OBJ": data.altitude,
        "CCD-TEMP": data.ccd_temperature,
        "EXPTIME": data.exposure,
        "RAOBJ2K": np.full(n_frame, data.ra_hour),
        "DECOBJ2K": np.full(n_frame, data.dec_degree),
        "FWHM_Mean": _mean_of_known(data.fwhm),
        "Source_Radius": data.radius,
        **(
            {}
            if data.fwhm_factor is None
            else {
                "FWHM_Mult": np.full(n_frame, data.fwhm_factor),
                "Source_Rad(base)": np.full(n_frame, data.base_radius),
            }
        ),
        "Sky_Rad(min)": data.sky_inner,
        "Sky_Rad(max)": data.sky_outer,
    }


_APPARENT = ("Source_AMag", "Source_AMag_Err")


def _star_columns(
    data: MeasurementInput, star: int, error: Floats, apparent: Mapping[str, Floats]
) -> dict[str, Cells]:
    n_source = np.pi * data.radius**2
    flux = data.flux[:, star]
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = flux / error
    columns: dict[str, Floats] = {
        "X(IJ)": ij_x(data.x[:, star]),
        "Y(IJ)": ij_y(data.y[:, star], data.image_height),
        "X(FITS)": fits_x(data.x[:, star]),
        "Y(FITS)": fits_y(data.y[:, star]),
    }
    if np.isfinite(data.star_ra_hour).any():
        columns |= {
            "RA": data.star_ra_hour[:, star],
            "DEC": data.star_dec_degree[:, star],
        }
    columns |= {
        "Source-Sky": flux,
        "N_Src_Pixels": n_source,
        "Source_Error": error,
        **apparent,
        "Source_SNR": snr,
        "Peak": data.peak[:, star],
        "Mean": flux / n_source,
        "Sky/Pixel": data.sky[:, star],
        "N_Sky_Pixels": data.n_sky[:, star],
        "FWHM": data.fwhm[:, star],
        "Width": (data.x_width[:, star] + data.y_width[:, star]) / 2,
        "X-Width": data.x_width[:, star],
        "Y-Width": data.y_width[:, star],
        "Angle": data.angle[:, star],
        "Roundness": data.roundness[:, star],
    }
    return {f"{kind}_{data.names[star]}": values for kind, values in columns.items()}


def _mean_of_known(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
