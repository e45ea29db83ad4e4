"""When a transit is due, and how much of it was observed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from accretor.core.settings import Ephemeris

Coverage = Literal["Full", "Ingress", "Egress", "Out of Transit"]
"""The words of the ExoFOP form."""


@dataclass(frozen=True)
class Prediction:
    """The predicted transit nearest to the observation."""

    epoch: int
    """Number of periods since t0."""
    mid: float
    """BJD_TDB day."""
    ingress: float
    """First contact, BJD_TDB day."""
    egress: float
    """Fourth contact, BJD_TDB day."""
    sigma: float
    """Standard error of the predicted times, day."""


def predict(ephemeris: Ephemeris, time: float) -> Prediction:
    """Return the transit nearest to *time* (BJD_TDB day).

    The error is that of t0 and of the period times the epochs gone by, taken as
    independent. Without a period the only transit is that of t0.
    """
    epoch = round((time - ephemeris.t0) / ephemeris.period) if ephemeris.period > 0 else 0
    mid = ephemeris.t0 + epoch * ephemeris.period
    half = ephemeris.duration / 48
    sigma = math.hypot(ephemeris.t0_error, epoch * ephemeris.period_error)
    return Prediction(epoch, mid, mid - half, mid + half, sigma)


def orbital_period(ephemeris: Ephemeris) -> float:
    """Return the period, day; where it is not known, that of such a transit before a star like the Sun.

    A central transit on a circular orbit lasts 13 h (P / 1 yr)^(1/3) there (Winn 2010,
    equation 19). The shape of a transit hardly depends on it.
    """
    return ephemeris.period if ephemeris.period > 0 else 365.25 * (ephemeris.duration / 13) ** 3


def coverage(prediction: Prediction, start: float, end: float, *, tolerance: float = 2 / 1440) -> Coverage:
    """Return which part of the predicted transit lies between *start* and *end* (BJD_TDB day).

    ``Full`` needs both contacts, ``Ingress`` and ``Egress`` one of them; a contact
    missed by less than *tolerance* (day) counts as observed. An observation that
    lies wholly within the transit is named after the contact that it nearly reaches.
    """
    if end <= prediction.ingress or start >= prediction.egress:
        return "Out of Transit"
    has_ingress = start <= prediction.ingress + tolerance
    has_egress = end >= prediction.egress - tolerance
    if has_ingress and has_egress:
        return "Full"
    if has_ingress or has_egress:
        return "Ingress" if has_ingress else "Egress"
    return "Ingress" if start - prediction.ingress <= prediction.egress - end else "Egress"
