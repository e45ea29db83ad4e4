"""What each dump holds: its columns, their units and meanings.

A schema whose meaning changes gets a new version; dumps of another version are
set aside and made again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "int64", "float64", "bool"]


@dataclass(frozen=True)
class Column:
    """One column of a dump."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    digits: int | None = None
    """Decimals that are kept of a float; None keeps all."""
    shape: tuple[str, ...] = ()
    """Names of further axes ("star", "radius", "detection"): such columns are in the FITS dump only."""


@dataclass(frozen=True)
class Schema:
    """One kind of dump."""

    name: str
    version: int
    columns: tuple[Column, ...]
    keyed: bool = False
    """One row per raw frame, made once: the columns of ROW_STATE come last."""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns in the order of the file."""
        return (*self.columns, *ROW_STATE) if self.keyed else self.columns

    @property
    def scalars(self) -> tuple[Column, ...]:
        """The columns of a readable table."""
        return tuple(column for column in self.all_columns if not column.shape)

    @property
    def arrays(self) -> tuple[Column, ...]:
        """The columns that only a binary table can hold."""
        return tuple(column for column in self.all_columns if column.shape)


ROW_STATE = (
    Column("status", "string", "good, poor (will stay so) or error (is tried again)"),
    Column("reason", "string", "why the frame is not good; empty if it is"),
    Column("input", "string", "digest of the raw bytes that the row was made from"),
    Column(
        "context", "string", "digest of the settings, masters, choices and version that the row was made with"
    ),
)

INVENTORY = Schema(
    "inventory",
    3,
    (
        Column("path", "string", "below raw/"),
        Column("size", "int64", "size of the file", "byte"),
        Column("mtime_ns", "int64", "time of the last change, since 1970", "ns"),
        Column("kind", "string", "light, bias, dark, flat; empty if unusable"),
        Column("observation", "string", "target/night/telescope/filter; empty for calibration frames"),
        Column("reason", "string", "why the file is left out; empty if it is used"),
        Column("object", "string", "OBJECT of the header"),
        Column("filter", "string", "canonical filter"),
        Column("exposure", "float64", "exposure time", "s"),
        Column("mid", "string", "UTC of mid-exposure, ISO 8601"),
        Column("instrument", "string", "telescope token"),
        Column("camera", "string", "by the settings or the header"),
        Column("width", "int64", "columns of the image", "pix"),
        Column("height", "int64", "rows of the image", "pix"),
        Column("hdu", "int64", "FITS HDU of the image"),
        Column(
            "part",
            "string",
            "pixels taken: plane of a cube, mean of a colour, amplifiers; empty: all",
        ),
        Column("binning", "string", "as 1x1"),
        Column("mode", "string", "read-out mode, and settings of gain and offset"),
        Column("calibrated", "string", "letters of bias, dark, flat that were applied before"),
        Column("temperature", "float64", "detector temperature", "deg_C"),
        Column("gain", "float64", "gain", "electron / adu"),
        Column("read_noise", "float64", "read noise", "electron"),
        Column("saturation", "float64", "saturation level of the raw image", "adu"),
        Column("ra", "float64", "pointing by the header", "deg"),
        Column("dec", "float64", "pointing by the header", "deg"),
        Column("latitude", "float64", "site", "deg"),
        Column("longitude", "float64", "site, east positive", "deg"),
        Column("elevation", "float64", "site, above the sea", "m"),
        Column("altitude", "float64", "telescope altitude by the header", "deg"),
        Column("pixel_scale", "float64", "by the header", "arcsec / pix"),
        Column("overscan", "string", "section of the pixels without light; empty: none"),
        Column("trim", "string", "section of the pixels that are kept; empty: all"),
        Column("julian_offset", "float64", "Julian date of the header minus its time stamps", "s"),
        Column("sidereal_offset", "float64", "sidereal time of the header minus its time stamps", "s"),
        Column("time_rule", "string", "which card mid is from, and what it is taken for"),
        Column("has_wcs", "bool", "the header holds a celestial plate solution"),
        Column("remark", "string", "what had to be assumed, or looks wrong"),
        Column("assignment", "string", "how the target was found, where its name did not tell"),
    ),
)

MASTERS = Schema(
    "masters",
    2,
    (
        Column("kind", "string", "bias, dark, flat, selfdark or bad (the map of bad pixels)"),
        Column("n_frame", "int64", "frames combined; of the map: pixels that are bad"),
        Column("exposure", "float64", "exposure time of the frames combined; 0 for a bias", "s", 6),
        Column("frames", "string", "names of the frames combined, with ` / ` between"),
        Column("bytes", "string", "digest of the raw bytes of the frames combined"),
        Column("input", "string", "digest of the frames combined, the settings and the version"),
        Column("digest", "string", "sha256 of the master's file"),
    ),
)

CALIBRATIONS = Schema(
    "calibrations",
    1,
    (
        Column("path", "string", "calibration frame below raw/"),
        Column("kind", "string", "bias, dark or flat"),
        Column("use", "string", "the master that it is in; empty: it is left out"),
        Column("reason", "string", "why it is left out"),
        Column("exposure", "float64", "exposure time", "s", 6),
        Column("temperature", "float64", "of the detector", "deg_C"),
        Column("filter", "string", "of a flat"),
        Column("mid", "string", "UTC of mid-exposure, ISO 8601; empty where the header tells none"),
    ),
)

IMAGE_COUNTS = Schema(
    "image_counts",
    1,
    (
        Column("folder", "string", "folder below organized/"),
        Column("n_frame", "int64", "frames in it"),
        Column("exposure", "float64", "exposure time of all of them", "s", 3),
    ),
)
"""How many images there are of what; of `doit organize`."""

FRAMES = Schema(
    "frames",
    2,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("path", "string", "raw file, below raw/"),
        Column("obstime", "string", "UTC of mid-exposure, ISO 8601"),
        Column("exptime", "float64", "exposure time", "s", 6),
        Column("filter", "string", "canonical filter"),
        Column("jd_utc", "float64", "Julian date of mid-exposure, UTC", "d", 9),
        Column("bjd_tdb", "float64", "barycentric Julian date of mid-exposure, TDB", "d", 9),
        Column("hjd_utc", "float64", "heliocentric Julian date of mid-exposure, UTC", "d", 9),
        Column("airmass", "float64", "airmass of the target at mid-exposure", "", 6),
        Column("altitude", "float64", "altitude of the target at mid-exposure", "deg", 5),
        Column("ccd_temperature", "float64", "detector temperature", "deg_C", 3),
        Column("level", "float64", "median of the raw image", "adu", 3),
        Column("n_saturated", "int64", "pixels at or above the saturation level"),
        Column("n_undefined", "int64", "pixels without a value (NaN or infinite)"),
        Column("remark", "string", "what was assumed of the header, or looks wrong"),
    ),
    keyed=True,
)

STARS = Schema(
    "image_info",
    1,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("obstime", "string", "UTC of mid-exposure, ISO 8601"),
        Column("exptime", "float64", "exposure time", "s", 6),
        Column("flts", "string", "canonical filter"),
        Column("bkg", "float64", "sky", "electron / pix", 4),
        Column("bkg_noise", "float64", "scatter of the sky's pixels", "electron", 4),
        Column("fwhm", "float64", "full width at half maximum of the stars, Moffat fit", "pix", 4),
        Column("elongation", "float64", "major over minor axis of the stars, median", "", 4),
        Column("nstar", "int64", "stars that gave the FWHM"),
        Column("starnum", "int64", "stars detected"),
        Column("star_x", "float64", "columns of the stars, brightest first", "pix", 4, ("detection",)),
        Column("star_y", "float64", "rows of the stars", "pix", 4, ("detection",)),
        Column("star_flux", "float64", "fluxes of the stars", "electron", 3, ("detection",)),
    ),
    keyed=True,
)

TEMPLATE = Schema(
    "template",
    2,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("bkg", "float64", "sky", "electron / pix", 4),
        Column("fwhm", "float64", "full width at half maximum", "pix", 4),
        Column("n_match", "int64", "stars matched to the provisional reference"),
        Column(
            "transparency", "float64", "light per second of these stars, over that in the reference", "", 4
        ),
        Column("remark", "string", "what sets the frame apart from the others; it is kept"),
        Column("score", "float64", "weighted score; NaN for a frame that cannot be the template", "", 6),
        Column("reason", "string", "why the frame cannot be the template"),
        Column("input", "string", "digest of the raw bytes"),
        Column("context", "string", "digest of what the match was made with"),
    ),
)

TEMPLATE_STARS = Schema(
    "template_stars",
    1,
    (
        Column("star", "int64", "number of the star; the target is 0"),
        Column("role", "string", "target, comparison (candidate) or neighbour (within 2.5 arcmin)"),
        Column("x", "float64", "column in the template", "pix", 4),
        Column("y", "float64", "row in the template", "pix", 4),
        Column("ra", "float64", "right ascension, ICRS, by the plate solution", "deg", 7),
        Column("dec", "float64", "declination, ICRS, by the plate solution", "deg", 7),
        Column("flux", "float64", "flux in the template, for orientation", "electron", 1),
        Column(
            "contrast", "float64", "light of the other listed stars within 3 FWHM, over the star's own", "", 6
        ),
        Column("is_saturated", "bool", "saturated in the template"),
    ),
)

PLATE_SOLUTION = Schema(
    "plate_solution",
    1,
    (
        Column("way", "string", "header, catalogue, solve-field or nova"),
        Column("is_chosen", "bool", "its solution is used"),
        Column("reason", "string", "why it is not used, or what must be said of it"),
        Column("catalog", "string", "the catalogue that solved it, or that the solution was tested with"),
        Column("n_match", "int64", "stars of the template that match the catalogue"),
        Column("n_expected", "float64", "stars that would match by chance", "", 4),
        Column("surprise", "float64", "minus the natural logarithm of the chance of such a match", "", 2),
        Column("residual", "float64", "root mean squared distance of the matched stars", "pix", 4),
        Column("pixel_scale", "float64", "scale", "arcsec / pix", 5),
        Column("rotation", "float64", "position angle of the y axis, north to east", "deg", 4),
        Column("is_mirrored", "bool", "east is to the right of north"),
        Column("order", "int64", "of the distortion; 1 is none, 0 is no solution"),
    ),
)

PHOTOMETRY = Schema(
    "photometry",
    2,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("obstime", "string", "UTC of mid-exposure, ISO 8601"),
        Column("n_match", "int64", "stars matched to the template"),
        Column("match_rms", "float64", "scatter of the matched stars", "pix", 4),
        Column("shift_x", "float64", "shift of the field's centre from the template", "pix", 4),
        Column("shift_y", "float64", "shift of the field's centre from the template", "pix", 4),
        Column("rotation", "float64", "rotation from the template", "deg", 5),
        Column("aperture_scale", "float64", "factor on all radii; 1 but in the mode `variable`", "", 4),
        Column("flux", "float64", "net flux", "electron", 4, ("star", "radius")),
        Column(
            "flux_error",
            "float64",
            "error of the flux by the CCD equation",
            "electron",
            4,
            ("star", "radius"),
        ),
        Column("sky", "float64", "sky", "electron / pix", 5, ("star",)),
        Column("sky_noise", "float64", "scatter of the sky's pixels", "electron", 5, ("star",)),
        Column("n_sky", "float64", "sky pixels used", "", 0, ("star",)),
        Column("x", "float64", "column of the centre", "pix", 5, ("star",)),
        Column("y", "float64", "row of the centre", "pix", 5, ("star",)),
        Column("peak", "float64", "highest raw pixel", "adu", 2, ("star",)),
        Column("star_fwhm", "float64", "FWHM of the star by its radial profile", "pix", 4, ("star",)),
        Column("x_width", "float64", "width along x, from moments", "pix", 4, ("star",)),
        Column("y_width", "float64", "width along y, from moments", "pix", 4, ("star",)),
        Column("angle", "float64", "orientation of the star's image", "deg", 3, ("star",)),
        Column("roundness", "float64", "minor over major axis; 1 is round", "", 5, ("star",)),
        Column(
            "flag",
            "float64",
            "1 saturated + 2 near the edge + 4 found its own centre + 8 bad pixel within one FWHM",
            "",
            0,
            ("star",),
        ),
    ),
    keyed=True,
)

GROWTH = Schema(
    "growth",
    1,
    (
        Column("radius", "float64", "aperture radius", "pix", 4),
        Column("target", "float64", "flux of the target through it, over that through the largest", "", 6),
        Column("target_error", "float64", "its error, by the scatter of the frames", "", 6),
        Column("stars", "float64", "the same of other stars, median over those that stand alone", "", 6),
        Column("stars_error", "float64", "its error, by the scatter of the stars", "", 6),
        Column("n_star", "int64", "stars in this median"),
    ),
)

FORCED_POSITIONS = Schema(
    "forced_positions",
    1,
    (
        Column("position", "int64", "number of the place; the target is 0"),
        Column("kind", "string", "target, neighbour (of the catalogue) or given (in the settings)"),
        Column("identifier", "string", "catalogue and number, or the name in the settings"),
        Column("ra", "float64", "right ascension, ICRS, at the time of the night", "deg", 8),
        Column("dec", "float64", "declination, ICRS, at the time of the night", "deg", 8),
        Column("separation", "float64", "from the target", "arcsec", 3),
        Column("position_angle", "float64", "from the target, east of north", "deg", 2),
        Column("tmag", "float64", "magnitude in the band of TESS, of the TIC or from Gaia's", "mag", 4),
        Column("delta_tmag", "float64", "fainter than the target by this in the band of TESS", "mag", 4),
        Column("nearest", "float64", "distance of the nearest other star of the catalogue", "arcsec", 3),
        Column("x", "float64", "column in the template", "pix", 4),
        Column("y", "float64", "row in the template", "pix", 4),
    ),
)

FORCED = Schema(
    "forced",
    1,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("obstime", "string", "UTC of mid-exposure, ISO 8601"),
        Column("n_match", "int64", "stars matched to the template"),
        Column(
            "limit",
            "float64",
            "least flux that would have been seen, by the noise of sky and read-out",
            "electron",
            4,
        ),
        Column("limit_blank", "float64", "the same by the scatter of blank apertures", "electron", 4),
        Column("n_blank", "int64", "blank apertures"),
        Column(
            "limit_delta_mag",
            "float64",
            "limit_blank (or limit, without it) below the target's flux",
            "mag",
            4,
        ),
        Column("limit_tmag", "float64", "the same as a magnitude in the band of TESS", "mag", 4),
        Column("flux", "float64", "net flux, which may be negative", "electron", 4, ("position", "radius")),
        Column(
            "flux_error",
            "float64",
            "error of the flux by the CCD equation",
            "electron",
            4,
            ("position", "radius"),
        ),
        Column(
            "upper_limit",
            "float64",
            "flux that would have been seen at this place",
            "electron",
            4,
            ("position", "radius"),
        ),
        Column(
            "is_limit",
            "float64",
            "1 where the flux is no detection and its upper limit stands, else 0",
            "",
            0,
            ("position", "radius"),
        ),
        Column("sky", "float64", "sky", "electron / pix", 5, ("position",)),
        Column("sky_noise", "float64", "scatter of the sky's pixels", "electron", 5, ("position",)),
        Column("n_sky", "float64", "sky pixels used", "", 0, ("position",)),
        Column("x", "float64", "column of the place", "pix", 5, ("position",)),
        Column("y", "float64", "row of the place", "pix", 5, ("position",)),
        Column("peak", "float64", "highest raw pixel", "adu", 2, ("position",)),
        Column("flag", "float64", "1 saturated + 2 near the edge", "", 0, ("position",)),
        Column("limits", "float64", "limit through each aperture", "electron", 4, ("radius",)),
        Column("limits_blank", "float64", "limit_blank through each aperture", "electron", 4, ("radius",)),
    ),
    keyed=True,
)

NEIGHBOURS = Schema(
    "neighbours",
    1,
    (
        Column(
            "neighbour", "int64", "number of the star in SG1's table: 2 is T2; 0 for one that is not in it"
        ),
        Column("identifier", "string", "catalogue and number"),
        Column("ra", "float64", "right ascension, ICRS, at the time of the night", "deg", 8),
        Column("dec", "float64", "declination, ICRS, at the time of the night", "deg", 8),
        Column("separation", "float64", "from the target", "arcsec", 3),
        Column("position_angle", "float64", "from the target, east of north", "deg", 2),
        Column("delta_mag", "float64", "fainter than the target by this, measured", "mag", 4),
        Column("delta_tmag", "float64", "the same in the band of TESS, by the catalogue", "mag", 4),
        Column("net_counts", "float64", "net counts in the aperture", "adu", 3),
        Column("depth_needed", "float64", "eclipse that would cause the target's predicted depth", "ppt", 3),
        Column("rms", "float64", "scatter of the binned curve", "ppt", 4),
        Column("ratio", "float64", "depth_needed over rms", "", 4),
        Column("disposition", "string", "word of SG1's table"),
        Column("radius", "float64", "aperture of these numbers, the one that tells most", "pix", 4),
        Column("verdict", "string", "by our own test: cleared, likely cleared, not cleared, event or dip"),
        Column("box_radius", "float64", "aperture of our own test", "pix", 4),
        Column(
            "box_depth",
            "float64",
            "loss of light in the predicted window, of the shape that fits best",
            "ppt",
            4,
        ),
        Column("box_depth_error", "float64", "its standard error, correlated noise included", "ppt", 4),
        Column("significance", "float64", "depth needed less depth found, over its error", "", 4),
        Column("recovery", "float64", "part of the injected eclipses that are found", "", 4),
        Column("n_frame", "int64", "frames of the light curve in which the star was measured"),
        Column("coverage", "float64", "part of the predicted window in them", "", 4),
        Column("reason", "string", "why the star is not cleared, or cleared without a curve"),
    ),
)

LIMITS = Schema(
    "limits",
    1,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("bjd_tdb", "float64", "barycentric Julian date of mid-exposure, TDB", "d", 9),
        Column("radius", "float64", "of the aperture", "pix", 4),
        Column(
            "limiting_magnitude", "float64", "by blank apertures; without enough of them by noise", "mag", 4
        ),
        Column("by_noise", "float64", "that of the noise of sky and read-out, as computed", "mag", 4),
        Column("by_blank", "float64", "that of the scatter of blank apertures", "mag", 4),
        Column("n_blank", "int64", "blank apertures"),
        Column("zero_point", "float64", "through this aperture, of one electron per second", "mag", 5),
        Column("band", "string", "band of the magnitudes"),
        Column("system", "string", "AB or Vega"),
        Column("reason", "string", "why there is no limit; empty if there is one"),
    ),
)
"""How faint a star each frame would have shown, through each aperture."""

FRAME_WCS = Schema(
    "frame_wcs",
    2,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("ra", "float64", "right ascension of the middle of the frame, ICRS", "deg", 7),
        Column("dec", "float64", "declination of the middle of the frame, ICRS", "deg", 7),
        Column("rotation", "float64", "position angle of the y axis, north to east", "deg", 5),
        Column("pixel_scale", "float64", "scale", "arcsec / pix", 5),
        Column("residual", "float64", "scatter of the stars about the map from the template", "pix", 4),
        Column("cards", "string", "FITS cards of its plate solution, a JSON object"),
        Column("reason", "string", "why there is none; empty if there is one"),
        Column(
            "context", "string", "what it was made from, in short: stars of both frames, solution, version"
        ),
    ),
)
"""The plate solution of the template, carried to each frame by the stars that both show."""

ZERO_POINTS = Schema(
    "zeropoints",
    1,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("bjd_tdb", "float64", "barycentric Julian date of mid-exposure, TDB", "d", 9),
        Column("zero_point", "float64", "magnitude of one electron per second", "mag", 5),
        Column("zero_point_error", "float64", "its error against the catalogue", "mag", 6),
        Column("relative_error", "float64", "its error against the other frames", "mag", 6),
        Column("scatter", "float64", "root mean square of the stars about it", "mag", 5),
        Column("n_star", "int64", "stars used"),
        Column("n_clipped", "int64", "stars of the catalogue that are left out, too far from the others"),
        Column(
            "color_term",
            "float64",
            "catalogue minus instrumental, per magnitude of colour; 0: none",
            "",
            5,
        ),
        Column("color_term_error", "float64", "its error; NaN if none was fitted", "", 6),
        Column("color_reference", "float64", "colour for which the zero point holds", "mag", 3),
        Column("catalog", "string", "the catalogue; empty if there is none"),
        Column("band", "string", "band of the magnitudes"),
        Column("system", "string", "AB or Vega"),
        Column("reason", "string", "why there is no zero point; empty if there is one"),
        Column("zero_points", "float64", "zero point through each aperture", "mag", 5, ("radius",)),
        Column("zero_point_errors", "float64", "their errors", "mag", 6, ("radius",)),
        Column("magnitude", "float64", "standard magnitude of each star", "mag", 5, ("star",)),
        Column("magnitude_error", "float64", "its error against the other frames", "mag", 6, ("star",)),
    ),
)
"""``zeropoints.ecsv``; ``magnitudes.fits`` has the same with the vectors."""

MAGNITUDES = Schema(
    "magnitudes",
    1,
    (
        Column("star", "int64", "number of the star; the target is 0"),
        Column("role", "string", "target, comparison (candidate) or neighbour"),
        Column("ra", "float64", "right ascension, ICRS, by the plate solution", "deg", 7),
        Column("dec", "float64", "declination, ICRS, by the plate solution", "deg", 7),
        Column("identifier", "string", "name of the star in the catalogue; empty if it is not there"),
        Column("catalog_magnitude", "float64", "magnitude in the catalogue, brought to the band", "mag", 5),
        Column("catalog_error", "float64", "its error", "mag", 5),
        Column("magnitude", "float64", "mean of the frames", "mag", 5),
        Column("magnitude_error", "float64", "its error, that of the zero point included", "mag", 5),
        Column("scatter", "float64", "standard deviation over the frames", "mag", 5),
        Column("n_frame", "int64", "frames with a magnitude"),
        Column("color", "float64", "colour in the catalogue, of the bands that the header names", "mag", 4),
        Column("is_used", "bool", "the zero point rests on it"),
        Column("flag", "string", "why it does not, or what is wrong with its magnitude"),
    ),
)

LIGHT_CURVE = Schema(
    "lightcurve",
    1,
    (
        Column("image_name", "string", "raw file, without folder"),
        Column("jd_utc", "float64", "Julian date of mid-exposure, UTC", "d", 9),
        Column("bjd_tdb", "float64", "barycentric Julian date of mid-exposure, TDB", "d", 9),
        Column("exptime", "float64", "exposure time", "s", 6),
        Column("airmass", "float64", "airmass", "", 6),
        Column("is_used", "bool", "the point is in the fit and in the package"),
        Column("reason", "string", "why the point is left out"),
        Column("relative_flux", "float64", "target over ensemble, 1 outside the transit", "", 8),
        Column(
            "relative_flux_error",
            "float64",
            "predicted: photons, sky, read-out, scintillation, ensemble",
            "",
            8,
        ),
        Column("trend", "float64", "fitted trend, 1 on average", "", 8),
        Column("detrended_flux", "float64", "relative flux over the trend", "", 8),
        Column("model", "float64", "fitted transit; 1 where there is no fit", "", 8),
        Column("residual", "float64", "detrended flux minus model", "", 8),
        Column("zero_point", "float64", "transparency by the ensemble, brighter is more", "mag", 5),
        Column("zero_point_error", "float64", "its error", "mag", 6),
        Column("fwhm", "float64", "full width at half maximum", "pix", 4),
        Column("sky", "float64", "sky beside the target", "electron / pix", 4),
        Column("x", "float64", "column of the target", "pix", 4),
        Column("y", "float64", "row of the target", "pix", 4),
        Column(
            "total_comparison",
            "float64",
            "summed flux of the comparison stars of the AstroImageJ table",
            "electron",
            2,
        ),
    ),
)

COMPARISON = Schema(
    "comparison",
    2,
    (
        Column("star", "int64", "number of the star in the template's list"),
        Column("label", "string", "T1, C2, C3 ... as in the package; empty if not in its table"),
        Column("is_comparison", "bool", "part of the ensemble"),
        Column("reason", "string", "why it is not"),
        Column("x", "float64", "column in the template", "pix", 4),
        Column("y", "float64", "row in the template", "pix", 4),
        Column("flux", "float64", "median flux through the chosen aperture", "electron", 2),
        Column("weight", "float64", "weight in the ensemble, the largest is 1", "", 6),
        Column("scatter", "float64", "scatter against the other stars", "ppt", 4),
        Column("chi", "float64", "scatter over predicted error", "", 4),
        Column("color", "float64", "on the scale of BP - RP, by a catalogue; NaN where not known", "mag", 4),
        Column("color_difference", "float64", "by how much it is redder than the target", "mag", 4),
        Column("distance", "float64", "from the target, in the template", "pix", 2),
    ),
)

APERTURES = Schema(
    "apertures",
    2,
    (
        Column("radius", "float64", "aperture radius", "pix", 4),
        Column("scatter", "float64", "point-to-point scatter of the target, blind to the transit", "ppt", 4),
        Column("is_chosen", "bool", "the radius of the light curve"),
        Column("rp_rs", "float64", "radius ratio through this aperture, mid-time and shape held", "", 6),
        Column("rp_rs_error", "float64", "its standard error, correlated noise included", "", 6),
        Column("depth", "float64", "square of the radius ratio", "ppt", 4),
        Column("depth_error", "float64", "its standard error", "ppt", 4),
    ),
)

FIT_POINTS = Schema(
    "fit_points",
    1,
    (
        Column("bjd_tdb", "float64", "mid-exposure, or the mean of a block", "d", 9),
        Column("exposure", "float64", "exposure time, or length of the block", "s", 3),
        Column("flux", "float64", "relative flux as it was fitted", "", 9),
        Column("error", "float64", "its predicted error", "", 9),
        *(
            Column(
                f"term_{name}", "float64", "the term of the trend, standardised; NaN if it is not one", "", 9
            )
            for name in ("airmass", "time", "x", "y", "fwhm", "sky", "total", "flip")
        ),
    ),
)
"""What the transit fit was given; the header has its priors and noise models."""

POSTERIOR = Schema(
    "posterior",
    1,
    (
        Column("tc", "float64", "mid-transit, BJD_TDB", "d", 9),
        Column("rp_rs", "float64", "radius ratio", "", 7),
        Column("a_rs", "float64", "semi-major axis in stellar radii", "", 6),
        Column("impact", "float64", "impact parameter", "", 6),
        Column("limb_g", "float64", "first coefficient of the limb darkening", "", 6),
        Column("log_probability", "float64", "logarithm of the posterior, up to a constant", "", 4),
    ),
)
"""Samples of a transit's parameters, each as probable as the others."""

RESULTS = (
    Column("target", "string", "name of the planet candidate"),
    Column("night", "string", "local evening, YYYYMMDD"),
    Column("telescope", "string", "ExoFOP token"),
    Column("filter", "string", "canonical name"),
    Column("n_frame_good", "int64", "frames in the light curve"),
    Column("n_frame_poor", "int64", "frames left out, with their reasons in lightcurve.ecsv"),
    Column("exposure_s", "float64", "median exposure time", "s"),
    Column("start_jd_utc", "float64", "start of the first exposure used", "d"),
    Column("start_bjd_tdb", "float64", "mid-exposure of the first frame used", "d"),
    Column("end_bjd_tdb", "float64", "mid-exposure of the last frame used", "d"),
    Column("aperture_radius_px", "float64", "aperture of the light curve", "pix"),
    Column("annulus_inner_px", "float64", "inner radius of the sky annulus", "pix"),
    Column("annulus_outer_px", "float64", "outer radius of the sky annulus", "pix"),
    Column("fwhm_px", "float64", "median FWHM of the frames used", "pix"),
    Column("pixel_scale_arcsec", "float64", "by the plate solution", "arcsec / pix"),
    Column("plate_solution", "string", "header, catalogue, solve-field, nova or none"),
    Column("template", "string", "raw frame that is the template"),
    Column("n_comparison", "int64", "comparison stars in the ensemble"),
    Column("rms_per_point_ppt", "float64", "scatter of the residuals", "ppt"),
    Column("rms_5min_ppt", "float64", "of 5 minute means; null if there are too few", "ppt"),
    Column("rms_10min_ppt", "float64", "of 10 minute means", "ppt"),
    Column("rms_30min_ppt", "float64", "of 30 minute means", "ppt"),
    Column("predicted_rms_ppt", "float64", "median predicted error of a point", "ppt"),
    Column("beta", "float64", "correlated noise: binned scatter over that of white noise, at least 1"),
    Column("time_averaging_minute", "float64", "lengths of means of the residuals", "min"),
    Column("time_averaging_rms_ppt", "float64", "scatter of means so long", "ppt"),
    Column("time_averaging_white_ppt", "float64", "what white noise would give", "ppt"),
    Column("airmass_min", "float64", "of the frames used"),
    Column("airmass_max", "float64", "of the frames used"),
    Column("flip_bjd_tdb", "float64", "meridian flip; null if there was none", "d"),
    Column("shift_max_px", "float64", "greatest shift from the median in x and y", "pix"),
    Column("shift_sd_px", "float64", "standard deviation of the shift in x and y", "pix"),
    Column(
        "coverage", "string", "Full, Ingress, Egress or Out of Transit, from the ephemeris; empty without one"
    ),
    Column("epoch", "int64", "periods since t0"),
    Column("ingress_bjd_tdb", "float64", "predicted first contact", "d"),
    Column("mid_bjd_tdb", "float64", "predicted mid-transit", "d"),
    Column("egress_bjd_tdb", "float64", "predicted fourth contact", "d"),
    Column("prediction_error_day", "float64", "standard error of these", "d"),
    Column("has_fit", "bool", "a transit was fitted"),
    Column("fit_reason", "string", "why not; empty if it was"),
    Column("rp_rs", "float64", "radius ratio"),
    Column("rp_rs_error", "float64", "standard error, correlated noise included"),
    Column("rp_rs_error_white", "float64", "the same if all noise were white"),
    Column("depth_ppt", "float64", "square of the radius ratio", "ppt"),
    Column("depth_error_ppt", "float64", "standard error", "ppt"),
    Column("dip_ppt", "float64", "deepest point of the model, limb darkening included", "ppt"),
    Column("tc_bjd_tdb", "float64", "observed mid-transit", "d"),
    Column("tc_error_day", "float64", "standard error, correlated noise included", "d"),
    Column("tc_error_white_day", "float64", "the same if all noise were white", "d"),
    Column("correlated_noise", "float64", "amplitude of correlated over white noise, as learned and fitted"),
    Column("duration_hour", "float64", "first to fourth contact", "h"),
    Column("duration_error_hour", "float64", "standard error", "h"),
    Column("a_rs", "float64", "semi-major axis in stellar radii"),
    Column("a_rs_error", "float64", "standard error; 0 if it was held"),
    Column("impact", "float64", "impact parameter"),
    Column("impact_error", "float64", "standard error; 0 if it was held"),
    Column("limb_law", "string", "limb darkening: power-2, I = 1 - g (1 - mu^h), or quadratic"),
    Column("limb_g", "float64", "its first coefficient: g, or u1 of the quadratic law"),
    Column("limb_g_error", "float64", "standard error"),
    Column("limb_h", "float64", "its second coefficient, held: h, or u2"),
    Column("u1", "float64", "linear limb darkening, for AstroImageJ"),
    Column("u2", "float64", "quadratic limb darkening, for AstroImageJ"),
    Column("o_c_minute", "float64", "observed minus predicted mid-transit", "min"),
    Column("o_c_error_minute", "float64", "of observation and prediction", "min"),
    Column("o_c_sigma", "float64", "o_c_minute over its error"),
    Column("is_detected", "bool", "delta_bic above 10 and a radius ratio above 3 of its errors"),
    Column("delta_bic", "float64", "BIC without a transit minus with one; above 10 it is detected"),
    Column("detrend", "string", "terms of the trend"),
    Column("detrend_coefficient_ppt", "float64", "per standard deviation of each term", "ppt"),
    Column("detrend_error_ppt", "float64", "their standard errors", "ppt"),
    Column("detrend_tried", "string", "every term that there was, those of the trend too"),
    Column("detrend_tried_bic", "float64", "BIC that each gains, correlated noise allowed for"),
    Column("detrend_tried_depth_ppt", "float64", "depth with each minus depth without it", "ppt"),
    Column(
        "comparison_spread",
        "float64",
        "pairs: number of comparison stars, and the radius ratio that they give",
    ),
    Column(
        "comparison_colors", "string", "colour by which stars unlike the target lost weight; empty if none"
    ),
    Column("comparison_systematic", "float64", "half the range of these radius ratios"),
    Column("fit_correlation", "float64", "25: of tc, rp_rs, a_rs, impact, limb_g, row by row"),
    Column("fit_prior", "float64", "25: inverse covariance of the priors in units of the errors, row by row"),
    Column("fit_prior_slope", "float64", "5: slope of the logarithm of the priors, per error"),
    Column("posterior_median", "float64", "5: tc, rp_rs, a_rs, impact, limb_g by sampling; empty without it"),
    Column("posterior_minus", "float64", "5: from the median down to the end of the central 68 %"),
    Column("posterior_plus", "float64", "5: from the median up to it"),
    Column("posterior_autocorrelation", "float64", "5: autocorrelation time, step; 0 for what was held"),
    Column("posterior_acceptance", "float64", "part of the steps that were taken"),
    Column("posterior_is_converged", "bool", "the chain is 50 autocorrelation times long, and moves"),
    Column("flags", "string", "what a reader must know, in words"),
    Column("science_version", "int64", "grows when any number of the program may have changed"),
)
"""Keys of ``results.json``; lists hold values of the kind that is given; null means unknown."""

TRANSITS = Schema(
    "transits",
    2,
    (
        Column("observation", "string", "night/telescope/filters"),
        Column("night", "string", "local evening, YYYYMMDD"),
        Column("telescope", "string", "ExoFOP token"),
        Column("filters", "string", "canonical names; several, with blanks between, are a joint fit"),
        Column("epoch", "int64", "periods since t0 of the ephemeris in the settings"),
        Column("tc", "float64", "observed mid-transit, BJD_TDB", "d", 9),
        Column("tc_error", "float64", "standard error, correlated noise included", "d", 9),
        Column("o_c", "float64", "observed minus predicted mid-transit", "min", 5),
        Column("o_c_error", "float64", "of observation and prediction", "min", 5),
        Column("o_c_sigma", "float64", "o_c over its error", "", 4),
        Column(
            "rp_rs", "float64", "radius ratio; in the row of several filters, the one for all of them", "", 6
        ),
        Column("rp_rs_error", "float64", "standard error", "", 6),
        Column("a_rs", "float64", "semi-major axis in stellar radii", "", 6),
        Column("a_rs_error", "float64", "standard error; 0 if it was held", "", 6),
        Column("impact", "float64", "impact parameter", "", 6),
        Column("impact_error", "float64", "standard error; 0 if it was held", "", 6),
        Column("coverage", "string", "Full, Ingress, Egress or Out of Transit"),
        Column("method", "string", "single fit; joint fit of the points of all filters; or else, and why"),
        Column("is_used", "bool", "the mid-time is in the fit of the ephemeris"),
        Column("reason", "string", "why it is not"),
    ),
)
"""Mid-times of all observations of one target: each filter, and all filters of a night together."""

TOIS = Schema(
    "tois",
    2,
    (
        Column("toi", "string", "as TOI-1234.01"),
        Column("tic", "int64", "number of the host in the TESS Input Catalog"),
        Column("ra", "float64", "right ascension, ICRS", "deg"),
        Column("dec", "float64", "declination, ICRS", "deg"),
        Column("pm_ra", "float64", "proper motion times cos(dec)", "mas / yr"),
        Column("pm_dec", "float64", "proper motion", "mas / yr"),
        Column("tmag", "float64", "TESS magnitude", "mag"),
        Column("tmag_error", "float64", "its error", "mag"),
        Column("t0", "float64", "mid-transit time, BJD", "d"),
        Column("t0_error", "float64", "its error", "d"),
        Column("period", "float64", "orbital period", "d"),
        Column("period_error", "float64", "its error", "d"),
        Column("duration", "float64", "first to fourth contact", "h"),
        Column("duration_error", "float64", "its error", "h"),
        Column("depth", "float64", "of the transit", "ppt"),
        Column("depth_error", "float64", "its error", "ppt"),
        Column("teff", "float64", "effective temperature of the host", "K"),
        Column("teff_error", "float64", "its error", "K"),
        Column("logg", "float64", "surface gravity of the host, log10(cm s-2)"),
        Column("logg_error", "float64", "its error"),
        Column("radius", "float64", "of the host", "Rsun"),
        Column("radius_error", "float64", "its error", "Rsun"),
    ),
)
"""Which TOI is of which star, and what is known of both; from ExoFOP."""

TARGET = Schema(
    "target",
    1,
    (
        Column("quantity", "string", "as in `[[target]]` and `[target.ephemeris]`, and tmag, radius"),
        Column("value", "float64", "by ExoFOP"),
        Column("error", "float64", "its standard error; nan if it gives none"),
        Column("unit", "string", "of value, error and configured"),
        Column("source", "string", "table or page of ExoFOP"),
        Column("configured", "float64", "by workspace.toml, which rules; nan if it has none"),
        Column("difference", "string", "how the two differ beyond their errors; empty if they do not"),
    ),
)
"""What ExoFOP knows of a target, beside the user's values."""

ARCHIVE_CURVE = Schema(
    "archive_curve",
    1,
    (
        Column("jd", "float64", "Julian date of the clock that the header names as `system`", "d"),
        Column("bjd_tdb", "float64", "barycentric Julian date, TDB; NaN where it cannot be had", "d"),
        Column("exptime", "float64", "exposure time", "s"),
        Column("airmass", "float64", "airmass"),
        Column("relative_flux", "float64", "target over ensemble, median 1"),
        Column("relative_flux_error", "float64", "as the observer gave it"),
        Column("fwhm", "float64", "full width at half maximum", "pix"),
        Column("sky", "float64", "sky beside the target, in the unit of the observer"),
        Column("x", "float64", "column of the target, in the convention of the observer", "pix"),
        Column("y", "float64", "row of the target, in the convention of the observer", "pix"),
    ),
)
"""An observation of somebody, in our columns."""

ARCHIVE_OBSERVATIONS = Schema(
    "archive_observations",
    1,
    (
        Column("path", "string", "the table, below time_series/"),
        Column("tag", "string", "number of the observation on ExoFOP"),
        Column("standard", "string", "the same in our columns, below standard/; empty if it cannot be read"),
        Column("reason", "string", "why it cannot be read"),
        Column("date", "string", "YYYYMMDD, by the file name or else by ExoFOP"),
        Column("telescope", "string", "by the file name or else by ExoFOP"),
        Column("filter", "string", "by the file name or else by ExoFOP"),
        Column("n_point", "int64", "rows with a time and a flux"),
        Column("n_dropped", "int64", "rows without"),
        Column("start", "float64", "first point, Julian date", "d"),
        Column("end", "float64", "last point, Julian date", "d"),
        Column("cadence", "float64", "median time between points", "s"),
        Column("efficiency", "float64", "exposure over time between points; NaN where no exposure is known"),
        Column("system", "string", "BJD_TDB, or what the times are instead"),
        Column("offset", "float64", "added to the times of the table", "d"),
        Column("flux_column", "string", "where the flux is from"),
        Column("missing", "string", "covariates that the table does not have"),
        Column("remarks", "string", "what was assumed, or looks wrong"),
    ),
)
"""Every table of a target's archive, and what was made of it."""

CATALOG = Schema(
    "catalog",
    1,
    (
        Column("identifier", "string", "name of the star in the catalogue"),
        Column("ra", "float64", "right ascension, ICRS, at the epoch", "deg", 9),
        Column("dec", "float64", "declination, ICRS, at the epoch", "deg", 9),
        Column("pm_ra", "float64", "proper motion times cos(dec)", "mas / yr", 4),
        Column("pm_dec", "float64", "proper motion", "mas / yr", 4),
        Column("flag", "string", "why the star is not to be trusted; empty if nothing is known against it"),
    ),
)
"""Stars of a field; before the flag come two columns for each band, its magnitude and its error."""

SCHEMAS = (
    INVENTORY,
    MASTERS,
    CALIBRATIONS,
    IMAGE_COUNTS,
    FRAMES,
    STARS,
    TEMPLATE,
    TEMPLATE_STARS,
    PLATE_SOLUTION,
    PHOTOMETRY,
    GROWTH,
    FORCED_POSITIONS,
    FORCED,
    LIMITS,
    FRAME_WCS,
    ZERO_POINTS,
    MAGNITUDES,
    LIGHT_CURVE,
    NEIGHBOURS,
    COMPARISON,
    APERTURES,
    FIT_POINTS,
    POSTERIOR,
    TRANSITS,
    TOIS,
    ARCHIVE_CURVE,
    ARCHIVE_OBSERVATIONS,
    TARGET,
    CATALOG,
)
