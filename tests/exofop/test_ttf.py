from __future__ import annotations

from pathlib import Path

import pytest

from accretor.core.errors import ServiceError
from accretor.exofop import ttf
from accretor.io.http import Client, Secret
from accretor.science.ephemeris import Prediction
from accretor.sending.credentials import Credentials
from tests.exofop.archive_server import PAGE, Archive, serve

PAGE_OF_EVENTS = Path(__file__).with_name("ttf_page.html").read_bytes()
CSV = (
    b"Name,V,jd_start,jd_mid,jd_end,comments\n"
    b'TIC 999999999.01,11.2,10739.423,10739.469,10739.515,"VPC, 1.5 h"\n'
    b"TIC 999999999.01,11.2,10742.935,10742.981,10743.027,\n"
)


def prediction(mid, sigma=0.001):
    return Prediction(epoch=1, mid=mid, ingress=mid - 0.05, egress=mid + 0.05, sigma=sigma)


def test_the_page_is_read_by_its_structure():
    events = ttf.parse(PAGE_OF_EVENTS)
    assert [round(event.mid, 4) for event in events] == [2460739.4688, 2460742.9812]


def test_a_part_of_a_time_that_is_earlier_is_of_the_next_day():
    assert ttf._abbreviated("10742.9353 — .9812 — .0270") == pytest.approx(
        [10742.9353, 10742.9812, 10743.0270]
    )
    assert ttf._abbreviated(".9353 — .9812 — .0270") == []
    assert ttf._abbreviated("2460742.9812") == [2460742.9812]


def test_the_table_is_found_wherever_its_column_stands():
    turned = PAGE_OF_EVENTS.replace(b"<td>11.0</td>", b"").replace(b"<th>Depth<br>(ppt)</th>", b"")
    assert [event.mid for event in ttf.parse(turned)] == [event.mid for event in ttf.parse(PAGE_OF_EVENTS)]


def test_the_csv_form_gives_the_same_transits_less_precisely():
    page, sheet = ttf.parse(PAGE_OF_EVENTS), ttf.parse(CSV)
    for a, b in zip(page, sheet, strict=True):
        assert abs(a.mid - b.mid) <= a.precision + b.precision


@pytest.mark.parametrize(
    "content",
    [
        b"",
        PAGE,
        b"Sorry",
        b"<html><table><tr><th>Name</th></tr></table></html>",
        CSV.replace(b"10739.469", b"?"),
    ],
)
def test_what_is_no_table_of_transits_is_no_empty_answer(content):
    with pytest.raises(ServiceError):
        ttf.parse(content)


def test_a_page_without_a_row_has_no_transit():
    start, end = PAGE_OF_EVENTS.index(b"<tbody>"), PAGE_OF_EVENTS.index(b"</tbody>")
    assert ttf.parse(PAGE_OF_EVENTS[:start] + PAGE_OF_EVENTS[end:]) == []
    assert "no transit near" in ttf.compare(prediction(2460739.4688), [])


@pytest.mark.parametrize(
    ("mid", "sigma", "verdict"),
    [
        (2460739.4688, 0.0, "agrees"),
        (2460739.4717, 0.001, "agrees"),
        (2460739.4720, 0.001, "disagrees"),
        (2460739.9688, 0.01, "disagrees"),
    ],
)
def test_more_than_three_sigma_is_a_disagreement(mid, sigma, verdict):
    assert ttf.compare(prediction(mid, sigma), ttf.parse(PAGE_OF_EVENTS)).startswith(f"TTF {verdict}")


def test_the_password_goes_to_the_server_and_into_no_message():
    archive = Archive(pages={"print_eclipses.cgi": PAGE_OF_EVENTS})
    found = Credentials("me", Secret("hunter2"), "a test")
    with serve(archive), Client("TTF", {archive.place}, backoff=0, attempts=1) as client:
        form = ttf.query(7, (28.3, -16.5), "03-03-2025")
        assert len(ttf.fetch(client, found, form, f"{archive.address}/print_eclipses.cgi")) == 2
        with pytest.raises(ServiceError) as trouble:
            ttf.fetch(client, found, form, f"{archive.address}/elsewhere")
    assert archive.asked[0][2]["Authorization"].startswith("Basic ")
    assert archive.asked[0][1]["target_string"] == "TIC 7"
    assert "hunter2" not in repr(trouble.value.__dict__) + str(trouble.value)
