"""How unlike the target a comparison star is: its colour, and how far away it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accretor.core.arrays import Floats

SECOND_ORDER = 0.03
"""Extinction by colour, magnitude per airmass and magnitude of BP - RP: the most that is usual, in blue and
unfiltered light (Hardie 1962, in Astronomical Techniques, page 178). It is not taken out: it takes weight."""

ACROSS = 0.001
"""Relative error across the field from the target to the farthest star: thin cloud, flats, focus."""

MOST_DIFFERENCE = 1.0
"""Magnitude of BP - RP: a star that differs more is left out as long as there are enough others."""

ENOUGH_LIKE = 10
"""Comparison stars within that difference that are enough."""


@dataclass(frozen=True)
class Colors:
    """Colours of the stars, by a catalogue."""

    name: str
    """Catalogue and colour, in words."""
    value: Floats
    """(n_star,) magnitude, on the scale of BP - RP; NaN where it is not known."""


def differences(color: Floats, target: int) -> Floats:
    """Return by how much each star is redder than the target, (n_star,) magnitude.

    *color* is (n_star,), magnitude; NaN where it is not known.
    """
    return np.asarray(color - color[target])


def distances(position: Floats, target: int) -> Floats:
    """Return the distance of each star from the target, in the unit of *position*, (n_star, 2)."""
    return np.asarray(np.hypot(*(position - position[target]).T))


def penalty(color: Floats, position: Floats, airmass: Floats, target: int) -> Floats:
    """Return the relative error, (n_star,), that each star may bring by being unlike the target.

    A star of unknown colour is taken to differ as half of the others do.

    Parameters
    ----------
    color : (n_star,) float64, magnitude
        NaN where it is not known; that of the target must be.
    position : (n_star, 2) float64
        In any unit.
    airmass : (n,) float64
    target : int
    """
    difference = np.abs(differences(color, target))
    is_other = np.arange(len(color)) != target
    known = difference[np.isfinite(difference) & is_other]
    difference = np.where(np.isfinite(difference), difference, np.median(known) if known.size else 0.0)
    distance = distances(position, target)
    by_color = 0.4 * np.log(10) * SECOND_ORDER * float(np.std(airmass)) * difference
    return np.asarray(np.hypot(by_color, ACROSS * distance / max(float(np.max(distance)), 1e-300)))


def refused(color: Floats, reasons: list[str], target: int) -> list[str]:
    """Return *reasons* with the stars refused whose colour is not like the target's, if enough others are.

    Parameters
    ----------
    color : (n_star,) float64, magnitude
        NaN where it is not known.
    reasons : list of str
        Why each star is refused already; "" for one that is not.
    target : int
    """
    difference = np.abs(differences(color, target))
    is_left = np.array([not reason for reason in reasons])
    if (is_left & (difference <= MOST_DIFFERENCE)).sum() < ENOUGH_LIKE:
        return reasons
    return [
        f"colour differs by {size:.2f} mag from the target's" if left and size > MOST_DIFFERENCE else reason
        for reason, left, size in zip(reasons, is_left, difference, strict=True)
    ]
