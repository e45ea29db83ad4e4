"""doit fetch, against servers on this machine."""

from __future__ import annotations

import json
import os
import re
import time

import numpy as np
import pytest

from accretor import catalogs as library
from accretor.catalogs.registry import SOURCES
from accretor.catalogs.validate import Field
from accretor.core.dumps import TARGET, TOIS
from accretor.exofop.server import Server
from accretor.io import dump
from accretor.io.http import Client
from accretor.stages.workspace import open_workspace
from tests.catalogs import server as catalog_server
from tests.catalogs.server import Services, everything
from tests.exofop import archive_server
from tests.exofop.archive_server import Archive
from tests.harness import make, run, start, tree

pytestmark = pytest.mark.usefixtures("blank_figures")

TASK = "fetch:TOI-9999.01"
TIC = 999999999
RADIUS = 0.2
FIELD = Field(ra=105.3475, dec=24.81, radius=RADIUS)
NAMES = ("gaia_dr3", "tic", "refcat2", "gaia_synthetic", "apass_dr9", "ps1")
"""The catalogues that cover the demo's field, without the one for wide fields."""
HEAD = (
    "TIC ID|TOI|TESS Mag|TESS Mag err|RA|Dec|PM RA (mas/yr)|PM Dec (mas/yr)|Transit Epoch (BJD)|"
    "Transit Epoch (BJD) err|Period (days)|Period (days) err|Duration (hours)|Duration (hours) err|"
    "Depth (ppm)|Depth (ppm) err|Stellar Eff Temp (K)|Stellar Eff Temp (K) err"
)
ROW = (
    f"{TIC}|9999.01|12.1|0.01|07:01:23.40|+24:48:36.0|3.0|-4.0|2460697.3070|0.0010|3.512345|0.00002|"
    "2.2|0.1|11000|300|5650|120"
)
SECOND = (
    f"{TIC}|9999.02|12.1|0.01|07:01:23.40|+24:48:36.0|3.0|-4.0|2460690.1|0.01|9.1|0.001|3|0.1|500|90|5650|120"
)
PAGE = {
    "basic_info": {"tic_id": str(TIC)},
    "coordinates": {"ra": "105.3475", "dec": "24.81"},
    "magnitudes": [{"band": "TESS", "value": "12.2", "value_e": "0.02"}],
    "stellar_parameters": [{"teff": "5600", "teff_e": "100", "logg": "4.4", "logg_e": "0.1", "srad": "1.02"}],
    "planet_parameters": [
        {"toi": "", "epoch": None},
        {"toi": "TOI 9999.01", "epoch": "2460697.307", "per": "3.5123", "dur": "2.2", "dep_p": "11000"},
    ],
}


@pytest.fixture
def exofop():
    held = Archive()
    held.pages["download_toi.php"] = "\n".join([HEAD, ROW, SECOND, ""]).encode()
    held.pages["target.php"] = json.dumps(PAGE).encode()
    with archive_server.serve(held):
        yield held


@pytest.fixture
def services():
    held = Services()
    for name in NAMES:
        stars = everything(SOURCES[name], FIELD, 500)
        if name == "tic":
            stars["identifier"] = np.arange(500) + TIC
        held.hold(SOURCES[name], stars)
    with catalog_server.serve(held):
        yield held


@pytest.fixture
def workspace(exofop, services, tmp_path, monkeypatch):
    # No waiting between attempts.
    monkeypatch.setattr(Server, "client", lambda self: Client("ExoFOP", {self.place}, backoff=0, attempts=2))
    folder = make(tmp_path / "workspace", lights=range(3))
    config = folder / "workspace.toml"
    hosts = {host: place for name in SOURCES for host, place in services.elsewhere_of(SOURCES[name]).items()}
    servers = ", ".join(f'"{host}" = "{place}"' for host, place in hosts.items())
    own = f"\n[catalogs]\nradius = {RADIUS}\nserver = {{{servers}}}\n"
    config.write_text(config.read_text().replace("[upload]", f'[upload]\nurl = "{exofop.address}"') + own)
    return folder


def change(workspace, old, new):
    config = workspace / "workspace.toml"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def kept(workspace, name):
    return workspace / "archive" / "TOI-9999.01" / "catalogs" / f"{name}.ecsv"


def identification(workspace):
    found = dump.read(workspace / "archive" / "TOI-9999.01" / "target.ecsv", TARGET)
    return {row["quantity"]: row for row in found.rows}, found.meta


def test_everything_for_a_mountain_is_fetched_once(exofop, services, workspace):
    first = run(workspace, TASK)

    assert first.status == 0, first.out + first.err
    rows, meta = identification(workspace)
    assert (meta["tic"], meta["tois"]) == (TIC, ["TOI-9999.01", "TOI-9999.02"])
    assert (rows["tmag"]["value"], rows["teff"]["source"], rows["radius"]["value"]) == (
        12.1,
        "TOI table",
        1.02,
    )
    assert (rows["depth"]["value"], rows["depth"]["error"], rows["depth"]["configured"]) == (11.0, 0.3, 11.0)
    assert [row["difference"] for row in rows.values() if row["difference"]] == []
    for name in NAMES:
        assert len(library.read(kept(workspace, name))) == 500
        about = library.about(kept(workspace, name))
        assert about["service"].startswith(services.address)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", about["date"])
        assert (about["radius"], about["n_star"]) == (RADIUS, 500)
        assert "105.3475" in about["query"]
    assert "skymapper_dr4: does not cover declination +24.8" in first.out
    before, n_asked = tree(workspace / "archive"), len(services.asked) + len(exofop.asked)

    second = run(workspace, TASK)

    assert second.status == 0
    assert "here before: identification, gaia_dr3, tic," in second.out
    assert len(services.asked) + len(exofop.asked) == n_asked
    assert tree(workspace / "archive") == before
    listed = run(workspace, "list").out
    assert "identification, apass_dr9, gaia_dr3, gaia_synthetic, ps1, refcat2, tic" in listed


def test_fetch_is_no_default_and_no_other_task_needs_a_network(services, workspace):
    run(workspace)

    assert services.asked == []
    assert not (workspace / "archive").exists()


def test_what_is_kept_is_fetched_again_only_when_asked_for(services, workspace):
    run(workspace, TASK)
    stars = everything(SOURCES["gaia_dr3"], FIELD, 600)
    services.hold(SOURCES["gaia_dr3"], stars)

    run(workspace, TASK)
    assert len(library.read(kept(workspace, "gaia_dr3"))) == 500
    assert run(workspace, TASK, "renew=TOI-9999.01").status == 0
    assert len(library.read(kept(workspace, "gaia_dr3"))) == 600


def test_renewal_that_fails_leaves_what_was_there(exofop, services, workspace):
    run(workspace, TASK)
    before = tree(workspace / "archive")
    services.always = dict.fromkeys({path for path, _ in services.asked} | MIRRORS, "html")
    exofop.pages = {"target.php": b"No TIC object found", "download_toi.php": b"<html>"}

    failed = run(workspace, TASK, "renew=TOI-9999.01")

    assert failed.status != 0
    assert tree(workspace / "archive") == before


MIRRORS = {"/viz-bin/votable", "/tap-server/tap/sync", "/tap/sync", "/vo-tap/api/v0.1/tic/sync"}


def test_what_succeeds_is_kept_whatever_else_fails(exofop, services, workspace):
    services.always = dict.fromkeys(("/tap-server/tap/sync", "/tap/sync"), "html")
    exofop.pages["target.php"] = b"<html><title>Maintenance</title></html>"

    found = run(workspace, TASK)

    assert found.status != 0
    assert (
        "the page of TIC 999999999 is not JSON but a page: 'Maintenance'; the rest tells enough" in found.out
    )
    assert "FAILED: gaia_synthetic: " in found.out
    assert "Maintenance" in found.out
    # Of Gaia itself VizieR has a copy.
    assert sorted(path.stem for path in kept(workspace, "x").parent.iterdir()) == sorted(
        set(NAMES) - {"gaia_synthetic"}
    )
    services.always = {}
    exofop.pages["target.php"] = json.dumps(PAGE).encode()
    again = run(workspace, TASK)
    assert again.status == 0
    assert "fetched gaia_synthetic (500 stars)" in again.out


def test_offline_asks_nobody_and_says_what_is_missing(exofop, services, workspace):
    change(workspace, "[catalogs]", "[catalogs]\noffline = true")

    forbidden = run(workspace, TASK)

    assert forbidden.status != 0
    assert "gaia_dr3: [catalogs] offline = true forbids the network" in forbidden.out
    assert "identification: [catalogs] offline = true forbids the network" in forbidden.out
    change(workspace, "offline = true", "offline = false")
    run(workspace, TASK)
    n_asked = len(services.asked) + len(exofop.asked)
    change(workspace, "offline = false", "offline = true")
    assert run(workspace, TASK).status == 0
    assert len(services.asked) + len(exofop.asked) == n_asked


def test_without_a_network_no_server_is_tried_twice(services, workspace, exofop):
    change(workspace, exofop.address, "http://127.0.0.1:9/tess")
    change(workspace, services.address, "http://127.0.0.1:9")
    began = time.monotonic()

    found = run(workspace, TASK)

    assert found.status != 0
    assert "cannot be reached; is there a network?" in found.out
    assert not (workspace / "archive").exists()
    # Three attempts of one of them take three seconds.
    assert time.monotonic() - began < 9


def test_difference_from_the_users_values_is_said_and_theirs_are_used(exofop, workspace):
    off = ROW.replace("2460697.3070|0.0010", "2460697.4000|0.0010").replace("+24:48:36.0", "+24:48:46.0")
    exofop.pages["download_toi.php"] = "\n".join([HEAD, off, ""]).encode()

    found = run(workspace, TASK)

    rows, _ = identification(workspace)
    assert rows["ra"]["difference"] == "10.0 arcsec from the configured position"
    assert "the configured transit is -133.9 min from ExoFOP's" in rows["t0"]["difference"]
    assert rows["t0"]["configured"] == 2460697.307011
    assert "t0: the configured transit is -133.9 min" in found.out
    assert "workspace.toml 2460697.307, which is used" in found.out


def test_toi_of_another_star_is_told(exofop, workspace):
    exofop.pages["download_toi.php"] = "\n".join([HEAD, ROW.replace(str(TIC), "12345"), ""]).encode()

    found = run(workspace, TASK)

    assert found.status != 0
    assert "TOI-9999.01 is of TIC 12345 on ExoFOP, of TIC 999999999 here" in found.out


def test_second_candidate_gets_its_own_ephemeris(workspace):
    change(workspace, 'name = "TOI-9999.01"', 'name = "TOI-9999.02"')

    run(workspace, "fetch:TOI-9999.02")

    found = dump.read(workspace / "archive" / "TOI-9999.02" / "target.ecsv", TARGET).rows
    assert {row["quantity"]: row["value"] for row in found}["period"] == 9.1


def test_page_of_the_star_alone_is_enough(exofop, workspace):
    exofop.pages["download_toi.php"] = b"<html><title>Busy</title></html>"

    found = run(workspace, TASK)

    assert found.status == 0, found.out
    rows, _ = identification(workspace)
    assert (rows["period"]["value"], rows["period"]["source"]) == (3.5123, "target page")
    assert rows["depth"]["value"] == 11.0


EPHEMERIS = re.compile(r"\[target\.ephemeris\].*?\n\n", re.DOTALL)


def test_ephemeris_is_exofops_where_the_user_gives_none(workspace):
    config = workspace / "workspace.toml"
    whole = config.read_text()
    config.write_text(EPHEMERIS.sub("", whole))
    assert open_workspace(workspace).settings.target[0].ephemeris is None

    assert "ephemeris: workspace.toml has none" in run(workspace, TASK).out

    found = open_workspace(workspace)
    ephemeris = found.observations[0].target.ephemeris
    assert (ephemeris.t0, ephemeris.t0_error, ephemeris.period) == (2460697.307, 0.001, 3.512345)
    assert (ephemeris.duration, ephemeris.depth) == (2.2, 11.0)
    assert ephemeris.source.startswith("ExoFOP, as doit fetch found it on 20")
    again = run(workspace, TASK, "renew=TOI-9999.01")
    rows, _ = identification(workspace)
    assert again.status == 0
    assert np.isnan(rows["t0"]["configured"])
    config.write_text(whole)
    assert open_workspace(workspace).settings.target[0].ephemeris.t0 == 2460697.307011


def test_ephemeris_of_another_star_or_a_damaged_file_is_not_used(workspace):
    config = workspace / "workspace.toml"
    config.write_text(EPHEMERIS.sub("", config.read_text()))
    run(workspace, TASK)
    change(workspace, f"tic = {TIC}", "tic = 5")
    assert open_workspace(workspace).settings.target[0].ephemeris is None
    change(workspace, "tic = 5", f"tic = {TIC}")
    path = workspace / "archive" / "TOI-9999.01" / "target.ecsv"
    path.write_bytes(path.read_bytes()[:-5])
    assert open_workspace(workspace).settings.target[0].ephemeris is None


def test_damaged_catalogue_is_set_aside_and_fetched_again(workspace):
    run(workspace, TASK)
    path = kept(workspace, "tic")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    assert run(workspace, TASK).status == 0
    assert path.read_bytes() == whole
    assert path.with_name("tic.ecsv.bad").is_file()


def test_own_file_goes_before_a_fetched_catalogue(services, workspace):
    change(workspace, "[catalogs]", '[catalogs]\nnames = ["ps1", "tic"]')
    with (workspace / "workspace.toml").open("a") as file:
        file.write('[[catalogs.file]]\nname = "ps1"\npath = "ps1.csv"\ncolumns = {ra = "a", dec = "b"}\n')

    found = run(workspace, TASK)

    assert "here before: ps1 (your file)" in found.out
    assert not kept(workspace, "ps1").exists()
    assert kept(workspace, "tic").exists()


def test_catalogue_of_too_small_a_field_is_said(workspace):
    change(workspace, "[catalogs]", '[catalogs]\nnames = ["tic"]')
    run(workspace, TASK)
    change(workspace, f"radius = {RADIUS}", "radius = 0.3")

    assert "tic (within 0.2 degrees, 0.3 are needed: renew=)" in run(workspace, TASK).out


def test_cleaning_removes_no_catalogue(workspace):
    run(workspace, TASK)
    before = tree(workspace / "archive")

    run(workspace, "clean", TASK)
    run(workspace, "clean", "download")

    assert tree(workspace / "archive") == before


def test_help_tells_what_it_fetches_and_where_to(workspace):
    said = run(workspace, "help", "fetch").out

    assert "archive/<target>/catalogs/" in said


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_fetch_that_is_killed_leaves_nothing_half_done(services, workspace):
    change(workspace, "[catalogs]", '[catalogs]\nnames = ["gaia_dr3", "tic"]')
    services.always["/TAPVizieR/tap/sync"] = "stall"
    killed = start(workspace, TASK)
    deadline = time.monotonic() + 60
    while "/TAPVizieR/tap/sync" not in [path for path, _ in services.asked] and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()

    assert kept(workspace, "gaia_dr3").is_file()
    assert len(library.read(kept(workspace, "gaia_dr3"))) == 500
    assert [path.name for path in kept(workspace, "x").parent.iterdir()] == ["gaia_dr3.ecsv"]
    services.always = {}
    assert run(workspace, TASK).status == 0
    assert len(library.read(kept(workspace, "tic"))) == 500


@pytest.mark.slow
def test_fetched_ephemeris_makes_the_fit_and_is_quoted_in_the_notes(workspace, tmp_path):
    night = make(tmp_path / "night")
    own = (workspace / "workspace.toml").read_text()
    (night / "workspace.toml").write_text(
        EPHEMERIS.sub("", own).replace("[catalogs]", '[catalogs]\nnames = ["tic"]')
    )
    assert run(night).status == 0
    results = night / "work/TOI-9999.01/20250304/Demo-0m4/ip/results.json"
    assert not json.loads(results.read_text())["has_fit"]

    assert run(night, TASK).status == 0
    second = run(night)

    assert second.stages[-3:] == ["calibration", "plotting", "packaging"]
    assert [second.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [0, 0, 0]
    assert json.loads(results.read_text())["has_fit"]
    notes = next((night / "products").rglob("*_notes.txt")).read_text()
    assert "Ephemeris: ExoFOP, as doit fetch found it on 20" in notes


def nameless(workspace):
    """Take number, coordinates, host and ephemeris out of the settings."""
    config = workspace / "workspace.toml"
    kept, is_out = [], False
    for line in config.read_text().splitlines():
        is_out = line.startswith("[target.ephemeris]") or (is_out and not line.startswith("["))
        if not is_out and not line.startswith(("tic ", "ra ", "dec ", "teff ", "logg ")):
            kept.append(line)
    config.write_text("\n".join(kept) + "\n")


def test_a_target_of_a_name_alone_gets_everything_else_from_exofop(exofop, workspace):
    nameless(workspace)
    before = run(workspace, "list")
    assert before.status != 0
    assert re.search(
        r"to be filled in: tic, ra, dec of \[\[target\]\] TOI-9999.01, or let doit fetch:TOI-9999.01 ask",
        before.err,
    )
    assert exofop.asked == []

    done = run(workspace, TASK)
    assert done.status == 0, done.out + done.err
    target = open_workspace(workspace).settings.target[0]
    assert (target.tic, target.pm_ra, target.pm_dec, target.teff, target.logg) == (
        TIC,
        3.0,
        -4.0,
        5650.0,
        4.4,
    )
    assert (target.ra, target.dec) == (pytest.approx(105.3475), pytest.approx(24.81))
    assert (target.ephemeris.period, target.ephemeris.t0_error) == (pytest.approx(3.512345), 0.001)
    assert "ExoFOP" in target.ephemeris.source
    # From here on without a network.
    exofop.pages.clear()
    assert run(workspace, "registration").status == 0


def test_without_a_network_a_target_of_a_name_alone_is_one_line_that_says_what_to_do(exofop, workspace):
    nameless(workspace)
    change(workspace, "radius = 0.2", "radius = 0.2\noffline = true")

    done = run(workspace, TASK)

    assert done.status != 0
    assert "doit fetch:TOI-9999.01 ask ExoFOP" in done.err
    assert "Traceback" not in done.err
    assert exofop.asked == []


def test_a_target_that_exofop_does_not_know_is_said_with_what_it_answered(exofop, workspace):
    nameless(workspace)
    exofop.pages["download_toi.php"] = HEAD.encode() + b"\n"

    done = run(workspace, TASK)

    assert done.status != 0
    assert "to be filled in: tic, ra, dec of [[target]] TOI-9999.01" in done.err
    assert "identification: " in done.err


def test_the_kept_table_of_all_tois_identifies_a_target_too(workspace):
    from accretor.exofop import identifiers

    nameless(workspace)
    rows = identifiers.parse("\n".join([HEAD, ROW, SECOND, ""]).encode(), "pipe")
    dump.write(workspace / "archive" / "tois.ecsv", TOIS, rows, {})
    target = open_workspace(workspace).settings.target[0]

    assert (target.tic, target.dec) == (TIC, pytest.approx(24.81))


def test_what_the_settings_give_is_not_replaced(exofop, workspace):
    assert run(workspace, TASK).status == 0
    change(workspace, f"tic = {TIC}\n", "")
    target = open_workspace(workspace).settings.target[0]

    assert target.tic == TIC
    assert (target.ra, target.dec, target.pm_ra) == ("07:01:23.400", "+24:48:36.00", 0.0)
    assert (target.teff, target.logg, target.ephemeris.source) == (5600, 4.45, "invented for the demo")
