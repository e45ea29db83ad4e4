"""What a reader wants to know first, as true, false, in part, or unknown; never one for another."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from accretor.core.settings import Ephemeris

SIGMAS: Final = 3.0
"""Standard errors within which a time or depth agrees with its prediction."""

EXCESS: Final = 1.5
"""Scatter over the predicted one up to which it is as expected; as the flags of calibration have it."""


SUSPECT: Final = ("event", "dip")
"""Words of our own test for a neighbour that loses light, whatever SG1's table says of it."""


class State(enum.StrEnum):
    """How a question is answered."""

    YES = "yes"
    NO = "no"
    PART = "part"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """One question with its answer."""

    name: str
    """A few words."""
    state: State
    value: str
    """The number that it hangs on, or a few words."""
    detail: str = ""
    """Why."""


def of_observation(
    results: Mapping[str, Any],
    ephemeris: Ephemeris | None,
    neighbours: Sequence[Mapping[str, Any]] | None,
    problems: Sequence[str] | None,
    gaps: Sequence[str] = (),
) -> list[Verdict]:
    """Return the verdicts of one observation.

    Parameters
    ----------
    results : mapping
        The content of ``results.json``.
    ephemeris : Ephemeris or None
    neighbours : sequence of mapping, or None
        Rows of the check for nearby eclipsing binaries; None if there was none.
    problems : sequence of str, or None
        What the package lacks; None if there is no package.
    gaps : sequence of str
        What the check of the neighbours could not know.
    """
    return [
        transit(results),
        timing(results),
        depth(results, ephemeris),
        scatter(results),
        cleared(neighbours, gaps),
        coverage(results),
        package(problems),
    ]


def transit(results: Mapping[str, Any]) -> Verdict:
    """Tell whether a transit was seen."""
    name = "Transit seen"
    if not results["has_fit"]:
        return Verdict(name, State.UNKNOWN, "no fit", str(results["fit_reason"]))
    gain = results["delta_bic"]
    if gain is None:
        return Verdict(name, State.UNKNOWN, "no test", "the fit gives no difference of BIC")
    value = f"ΔBIC {_signed(gain, 0)}"
    if results["is_detected"]:
        return Verdict(name, State.YES, value, "a model with a transit is better; above 10 counts")
    needed = "10, and a radius ratio above 3 of its errors, would count as detected"
    return Verdict(name, State.NO, value, needed)


def timing(results: Mapping[str, Any]) -> Verdict:
    """Tell whether the transit was on time."""
    name = "On time"
    if transit(results).state is not State.YES:
        return Verdict(name, State.UNKNOWN, "no transit", "only a transit that was seen has a time")
    late, error = results["o_c_minute"], results["o_c_error_minute"]
    if late is None or not error:
        return Verdict(name, State.UNKNOWN, "no error", "the time or its error is not known")
    value = f"{_signed(late, 1)} ± {error:.1f} min"
    sigma = abs(late) / error
    note = "" if results["prediction_error_day"] else "; the ephemeris gives no error"
    state = State.YES if sigma <= SIGMAS else State.NO
    return Verdict(name, state, value, f"observed minus predicted, {sigma:.1f}\u00a0σ{note}")


def depth(results: Mapping[str, Any], ephemeris: Ephemeris | None) -> Verdict:
    """Tell whether the depth is the predicted one."""
    name = "Depth as predicted"
    if transit(results).state is not State.YES or ephemeris is None:
        return Verdict(name, State.UNKNOWN, "no transit", "only a transit that was seen has a depth")
    found, error = results["depth_ppt"], results["depth_error_ppt"]
    if found is None or not error:
        return Verdict(name, State.UNKNOWN, "no error", "the depth or its error is not known")
    sigma = abs(found - ephemeris.depth) / error
    state = State.YES if sigma <= SIGMAS else State.NO
    return Verdict(
        name,
        state,
        f"{found:.2f} ± {error:.2f} ppt",
        f"predicted {ephemeris.depth:g} ppt, {sigma:.1f}\u00a0σ",
    )


def scatter(results: Mapping[str, Any]) -> Verdict:
    """Tell whether the scatter is what theory gives."""
    name = "Scatter as expected"
    found, expected = results["rms_per_point_ppt"], results["predicted_rms_ppt"]
    if found is None:
        return Verdict(name, State.UNKNOWN, "unknown", "no residual is known")
    ten = results["rms_10min_ppt"]
    more = f", {ten:.2f} ppt in 10 min" if ten is not None else ""
    if not expected:
        return Verdict(name, State.UNKNOWN, f"{found:.2f} ppt", f"no prediction{more}")
    ratio = found / expected
    state = State.YES if ratio <= EXCESS else State.NO
    return Verdict(
        name, state, f"{found:.2f} ppt", f"{ratio:.2f} × the predicted {expected:.2f} ppt per point{more}"
    )


def cleared(neighbours: Sequence[Mapping[str, Any]] | None, gaps: Sequence[str] = ()) -> Verdict:
    """Tell whether every neighbour is cleared of being the eclipsing binary.

    Where the catalogue may lack a star that could be it, at most those that it has are.
    """
    name = "Neighbours cleared"
    missing = "; ".join(gaps)
    if neighbours is None:
        return Verdict(name, State.UNKNOWN, "not checked", "no check of the neighbours was made")
    if not neighbours and gaps:
        return Verdict(name, State.UNKNOWN, "not known", missing)
    if not neighbours:
        return Verdict(name, State.YES, "none", "no neighbour could cause the depth")
    good = [
        row
        for row in neighbours
        if is_cleared(str(row["disposition"])) and str(row.get("verdict", "")) not in SUSPECT
    ]
    value = f"{len(good)} of {len(neighbours)}"
    if len(good) == len(neighbours):
        state = State.PART if gaps else State.YES
        return Verdict(name, state, value, missing or "none of them can have caused the event")
    left = len(neighbours) - len(good)
    detail = "; ".join([f"{left} not cleared; see the table", *gaps])
    return Verdict(name, State.PART if good else State.NO, value, detail)


def is_cleared(disposition: str) -> bool:
    """Tell whether a word of SG1's table means that the star did not cause the event."""
    return disposition.strip().lower().replace("_", " ").startswith(("cleared", "likely cleared"))


def coverage(results: Mapping[str, Any]) -> Verdict:
    """Tell how much of the predicted transit was observed."""
    name = "Transit covered"
    words = str(results["coverage"] or "")
    state = {"Full": State.YES, "Ingress": State.PART, "Egress": State.PART, "Out of Transit": State.NO}.get(
        words, State.UNKNOWN
    )
    detail = "by the ephemeris" if words else "there is no ephemeris"
    return Verdict(name, state, words or "unknown", detail)


def package(problems: Sequence[str] | None) -> Verdict:
    """Tell whether the package has all that SG1 asks for."""
    name = "Package complete"
    if problems is None:
        return Verdict(name, State.UNKNOWN, "no package", "it was not made")
    if problems:
        words = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        return Verdict(name, State.NO, words, "; ".join(problems))
    return Verdict(name, State.YES, "complete", "as SG1 asks")


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−") if math.isfinite(value) else "unknown"
