"""Dumps of the sky: plate solutions, zero points, magnitudes, limits, catalogues."""

from __future__ import annotations

from accretor.core.dumps.schema import Column, Schema

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
