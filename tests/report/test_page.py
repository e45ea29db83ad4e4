"""What the pages say, read as HTML by a parser that is not ours."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from accretor.compute.pool import Pool
from accretor.core.dumps import LIGHT_CURVE
from accretor.core.settings import ComputeSettings
from accretor.io import dump
from accretor.plots import registry
from accretor.report import page
from accretor.sending.ledger import Item, Ledger, State
from accretor.stages import report as report_stage
from accretor.stages.bench import Bench
from accretor.stages.workspace import open_workspace
from tests.harness import make, run
from tests.pipeline.causes import put
from tests.report.conftest import ATTACK, FRAME, SCRIPT, VISIT

IP = "work/TOI-9999.01/20250304/Demo-0m4/ip"
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def report(reported):
    return Page(reported / VISIT / "report.html")


@pytest.fixture(scope="module")
def index(reported):
    return Page(reported / "products/index.html")


def test_tags_are_balanced_and_none_of_them_is_a_script(report, index):
    for one in (report, index):
        assert (one.open, one.unbalanced) == ([], [])
        assert not one.all("script")
        assert not [name for _, attributes in one.tags for name in attributes if name.startswith("on")]


def test_names_that_are_an_attack_are_text(report, index):
    assert ATTACK in report.text
    assert SCRIPT in report.text
    assert FRAME in report.text
    assert SCRIPT in index.text
    # As text they stand there; as tags there are only our pictures, whose data are in the page.
    assert {attributes["src"][:22] for attributes in report.all("img")} == {"data:image/png;base64,"}


def test_nothing_comes_from_elsewhere_and_the_policy_says_so(report, index):
    for one in (report, index):
        policy = next(meta["content"] for meta in one.all("meta") if meta.get("http-equiv"))
        assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
        assert "unsafe" not in policy
        assert not [link for link in one.all("a") if (link["href"] or "").startswith(("http", "//"))]


def test_every_link_leads_somewhere(report, index, reported):
    for one, folder in ((report, reported / VISIT), (index, reported / "products")):
        ids = {attributes["id"] for _, attributes in one.tags if "id" in attributes}
        for link in one.all("a"):
            href = link["href"]
            if href.startswith("#"):
                assert href[1:] in ids
            elif not href.startswith("data:"):
                assert (folder / unquote(href)).is_file(), href


def figures_of(space):
    """Return the files of all figures of the visit."""
    return sorted((space / VISIT / "plots").rglob("*.png"))


def test_every_figure_is_in_the_report_with_words_and_a_size(report, reported):
    pictures = report.all("img")

    assert len(pictures) == len(figures_of(reported))
    # Of one of the two filters a frame was left out.
    assert len(pictures) == 2 * len((*registry.FIGURES, *registry.DIAGNOSTICS)) + 1 + len(registry.OF_VISIT)
    assert all(
        picture["alt"] and int(picture["width"]) > 0 and int(picture["height"]) > 0 for picture in pictures
    )
    assert any("ΔBIC" in picture["alt"] or "no fit" in picture["alt"] for picture in pictures)


def test_every_frame_that_was_left_out_is_there_with_its_reason(report, reported):
    rows = dump.read(reported / IP / "lightcurve.ecsv", LIGHT_CURVE).rows
    poor = [row for row in rows if not row["is_used"]]

    assert poor
    for row in poor:
        assert row["image_name"] in report.text
        assert row["reason"] in report.text


def test_the_notes_and_the_form_are_those_that_would_be_sent(report, reported):
    notes = next((reported / VISIT / "package").glob("*_notes.txt")).read_text(encoding="utf-8")
    plan = run(reported, "upload:TOI-9999.01").out

    assert notes in report.text
    plan_id = re.search(r"Upload plan (\w+)", plan)
    assert plan_id is not None
    assert f"Plan {plan_id[1]} to" in report.text
    fields = re.findall(r"^  (\w+) +(\S.*)$", plan, re.MULTILINE)
    assert len(fields) >= 2 * 18
    for _, value in fields:
        assert value in report.text


def test_digests_of_the_files_are_those_of_the_files(report, reported):
    for path in (reported / VISIT / "package").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() in report.text


def test_the_index_has_a_row_and_a_small_curve_for_each_observation(index):
    assert len(index.all("svg")) == 2
    assert Counter(tag for tag, _ in index.tags)["polyline"] == 2
    assert "2 observations of 1 target" in index.text
    assert "stranger.fits" in index.text


def test_a_page_is_not_too_large_and_the_same_input_gives_the_same_bytes(reported, tmp_path):
    path = reported / VISIT / "report.html"
    before = path.read_bytes()
    assert 100_000 < len(before) <= page.LARGEST
    space = shutil.copytree(reported, tmp_path / "space")
    (space / VISIT / "report.html").unlink()

    assert run(space, "report").stages == ["report"]

    assert (space / VISIT / "report.html").read_bytes() == before


def test_a_change_of_the_settings_is_seen_side_by_side(reported, tmp_path, monkeypatch):
    space = shutil.copytree(reported, tmp_path / "space")
    picture = (space / VISIT / "plots/ip/apertures.png").read_bytes()
    # Drawing is nine tenths of such a run's time, and it is the words that are looked at.
    monkeypatch.setattr("accretor.stages.plotting._picture", lambda drawing: picture)
    before = json.loads((space / IP / "results.json").read_text(encoding="utf-8"))
    put("calibration", "radius = 3.0")(space, space)

    done = run(space)

    now = json.loads((space / IP / "results.json").read_text(encoding="utf-8"))
    assert done.stages == ["calibration", "neb", "plotting", "packaging", "report", "index"]
    assert now["aperture_radius_px"] != before["aperture_radius_px"]
    text = Page(space / VISIT / "report.html").text
    changed = text[text.index("The last reduction that gave other numbers") :]
    for found in (before, now):
        assert f"{found['aperture_radius_px']:.2f}" in changed
        assert f"{found['rms_per_point_ppt']:.3f}" in changed
    assert run(space).done == {}


def test_figures_that_did_not_change_are_not_drawn_again(reported, tmp_path):
    space = shutil.copytree(reported, tmp_path / "space")
    before = {path: path.stat().st_mtime_ns for path in (space / VISIT / "plots").rglob("*.png")}
    put("plotting", "bin_minutes = 25.0")(space, space)

    done = run(space)

    drawn = {path.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert drawn == {"lightcurve.png", "compstar-lightcurves.png", "bands.png", "panels.png"}
    for band in ("gp", "ip"):
        n_kept = len(list((space / VISIT / "plots" / band).glob("*.png"))) - 2
        assert f"2 figures, {n_kept} kept" in done.done.values()
    assert set(json.loads((space / IP / "figures.json").read_text(encoding="utf-8"))) == {
        path.name for path in (space / VISIT / "plots/ip").iterdir()
    }


def test_what_was_sent_is_told_with_its_day(reported, tmp_path):
    space = shutil.copytree(reported, tmp_path / "space")
    ledger = Ledger(space / VISIT.replace("products", "uploads", 1) / "ledger.jsonl")
    same, changed = sorted((space / VISIT / "package").glob("*.tbl"))
    for path, digest in ((same, hashlib.sha256(same.read_bytes()).hexdigest()), (changed, "0" * 64)):
        item = Item("https://127.0.0.1/", "file", "ip", path.name)
        ledger.add("0123456789ab", item, digest, State.CONFIRMED, 1.8e9)

    assert run(space).stages == ["report"]

    text = " ".join(Page(space / VISIT / "report.html").text.split())
    assert f"{hashlib.sha256(same.read_bytes()).hexdigest()}confirmed 2027-01-15" in text
    assert "confirmed 2027-01-15, with other content" in text
    assert run(space).done == {}


def test_neighbours_are_shown_as_the_check_left_them(reported, tmp_path):
    from astropy.table import Table

    space = shutil.copytree(reported, tmp_path / "space")
    Table(
        {
            "neighbour": [2, 3], "identifier": ["Gaia DR3 1", SCRIPT], "separation": [12.34, 55.5],
            "position_angle": [10.0, 200.0], "delta_mag": [1.5, 4.25], "depth_needed": [44.0, 560.0],
            "rms": [5.0, 80.0], "ratio": [8.8, 7.0], "disposition": ["Cleared", "Not cleared"],
            "reason": ["", "its curve dips"],
        }
    ).write(space / IP / "neighbours.ecsv", format="ascii.ecsv", overwrite=True)  # fmt: skip
    workspace = open_workspace(space)
    (plans,) = workspace.visits.values()

    # Through doit the stage before would put the table right again.
    report_stage.run(
        plans, workspace.layout, workspace.settings, Bench(Pool(ComputeSettings()), lambda *_: None)
    )

    text = Page(space / VISIT / "report.html").text
    assert all(
        words in text for words in ("Gaia DR3 1", SCRIPT, "12.34", "560.00", "its curve dips", "1 of 2")
    )
    assert "no catalogue of the stars around the target" in text  # in the other filter


def test_pictures_for_which_there_is_no_room_are_named_instead(reported, tmp_path, monkeypatch):
    space = shutil.copytree(reported, tmp_path / "space")
    run(space, "list")  # loads the module that is changed here
    monkeypatch.setattr("accretor.stages.pages._PICTURES", 200_000)

    assert run(space, "report", "redo=report").status == 0

    found = Page(space / VISIT / "report.html")
    shown = found.all("img")
    assert 0 < len(shown) < 10
    assert sum(len(picture["src"]) for picture in shown) <= 200_000
    links = [link["href"] for link in found.all("a") if link["href"].startswith("plots/")]
    assert len(shown) + len(links) == len(figures_of(space))
    assert all((space / VISIT / unquote(link)).is_file() for link in links)


def test_an_observation_that_could_not_be_reduced_is_on_the_index_with_the_others(reported, tmp_path):
    space = make(tmp_path / "space", lights=range(3))

    done = run(space)

    assert set(done.failed) == {"calibration:TOI-9999.01/20250304/Demo-0m4/ip"}
    text = Page(space / "products/index.html").text
    assert "Observations without a report" in text
    assert "TOI-9999.01/20250304/Demo-0m4/ip" in text
    told = run(space, "show:TOI-9999.01")
    assert told.status != 0
    assert "there is no report yet" in told.out + told.err


def test_where_the_report_is_can_be_asked(reported):
    said = run(reported, "show:TOI-9999.01")

    assert (said.status, said.err) == (0, "")
    assert said.out.strip().replace("\\", "/").endswith(f"{VISIT}/report.html")
    assert "index.html" in run(reported, "show").out
