"""The tests of one neighbour: by the macro's rules through every aperture, and by ours through one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accretor.aij.columns import differential, source_error
from accretor.io.dump import Row
from accretor.science import eclipse, ensemble, neb
from accretor.science.eclipse import Curve
from accretor.science.neb import Session, Verdict

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans
    from accretor.stages.bench import Bench
    from accretor.stages.nebnight import Night, Rules

UNKNOWN = dict.fromkeys(
    (
        *("delta_mag", "net_counts", "depth_needed", "rms", "ratio", "radius", "box_radius", "box_depth"),
        *("box_depth_error", "significance", "recovery", "coverage"),
    ),
    math.nan,
)


@dataclass(frozen=True)
class Tested:
    """What is found of one neighbour."""

    row: Row
    verdict: Verdict | None
    """Of the macro, through the aperture that tells most; None for a star that was not measured."""


def run(stars: list[Row], night: Night, rules: Rules, margin: float, bench: Bench) -> list[Tested]:
    """Test all neighbours; those that could cause the depth are numbered, from T2 on."""
    tested = []
    number = 1
    for done, star in enumerate(stars, start=1):
        # What cannot be the source by the catalogue needs no curve; what is not in it is never called faint.
        if star["delta_tmag"] > rules.limit + margin:
            tested.append(Tested(_too_faint(star, rules), None))
        else:
            number += 1
            tested.append(_one(star, number, night, rules))
        bench.progress(done, len(stars))
    return tested


def _too_faint(star: Row, rules: Rules) -> Row:
    return {
        **untested(star, []),
        "depth_needed": neb.depth_needed(rules.depth, star["delta_tmag"]),
        "disposition": neb.TOO_FAINT,
        "verdict": eclipse.CLEARED,
        "reason": f"{star['delta_tmag']:.2f} mag fainter than the target by the catalogue, "
        f"{rules.limit:.2f} can cause the depth",
    }


def untested(star: Row, remarks: list[str]) -> Row:
    """Return the row of a star that was not tested, and so not cleared."""
    names = ("identifier", "ra", "dec", "separation", "position_angle", "delta_tmag")
    return {
        "neighbour": 0,
        **{name: star[name] for name in names},
        **UNKNOWN,
        "n_frame": 0,
        "disposition": neb.NOT_CLEARED,
        "verdict": eclipse.NOT_CLEARED,
        "reason": "; ".join(remarks) or "not tested",
    }


def _one(star: Row, number: int, night: Night, rules: Rules) -> Tested:
    """Test one neighbour by the macro's rules through every aperture, and by ours through one."""
    row = {**untested(star, []), "neighbour": number}
    at = star["position"]
    own = _own_radius(star, night, rules)
    curve = _curve(night, at, own)
    good = np.isfinite(curve.flux)
    row |= {
        "n_frame": int(good.sum()),
        "coverage": eclipse.covered(night.time[good], night.exposure[good], rules.window),
        "box_radius": float(night.radii[own]),
    }
    obstacle = _obstacle(star, row, night, at, rules)
    # Three frames have no scatter to speak of, and would clear anything: an aperture counts with the others
    # only if it has as much of the night as a star must have.
    whole = [i for i in range(len(night.radii)) if _is_whole(night, at, i, rules)]
    sessions = [_session(night, at, i, rules) for i in whole or range(len(night.radii))]
    checked = [
        _macro(night, at, i, rules, session)
        for i, session in zip(whole or range(len(night.radii)), sessions, strict=True)
        if session is not None
    ]
    if not checked:
        return Tested({**row, "reason": obstacle or "it is measured in no frame"}, None)
    best = neb.merge(checked)
    verdict, session = checked[best], [item for item in sessions if item is not None][best]
    row |= {
        "delta_mag": verdict.delta_mag,
        "net_counts": verdict.net_counts,
        "depth_needed": verdict.depth_needed,
        "rms": verdict.rms,
        "ratio": verdict.ratio,
        "radius": session.radius,
        "disposition": verdict.disposition,
    }
    needed = neb.depth_needed(rules.depth, _brightest(star, night, at, own))
    loss = eclipse.measure(curve, rules.window, needed, cadence=rules.cadence)
    word, reason = eclipse.verdict(loss, needed)
    row |= {
        "box_depth": loss.depth,
        "box_depth_error": loss.error,
        "recovery": loss.recovery,
        "significance": loss.significance,
        "verdict": word,
        "reason": reason,
    }
    return Tested(_guarded(row, obstacle or loss.reason), verdict)


def _guarded(row: Row, obstacle: str) -> Row:
    """Return the row of a star that is not cleared if something stands against it, whatever numbers say."""
    if not obstacle:
        return row
    if row["disposition"] != neb.FLUX_TOO_LOW:
        row = {**row, "disposition": neb.NOT_CLEARED}
    if row["verdict"] in (eclipse.CLEARED, eclipse.LIKELY):
        row = {**row, "verdict": eclipse.NOT_CLEARED}
    reason = obstacle if row["verdict"] == eclipse.NOT_CLEARED else f"{row['reason']}; {obstacle}"
    return {**row, "reason": reason}


def _obstacle(star: Row, row: Row, night: Night, at: int, rules: Rules) -> str:
    """Return why a star cannot be cleared, whatever its curve says; empty if it can."""
    n, n_saturated = len(night.time), int(night.is_saturated[:, at].sum())
    if n_saturated > eclipse.MOST_SATURATED * n:
        return f"saturated in {n_saturated} of {n} frames"
    if row["n_frame"] < max(eclipse.FEWEST, eclipse.LEAST_PART * n):
        return f"measured in {row['n_frame']} of {n} frames"
    if row["coverage"] < eclipse.LEAST_COVERAGE:
        return f"{100 * row['coverage']:.0f} % of the predicted window observed"
    seeing = rules.fwhm * rules.scale
    if star["separation"] < seeing:
        return f"blended with the target: {star['separation']:.1f} arcsec, FWHM {seeing:.1f}"
    return ""


def _is_whole(night: Night, at: int, radius: int, rules: Rules) -> bool:
    """Return whether a star is measured through an aperture in most frames, those of the window too."""
    good = _good(night, at, radius)
    if good.sum() < max(eclipse.FEWEST, eclipse.LEAST_PART * len(night.time)):
        return False
    covered = eclipse.covered(night.time[good], night.exposure[good], rules.window)
    return covered >= eclipse.LEAST_COVERAGE


def _own_radius(star: Row, night: Night, rules: Rules) -> int:
    """Return which aperture our own test takes: half way to the nearest star, one FWHM at least."""
    nearest = min(star["nearest"], star["separation"])
    wanted = float(np.clip(0.5 * nearest / rules.scale, rules.fwhm, max(rules.radius, rules.fwhm)))
    return int(np.argmin(np.abs(night.radii - wanted)))


def _brightest(star: Row, night: Night, at: int, radius: int) -> float:
    """Return the magnitude difference from the target that asks for the shallowest eclipse.

    It is that measured, with the margin of the band, or that of the catalogue if it is less: light
    that a bad sky has taken from a faint star must not clear it.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(np.nanmedian(night.flux[:, at, radius] / night.star_flux[:, 0, radius]))
        measured = -2.5 * math.log10(ratio) + neb.BAND if ratio > 0 else math.nan
    known = [value for value in (measured, star["delta_tmag"]) if math.isfinite(value)]
    return min(known) if math.isfinite(measured) else math.nan


def _others(night: Night, at: int, reach: float) -> Booleans:
    """Return which stars of the photometry may be compared with: not the target, not the star itself."""
    distance = np.hypot(*(night.star_place - night.place[at]).T)
    is_other = ~(distance < reach)
    is_other[0] = False
    return np.asarray(is_other)


def _curve(night: Night, at: int, radius: int) -> Curve:
    """Return the star over the robust ensemble of the comparison stars through the same aperture."""
    flux, error = night.star_flux[:, :, radius], night.star_error[:, :, radius]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_flux = np.where(flux > 0, np.log(np.where(flux > 0, flux, 1.0)), np.nan)
        solution = ensemble.zero_point(log_flux, error / flux, _others(night, at, float(night.radii[radius])))
        zero = np.exp(solution.zero)
        value = night.flux[:, at, radius] / zero
        noise = np.hypot(night.flux_error[:, at, radius] / zero, value * solution.error)
    return Curve(night.time, value, noise, night.flip, night.exposure)


def _session(night: Night, at: int, radius: int, rules: Rules) -> Session | None:
    good = _good(night, at, radius)
    if good.sum() < 2:
        return None
    return Session(
        time=night.time[good],
        target=night.star_flux[good, 0, radius] / rules.gain,
        radius=float(night.radii[radius] * night.scale[good].mean()),
        ingress=rules.window.ingress,
        egress=rules.window.egress,
        depth=rules.depth,
        cadence=rules.cadence,
    )


def _good(night: Night, at: int, radius: int) -> Booleans:
    return np.asarray(np.isfinite(night.flux[:, at, radius]) & np.isfinite(night.star_flux[:, 0, radius]))


def _macro(night: Night, at: int, radius: int, rules: Rules, session: Session) -> Verdict:
    """Check one star by the columns that AstroImageJ's table would have."""
    good = _good(night, at, radius)
    listed = night.is_listed & _others(night, at, float(night.radii[radius]))
    # A star of the table that some frame lacks at this aperture would leave its sums without a value.
    listed &= np.isfinite(night.star_flux[good][:, :, radius]).all(axis=0)
    flux = (
        np.column_stack([night.flux[good, at, radius], night.star_flux[good][:, listed, radius]]) / rules.gain
    )
    sky = np.column_stack([night.sky[good, at], night.star_sky[good][:, listed]]) / rules.gain
    error = source_error(
        flux,
        sky=sky,
        n_source=np.pi * (night.radii[radius] * night.scale[good, np.newaxis]) ** 2 * np.ones_like(flux),
        n_sky=np.column_stack([night.n_sky[good, at], night.star_n_sky[good][:, listed]]),
        dark=rules.dark[good, np.newaxis],
        gain=rules.gain,
        read_noise=rules.read_noise,
    )
    sums = differential(flux, error, np.arange(flux.shape[1]) > 0)
    return neb.check(session, flux[:, 0], sums.flux[:, 0], sums.flux_error[:, 0])
