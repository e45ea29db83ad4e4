"""What is not known of a transit because the terms of the trend under it were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats
from accretor.science import detrend, solution
from accretor.science.solution import Solution
from accretor.science.terms import Judge

WINDOW = detrend.STRONG
"""Sets that are worse by more do not count: a twentieth of the weight of the best (Occam's window: Madigan &
Raftery 1994, J. Am. Stat. Assoc. 89, 1535)."""

SCREEN = WINDOW + 2.0
"""Sets worse than that by a linear step about the transit found get no fit of their own: the fit changes
their BIC by one at most where the step is good."""


@dataclass(frozen=True)
class Weighted:
    """A set of terms, and how probable it is."""

    terms: tuple[str, ...]
    weight: float
    """Of all sets together 1."""
    tc: float
    """Mid-time with these terms, day, counted as the problem's."""
    rp_rs: float
    """Radius ratio with these terms."""


@dataclass(frozen=True)
class Averaged:
    """The errors of a transit, the choice of terms allowed for."""

    covariance: Floats
    """(5, 5) of the values found with the terms chosen: within each set, and of their deviations."""
    sets: tuple[Weighted, ...]
    """Those that count, the likeliest first; the one chosen is always among them."""


def alone(found: Solution, chosen: Sequence[str]) -> Averaged:
    """Return the errors where no choice was made: a trend that the settings name, or a partial transit."""
    only = Weighted(tuple(chosen), 1.0, float(found.parameter[0]), float(found.parameter[1]))
    return Averaged(found.covariance[:5, :5], (only,))


def average(judge: Judge, chosen: Sequence[str], found: Solution, max_terms: int) -> Averaged:
    """Return the errors of what was *found* with the terms *chosen*, given all sets that could have been.

    Bayesian model averaging (Hoeting et al. 1999, Stat. Sci. 14, 382): each set counts by
    exp(-BIC / 2), and by what the choice demands of its terms beforehand
    (:func:`accretor.science.detrend.demanded`), so that the set chosen is the one that counts most.
    The values stay those of the set chosen; their errors are those to be expected of them, the
    mean over sets of the covariance of each and of the square of its distance.

    Parameters
    ----------
    judge : Judge
    chosen : sequence of str
    found : Solution
        With these terms.
    max_terms : int
        Of the choice.
    """
    near = judge.about(chosen, found.parameter, found.coefficient)
    guess = {terms: judge.cost(terms, near) for terms in judge.sets(max_terms)}
    least = min(guess.values())
    solved = {tuple(chosen): found}
    for terms in guess:
        if set(terms) != set(chosen) and guess[terms] <= least + SCREEN:
            solved[terms] = solution.solve_near(judge.with_terms(terms), judge.noise, found)
    cost = {
        terms: judge.cost(terms, judge.about(terms, one.parameter, one.coefficient))
        for terms, one in solved.items()
    }
    least = min(cost.values())
    kept = [terms for terms in solved if cost[terms] <= least + WINDOW or solved[terms] is found]
    weight = np.exp(-0.5 * np.array([cost[terms] - least for terms in kept]))
    weight /= weight.sum()
    covariance = np.zeros((5, 5))
    for terms, part in zip(kept, weight, strict=True):
        distance = solved[terms].parameter - found.parameter
        covariance += part * (solved[terms].covariance[:5, :5] + np.outer(distance, distance))
    sets = [
        Weighted(terms, float(part), *(float(value) for value in solved[terms].parameter[:2]))
        for terms, part in zip(kept, weight, strict=True)
    ]
    return Averaged(covariance, tuple(sorted(sets, key=lambda one: -one.weight)))
