"""The notes that go with a package: what was observed, how, and what came out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accretor.exofop import notes_template


@dataclass(frozen=True)
class PredictionNotes:
    """The transit as it was predicted for this night."""

    ingress: float
    """BJD_TDB."""
    mid: float
    """BJD_TDB."""
    egress: float
    """BJD_TDB."""
    mid_error: float
    """Standard error of the mid-transit time, day; 0 or NaN if unknown."""
    depth: float
    """ppt."""
    duration: float
    """First to fourth contact, hour."""
    source: str = ""
    """Where the ephemeris is from."""


@dataclass(frozen=True)
class FitNotes:
    """The transit as it was measured in one filter."""

    tc: float
    """BJD_TDB."""
    tc_error: float
    """Day."""
    rp_rs: float
    """Radius ratio."""
    rp_rs_error: float
    duration: float
    """First to fourth contact, hour."""
    duration_error: float
    delta_bic: float
    """BIC of the best curve without a transit minus that with it; positive: a transit is preferred."""


@dataclass(frozen=True)
class FilterNotes:
    """One filter of the visit."""

    filter: str
    n_frame: int
    """Rows of the measurement table."""
    n_used: int
    """Frames that made the light curve."""
    left_out: Mapping[str, int]
    """How many frames were left out for each reason, in words."""
    exposure: float
    """Second."""
    cadence: float
    """Median time from frame to frame, second."""
    start: float
    """BJD_TDB of the first frame."""
    end: float
    """BJD_TDB of the last frame."""
    airmass: tuple[float, float, float]
    """First, least and last."""
    aperture: tuple[float, float, float]
    """Radius, inner and outer radius of the annulus, pixel."""
    fwhm: float
    """Median, pixel."""
    pixel_scale: float
    """Arcsec per pixel; NaN if unknown."""
    n_comparison: int
    detrend: tuple[tuple[str, float, float], ...]
    """Name, coefficient (ppt per standard deviation of the term) and its error."""
    rms_per_point: float
    """ppt."""
    rms_10min: float
    """ppt in bins of 10 minutes; NaN if there are too few."""
    rms_predicted: float
    """Median predicted error of a point, ppt."""
    coverage: str
    """Full, Ingress, Egress, Out of Transit; "" if there is no prediction."""
    has_flip: bool
    """Did the telescope change the side of its pier?"""
    shift_max: tuple[float, float]
    """Greatest distance of the target from its median place in x and y, pixel."""
    shift_sd: tuple[float, float]
    """Standard deviation of the target's place in x and y, pixel."""
    fit: FitNotes | None = None
    fit_reason: str = ""
    """Why there is no fit."""
    beta: float = math.nan
    """Measured over white-noise scatter of binned residuals."""
    contamination: str = ""
    """Other stars in the aperture, in words; "" says that this was not assessed."""
    remarks: tuple[str, ...] = ()
    fwhm_range: tuple[float, float] = (math.nan, math.nan)
    """Least and greatest of the frames used, pixel."""
    least_transparency: float = math.nan
    """Of the frames used, against the night's best."""
    aperture_range: tuple[float, float] | None = None
    """Least and greatest aperture radius, pixel, where it followed the seeing."""
    is_weighted: bool = False
    """Pixels of the apertures were weighted by a profile."""
    smallest: tuple[float, float, float] | None = None
    """Smallest aperture in which the transit is as deep: radius (pixel), depth over that of the light curve,
    and its error."""


@dataclass(frozen=True)
class NotesInput:
    """One visit: a telescope's night on a planet candidate, all filters."""

    tic: int
    planet: str
    """Two digits."""
    name: str
    """Such as ``TOI-1234.01``; "" if the TIC number is its only name."""
    date: str
    """UT date of the first exposure, YYYYMMDD."""
    observatory: str
    observers: str
    filters: tuple[FilterNotes, ...]
    prediction: PredictionNotes | None = None
    telescope_diameter: float = math.nan
    """m."""
    remarks: tuple[str, ...] = ()
    """True of all filters, e.g. "no flat"."""
    neighbours: str = ""
    """Outcome of the search for eclipsing neighbours; "" says that none was made."""
    previous: str = ""
    """Earlier comments on this candidate."""
    goal: str = ""
    """In the observer's words; "" says the usual."""
    weather: str = ""
    """In the observer's words."""


DETECTED = 10.0
"""Gain in BIC from which a transit counts as detected (Kass & Raftery 1995: very strong)."""


def subject(visit: NotesInput) -> str:
    """Return the subject line that SG1 asks for."""
    name = f" ({visit.name})" if visit.name else ""
    filters = ", ".join(one.filter for one in visit.filters)
    return f"TIC {visit.tic}.{visit.planet}{name} on {_date(visit)} from {visit.observatory} in {filters}"


@dataclass(frozen=True)
class Section:
    """A part of the notes under a heading."""

    key: str
    title: str
    lines: tuple[str, ...]


def words(visit: NotesInput, made_with: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a template of the notes may use.

    Every number is from *visit*, and nothing is stated that *visit* does not say;
    what is unknown is said to be unknown.

    Parameters
    ----------
    visit : NotesInput
        At least one filter.
    made_with : sequence of str
        Provenance, in words.
    """
    sections = (
        Section("goal", "GOAL", (_goal(visit),)),
        Section("interpretation", "INTERPRETATION", _each(visit, _interpretation)),
        Section("aperture", "APERTURE RADIUS", _each(visit, lambda _, one: _aperture(one))),
        Section("transit", "TRANSIT", (*_prediction(visit), *_each(visit, _transit))),
        Section(
            "contamination",
            "FWHM AND CONTAMINATION",
            (*_each(visit, lambda _, one: [_seeing(one)]), _neighbours(visit)),
        ),
        Section(
            "status",
            "EXOFOP STATUS",
            (f"Whether this package is there: see the time series of TIC {visit.tic} on ExoFOP.",),
        ),
        Section("observation", "OBSERVATION", (*_night(visit), *_each(visit, _observation))),
        Section("comments", "EARLIER COMMENTS", (visit.previous.strip() or "None were given.",)),
    )
    return {
        "subject": subject(visit),
        "setup": tuple(_setup(visit, one) for one in visit.filters),
        "summary": tuple(_opening(visit)),
        "sections": sections,
        "section": {section.key: section for section in sections},
        "visit": visit,
        "filters": visit.filters,
        "prediction": visit.prediction,
        "made_with": tuple(made_with),
    }


def notes(visit: NotesInput, made_with: Sequence[str] = (), template: Path | None = None) -> str:
    """Return the text of ``notes.txt``, laid out by *template*, default ours; see `words`."""
    return notes_template.render(words(visit, made_with), template)


def tells_results(public_note: str) -> str:
    """Return the first words of a public note that tell a result; "" if none seem to."""
    found = _RESULT.search(public_note)
    return found[0].strip() if found else ""


_RESULT = re.compile(
    r"(?i)\b(detect\w*|no (?:event|transit)|cleared|\d[\d.]* ?(?:ppt|ppm|mmag|sigma|σ)|(?:late|early)\b|"
    r"depth|NEB|Rp/R\S*|Tc\b|on[- ]target|false (?:positive|alarm)|false-positive|eclips\w+|confirm\w*)"
)
"""Words in which results are told; the notes that are public at once must not have them."""


def _date(visit: NotesInput) -> str:
    return f"UT{visit.date[:4]}.{visit.date[4:6]}.{visit.date[6:]}"


def _each(visit: NotesInput, say: Callable[[NotesInput, FilterNotes], list[str]]) -> tuple[str, ...]:
    """Return what *say* says of each filter, under the filter's name; what all have in common, once."""
    said = [(one.filter, say(visit, one)) for one in visit.filters]
    common = [line for line in said[0][1] if len(said) > 1 and all(line in lines for _, lines in said)]
    own = [f"{name}: {line}" for name, lines in said for line in lines if line not in common]
    return (*own, *(f"all filters: {line}" for line in common))


def _setup(visit: NotesInput, one: FilterNotes) -> str:
    size = f" {visit.telescope_diameter:g} m" if math.isfinite(visit.telescope_diameter) else ""
    radii = "-".join(f"{radius:.1f}" for radius in one.aperture)
    return (
        f"{visit.observatory}{size} ({one.filter}, {one.n_frame} exp of {one.exposure:g} s, fap {radii} px)"
    )


def _opening(visit: NotesInput) -> list[str]:
    """Return one sentence for each filter that says who, where, what and with which outcome."""
    who = f"{visit.observers} with {visit.observatory}" if visit.observers else visit.observatory
    sentences = []
    for one in visit.filters:
        coverage = one.coverage if visit.prediction is not None else ""
        what = _WINDOWS.get(coverage, "a time series, without a prediction to compare it with,")
        sentences.append(
            f"{who} observed {what} on {_date(visit)} in {one.filter} and {_outcome(visit, one)}, "
            f"using an aperture of {_length(one.aperture[0], one)}; {_contamination(one)}."
        )
    return sentences


_WINDOWS = {
    "Full": "a full predicted transit",
    "Ingress": "a predicted ingress",
    "Egress": "a predicted egress",
    "Out of Transit": "a time outside the predicted transit",
}


def _outcome(visit: NotesInput, one: FilterNotes) -> str:
    if one.fit is None:
        return f"fitted no transit ({one.fit_reason or 'no reason is recorded'})"
    if not _is_detected(one.fit):
        return f"detected no significant transit (BIC {_against(one.fit)})"
    depth, depth_error = _depth(one.fit)
    event = f"event of {_pair(depth, depth_error)} ppt"
    if visit.prediction is None:
        return f"detected an {event}"
    duration = _compared(
        (one.fit.duration - visit.prediction.duration) * 60, one.fit.duration_error * 60, "longer", "shorter"
    )
    return f"detected a {_timing(visit.prediction, one.fit)}, {duration} {event}"


def _goal(visit: NotesInput) -> str:
    name = visit.name or f"TIC {visit.tic}.{visit.planet}"
    if visit.goal.strip():
        return visit.goal.strip()
    if visit.prediction is None:
        return f"A light curve of {name}; no ephemeris was given."
    return (
        f"To see whether the transit of {name} predicted for BJD_TDB {visit.prediction.mid:.5f} occurs on "
        "this star, and to measure its time, depth and duration."
    )


def _interpretation(visit: NotesInput, one: FilterNotes) -> list[str]:
    if one.fit is None:
        return [f"no transit was fitted: {one.fit_reason or 'no reason is recorded'}."]
    verdict = f"BIC {_against(one.fit)}."
    if not _is_detected(one.fit):
        return [f"no significant transit; {verdict}"]
    lines = [f"transit in the target's aperture; {verdict}"]
    if visit.prediction is not None:
        lines.append(f"mid-transit is {_timing(visit.prediction, one.fit)} against the prediction.")
        depth, depth_error = _depth(one.fit)
        deeper = _compared(depth - visit.prediction.depth, depth_error, "greater", "less", "ppt")
        lines.append(f"depth is {deeper} than predicted.")
    return lines


def _aperture(one: FilterNotes) -> list[str]:
    radius, inner, outer = one.aperture
    lines = [f"{_length(radius, one)}; sky annulus {inner:.1f} to {outer:.1f} px."]
    if one.aperture_range is not None:
        low, high = one.aperture_range
        lines.append(
            f"aperture radius was variable in time: {low:.1f} to {high:.1f} px, with the FWHM of each frame; "
            "the annulus likewise."
        )
    if one.is_weighted:
        lines.append("pixels in the aperture are weighted by a Moffat profile (optimal extraction).")
    if one.smallest is not None:
        small, ratio, error = one.smallest
        lines.append(
            f"smallest aperture with a like depth: {_length(small, one)}, in which it is "
            f"{ratio:.2f} +/- {error:.2f} of that."
        )
    return lines


def _prediction(visit: NotesInput) -> list[str]:
    due = visit.prediction
    if due is None:
        return ["No ephemeris was given, so there is no predicted time."]
    error = f" +/- {due.mid_error * 1440:.1f} min" if due.mid_error > 0 else " (its error is unknown)"
    source = f" Ephemeris: {due.source}." if due.source else ""
    return [
        f"Predicted Tc {due.mid:.6f} BJD_TDB{error}, ingress {due.ingress:.6f}, egress {due.egress:.6f}, "
        f"depth {due.depth:.2f} ppt, duration {due.duration:.2f} h.{source}"
    ]


def _transit(visit: NotesInput, one: FilterNotes) -> list[str]:
    lines = []
    if visit.prediction is not None:
        before, after = (
            (visit.prediction.ingress - one.start) * 1440,
            (one.end - visit.prediction.egress) * 1440,
        )
        lines.append(
            f"coverage: {one.coverage or 'unknown'}; observed from {_side(before, 'before', 'after')} the "
            f"predicted ingress to {_side(after, 'after', 'before')} the predicted egress."
        )
    if one.fit is None:
        return [*lines, f"no fit: {one.fit_reason or 'no reason is recorded'}.", _scatter(one)]
    fit = one.fit
    depth, error = _depth(fit)
    return [
        *lines,
        f"observed Tc {fit.tc:.6f} +/- {fit.tc_error:.6f} BJD_TDB ({fit.tc_error * 1440:.1f} min).",
        f"observed depth (Rp/R*)^2 = {depth / 1000:.5f} +/- {error / 1000:.5f} ({_pair(depth, error)} ppt), "
        f"Rp/R* = {fit.rp_rs:.4f} +/- {fit.rp_rs_error:.4f}.",
        f"observed duration {fit.duration:.2f} +/- {fit.duration_error:.2f} h.",
        _scatter(one),
    ]


def _scatter(one: FilterNotes) -> str:
    binned = (
        f"{one.rms_10min:.2f} ppt in 10 min" if math.isfinite(one.rms_10min) else "too short for 10 min bins"
    )
    beta = f"; red-noise factor beta {one.beta:.2f}" if math.isfinite(one.beta) else ""
    return (
        f"RMS {_known(one.rms_per_point, 2, ' ppt')} per exposure, {_known(one.rms_predicted, 2, ' ppt')} "
        f"predicted from photons, sky, read-out and scintillation; {binned}{beta}."
    )


def _seeing(one: FilterNotes) -> str:
    low, high = one.fwhm_range
    spread = f", from {_length(low, one)} to {_length(high, one)}" if math.isfinite(low + high) else ""
    return f"typical FWHM {_length(one.fwhm, one)}{spread}; {_contamination(one)}."


def _night(visit: NotesInput) -> list[str]:
    weather = [f"Weather: {visit.weather.strip()}"] if visit.weather.strip() else []
    return [*visit.remarks, *weather]


def _neighbours(visit: NotesInput) -> str:
    return visit.neighbours.strip() or "No search for nearby eclipsing binaries was made."


def _observation(visit: NotesInput, one: FilterNotes) -> list[str]:
    airmass = " - ".join(_known(value, 2) for value in one.airmass)
    lines = [
        f"{one.n_frame} exposures of {one.exposure:g} s, one every {_known(one.cadence, 0, ' s')}, BJD_TDB "
        f"{one.start:.5f} to {one.end:.5f} ({(one.end - one.start) * 24:.2f} h); airmass {airmass}.",
        f"{one.n_used} of them made the light curve.",
    ]
    lines += [
        f"left out: {count} frame{'' if count == 1 else 's'} ({reason})."
        for reason, count in sorted(one.left_out.items())
        if count
    ]
    lines += [
        f"comparison stars: {one.n_comparison}.",
        *_transparency(one),
        f"detrended with {_terms(one)}." if one.detrend else "not detrended.",
        f"meridian flip: {'yes' if one.has_flip else 'no'}.",
        f"image shift: max {_shift(one.shift_max, one)}, standard deviation {_shift(one.shift_sd, one)}.",
    ]
    return lines + [f"{remark.rstrip('.')}." for remark in one.remarks]


def _transparency(one: FilterNotes) -> list[str]:
    if not math.isfinite(one.least_transparency):
        return []
    return [f"transparency: at least {one.least_transparency:.2f} of the night's best in the frames used."]


def _terms(one: FilterNotes) -> str:
    return ", ".join(
        f"{name} ({value:+.2f} +/- {error:.2f} ppt per sd)" for name, value, error in one.detrend
    )


def _shift(shift: tuple[float, float], one: FilterNotes) -> str:
    if not all(math.isfinite(value) for value in shift):
        return "unknown"
    text = f"{shift[0]:.1f} px in x and {shift[1]:.1f} px in y"
    if not math.isfinite(one.pixel_scale):
        return text
    return f'{text} ({shift[0] * one.pixel_scale:.1f}" and {shift[1] * one.pixel_scale:.1f}")'


def _length(pixel: float, one: FilterNotes) -> str:
    if not math.isfinite(pixel):
        return "unknown"
    if not math.isfinite(one.pixel_scale):
        return f"{pixel:.1f} px (pixel scale unknown)"
    return f'{pixel * one.pixel_scale:.1f}" ({pixel:.1f} px)'


def _contamination(one: FilterNotes) -> str:
    return one.contamination.strip().rstrip(".") or "contamination by other stars was not assessed"


def _is_detected(fit: FitNotes) -> bool:
    depth, error = _depth(fit)
    return fit.delta_bic > DETECTED and depth > 3 * error


def _against(fit: FitNotes) -> str:
    if fit.delta_bic > 0:
        return f"prefers a transit to none by {fit.delta_bic:.0f}"
    return f"prefers no transit by {-fit.delta_bic:.0f}"


def _depth(fit: FitNotes) -> tuple[float, float]:
    """Return the square of the radius ratio and its error, ppt."""
    return 1000 * fit.rp_rs**2, 2000 * abs(fit.rp_rs) * fit.rp_rs_error


def _timing(due: PredictionNotes, fit: FitNotes) -> str:
    error = math.hypot(fit.tc_error, due.mid_error if due.mid_error > 0 else 0.0) * 1440
    return _compared((fit.tc - due.mid) * 1440, error, "late", "early")


def _compared(difference: float, error: float, more: str, less: str, unit: str = "min") -> str:
    """Return for example ``1.9 min early (0.8 sigma)``."""
    side = more if difference >= 0 else less
    sigma = f" ({abs(difference) / error:.1f} sigma)" if error > 0 else ""
    return f"{abs(difference):.1f} {unit} {side}{sigma}"


def _side(minutes: float, outside: str, inside: str) -> str:
    return f"{abs(minutes):.0f} min {outside if minutes >= 0 else inside}"


def _known(value: float, digits: int, unit: str = "") -> str:
    return f"{value:.{digits}f}{unit}" if math.isfinite(value) else "unknown"


def _pair(value: float, error: float) -> str:
    """Return value and error, the error with two significant digits."""
    digits = 1 - math.floor(math.log10(error)) if math.isfinite(error) and error > 0 else 2
    digits = min(max(digits, 0), 4)
    return f"{value:.{digits}f} +/- {error:.{digits}f}"
