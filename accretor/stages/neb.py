"""The check for eclipsing binaries nearby: which neighbours could have caused what TESS saw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from accretor.aij.columns import differential, source_error
from accretor.core.dumps import COMPARISON, FORCED_POSITIONS, LIGHT_CURVE, NEIGHBOURS
from accretor.core.settings import WorkspaceSettings
from accretor.io import dump
from accretor.io.dump import Row
from accretor.science import eclipse, ensemble, ephemeris, neb
from accretor.science.eclipse import Curve, Window
from accretor.science.neb import Session, Verdict
from accretor.stages import forced, nebfiles, photometry, positions
from accretor.stages import results as results_of
from accretor.stages.bench import Bench, Done
from accretor.stages.photometry import SATURATED

if TYPE_CHECKING:
    from accretor.core.arrays import Booleans, Floats
    from accretor.io.layout import Layout, ObservationPaths
    from accretor.stages.workspace import ObservationPlan

UNKNOWN = dict.fromkeys(
    (
        *("delta_mag", "net_counts", "depth_needed", "rms", "ratio", "radius", "box_radius", "box_depth"),
        *("box_depth_error", "significance", "recovery", "coverage"),
    ),
    math.nan,
)


@dataclass(frozen=True)
class Night:
    """What the dumps say of the frames of the light curve; n frames, in order of time."""

    time: Floats
    """(n,) BJD_TDB day."""
    exposure: Floats
    """(n,) second."""
    flip: Floats
    """(n,) +1 or -1."""
    radii: Floats
    """(n_radius,) pixel, those of the forced photometry."""
    flux: Floats
    """(n, n_position, n_radius) electron, forced; NaN where not measured, or saturated."""
    flux_error: Floats
    """(n, n_position, n_radius)"""
    sky: Floats
    """(n, n_position) electron per pixel."""
    n_sky: Floats
    """(n, n_position)"""
    is_saturated: Booleans
    """(n, n_position)"""
    star_flux: Floats
    """(n, n_star, n_radius) electron: target and comparison stars of the photometry, the target first."""
    star_error: Floats
    """(n, n_star, n_radius)"""
    star_sky: Floats
    """(n, n_star)"""
    star_n_sky: Floats
    """(n, n_star)"""
    star_place: Floats
    """(n_star, 2) in the template, pixel."""
    is_listed: Booleans
    """(n_star,) in the measurement table; all but the target are of the ensemble."""
    place: Floats
    """(n_position, 2) in the template, pixel."""
    target_place: Floats
    """(n, 2) of the target in each frame, pixel."""


@dataclass(frozen=True)
class Rules:
    """What a neighbour is held against."""

    window: Window
    depth: float
    """Predicted depth of the target, ppt."""
    limit: float
    """Magnitudes below the target from which on no star can cause the depth."""
    cadence: float
    """Second."""
    fwhm: float
    """Pixel."""
    scale: float
    """Arcsec per pixel."""
    radius: float
    """Aperture of the light curve, pixel."""
    gain: float
    read_noise: float
    dark: Floats
    """(n,) electron per pixel."""


@dataclass(frozen=True)
class Tested:
    """What is found of one neighbour."""

    row: Row
    verdict: Verdict | None
    """Of the macro, through the aperture that tells most; None for a star that was not measured."""


def run(plan: ObservationPlan, layout: Layout, settings: WorkspaceSettings, bench: Bench) -> Done:
    """Write ``neighbours.ecsv``, and the table and figures that SG1 asks for."""
    paths = plan.paths
    results = results_of.read(paths.results)
    places = dump.read(paths.forced_positions, FORCED_POSITIONS)
    about = {key: value for key, value in places.meta.items() if key != "remarks"}
    remarks = list(places.meta["remarks"])
    stars = [row for row in places.rows if row["kind"] == positions.NEIGHBOUR]
    night = _night(paths, places.rows)
    tested: list[Tested] = []
    if plan.target.ephemeris is None:
        remarks.append("no ephemeris: neither the depth nor the time of an eclipse is known")
    elif stars and night is None:
        remarks.append("too few frames are measured")
    elif stars and night is not None:
        rules = _rules(plan, results, settings, night)
        remarks += _incomplete(about, places.rows[0], rules)
        tested = _test(stars, night, rules, settings.neb.margin, bench)
    rows = [item.row for item in tested] or [_untested(star, remarks) for star in stars]
    files = _products(plan, results, settings, tested, night, bench)
    dump.write(
        paths.neighbours, NEIGHBOURS, rows, {**about, **_summary(rows), "files": files, "remarks": remarks}
    )
    written = [paths.plots / name for name in files]
    return Done((paths.neighbours, *written), "; ".join([_said(rows), *remarks]))


def delta_mag(paths: ObservationPaths) -> float | None:
    """Return the faintest neighbour that is cleared, magnitudes below the target, for the form of ExoFOP.

    With an event that of the star that has it; None if there is neither.
    """
    return dump.read_meta(paths.neighbours).get("delta_mag")


def _night(paths: ObservationPaths, places: list[Row]) -> Night | None:
    """Return the measurements of the frames of the light curve; None if there are none."""
    curve = [row for row in dump.read(paths.light_curve, LIGHT_CURVE).rows if row["is_used"]]
    names = ("image_name", "flux", "flux_error", "sky", "n_sky", "flag")
    found, meta = forced.columns(paths, *names)
    if len(curve) < eclipse.FEWEST or not len(found["image_name"]) or not meta["radii"]:
        return None
    measured, own = photometry.columns(
        paths, "image_name", "flux", "flux_error", "sky", "n_sky", "x", "y", "rotation"
    )
    comparison = dump.read(paths.comparison, COMPARISON).rows
    used = [
        0,
        *(row["star"] for row in comparison if row["star"] != 0 and (row["is_comparison"] or row["label"])),
    ]
    radii = [int(np.argmin(np.abs(np.array(own["radii"]) - radius))) for radius in meta["radii"]]
    rank = {name: i for i, name in enumerate(measured["image_name"])}
    at = [rank[row["image_name"]] for row in curve]
    frames = {row["image_name"]: i for i, row in enumerate(curve)}
    flux, error, sky, n_sky, flag = (_in_curve(found, name, frames) for name in names[1:])
    is_saturated = (np.nan_to_num(flag).astype(np.int64) & SATURATED) > 0
    flux[is_saturated] = np.nan
    stars = np.ix_(at, used, radii)
    return Night(
        time=_of(curve, "bjd_tdb"),
        exposure=_of(curve, "exptime"),
        flip=np.where(np.abs(measured["rotation"][at]) > 90, -1.0, 1.0),
        radii=np.array(meta["radii"]),
        flux=flux,
        flux_error=error,
        sky=sky,
        n_sky=n_sky,
        is_saturated=is_saturated,
        star_flux=measured["flux"][stars],
        star_error=measured["flux_error"][stars],
        star_sky=measured["sky"][np.ix_(at, used)],
        star_n_sky=measured["n_sky"][np.ix_(at, used)],
        star_place=np.column_stack([_of(comparison, "x"), _of(comparison, "y")])[used],
        is_listed=np.array([bool(comparison[star]["label"]) for star in used]),
        place=np.column_stack([_of(places, "x"), _of(places, "y")]),
        target_place=np.column_stack([measured["x"][at, 0], measured["y"][at, 0]]),
    )


def _in_curve(found: dict[str, Any], name: str, frames: dict[str, int]) -> Floats:
    """Return a column of the forced photometry in the order of the light curve, NaN where it has no row."""
    full = np.full((len(frames), *found[name].shape[1:]), np.nan)
    for i, image in enumerate(found["image_name"]):
        if image in frames:
            full[frames[image]] = found[name][i]
    return full


def _of(rows: list[Row], name: str) -> Floats:
    return np.array(dump.column(rows, name), dtype=np.float64)


def _rules(plan: ObservationPlan, results: Row, settings: WorkspaceSettings, night: Night) -> Rules:
    orbit = plan.target.ephemeris
    assert orbit is not None
    prediction = ephemeris.predict(orbit, 0.5 * float(night.time[0] + night.time[-1]))
    detector = plan.detector
    return Rules(
        window=Window(prediction.ingress, prediction.egress, prediction.sigma),
        depth=orbit.depth,
        limit=neb.magnitude_limit(orbit.depth),
        cadence=settings.neb.cadence,
        fwhm=float(dump.read_meta(plan.paths.template_stars)["fwhm"]),
        scale=float(results["pixel_scale_arcsec"] or math.nan),
        radius=float(results["aperture_radius_px"]),
        gain=detector.gain,
        read_noise=detector.read_noise,
        dark=plan.instrument.dark_current * night.exposure,
    )


def _incomplete(about: Row, target: Row, rules: Rules) -> list[str]:
    """Say how far the catalogue falls short of the faintest star that could cause the depth."""
    faintest, needed = about.get("faintest_tmag"), target["tmag"] + rules.limit
    if faintest is None or not math.isfinite(needed) or faintest >= needed:
        return []
    return [
        f"the catalogue's faintest star has T = {faintest:.1f}; "
        f"one of T = {needed:.1f} could still cause the depth, and may be missing"
    ]


def _test(stars: list[Row], night: Night, rules: Rules, margin: float, bench: Bench) -> list[Tested]:
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
        **_untested(star, []),
        "depth_needed": neb.depth_needed(rules.depth, star["delta_tmag"]),
        "disposition": neb.TOO_FAINT,
        "verdict": eclipse.CLEARED,
        "reason": f"{star['delta_tmag']:.2f} mag fainter than the target by the catalogue, "
        f"{rules.limit:.2f} can cause the depth",
    }


def _untested(star: Row, remarks: list[str]) -> Row:
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
    row = {**_untested(star, []), "neighbour": number}
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
    sessions = [_session(night, at, i, rules) for i in range(len(night.radii))]
    checked = [
        _macro(night, at, i, rules, session) for i, session in enumerate(sessions) if session is not None
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
        radius=float(night.radii[radius]),
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
        n_source=np.full_like(flux, math.pi * session.radius**2),
        n_sky=np.column_stack([night.n_sky[good, at], night.star_n_sky[good][:, listed]]),
        dark=rules.dark[good, np.newaxis],
        gain=rules.gain,
        read_noise=rules.read_noise,
    )
    sums = differential(flux, error, np.arange(flux.shape[1]) > 0)
    return neb.check(session, flux[:, 0], sums.flux[:, 0], sums.flux_error[:, 0])


def _summary(rows: list[Row]) -> dict[str, Any]:
    """Return what the header of the dump says of all neighbours."""
    events = [row for row in rows if row["verdict"] == eclipse.EVENT]
    faintest = neb.faintest_cleared(_of(rows, "delta_mag"), dump.column(rows, "disposition"))
    if events:
        faintest = float(events[0]["delta_mag"])
    return {
        "summary": {word: sum(row["verdict"] == word for row in rows) for word in _WORDS},
        "dispositions": {word: sum(row["disposition"] == word for row in rows) for word in neb.DISPOSITIONS},
        "events": [row["identifier"] for row in events],
        "delta_mag": round(faintest, 3) if math.isfinite(faintest) else None,
        "said": _sentence(rows, [row["identifier"] for row in events], faintest),
    }


def _sentence(rows: list[Row], events: list[str], faintest: float) -> str:
    """Return the outcome as the notes have it; "" if no neighbour was tested."""
    tested = [row for row in rows if row["disposition"]]
    if not tested:
        return ""
    if events:
        return f"An eclipse at the predicted time and depth was seen in {', '.join(events)}."
    words = (neb.CLEARED, neb.LIKELY, neb.TOO_FAINT)
    counts = [(sum(row["disposition"] == word for row in tested), word.lower()) for word in words]
    open_ = len(tested) - sum(count for count, _ in counts)
    parts = [f"{count} {word}" for count, word in counts if count] + (
        [f"{open_} not cleared"] if open_ else []
    )
    until = f"; the faintest cleared is {faintest:.1f} mag fainter" if math.isfinite(faintest) else ""
    return f"Of {len(tested)} neighbours: {', '.join(parts)}{until}."


_WORDS = (eclipse.CLEARED, eclipse.LIKELY, eclipse.NOT_CLEARED, eclipse.DIP, eclipse.EVENT)


def _said(rows: list[Row]) -> str:
    counts = {word: sum(row["verdict"] == word for row in rows) for word in _WORDS}
    parts = [f"{count} {word}" for word, count in counts.items() if count]
    return f"{len(rows)} neighbours" + (f": {', '.join(parts)}" if parts else "")


def _products(
    plan: ObservationPlan,
    results: Row,
    settings: WorkspaceSettings,
    tested: list[Tested],
    night: Night | None,
    bench: Bench,
) -> dict[str, str]:
    """Write the files for SG1, and return their names and digests; without any, remove those of before."""
    listed = [item for item in tested if item.row["neighbour"]]
    if night is None or not listed:
        nebfiles.remove(plan.paths)
        return {}
    rules = _rules(plan, results, settings, night)
    return nebfiles.write(
        plan,
        results,
        nebfiles.Check(
            rows=[item.row for item in listed],
            verdicts=[item.verdict for item in listed],
            time=night.time,
            radii=tuple(float(radius) for radius in night.radii),
            target_place=night.target_place,
            ingress=rules.window.ingress,
            egress=rules.window.egress,
            depth=rules.depth,
            scale=rules.scale,
            cadence=rules.cadence,
            search_radius=settings.forced.radius / 60,
        ),
        bench,
    )
