"""How far an upload is, by its ledger alone, and what the settings let it be sent with."""

from __future__ import annotations

import json

import pytest

from accretor.core.settings import UploadSettings
from accretor.exofop import server
from accretor.exofop.plan import UploadPlan
from accretor.io.layout import VisitPaths
from accretor.sending import proven
from accretor.sending.ledger import Item, Ledger, State
from accretor.stages import upload

ITEMS = [Item("https://exofop/", "file", filter_name, f"{filter_name}.tbl") for filter_name in ("gp", "ip")]


@pytest.fixture
def paths(tmp_path):
    return VisitPaths(tmp_path / "products", tmp_path / "uploads")


@pytest.fixture
def ledger(paths):
    return Ledger(paths.ledger)


def test_nothing_counts_but_what_is_confirmed(paths, ledger):
    assert upload.state(paths) == "not sent"
    ledger.begin("a", [(item, "1") for item in ITEMS], 0.0)
    ledger.add("a", ITEMS[0], "1", State.CONFIRMED, 1.0)
    ledger.add("a", ITEMS[1], "1", State.ANSWERED, 2.0)
    assert upload.state(paths) == "sent 1 of 2"
    ledger.add("a", ITEMS[1], "1", State.CONFIRMED, 86_400.0)
    assert upload.state(paths) == "confirmed on 1970-01-02"


def test_what_is_planned_no_more_is_not_missing_but_what_may_be_sent_is(paths, ledger):
    ledger.begin("a", [(item, "1") for item in ITEMS], 0.0)
    ledger.begin("b", [(ITEMS[0], "2")], 1.0)
    ledger.add("b", ITEMS[0], "2", State.CONFIRMED, 2.0)
    assert upload.state(paths) == "confirmed on 1970-01-01"
    ledger.add("a", ITEMS[1], "1", State.UNKNOWN, 3.0)
    assert upload.state(paths) == "sent 1 of 2"


def test_a_package_that_was_made_again_since_is_told(paths, ledger):
    ledger.add("a", ITEMS[0], "1", State.CONFIRMED, 0.0)
    paths.manifest.parent.mkdir()
    for digest, remark in (("1", ""), ("2", "; the package has changed since")):
        manifest = {"problems": [], "files": {"gp.tbl": {"size": 1, "sha256": digest}}}
        paths.manifest.write_text(json.dumps(manifest))
        assert upload.state(paths) == f"confirmed on 1970-01-01{remark}"


@pytest.mark.parametrize(
    ("address", "wanted", "given"),
    [
        (server.PRODUCTION, 0.0, 10.0),
        (server.STAGING, 0.0, 10.0),
        (server.PRODUCTION, 60.0, 60.0),
        ("http://127.0.0.1:9/tess/", 0.0, 0.0),
    ],
)
def test_the_wait_that_prevents_doubles_cannot_be_switched_off(paths, monkeypatch, address, wanted, given):
    waits = []

    def send(*_, settle, **__):
        waits.append(settle)
        return proven.Result(0, 0)

    monkeypatch.setattr(proven, "send", send)
    plan = UploadPlan("0" * 12, "tag", (), address)
    settings = UploadSettings(username="a_observer", settle=wanted)
    upload.send(plan, plan.plan_id, paths.folder, paths, settings, print)
    assert waits == [given]
