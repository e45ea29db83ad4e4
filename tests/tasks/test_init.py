"""`doit init`: from a folder of frames to settings, without a question."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib

import numpy as np
import pytest
from astropy.io import fits

from accretor.core.dumps import INVENTORY, TOIS
from accretor.exofop.server import Server
from accretor.io import dump
from accretor.io.http import Client
from accretor.io.layout import Layout
from accretor.synthetic import frames
from accretor.synthetic.dialects import PROGRAMS
from tests.exofop.archive_server import Archive, serve
from tests.harness import SMALL, results, run

TOI = {
    **{column.name: float("nan") for column in TOIS.scalars},
    "ra": 105.3475,
    "dec": 24.81,
    "teff": 5600.0,
    "toi": "TOI-9999.01",
    "tic": 999999999,
    "t0": 2460697.307011,
    "t0_error": 0.0015,
    "period": 3.5123456,
    "period_error": 1e-5,
    "duration": 2.2,
    "depth": 11.0,
}


@pytest.fixture
def night(tmp_path):
    """Return a folder with frames in raw/ and nothing else."""
    frames.write(SMALL, tmp_path / "night", lights=range(12))
    return tmp_path / "night"


def filled_in(workspace):
    """Fill in what only a person can know."""
    config = workspace / "workspace.toml"
    text = config.read_text(encoding="utf-8")
    for old, new in (
        ('observer = ""', 'observer = "A. Observer"'),
        ("tic = 0 ", "tic = 999999999 "),
        ('ra = "" ', 'ra = "07:01:23.400" '),
        ('dec = "" ', 'dec = "+24:48:36.00" '),
    ):
        text = text.replace(old, new)
    config.write_text(text, encoding="utf-8")


def test_the_draft_needs_only_what_no_header_tells_and_then_the_night_is_reduced(night):
    said = run(night, "init")
    filled_in(night)

    done = run(night, "calibration")

    assert said.status == 0, said.out + said.err
    assert "to fill in: ra and dec of TOI-9999.01" in said.out
    assert "gain" not in said.out
    assert done.status == 0, done.out + done.err
    assert done.stages == ["preprocess", "registration", "template", "photometry", "calibration"]
    assert done.measured("preprocess") == 12


def test_what_the_kept_table_of_tois_knows_need_not_be_filled_in(night):
    dump.write(Layout(night).tois, TOIS, [TOI], {})

    said = run(night, "init")

    (target,) = tomllib.loads((night / "workspace.toml").read_text(encoding="utf-8"))["target"]
    assert re.findall("to fill in: (.*)", said.out) == [
        "observer, for the notes",
        "telescope_diameter of Demo-0m4",
    ]
    assert (target["tic"], target["ra"], target["dec"]) == (TOI["tic"], TOI["ra"], TOI["dec"])
    assert target["ephemeris"]["t0"] == TOI["t0"]
    assert "CHECK" not in (night / "workspace.toml").read_text(encoding="utf-8")
    assert run(night, "preprocess").status == 0


def test_table_of_tois_is_fetched_if_allowed_and_kept_for_the_next_time(night):
    held = Archive()
    row = {"ticid": TOI["tic"], "toi": "9999.01", "ra": "105.3475", "dec": "24.81", "period": 3.5123456}
    held.pages["json/tois.json"] = json.dumps([row]).encode()
    with serve(held):
        said = run(night, "init", f"online={held.address}/")

    (target,) = tomllib.loads((night / "workspace.toml").read_text(encoding="utf-8"))["target"]
    assert "1 TOIs of ExoFOP kept" in said.out
    assert target["tic"] == TOI["tic"]
    assert held.counted("json/tois.json") == 1
    (night / "workspace.toml").unlink()
    assert "tic of" not in run(night, "init").out
    assert held.counted("json/tois.json") == 1


def test_service_that_does_not_answer_is_said_and_the_draft_is_written_all_the_same(night, monkeypatch):
    monkeypatch.setattr(Server, "client", lambda self: Client("ExoFOP", {self.place}, backoff=0))
    with serve(Archive()) as held:
        pass

    said = run(night, "init", f"online={held.address}/")

    assert said.status == 0
    assert "no table of TOIs: ExoFOP" in said.out
    assert "to fill in: tic of TOI-9999.01" in said.out


def test_time_that_is_the_end_of_the_exposure_is_told_as_such(night):
    other = night.parent / "grabbed"
    frames.write(SMALL, other, lights=range(6), program=PROGRAMS["sharpcap-grabbed"])

    run(other, "init")

    text = (other / "workspace.toml").read_text(encoding="utf-8")
    assert "# time: DATE-OBS is the end of the exposure: by its comment\n" in text


def test_filter_that_no_card_tells_is_to_be_filled_in(night):
    def without(header):
        header.remove("FILTER", ignore_missing=True)
        return header

    other = night.parent / "nameless"
    frames.write(SMALL, other, lights=range(6), dialect=without)

    said = run(other, "init")

    assert "to fill in: filter of Demo-0m4" in said.out
    assert '# filters = {"" = "..."}    # FILL IN: no card of 6 light frames tells it' in (
        other / "workspace.toml"
    ).read_text(encoding="utf-8")


def test_a_frame_without_a_name_is_known_by_where_the_telescope_pointed(night):
    nameless = dataclasses.replace(SMALL, target="Field 7")
    frames.write(nameless, night.parent / "other", lights=range(6))
    other = {**TOI, "toi": "TOI-1.01", "tic": 1, "ra": 10.0, "dec": 10.0}
    dump.write(Layout(night.parent / "other").tois, TOIS, [other, TOI], {})

    run(night.parent / "other", "init")

    text = (night.parent / "other" / "workspace.toml").read_text(encoding="utf-8")
    (target,) = tomllib.loads(text)["target"]
    assert (target["name"], target["tic"], target["aliases"]) == ("TOI-9999.01", TOI["tic"], ["Field 7"])
    assert "CHECK: no name tells it" in text


def test_settings_that_are_there_stay_as_they_are(night):
    (night / "workspace.toml").write_text("# mine\n", encoding="utf-8")

    again = run(night, "init")

    assert again.status != 0
    assert "stays as it is" in again.out
    assert (night / "workspace.toml").read_text(encoding="utf-8") == "# mine\n"


def test_frames_in_the_folder_itself_are_found_and_stay_there(night):
    for path in sorted((night / "raw").rglob("*.fits")):
        path.rename(night / path.name)
    for folder in sorted((night / "raw").rglob("*"), reverse=True):
        folder.rmdir()
    (night / "raw").rmdir()
    before = {path.name for path in night.glob("*.fits")}
    run(night, "init")
    filled_in(night)

    first = run(night, "calibration")
    second = run(night, "calibration")

    assert 'raw = "."' in (night / "workspace.toml").read_text(encoding="utf-8")
    assert (first.status, first.measured("preprocess")) == (0, 12), first.out + first.err
    assert second.stages == [], "our own files are no frames"
    assert {path.name for path in night.glob("*.fits")} == before
    assert "files left out" not in second.out


def test_frames_elsewhere_are_only_read(night, tmp_path):
    space = tmp_path / "space"
    space.mkdir()
    before = results(night)

    said = run(space, "init", f"frames={night / 'raw'}")
    filled_in(space)
    done = run(space, "preprocess")

    assert said.status == 0, said.out + said.err
    assert (done.status, done.measured("preprocess")) == (0, 12), done.out
    assert results(night) == before


def test_a_folder_without_frames_is_told_in_one_line(tmp_path):
    said = run(tmp_path, "init")

    assert said.status != 0
    assert "none of 0 files is a FITS frame" in said.out
    assert not (tmp_path / "workspace.toml").exists()


def test_several_instruments_are_told_apart_by_what_the_workspace_then_reads(night):
    other = night / "raw" / "other"
    frames.write(dataclasses.replace(SMALL, camera="Second [b]*"), night.parent / "second", lights=range(6))
    (night.parent / "second" / "raw").rename(other)
    for path in sorted(other.rglob("*.fits")):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["TELESCOP"] = "ASCOM.Second"

    said = run(night, "init")
    filled_in(night)
    done = run(night, "list")

    assert said.status == 0, said.out
    assert done.status == 0, done.out + done.err
    settings = tomllib.loads((night / "workspace.toml").read_text(encoding="utf-8"))
    assert {"TELESCOP": "ASCOM.Second"} in [one["match"] for one in settings["instrument"]]
    seen = dump.read(night / "work" / "inventory.ecsv", INVENTORY).rows
    assert len({row["instrument"] for row in seen}) == 2
    assert not any("none of the instruments" in row["reason"] for row in seen)


def test_files_that_are_no_frames_of_a_night_are_told_and_make_no_instrument(night):
    (night / "raw" / "notes.txt").write_text("seeing was good", encoding="utf-8")
    solution = fits.PrimaryHDU(np.zeros((8, 9), np.uint8))
    solution.header["CRVAL1"] = 105.3
    solution.writeto(night / "raw" / "wcs.fits")

    said = run(night, "init")

    assert "left out: not a FITS name (notes.txt)" in said.out
    assert "left out: no card tells a time, so it is no frame of a night (wcs.fits)" in said.out
    settings = tomllib.loads((night / "workspace.toml").read_text(encoding="utf-8"))
    assert len(settings["instrument"]) == 1


def test_sections_that_no_dialect_believes_are_there_to_be_taken(night):
    for path in sorted((night / "raw").rglob("*.fits")):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["BIASSEC"] = "[151:160,1:128]"
            hdus[0].header["TRIMSEC"] = "[1:160,1:128]"

    run(night, "init")

    text = (night / "workspace.toml").read_text(encoding="utf-8")
    assert '# overscan = "[151:160,1:128]"    # BIASSEC says so; not used until you do' in text
    assert "# trim" not in text


def test_all_that_is_still_to_be_filled_in_is_told_in_one_line_before_and_nothing_of_it_after(night):
    run(night, "init")

    told = run(night, "list")

    assert told.status != 0
    for wanted in (
        "workspace.toml: to be filled in: tic, ra, dec of [[target]] TOI-9999.01",
        'observer = "..."',
        "[[instrument]] telescope_diameter = ... (m) of Demo-0m4",
        '[upload] username = "..."',
    ):
        assert wanted in told.err
    assert told.err.count("\n") == 1

    filled_in(night)
    done = run(night, "preprocess")
    assert done.status == 0, done.err
    assert "to be filled in" not in done.err + done.out
