"""Which linear terms the trend of a light curve needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from accretor.core.arrays import Booleans, Floats

PREFERRED = "airmass"
STRONG = 6.0
"""Strong evidence in BIC (Kass & Raftery 1995, JASA 90, 773): by it another term must beat airmass."""

MAX_LIKENESS = 0.7
"""Correlation with the transit beyond which x, y, fwhm, sky and total may not be terms: they would eat it."""

INDEPENDENT = 1e-4
"""Part of a term, in its standard deviations, that the terms before it must leave."""

_INSTRUMENTAL = ("x", "y", "fwhm", "sky", "total")


def candidates(quantities: Mapping[str, Floats], is_used: Booleans) -> dict[str, Floats]:
    """Return each quantity with mean 0 and standard deviation 1 over the frames used.

    A quantity that does not vary, or is not known in all frames used, is left out.
    ``flip`` stays at +1 and -1, and only if both sides of the pier are present.

    Parameters
    ----------
    quantities : mapping
        Name to (n,) float64.
    is_used : (n,) bool
    """
    found: dict[str, Floats] = {}
    for name, value in quantities.items():
        used = value[is_used]
        if not np.isfinite(used).all():
            continue
        if name == "flip":
            if used.min() < 0 < used.max():
                found[name] = np.asarray(np.sign(value))
            continue
        # Around the first value, for a BJD would lose the digits that matter.
        offset = value - used[0]
        mean, sigma = float(np.mean(offset[is_used])), float(np.std(offset[is_used]))
        if sigma > 1e-9 * max(1.0, float(np.max(np.abs(offset[is_used])))):
            found[name] = (offset - mean) / sigma
    return found


def independent(names: Sequence[str], terms: Mapping[str, Floats], is_used: Booleans) -> tuple[str, ...]:
    """Return those of *names* that are among *terms* and not a sum of a constant and those before them.

    Parameters
    ----------
    names : sequence of str
    terms : mapping
        Standardised quantities, (n,) float64.
    is_used : (n,) bool
    """
    kept: tuple[str, ...] = ()
    for name in names:
        if name not in terms:
            continue
        basis = np.column_stack([np.ones(len(is_used)), *(terms[other] for other in kept)])[is_used]
        value = terms[name][is_used]
        rest = value - basis @ np.linalg.lstsq(basis, value, rcond=None)[0]
        if float(np.std(rest)) > INDEPENDENT:
            kept = (*kept, name)
    return kept


def select(
    terms: Mapping[str, Floats],
    chi2: Callable[[Sequence[str]], float],
    *,
    n_point: int,
    max_terms: int,
    template: Floats | None = None,
    knows_correlated_noise: bool = False,
) -> tuple[str, ...]:
    """Choose terms by forward selection with the Bayesian information criterion.

    The term that gains most is added, as long as its gain is strong evidence;
    airmass in its place unless the other is better by strong evidence. Time and
    airmass exclude each other. A step at the meridian flip does not count towards
    *max_terms*.

    Parameters
    ----------
    terms : mapping
        Standardised quantities, (n,) float64.
    chi2 : callable
        Least chi^2 of a model with these terms besides the constant (and the transit).
    n_point, max_terms : int
    template : (n,) float64, optional
        Shape of the transit.
    knows_correlated_noise : bool
        Whether *chi2* does. Airmass, which is always at work, then only has to gain at
        all; under white noise every slow wave would let it.
    """
    weak = 0.0 if knows_correlated_noise else STRONG
    chosen: tuple[str, ...] = ()
    current = chi2(chosen)
    while True:
        gain = {
            name: current - chi2((*chosen, name)) - math.log(n_point)
            for name in joinable(terms, chosen, max_terms=max_terms, template=template)
        }
        best = best_of(gain, weak)
        if best is None:
            return chosen
        chosen = (*chosen, best)
        current = chi2(chosen)


def joinable(
    terms: Mapping[str, Floats], chosen: Sequence[str], *, max_terms: int, template: Floats | None
) -> list[str]:
    """Return the names of *terms* that may be added to those *chosen*; arguments as of `select`."""
    return [
        name
        for name in terms
        if _may_join(name, chosen, max_terms) and not _is_like(name, terms[name], template)
    ]


def sets(
    terms: Mapping[str, Floats], *, max_terms: int, template: Floats | None, is_used: Booleans
) -> list[tuple[str, ...]]:
    """Return every set of *terms* that `select` could come to, the empty one first; each once."""
    found: dict[frozenset[str], tuple[str, ...]] = {frozenset(): ()}
    reached: list[tuple[str, ...]] = [()]
    for chosen in reached:  # it grows as it is read
        for name in joinable(terms, chosen, max_terms=max_terms, template=template):
            wider = (*chosen, name)
            if frozenset(wider) not in found and independent(wider, terms, is_used) == wider:
                found[frozenset(wider)] = wider
                reached.append(wider)
    return reached


def demanded(names: Sequence[str]) -> float:
    """Return the BIC that *names* must gain together before `select` takes them, noise being correlated.

    As a prior it is odds of 1 to 20 for every term but airmass.
    """
    return STRONG * sum(name != PREFERRED for name in names)


def best_of(gain: Mapping[str, float], weak: float = STRONG) -> str | None:
    """Return the term to add by what each gains in BIC; None if no gain is strong evidence.

    Parameters
    ----------
    weak : float
        That is enough for airmass.
    """
    good = {name: value for name, value in gain.items() if value > (weak if name == PREFERRED else STRONG)}
    if not good:
        return None
    best = max(good, key=lambda name: good[name])
    return PREFERRED if good.get(PREFERRED, -math.inf) > good[best] - STRONG else best


def _may_join(name: str, chosen: Sequence[str], max_terms: int) -> bool:
    if name in chosen:
        return False
    if name == "flip":
        return True
    if name in {"time", "airmass"} and {"time", "airmass"} & set(chosen):
        return False
    return len([term for term in chosen if term != "flip"]) < max_terms


def _is_like(name: str, value: Floats, template: Floats | None) -> bool:
    """Tell whether an instrumental quantity looks like the transit."""
    if template is None or name not in _INSTRUMENTAL or np.ptp(template) == 0:
        return False
    return bool(abs(np.corrcoef(value, template)[0, 1]) > MAX_LIKENESS)
