"""What juliet, allesfitter and EXOFASTv2 must be told of the planet and its star before a fit.

Priors hold what was known before the night (the ephemeris), and leave what the night is to
measure free in all that is possible: its own fit gives only the order of magnitude of a/R*.
Orbits are circles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from accretor.archives.curve import Curve
from accretor.core.arrays import Floats
from accretor.core.errors import Unusable

LIMB_WIDTH = 0.1
"""Standard deviation that limb-darkening coefficients of tables are believed to, in q1 and q2."""
WIDE = 3.0
"""Standard deviations of the predicted time within which the transit is looked for."""
LARGEST = 0.3
"""Radius ratio that no planet of a dwarf exceeds."""


@dataclass(frozen=True)
class Guess:
    """What the three programs are told."""

    period: float
    """Day."""
    period_error: float
    """Day; 0 if not known."""
    t0: float
    """Predicted middle of this transit, BJD_TDB."""
    t0_reach: float
    """Day by which it may be off."""
    rp_rs: float
    a_rs: float
    impact: float
    q: tuple[float, float]
    """Limb darkening as Kipping (2013) has it; NaN if not known."""


def guess(curve: Curve) -> Guess:
    """Return what is known of the transit of a night.

    Raises
    ------
    Unusable
        Without an ephemeris, or with that of a candidate that was seen once.
    """
    orbit, fit = curve.orbit, curve.fit
    if orbit is None:
        raise Unusable("there is no ephemeris")
    if not orbit.period > 0:
        raise Unusable("the period is not known: the candidate was seen once")
    middle = float(np.median(curve.bjd_tdb))
    epoch = round((middle - orbit.t0) / orbit.period)
    error = math.hypot(orbit.t0_error, epoch * orbit.period_error)
    rp_rs = fit.rp_rs if fit else math.sqrt(orbit.depth / 1000)
    duration = orbit.duration / 24
    if fit:
        a_rs, impact = fit.a_rs, fit.a_rs * math.cos(math.radians(fit.inclination))
    elif duration > 0:
        # A central transit of this duration (Winn 2010).
        a_rs, impact = (1 + rp_rs) / math.sin(math.pi * min(duration / orbit.period, 0.5)), 0.0
    else:
        raise Unusable("neither a fit nor the duration of the transit is there")
    u1, u2 = curve.limb
    total = u1 + u2
    q = (total**2, 0.5 * u1 / total) if math.isfinite(total) and total > 0 else (math.nan, math.nan)
    return Guess(
        period=orbit.period,
        period_error=orbit.period_error,
        t0=orbit.t0 + epoch * orbit.period,
        t0_reach=max(WIDE * error, 0.5 * duration, 0.01),
        rp_rs=rp_rs,
        a_rs=a_rs,
        impact=min(impact, 0.99),
        q=q,
    )


def juliet(curve: Curve, instrument: str) -> bytes:
    """Return juliet's file of priors: name, distribution and its numbers, with blanks between.

    ``theta0``, ``theta1`` ... are the coefficients of the further columns of the light curve.
    """
    known = guess(curve)
    rows = [
        ("P_p1", *_period(known, "normal", ",")),
        ("t0_p1", "uniform", f"{known.t0 - known.t0_reach:.6f},{known.t0 + known.t0_reach:.6f}"),
        ("p_p1", "uniform", f"0.0,{LARGEST}"),
        ("b_p1", "uniform", f"0.0,{1 + LARGEST}"),
        ("a_p1", "uniform", f"1.1,{3 * known.a_rs:.4f}"),
        ("ecc_p1", "fixed", "0.0"),
        ("omega_p1", "fixed", "90.0"),
        *(
            (
                f"q{i}_{instrument}",
                *(
                    ("truncatednormal", f"{value:.4f},{LIMB_WIDTH},0.0,1.0")
                    if math.isfinite(value)
                    else ("uniform", "0.0,1.0")
                ),
            )
            for i, value in enumerate(known.q, start=1)
        ),
        (f"mdilution_{instrument}", "fixed", "1.0"),
        (f"mflux_{instrument}", "normal", "0.0,0.1"),
        (f"sigma_w_{instrument}", "loguniform", "1.0,10000.0"),
        *((f"theta{i}_{instrument}", "uniform", "-0.1,0.1") for i in range(len(regressors(curve)))),
    ]
    return _text(" ".join(row) for row in rows)


def regressors(curve: Curve) -> list[Floats]:
    """Return the terms of the fit's trend with a mean of 0 and a standard deviation of 1; each (n,)."""
    found = []
    for name in curve.detrended_with:
        values = curve.covariates.get(name)
        if values is not None and np.isfinite(values).all() and np.ptp(values) > 0:
            found.append(np.asarray((values - values.mean()) / values.std()))
    return found


def allesfitter_params(curve: Curve, instrument: str) -> bytes:
    """Return allesfitter's ``params.csv``: name, value, whether it is fitted, bounds, label, unit."""
    known = guess(curve)
    size = (1 + known.rp_rs) / known.a_rs
    cosine = known.impact / known.a_rs
    period = (
        ("1", f"normal {known.period:.9g} {known.period_error:.3g}")
        if known.period_error > 0
        else ("0", f"uniform {known.period - 1e-6:.9g} {known.period + 1e-6:.9g}")
    )
    error = math.log(float(np.median(curve.error)))
    rows = [
        ("#name", "value", "fit", "bounds", "label", "unit"),
        ("b_rr", f"{known.rp_rs:.6f}", "1", f"uniform 0 {LARGEST}", "$R_b / R_\\star$", ""),
        ("b_rsuma", f"{size:.6f}", "1", f"uniform 0 {min(1.0, 3 * size):.4f}", "$(R_\\star+R_b)/a_b$", ""),
        ("b_cosi", f"{cosine:.6f}", "1", f"uniform 0 {min(1.0, 3 * size):.4f}", "$\\cos{i_b}$", ""),
        (
            "b_epoch", f"{known.t0:.6f}", "1",
            f"uniform {known.t0 - known.t0_reach:.6f} {known.t0 + known.t0_reach:.6f}",
            "$T_{0;b}$", "$\\mathrm{BJD}$",
        ),
        ("b_period", f"{known.period:.9g}", *period, "$P_b$", "$\\mathrm{d}$"),
        ("b_f_c", "0", "0", "uniform -1 1", "$\\sqrt{e_b} \\cos{\\omega_b}$", ""),
        ("b_f_s", "0", "0", "uniform -1 1", "$\\sqrt{e_b} \\sin{\\omega_b}$", ""),
        *(
            (
                f"host_ldc_q{i}_{instrument}",
                *(
                    (f"{value:.4f}", "1", f"trunc_normal 0 1 {value:.4f} {LIMB_WIDTH}")
                    if math.isfinite(value)
                    else ("0.5", "1", "uniform 0 1")
                ),
                f"$q_{{{i}}}$",
                "",
            )
            for i, value in enumerate(known.q, start=1)
        ),
        (f"ln_err_flux_{instrument}", f"{error:.3f}", "1", "uniform -15 0", "$\\ln{\\sigma}$", ""),
    ]  # fmt: skip
    return _text(",".join(row) for row in rows)


def allesfitter_settings(curve: Curve, instrument: str) -> bytes:
    """Return allesfitter's ``settings.csv``: a line in the first term of the trend, else in time."""
    against = "custom_series" if regressors(curve) else "time"
    rows = [
        ("#name", "value"),
        ("companions_phot", "b"),
        ("companions_rv", ""),
        ("inst_phot", instrument),
        ("inst_rv", ""),
        ("fast_fit", "False"),
        ("multiprocess", "False"),
        ("shift_epoch", "False"),
        (f"host_ld_law_{instrument}", "quad"),
        (f"baseline_flux_{instrument}", "hybrid_poly_1"),
        (f"baseline_flux_{instrument}_against", against),
        (f"error_flux_{instrument}", "sample"),
    ]
    return _text(",".join(row) for row in rows)


def exofast(curve: Curve) -> bytes:
    """Return EXOFASTv2's file of priors: name, value, width (and bounds); 0 is the number of the planet."""
    known = guess(curve)
    lines = [
        "# what was known before the night; add those of the star: mstar, rstar, teff, feh",
        f"period_0 {known.period:.9g}" + (f" {known.period_error:.3g}" if known.period_error > 0 else " 0"),
        f"tc_0 {known.t0:.6f} -1 {known.t0 - known.t0_reach:.6f} {known.t0 + known.t0_reach:.6f}",
        f"p_0 {known.rp_rs:.6f} -1 0 {LARGEST}",
    ]
    if curve.teff > 0:
        lines.append(f"teff {curve.teff:.0f} 150")
    return _text(lines)


def _period(known: Guess, distribution: str, between: str) -> tuple[str, str]:
    if known.period_error > 0:
        return distribution, f"{known.period:.9g}{between}{known.period_error:.3g}"
    return "fixed", f"{known.period:.9g}"


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8")
