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
    independent.
    """
    epoch = round((time - ephemeris.t0) / ephemeris.period)
    mid = ephemeris.t0 + epoch * ephemeris.period
    half = ephemeris.duration / 48
    sigma = math.hypot(ephemeris.t0_error, epoch * ephemeris.period_error)
    return Prediction(epoch, mid, mid - half, mid + half, sigma)


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
