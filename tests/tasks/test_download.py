"""doit download, doit ttf and doit skynet, against servers on this machine."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile

import numpy as np
import pytest

from accretor.aij import table as aij_table
from accretor.core.dumps import ARCHIVE_OBSERVATIONS
from accretor.exofop import ttf
from accretor.exofop.archive import PAGES
from accretor.exofop.server import Server
from accretor.io import dump, fits, skynet
from accretor.io.http import Client
from tests.exofop.archive_server import Archive, serve
from tests.harness import make, run, start, tree

ZIP = "download_tag_files_zip.php"
TIC, MID, DEPTH = 999999999, 2460700.8193566, 0.011
HEADER = "TIC ID|TIC|TOI|Telescope|Camera|Filter|Obs Date|Tag"
PASSWORD = "canary-password"


def packed(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(f"tag/{name}", content)
    return buffer.getvalue()


def curve(offset=0.0, n=120):
    time = MID + np.linspace(-0.1, 0.1, n)
    flux = 1 + 0.002 * np.random.default_rng(4).normal(size=n) - DEPTH * (abs(time - MID) < 1.1 / 24)
    columns = {"BJD_TDB": time - offset, "rel_flux_T1_n": flux, "rel_flux_err_T1_n": np.full(n, 0.002)}
    return aij_table.write(columns)


@pytest.fixture
def archive():
    held = Archive(pages=dict.fromkeys((page.address for page in PAGES.values()), b"TIC ID|x\n"))
    rows = [
        f"{TIC}|TIC {TIC}|9999.01|Hill|c|{name}|2025-01-25|{tag}"
        for tag, name in ((5, "ip"), (6, "gp"), (7, "B"))
    ]
    held.pages["download_tseries.php"] = "\n".join([HEADER, *rows, ""]).encode()
    held.pages["json/tois.json"] = json.dumps([{"ticid": TIC, "toi": "9999.01"}]).encode()
    held.pages[f"{ZIP}?tag=5"] = packed(**{"curve.tbl": curve()})
    held.pages[f"{ZIP}?tag=6"] = packed(**{"curve.tbl": curve(2450000.0), "notes.txt": b"clear"})
    held.pages[f"{ZIP}?tag=7"] = packed(**{"pest_data.txt": b"<html>"})
    with serve(held):
        yield held


@pytest.fixture
def workspace(archive, tmp_path, monkeypatch):
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("NETRC", "SKYNET_API_TOKEN", "ACCRETOR_EXOFOP_PASSWORD", "ACCRETOR_TTF_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    # No waiting between attempts.
    monkeypatch.setattr(Server, "client", lambda self: Client("ExoFOP", {self.place}, backoff=0, attempts=2))
    folder = make(tmp_path / "workspace", lights=range(3))
    config = folder / "workspace.toml"
    config.write_text(config.read_text().replace("[upload]", f'[upload]\nurl = "{archive.address}"'))
    return folder


def test_everything_comes_down_once_is_read_and_drawn(archive, workspace):
    first = run(workspace, "download:TOI-9999.01")
    assert first.status == 0, first.out + first.err
    assert "time series: 3 fetched, 0 here before, 2 of 3 tables read, 1 page drawn" in first.out
    assert "left out: 7/pest_data.txt: the file is a web page" in first.out
    folder = workspace / "archive" / "TOI-9999.01"
    assert (folder / "phased-01.png").read_bytes().startswith(b"\x89PNG")
    rows = dump.read(folder / "observations.ecsv", ARCHIVE_OBSERVATIONS).rows
    assert [row["tag"] for row in rows] == ["5", "6", "7"]
    assert rows[0]["start"] == rows[1]["start"]
    before = tree(workspace / "archive")
    second = run(workspace, "download")
    assert "time series: 0 fetched, 3 here before" in second.out
    assert archive.counted(ZIP) == 3
    assert archive.counted("json/tois.json") == 1
    assert tree(workspace / "archive") == before
    listed = run(workspace, "list")
    assert "download:TOI-9999.01" in listed.out
    assert "3 observations, 2 tables" in listed.out


def test_without_a_network_that_is_said_and_all_is_kept(archive, workspace):
    run(workspace, "download")
    before = tree(workspace / "archive")
    config = workspace / "workspace.toml"
    config.write_text(config.read_text().replace(archive.address, "http://127.0.0.1:9/tess"))
    offline = run(workspace, "download")
    assert offline.status != 0
    assert "FAILED: offline: " in offline.out
    assert "2 of 3 tables read" in offline.out
    assert tree(workspace / "archive") == before


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_download_that_is_killed_goes_on_with_what_it_had(archive, workspace):
    noise = np.random.default_rng(1).bytes(3_000_000)
    archive.pages[f"{ZIP}?tag=5"] = packed(**{"curve.tbl": curve(), "image.fits": noise})
    archive.faults[f"{ZIP}?tag=5"] = ["stall"]
    folder = workspace / "archive" / "TOI-9999.01" / "time_series"
    killed = start(workspace, "download")
    end = time.monotonic() + 60
    while not (any(folder.glob("5.zip.partial")) and (folder / "5.zip.partial").stat().st_size > 1_000_000):
        assert time.monotonic() < end
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    archive.is_over.set()
    assert not (folder / "5").exists()
    found = run(workspace, "download")
    assert found.status == 0, found.out + found.err
    assert (folder / "5" / "image.fits").read_bytes() == noise
    ranges = [headers.get("Range", "") for page, query, headers in archive.asked if query.get("tag") == "5"]
    assert ranges[0] == ""
    assert int(ranges[-1].removeprefix("bytes=").rstrip("-")) > 1_000_000


def test_a_damaged_table_is_set_aside_and_fetched_again(archive, workspace):
    run(workspace, "download")
    table = workspace / "archive/TOI-9999.01/tables/time_series.ecsv"
    table.write_bytes(table.read_bytes()[:-9])
    archive.faults["download_tseries.php"] = ["html"]
    assert "2 of 3 tables read" in run(workspace, "download").out
    assert not table.exists()
    assert run(workspace, "download").status == 0
    assert table.is_file()


def test_clean_removes_what_was_fetched_of_a_target_only_when_asked(workspace):
    run(workspace, "download")
    run(workspace, "clean")
    assert (workspace / "archive/TOI-9999.01/observations.ecsv").is_file()
    assert "remove" in run(workspace, "clean", "download:TOI-9999.01").out
    assert not (workspace / "archive/TOI-9999.01").exists()
    assert (workspace / "archive/tois.ecsv").is_file()


def test_one_failure_is_one_line_and_stops_no_other(archive, workspace):
    archive.faults[f"{ZIP}?tag=5"] = ["html"] * 9
    archive.pages["download_imaging.php"] = b"No TIC object found"
    found = run(workspace, "download")
    line = next(line for line in found.out.splitlines() if "FAILED" in line)
    assert "tag 5: the answer is not an archive but a page: 'Maintenance'" in line
    assert "imaging: the answer is not a table but 'No TIC object found'" in line
    assert "time series: 2 fetched" in found.out
    assert "Traceback" not in found.out + found.err


def test_a_star_that_is_another_one_on_exofop_is_said(archive, workspace):
    archive.pages["json/tois.json"] = json.dumps([{"ticid": 5, "toi": "9999.01"}]).encode()
    assert "TOI-9999.01 is of TIC 5 on ExoFOP, of TIC 999999999 here" in run(workspace, "download").out


def test_what_is_not_public_comes_with_a_login_whose_password_is_in_no_file(archive, workspace, monkeypatch):
    archive.private = {f"{ZIP}?tag=5"}
    archive.password = PASSWORD
    public = run(workspace, "download")
    assert "not logged in, so only public files" in public.out
    assert "tag 5: the answer is not an archive but a page: 'Log in'" in public.out
    monkeypatch.setenv("ACCRETOR_EXOFOP_USERNAME", "a_observer")
    monkeypatch.setenv("ACCRETOR_EXOFOP_PASSWORD", PASSWORD)
    known = run(workspace, "download")
    assert known.status == 0, known.out + known.err
    assert "time series: 1 fetched, 2 here before" in known.out
    assert PASSWORD not in known.out + known.err
    everything = [path for path in workspace.parent.rglob("*") if path.is_file()]
    assert not any(PASSWORD.encode() in path.read_bytes() for path in everything)


def test_a_login_that_fails_is_one_line_after_one_attempt_and_stops_nothing_else(
    archive, workspace, monkeypatch
):
    archive.password = PASSWORD
    monkeypatch.setenv("ACCRETOR_EXOFOP_USERNAME", "a_observer")
    monkeypatch.setenv("ACCRETOR_EXOFOP_PASSWORD", "wrong")
    found = run(workspace, "download")
    line = next(line for line in found.out.splitlines() if "FAILED" in line)
    assert (
        "not logged in, so only public files: ExoFOP: the name or the password of user a_observer is wrong"
        in line
    )
    assert archive.posted == ["password_check.php"]
    assert "time series: 3 fetched, 0 here before, 2 of 3 tables read, 1 page drawn" in found.out
    assert "Traceback" not in found.out + found.err


@pytest.mark.parametrize("fault", ["drop", "500"])
def test_a_login_without_an_answer_stops_nothing_else(archive, workspace, monkeypatch, fault):
    archive.password = PASSWORD
    archive.faults["password_check.php"] = [fault]
    monkeypatch.setenv("ACCRETOR_EXOFOP_USERNAME", "a_observer")
    monkeypatch.setenv("ACCRETOR_EXOFOP_PASSWORD", PASSWORD)
    found = run(workspace, "download")
    assert found.status != 0
    assert "FAILED: not logged in, so only public files: ExoFOP: " in found.out
    assert "offline" not in found.out
    assert archive.posted == ["password_check.php"]
    assert "time series: 3 fetched, 0 here before" in found.out
    assert "Traceback" not in found.out + found.err


def test_a_kind_of_files_that_there_is_not_is_refused(workspace):
    assert "files=videos: ExoFOP has files of" in run(workspace, "download", "files=videos").out


def test_the_predictions_are_compared_and_a_failure_is_only_a_note(archive, workspace, monkeypatch):
    monkeypatch.setattr(ttf, "ADDRESS", f"{archive.address}/print_eclipses.cgi")
    without = run(workspace, "ttf")
    assert without.status == 0
    assert "not compared: no password for TTF" in without.out
    monkeypatch.setenv("ACCRETOR_TTF_USERNAME", "me")
    monkeypatch.setenv("ACCRETOR_TTF_PASSWORD", PASSWORD)
    monkeypatch.setattr(Client, "_wait", lambda *_: None)
    archive.pages["print_eclipses.cgi"] = b"<html><title>Error</title></html>"
    assert "no table of transits but a page: 'Error'" in run(workspace, "ttf").out
    archive.pages["print_eclipses.cgi"] = b"Name,jd_mid\nTOI-9999.01,10739.900\n"
    assert "TTF disagrees: mid-transit 2460739.9000" in run(workspace, "ttf").out


def test_frames_of_skynet_come_into_raw_and_are_seen(archive, workspace, monkeypatch):
    monkeypatch.setattr(skynet, "ADDRESS", archive.address)
    image = fits.image_bytes(np.ones((90, 80), dtype=np.float32), {"EXPTIME": 30.0})
    archive.pages |= {"obs/12": b'{"exps": [{"id": 4}]}', "download/fits/?image=r4": image}
    before = tree(workspace / "raw")
    assert "put your token in SKYNET_API_TOKEN" in run(workspace, "skynet", "observation=12").out
    assert "observation=: a Skynet observation is a number" in run(workspace, "skynet").out
    monkeypatch.setenv("SKYNET_API_TOKEN", PASSWORD)
    assert "1 frames fetched, 0 here before" in run(workspace, "skynet", "observation=12").out
    assert (workspace / "raw/skynet/12/r4.fits").read_bytes() == image
    assert {name: digest for name, digest in tree(workspace / "raw").items() if name in before} == before
    assert (
        "skynet/12/r4.fits" in (workspace / "work/inventory.ecsv").read_text()
        or run(workspace, "list").status == 0
    )
    assert not any(PASSWORD.encode() in path.read_bytes() for path in workspace.rglob("*") if path.is_file())
