from __future__ import annotations

import json
import logging
import time

import pytest

from accretor.core.errors import ServiceError, Unusable
from accretor.core.settings import PlateSolutionSettings
from accretor.io.nova import StarList
from accretor.stages import nova
from tests.science.test_plate import SHAPE, make
from tests.stages import nova_server
from tests.stages.nova_server import KEY, SESSION, Nova

STARS = StarList(
    x=[10.0, 20.5], y=[30.0, 40.25], shape=SHAPE, centre=(200.0, -40.0), radius=1.5, scale=(0.6, 0.8)
)


@pytest.fixture
def server(monkeypatch, tmp_path):
    from astropy.io.fits import Header

    monkeypatch.setenv(nova.VARIABLE, KEY)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setattr(nova, "POLL", (0.01, 0.02))
    header = Header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, **make().cards(SHAPE)})
    with nova_server.serve(Nova(header=header.tostring().encode())) as running:
        yield running


def solve(server, tmp_path, *, deadline=5.0, stars=STARS):
    settings = PlateSolutionSettings(nova=True, nova_url=server.address, nova_deadline=deadline)
    return nova.solve(stars, tmp_path / "nova.json", settings, pause=lambda seconds: time.sleep(0.01))


def test_the_cards_that_come_are_those_of_the_service(server, tmp_path):
    server.patience = 2
    cards = solve(server, tmp_path)

    assert {key: cards[key] for key in make().cards(SHAPE)} == make().cards(SHAPE)


def test_positions_go_with_the_first_pixel_at_one_and_are_not_shown_to_the_public(server, tmp_path):
    solve(server, tmp_path)
    (sent,) = server.submissions

    assert (sent["x"], sent["y"]) == ([11.0, 21.5], [31.0, 41.25])
    assert (sent["image_width"], sent["image_height"]) == (1000, 800)
    assert sent["publicly_visible"] == sent["allow_modifications"] == sent["allow_commercial_use"] == "n"
    assert (sent["center_ra"], sent["center_dec"], sent["radius"]) == (200.0, -40.0, 1.5)
    assert (sent["scale_units"], sent["scale_lower"], sent["scale_upper"]) == ("arcsecperpix", 0.6, 0.8)


def test_a_solution_is_asked_for_once_in_a_workspace(server, tmp_path):
    first = solve(server, tmp_path)
    server.asked.clear()

    assert solve(server, tmp_path) == first
    assert server.asked == []


def test_one_submission_is_resumed_by_the_next_run_without_a_new_login(server, tmp_path):
    server.verdict = "solving"
    with pytest.raises(ServiceError, match="submission 6001 is not solved yet; the next run asks for it"):
        solve(server, tmp_path, deadline=0.2)
    server.verdict = "success"
    server.asked.clear()

    assert solve(server, tmp_path)["CTYPE1"] == "RA---TAN"
    assert len(server.submissions) == 1
    assert "/api/login" not in server.asked


def test_other_stars_are_another_submission(server, tmp_path):
    solve(server, tmp_path)
    solve(
        server,
        tmp_path,
        stars=StarList(x=[1.0], y=[2.0], shape=SHAPE, centre=(200.0, -40.0), radius=1.5, scale=(0.6, 0.8)),
    )

    assert len(server.submissions) == 2


def test_a_field_that_the_service_cannot_solve_is_not_sent_again(server, tmp_path):
    server.verdict = "failure"
    for _ in range(2):
        with pytest.raises(Unusable, match=r"found no plate solution \(submission 6001\)"):
            solve(server, tmp_path)

    assert len(server.submissions) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("login_html", "something that is not JSON"),
        ("no_session", "the answer to the login has no session"),
        ("login_refused", "refused the API key"),
        ("upload_error", "refused: no"),
        ("upload_cut", "nova.astrometry.net: "),
        ("status_500", "500"),
        ("wcs_html", "what was sent is no FITS header"),
    ],
)
def test_a_service_that_fails_is_an_error_and_no_empty_answer(server, tmp_path, fault, said, caplog):
    server.fault = fault
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ServiceError, match=said) as caught:
        solve(server, tmp_path)

    written = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir() if path.is_file())
    for secret in (KEY, SESSION):
        assert secret not in str(caught.value) + caplog.text + written


def test_after_a_passing_failure_the_next_run_goes_on(server, tmp_path):
    server.fault = "wcs_html"
    with pytest.raises(ServiceError):
        solve(server, tmp_path)
    server.fault = ""

    solve(server, tmp_path)
    assert len(server.submissions) == 1


def test_a_record_that_is_torn_costs_one_more_submission_and_nothing_else(server, tmp_path):
    solve(server, tmp_path)
    record = tmp_path / "nova.json"
    record.write_text(record.read_text(encoding="utf-8")[:40], encoding="utf-8")

    assert solve(server, tmp_path)["CTYPE1"] == "RA---TAN"
    assert json.loads(record.read_text(encoding="utf-8"))["state"] == "solved"


def test_without_a_key_nothing_is_sent_and_the_user_is_told_where_one_goes(server, tmp_path, monkeypatch):
    monkeypatch.delenv(nova.VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(
        Unusable, match=r"no API key in ASTROMETRY_NET_API_KEY; .*machine nova.astrometry.net"
    ):
        solve(server, tmp_path)
    assert server.asked == []


def test_the_key_may_stand_in_netrc(server, tmp_path, monkeypatch):
    monkeypatch.delenv(nova.VARIABLE)
    path = tmp_path / "netrc"
    path.write_text(f"machine nova.astrometry.net login me password {KEY}\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))

    assert solve(server, tmp_path)["CRVAL1"] == 200.0
