"""A light curve as the AAVSO, ExoClock, the ETD, EXOFAST, juliet and allesfitter read it.

Sources: AAVSO exoplanet report 0.62; ExoClock's form as HOPS fills it in; EXOFASTv2's readtran.pro and
examples; the tutorials and examples that come with juliet and allesfitter.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accretor.archives import priors
from accretor.archives.curve import Curve
from accretor.core.arrays import Floats
from accretor.core.errors import Unusable

MOST_TERMS = 4
"""Covariates that a report of the AAVSO has room for."""

AAVSO_FILTERS = {
    "U": "U", "B": "B", "V": "V", "R": "R", "I": "I", "Rc": "R", "Ic": "I", "up": "SU", "gp": "SG",
    "rp": "SR", "ip": "SI", "zs": "SZ", "zp": "SZ", "clear": "CV", "CBB": "CBB", "TESS": "O",
}  # fmt: skip
"""Names of filters on its list; ``O`` is another one, named in FILTER-XC."""

EXOFAST_FILTERS = {
    "U": "U", "B": "B", "V": "V", "R": "R", "I": "I", "Rc": "R", "Ic": "I", "up": "Sloanu", "gp": "Sloang",
    "rp": "Sloanr", "ip": "Sloani", "zs": "Sloanz", "zp": "Sloanz", "TESS": "TESS", "clear": "CoRoT",
}  # fmt: skip
"""Bands of its limb-darkening tables, the only ones that it reads; CoRoT's is that of a bare CCD."""


@dataclass(frozen=True)
class Format:
    """One file of a form."""

    name: str
    file_name: Callable[[Curve], str]
    write: Callable[[Curve], bytes]


def aavso(curve: Curve) -> bytes:
    """Return a report for the AAVSO Exoplanet Database (format 0.62, 2018-02-12).

    The flux is not detrended; what it can be detrended with stands beside it. An
    observer without a code must put it into OBSCODE before it is sent.
    """
    band = AAVSO_FILTERS.get(curve.filter, "O")
    terms = list(curve.covariates)[:MOST_TERMS]
    head: list[tuple[str, Any]] = [
        ("TYPE", "EXOPLANET"),
        ("OBSCODE", curve.obscode),
        ("SOFTWARE", curve.program),
        ("DELIM", ","),
        ("DATE_TYPE", "BJD_TDB"),
        ("OBSTYPE", "CCD"),
        ("STAR_NAME", curve.star),
        ("EXOPLANET_NAME", curve.name),
        ("BINNING", curve.binning),
        ("EXPOSURE_TIME", f"{curve.exposure:g}"),
        ("FILTER", band),
        *([("FILTER-XC", _json({"name": curve.filter, "desc": "", "fwhm": []}))] if band == "O" else []),
        ("DETREND_PARAMETERS", ",".join(terms)),
        ("MEASUREMENT_TYPE", "Rnflux"),
        ("COMP_STAR-XC", _json([_star(star) for star in curve.comparison])),
        ("PRIORS", _pairs(_priors(curve))),
        ("PRIORS-XC", _json(_with_errors(_priors(curve)))),
        ("RESULTS", _pairs(_results(curve))),
        ("RESULTS-XC", _json(_with_errors(_results(curve)))),
        ("NOTES", curve.provenance),
    ]
    columns = [curve.covariates[term] for term in terms]
    names = ["DATE", "DIFF", "ERR", *(f"DETREND_{place}" for place in range(1, len(terms) + 1))]
    lines = [*(f"#{key}={_one_line(value)}" for key, value in head), "#" + ",".join(names)]
    lines += [
        ",".join([f"{time:.8f}", f"{flux:.7f}", f"{error:.7f}", *(_or_na(value) for value in rest)])
        for time, flux, error, *rest in zip(curve.bjd_tdb, curve.flux, curve.error, *columns, strict=True)
    ]
    return _text(lines)


def exoclock(curve: Curve) -> bytes:
    """Return three columns: BJD_TDB, relative flux, its error; the form on the page asks for the rest."""
    return _columns((curve.bjd_tdb, curve.flux, curve.error), (8, 7, 7))


def exoclock_info(curve: Curve) -> bytes:
    """Return what the form of ExoClock asks for."""
    return _text(
        [
            f"Planet: {curve.name}",
            "Time format: BJD_TDB",
            "Time stamp: Mid exposure",
            "Flux format: Flux",
            f"Filter: {curve.filter}",
            f"Exposure time: {curve.exposure:g} s",
            f"Comments: target over comparison stars, not detrended; {curve.program}",
        ]
    )


def etd(curve: Curve) -> bytes:
    """Return three columns: geocentric JD (UTC), magnitude against the level out of transit, its error."""
    if not (curve.flux > 0).all():
        raise Unusable("a flux is not above 0, so there is no magnitude")
    magnitude = -2.5 * np.log10(curve.flux)
    error = 2.5 / math.log(10) * curve.error / curve.flux
    return _columns((curve.jd_utc, magnitude, error), (8, 6, 6))


def exofast(curve: Curve) -> bytes:
    """Return BJD_TDB, relative flux, its error, and a column for each term of the trend, of mean 0.

    Raises
    ------
    Unusable
        If its tables of limb darkening have no such band.
    """
    if curve.filter not in EXOFAST_FILTERS:
        raise Unusable(f"it knows no band {curve.filter}")
    terms = priors.regressors(curve)
    return _columns((curve.bjd_tdb, curve.flux, curve.error, *terms), (8, 7, 7, *[6] * len(terms)))


def juliet(curve: Curve) -> bytes:
    """Return BJD_TDB, relative flux, its error, name of the instrument, and the terms of the trend."""
    name = _joined(curve)
    terms = priors.regressors(curve)
    return _text(
        " ".join([f"{time:.8f} {flux:.7f} {error:.7f} {name}", *(f"{value:.6f}" for value in rest)])
        for time, flux, error, *rest in zip(curve.bjd_tdb, curve.flux, curve.error, *terms, strict=True)
    )


def allesfitter(curve: Curve) -> bytes:
    """Return BJD_TDB, relative flux, its error and the first term of the trend, with commas.

    The file's name is that of the instrument.
    """
    terms = priors.regressors(curve)[:1]
    head = ",".join(["# time,flux,flux_err", *(["custom_series"] if terms else [])])
    columns = _columns((curve.bjd_tdb, curve.flux, curve.error, *terms), (8, 7, 7, *[6] * len(terms)), ",")
    return head.encode("ascii") + b"\n" + columns


def _of_instrument(write: Callable[[Curve, str], bytes]) -> Callable[[Curve], bytes]:
    return lambda curve: write(curve, _instrument(curve))


FORMATS = (
    Format("AAVSO", lambda curve: f"AAVSO_{_plain(curve.name)}_{curve.date}_{curve.filter}.txt", aavso),
    Format(
        "ExoClock", lambda curve: f"ExoClock_{_plain(curve.name)}_{curve.date}_{curve.filter}.txt", exoclock
    ),
    Format(
        "ExoClock",
        lambda curve: f"ExoClock_{_plain(curve.name)}_{curve.date}_{curve.filter}_info.txt",
        exoclock_info,
    ),
    Format("ETD", lambda curve: f"ETD_{_plain(curve.name)}_{curve.date}_{curve.filter}.txt", etd),
    Format(
        "EXOFAST",
        lambda curve: (
            f"EXOFAST/n{curve.date}.{EXOFAST_FILTERS.get(curve.filter, curve.filter)}.{curve.telescope}.dat"
        ),
        exofast,
    ),
    Format("EXOFAST", lambda curve: f"EXOFAST/{_plain(curve.name)}.priors", priors.exofast),
    Format("juliet", lambda curve: f"juliet/{_joined(curve)}.dat", juliet),
    Format(
        "juliet",
        lambda _: "juliet/priors.dat",
        lambda curve: priors.juliet(curve, _joined(curve)),
    ),
    Format("allesfitter", lambda curve: f"allesfitter/{_instrument(curve)}.csv", allesfitter),
    Format("allesfitter", lambda _: "allesfitter/params.csv", _of_instrument(priors.allesfitter_params)),
    Format("allesfitter", lambda _: "allesfitter/settings.csv", _of_instrument(priors.allesfitter_settings)),
)
"""All forms."""


def files(curve: Curve) -> tuple[dict[str, bytes], list[str]]:
    """Return the files of all forms by their names, and which could not be made."""
    made: dict[str, bytes] = {}
    failed: dict[str, list[str]] = {}
    for form in FORMATS:
        try:
            made[form.file_name(curve)] = form.write(curve)
        except Unusable as verdict:
            failed.setdefault(verdict.reason, []).append(form.name)
    return made, [f"no file for {', '.join(dict.fromkeys(names))}: {why}" for why, names in failed.items()]


def _priors(curve: Curve) -> list[tuple[str, float, float, str]]:
    """Return name, value, error (NaN if none) and unit of what was known before."""
    found: list[tuple[str, float, float, str]] = []
    if curve.orbit is not None:
        found.append(("Period", curve.orbit.period, math.nan, "days"))
    u1, u2 = curve.limb
    if math.isfinite(u1):
        found += [("u1", u1, math.nan, ""), ("u2", u2, math.nan, "")]
    return found


def _results(curve: Curve) -> list[tuple[str, float, float, str]]:
    fit = curve.fit
    if fit is None:
        return []
    return [
        ("Tc", fit.tc, fit.tc_error, "BJD_TDB"),
        ("Rp/R*", fit.rp_rs, fit.rp_rs_error, ""),
        ("a/R*", fit.a_rs, math.nan, ""),
        ("inc", fit.inclination, math.nan, "degrees"),
        ("Duration", fit.duration / 24, fit.duration_error / 24, "days"),
    ]


def _pairs(values: Sequence[tuple[str, float, float, str]]) -> str:
    return ",".join(
        f"{name}={_number(name, value)}" + (f" +/- {error:.2g}" if math.isfinite(error) else "")
        for name, value, error, _ in values
    )


def _number(name: str, value: float) -> str:
    return f"{value:.6f}" if name == "Tc" else f"{value:.9g}"


def _with_errors(values: Sequence[tuple[str, float, float, str]]) -> dict[str, Any]:
    return {
        name: {
            "value": _number(name, value),
            **({"uncertainty": f"{error:.2g}"} if math.isfinite(error) else {}),
            **({"units": unit} if unit else {}),
        }
        for name, value, error, unit in values
    }


def _star(star: tuple[str, float, float, float, float]) -> dict[str, Any]:
    label, ra, dec, x, y = star
    place = {"ra": f"{ra:.6f}", "dec": f"{dec:.6f}"} if math.isfinite(ra) else {}
    return {"label": label, **place, "x": f"{x:.2f}", "y": f"{y:.2f}"}


def _instrument(curve: Curve) -> str:
    """Return a name of letters, digits and _ for the telescope, the filter and the night."""
    return _plain(f"{curve.telescope}_{curve.filter}_{curve.date}")


def _joined(curve: Curve) -> str:
    """Return the same with hyphens: an underscore in a parameter of juliet separates instruments."""
    return _instrument(curve).replace("_", "-")


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in text)


def _columns(columns: Sequence[Floats], digits: Sequence[int], between: str = " ") -> bytes:
    return _text(
        between.join(f"{value:.{places}f}" for value, places in zip(row, digits, strict=True))
        for row in zip(*columns, strict=True)
    )


def _or_na(value: float) -> str:
    return f"{value:.6f}" if math.isfinite(value) else "na"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8")
