"""Dumps of the light curve and of the transit in it."""

from __future__ import annotations

from accretor.core.dumps.schema import Column, Schema

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
    2,
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
"""What the transit fit was given; the header has its priors, its noise models, and the covariance of what it
found if the terms of the trend were certain.

2: that covariance.
"""

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
    Column("rp_rs_error", "float64", "standard error: noise, choice of terms, comparison stars"),
    Column("rp_rs_error_chosen", "float64", "that of the noise alone, the terms being certain"),
    Column("rp_rs_comparison_pull", "float64", "scatter of this fit to comparison stars over its errors"),
    Column("rp_rs_error_white", "float64", "the same if all noise were white"),
    Column("depth_ppt", "float64", "square of the radius ratio", "ppt"),
    Column("depth_error_ppt", "float64", "standard error", "ppt"),
    Column("dip_ppt", "float64", "deepest point of the model, limb darkening included", "ppt"),
    Column("tc_bjd_tdb", "float64", "observed mid-transit", "d"),
    Column("tc_error_day", "float64", "standard error: as that of the radius ratio", "d"),
    Column("tc_error_chosen_day", "float64", "that of the noise alone, the terms being certain", "d"),
    Column("tc_comparison_pull", "float64", "scatter of this fit to comparison stars over its errors"),
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
    Column("detrend_sets", "string", "sets of terms that count, the likeliest first; empty is a constant"),
    Column("detrend_sets_weight", "float64", "their weights in the errors, of sum 1"),
    Column("detrend_sets_tc_minute", "float64", "mid-transit with each minus that given", "min"),
    Column("detrend_sets_rp_rs", "float64", "radius ratio with each"),
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
