"""Dumps of what others know and have observed: ExoFOP's tables and files."""

from __future__ import annotations

from accretor.core.dumps.schema import Column, Schema

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
