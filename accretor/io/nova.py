"""Plate solutions by nova.astrometry.net (Lang et al. 2010, AJ 139, 1782): a list of stars goes, cards come.

Only positions of stars are sent, never an image, and the submission is not shown to the
public. What the service takes minutes for can be asked for again under the submission's number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accretor.core.errors import ServiceError
from accretor.io.http import Answer, Client, Secret

SERVICE = "nova.astrometry.net"
ADDRESS = "https://nova.astrometry.net"
MOST_STARS = 200
"""Brightest stars that are sent."""
TWEAK_ORDER = 2
"""Of the distortion that the service fits."""


@dataclass(frozen=True)
class StarList:
    """What is sent."""

    x: Sequence[float]
    y: Sequence[float]
    """Pixel, brightest first; the first pixel's centre is (0, 0) here, (1, 1) there."""
    shape: tuple[int, int]
    """Height and width of the frame, pixel."""
    centre: tuple[float, float]
    """Where to search, degree."""
    radius: float
    """How far from there, degree."""
    scale: tuple[float, float]
    """Least and greatest scale, arcsec per pixel."""


def log_in(client: Client, key: Secret, address: str = ADDRESS) -> Secret:
    """Return the session that a key opens.

    Raises
    ------
    ServiceError
        If the service refuses the key, or does not answer as it should.
    """
    said = _ask(client, f"{address}/api/login", {"apikey": key.reveal()})
    session = said.get("session")
    if not isinstance(session, str) or not session:
        raise ServiceError(SERVICE, "the answer to the login has no session")
    return Secret(session)


def submit(client: Client, session: Secret, stars: StarList, address: str = ADDRESS) -> int:
    """Send a list of stars, and return the number of the submission."""
    height, width = stars.shape
    said = _ask(
        client,
        f"{address}/api/url_upload",
        {
            "session": session.reveal(),
            "x": [round(value + 1, 3) for value in stars.x[:MOST_STARS]],
            "y": [round(value + 1, 3) for value in stars.y[:MOST_STARS]],
            "image_width": width,
            "image_height": height,
            "publicly_visible": "n",
            "allow_modifications": "n",
            "allow_commercial_use": "n",
            "center_ra": round(stars.centre[0], 6),
            "center_dec": round(stars.centre[1], 6),
            "radius": stars.radius,
            "scale_units": "arcsecperpix",
            "scale_type": "ul",
            "scale_lower": round(stars.scale[0], 4),
            "scale_upper": round(stars.scale[1], 4),
            "tweak_order": TWEAK_ORDER,
            "crpix_center": True,
        },
    )
    number = said.get("subid")
    if not isinstance(number, int):
        raise ServiceError(SERVICE, "the answer to a submission has no number")
    return number


def job_of(client: Client, submission: int, address: str = ADDRESS) -> int | None:
    """Return the job of a submission; None as long as it waits for its turn."""
    said = _read(client.get(f"{address}/api/submissions/{submission}"))
    jobs = said.get("jobs")
    if not isinstance(jobs, list):
        raise ServiceError(SERVICE, f"submission {submission}: the answer has no list of jobs")
    return next((job for job in jobs if isinstance(job, int)), None)


def is_solved(client: Client, job: int, address: str = ADDRESS) -> bool | None:
    """Return whether a job has found a solution; None as long as it is at it."""
    status = _read(client.get(f"{address}/api/jobs/{job}")).get("status")
    return {"success": True, "failure": False}.get(str(status))


def solution(client: Client, job: int, address: str = ADDRESS) -> dict[str, Any]:
    """Return the FITS cards of the solution of a job.

    Raises
    ------
    ServiceError
        If what comes is no FITS header.
    """
    from astropy.io.fits import Header

    body = client.get(f"{address}/wcs_file/{job}").body
    if not body.startswith(b"SIMPLE  =") or len(body) % 80:
        raise ServiceError(SERVICE, f"job {job}: what was sent is no FITS header")
    header = Header.fromstring(body.decode("ascii", "replace"))
    return {key: header[key] for key in header if key and key not in ("COMMENT", "HISTORY")}


def _ask(client: Client, url: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    answer = client.post(url, {"request-json": Secret(json.dumps(fields))})
    if answer.status != 200:
        raise ServiceError(SERVICE, f"answered with status {answer.status}")
    return _read(answer)


def _read(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer that says nothing of an error."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        raise ServiceError(SERVICE, "answered with something that is not JSON") from None
    if not isinstance(said, dict):
        raise ServiceError(SERVICE, "answered with JSON of another form")
    if said.get("status") == "error":
        words = " ".join(str(said.get("errormessage", "")).split())[:120]
        raise ServiceError(SERVICE, f"refused: {words}" if "key" not in words else "refused the API key")
    return said
