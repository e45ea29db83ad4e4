"""Dumps of the raw frames: what each is, what was applied to it, the stars found in it, the template."""

from __future__ import annotations

from accretor.core.dumps.schema import Column, Schema

INVENTORY = Schema(
    "inventory",
    4,
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
        Column("mask_hdu", "int64", "FITS HDU of a map of bad pixels beside the image; 0: none"),
        Column("mask_bits", "int64", "bits of that map that make a pixel bad; 0: any"),
        Column("n_combined", "int64", "exposures that were made one; 0 for a master of unknown number"),
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
    3,
    (
        Column("kind", "string", "bias, dark, flat, selfdark or bad (the map of bad pixels)"),
        Column("n_frame", "int64", "frames combined, 0 if nothing tells; of the map: pixels that are bad"),
        Column("exposure", "float64", "exposure time of the frames combined; 0 for a bias", "s", 6),
        Column("frames", "string", "names of the frames combined, with ` / ` between"),
        Column("bytes", "string", "digest of the raw bytes of the frames combined"),
        Column("input", "string", "digest of the frames combined, the settings and the version"),
        Column("remark", "string", "what was found out of a master that was given"),
        Column("digest", "string", "sha256 of the master's file"),
    ),
)

CALIBRATIONS = Schema(
    "calibrations",
    2,
    (
        Column("path", "string", "calibration frame below raw/"),
        Column("kind", "string", "bias, dark or flat"),
        Column("n_combined", "int64", "exposures in it; 0 of a master of unknown number"),
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
        Column(
            "n_saturated",
            "int64",
            "pixels at or above the saturation level of settings or header, else 65535 ADU",
        ),
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
