"""Predicted transits by the TESS Transit Finder, to compare ours with.

Ours are computed from the ephemeris; this is a second opinion, and nothing waits for it.
The page is read by the structure of its table and the words of its headings, wherever
these columns stand.
"""

from __future__ import annotations

import csv
import html.parser
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from accretor.core.errors import ServiceError
from accretor.io.answers import excerpt
from accretor.io.http import Client
from accretor.science.ephemeris import Prediction
from accretor.sending.credentials import Account, Credentials

SERVICE = "TTF"
HOST = "astro.swarthmore.edu"
ADDRESS = f"https://{HOST}/telescope/tess-secure/print_eclipses.cgi"
ACCOUNT = Account(SERVICE, HOST, "ACCRETOR_TTF")

HTML_PRECISION = 0.00005
"""Day: half of the last of the four decimals of the page."""
CSV_PRECISION = 0.0005 + 0.0062
"""Day: half of the last of three decimals, and what JD_UTC may differ from BJD_TDB."""

_REDUCED = 2450000.0
_SIGMA = 3.0


@dataclass(frozen=True)
class Event:
    """One predicted transit."""

    mid: float
    """BJD_TDB day; from the CSV form, JD_UTC."""
    precision: float
    """Day by which the page itself may be off."""
    name: str = ""


def query(tic: int, site: tuple[float, float], start: str, days: int = 3) -> dict[str, str]:
    """Return the query for the transits of a star, as seen from a site.

    Parameters
    ----------
    tic : int
    site : (latitude, longitude), degree
        East positive.
    start : str
        First date, MM-DD-YYYY.
    """
    return {
        "target_string": f"TIC {tic}",
        "observatory_string": f"{site[0]:.5f};{site[1]:.5f};Etc/UTC;site",
        "use_utc": "1",
        "start_date": start,
        "days_to_print": str(days),
        "days_in_past": "0",
        "print_html": "1",
        "maximum_priority": "5",
        "max_airmass": "99",
    }


def fetch(
    client: Client, credentials: Credentials, form: dict[str, str], address: str = ADDRESS
) -> list[Event]:
    """Return the transits of the page.

    Raises
    ------
    ServiceError
        If there is no page, or none that can be read.
    """
    answer = client.get(address, params=form, auth=(credentials.username, credentials.password))
    return parse(answer.body)


def parse(content: bytes) -> list[Event]:
    """Return the transits of a page, each once, in order of time.

    Parameters
    ----------
    content : bytes
        The web page (``print_html=1``) or the CSV form (``print_html=2``).

    Raises
    ------
    ServiceError
        If it is neither; a page with a table and no row is no transit.
    """
    text = content.decode("utf-8", "replace")
    is_page = bool(re.match(r"(?is)\s*(<!doctype|<html|<head|<table|<\?xml)", text))
    found = _from_page(text) if is_page else _from_csv(text)
    if found is None:
        raise ServiceError(SERVICE, f"the answer has no table of transits but {excerpt(content)}")
    return sorted({event.mid: event for event in found}.values(), key=lambda event: event.mid)


def compare(ours: Prediction, theirs: Sequence[Event]) -> str:
    """Say in a sentence how a prediction agrees with those of the TTF.

    Returns
    -------
    str
        It begins with ``TTF disagrees`` where they differ by more than 3 sigma of ours and
        the precision of the page.
    """
    if not theirs:
        return f"TTF has no transit near BJD_TDB {ours.mid:.4f}"
    nearest = min(theirs, key=lambda event: abs(event.mid - ours.mid))
    difference = nearest.mid - ours.mid
    allowed = _SIGMA * ours.sigma + nearest.precision
    verdict = "agrees" if abs(difference) <= allowed else "disagrees"
    return (
        f"TTF {verdict}: mid-transit {nearest.mid:.4f}, {1440 * difference:+.1f} min from ours "
        f"(3 sigma and its rounding: {1440 * allowed:.1f} min)"
    )


class _Tables(html.parser.HTMLParser):
    """The cells of all tables of a page, each table a list of rows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._open: list[list[list[str]]] = []
        self._is_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._open.append([])
            self.tables.append(self._open[-1])
            self._is_cell = False
        elif tag == "tr" and self._open:
            self._open[-1].append([])
        elif tag in ("td", "th") and self._open and self._open[-1]:
            self._open[-1][-1].append("")
            self._is_cell = True
        elif self._is_cell:
            self._add(" ")  # <br> and the like part words

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._open:
            self._open.pop()
            self._is_cell = bool(self._open and self._open[-1] and self._open[-1][-1])
        elif tag in ("td", "th"):
            self._is_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_cell:
            self._add(data)

    def _add(self, text: str) -> None:
        if self._open and self._open[-1] and self._open[-1][-1]:
            self._open[-1][-1][-1] += text


def _from_page(text: str) -> list[Event] | None:
    parser = _Tables()
    parser.feed(text)
    parser.close()
    for rows in parser.tables:
        for number, row in enumerate(rows):
            place = next((i for i, cell in enumerate(row) if _is_time(cell)), None)
            if place is not None:
                events = [_event(below, place) for below in rows[number + 1 :] if len(below) > place]
                return [event for event in events if event is not None]
    return None


def _is_time(heading: str) -> bool:
    plain = re.sub(r"[^A-Z]", "", heading.upper())
    return "BJDTDB" in plain and len(heading) < 200


def _event(row: Sequence[str], place: int) -> Event | None:
    """Return the transit of a row; None of one that has no times."""
    times = _abbreviated(row[place])
    if not times:
        return None
    middle = times[len(times) // 2]
    return Event(middle if middle > 1e6 else middle + _REDUCED, HTML_PRECISION, " ".join(row[0].split()))


def _abbreviated(cell: str) -> list[float]:
    """Return ingress, middle and egress of a cell such as ``10738.7012 — .7554 — .8096``.

    A part that begins with a point has the day of the one before, or the next day if
    it would be earlier.
    """
    found: list[float] = []
    for part in re.findall(r"\d*\.\d+", cell):
        value = float(part)
        if part.startswith(".") and found:
            value += math.floor(found[-1])
            value += value < found[-1]
        elif part.startswith("."):
            return []
        found.append(value)
    return found if len(found) in (1, 3) else []


def _from_csv(text: str) -> list[Event] | None:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(io.StringIO("\n".join(lines)))
    names = [name.strip() for name in reader.fieldnames or ()]
    if "jd_mid" not in names:
        return None
    found = []
    for record in reader:
        row = {(name or "").strip(): value for name, value in record.items()}
        try:
            mid = float(row["jd_mid"])
        except (TypeError, ValueError):
            raise ServiceError(SERVICE, f"{row['jd_mid']!r} in its table is not a time") from None
        found.append(Event(mid if mid > 1e6 else mid + _REDUCED, CSV_PRECISION, str(row.get("Name") or "")))
    return found
