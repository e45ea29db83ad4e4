"""The predicted transits of a target beside those of the TESS Transit Finder."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from accretor.core.errors import AccretorError

if TYPE_CHECKING:
    from accretor.core.settings import Target
    from accretor.stages.workspace import ObservationPlan


def cross_check(target: Target, plans: Sequence[ObservationPlan], *, address: str = "") -> list[str]:
    """Compare the predicted transit of each night with that of the TESS Transit Finder.

    Returns
    -------
    list of str
        One line for each night. What goes wrong with the TTF is a line too: nothing depends on it.
    """
    from accretor.exofop import ttf
    from accretor.io.http import Client
    from accretor.science.ephemeris import predict
    from accretor.sending import credentials

    if target.ephemeris is None:
        return [f"{target.name}: no ephemeris, so nothing to compare"]
    lines = []
    place = urlsplit(address or ttf.ADDRESS)
    try:
        found = credentials.find(ttf.ACCOUNT)
        with Client(ttf.SERVICE, {place.netloc}) as client:
            for plan in {plan.observation.night: plan for plan in plans if plan.frames}.values():
                exposure = plan.frames[len(plan.frames) // 2].exposure
                assert exposure is not None
                middle = datetime.datetime.fromisoformat(exposure.mid)
                jd = middle.toordinal() + 1721424.5 + (middle.hour + middle.minute / 60) / 24
                latitude, longitude, _ = plan.site
                start = (middle - datetime.timedelta(days=1)).strftime("%m-%d-%Y")
                events = ttf.fetch(
                    client,
                    found,
                    ttf.query(target.tic, (latitude, longitude), start),
                    address or ttf.ADDRESS,
                )
                lines.append(
                    f"{plan.observation.visit.slug}: {ttf.compare(predict(target.ephemeris, jd), events)}"
                )
    except AccretorError as error:
        lines.append(f"{target.name}: not compared: {error}")
    return lines
