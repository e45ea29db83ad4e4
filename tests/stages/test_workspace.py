from __future__ import annotations

import dataclasses
import shutil

import pytest

from accretor import instruments
from accretor.core.dumps import INVENTORY
from accretor.core.errors import Blocked, ConfigError
from accretor.instruments.dialect import Dialect
from accretor.io import dump, header
from accretor.stages.workspace import DEFAULT_READ_NOISE, open_workspace
from accretor.synthetic import frames
from tests.harness import SMALL, make, tree


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    return make(tmp_path_factory.mktemp("night") / "space", lights=[0, 1, 2])


@pytest.fixture
def space(night, tmp_path):
    return shutil.copytree(night, tmp_path / "space")


@pytest.fixture
def headers_read(monkeypatch):
    """Return a list that gets the name of every file whose header is read."""
    found = []
    read = header.read

    def noted(path):
        found.append(path.name)
        return read(path)

    monkeypatch.setattr(header, "read", noted)
    return found


def configure(space, old, new):
    path = space / "workspace.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def plan_of(space):
    (plan,) = open_workspace(space).observations
    return plan


def changed(plan, **exposure):
    """Return *plan* as if its headers said something else."""
    first = plan.frames[0]
    other = dataclasses.replace(first, exposure=dataclasses.replace(first.exposure, **exposure))
    return dataclasses.replace(plan, frames=(other, *plan.frames[1:]))


def inventory(space):
    return {row["path"]: row for row in dump.read(space / "work" / "inventory.ecsv", INVENTORY).rows}


def test_the_observations_follow_from_settings_and_frames(space):
    plan = plan_of(space)

    assert plan.observation.slug == "TOI-9999.01/20250304/Demo-0m4/ip"
    assert [file.name for file in plan.frames] == [f"TOI-9999.01-000{i}.fits" for i in (1, 2, 3)]
    assert plan.target.tic == 999999999
    assert plan.paths.folder == space / "work" / plan.observation.slug


def test_every_raw_file_is_in_the_inventory_with_what_it_is_or_why_it_is_left_out(space):
    (space / "raw" / "notes.txt").write_text("cloudy", encoding="utf-8")
    (space / "raw" / "empty.fits").touch()
    workspace = open_workspace(space)
    rows = inventory(space)

    assert set(rows) == set(tree(space / "raw"))
    assert rows["notes.txt"]["reason"] == "not a FITS name"
    assert rows["empty.fits"]["reason"]
    assert rows["TOI-9999.01/TOI-9999.01-0001.fits"]["observation"] == "TOI-9999.01/20250304/Demo-0m4/ip"
    assert {path for path, _ in workspace.left_out} == {"notes.txt", "empty.fits"}
    assert dump.read_meta(space / "work" / "inventory.ecsv")["left_out"] == 2


def test_raw_frames_are_only_read(space):
    before = tree(space / "raw")
    open_workspace(space)

    assert tree(space / "raw") == before


def test_only_headers_of_new_files_are_read(space, headers_read):
    open_workspace(space)
    n_file = len(headers_read)
    headers_read.clear()
    open_workspace(space)
    assert headers_read == []

    frames.write(SMALL, space, lights=[3])
    open_workspace(space)
    assert headers_read == ["TOI-9999.01-0004.fits"]
    assert n_file == len(inventory(space)) - 1


def test_headers_are_read_again_with_other_instruments_or_a_damaged_inventory(space, headers_read):
    open_workspace(space)
    headers_read.clear()
    configure(space, "telescope_diameter = 0.4 ", "telescope_diameter = 0.5 ")
    open_workspace(space)
    assert len(headers_read) == len(inventory(space))

    headers_read.clear()
    path = space / "work" / "inventory.ecsv"
    path.write_bytes(path.read_bytes()[:-9])
    open_workspace(space)
    assert len(headers_read) == len(inventory(space))


def with_another_dialect(monkeypatch):
    other = Dialect(name="other", is_mine={"TELESCOP": "Other"})
    monkeypatch.setattr("accretor.stages.workspace.DIALECTS", (other, *instruments.DIALECTS))


def with_other_code(monkeypatch):
    monkeypatch.setattr("accretor.core.versions.HEADERS", 99)


@pytest.mark.parametrize("change", [with_another_dialect, with_other_code])
def test_headers_are_read_again_by_a_program_that_reads_them_otherwise(
    space, headers_read, monkeypatch, change
):
    open_workspace(space)
    headers_read.clear()
    change(monkeypatch)
    open_workspace(space)
    assert len(headers_read) == len(inventory(space))

    headers_read.clear()
    open_workspace(space)
    assert headers_read == []


def test_what_was_read_before_makes_the_same_plan(space):
    # As text, for a number that a header does not tell is not equal to itself.
    assert repr(open_workspace(space)) == repr(open_workspace(space))


def test_an_unchanged_inventory_is_not_written_again(space):
    open_workspace(space)
    before = (space / "work" / "inventory.ecsv").stat().st_mtime_ns
    open_workspace(space)

    assert (space / "work" / "inventory.ecsv").stat().st_mtime_ns == before


def test_who_only_looks_writes_nothing(space):
    before = tree(space)
    workspace = open_workspace(space, is_recorded=False)

    assert len(workspace.observations) == 1
    assert tree(space) == before


def test_without_settings_there_is_no_workspace(tmp_path):
    with pytest.raises(ConfigError, match=r"workspace\.toml: is missing; `doit init` writes one"):
        open_workspace(tmp_path)


def test_filters_of_a_night_are_observations_of_one_visit(space):
    red = dataclasses.replace(
        SMALL, filter="rp", start="2025-03-04T21:05:00.000", n_bias=0, n_dark=0, n_flat=0
    )
    frames.write(red, space / "other", lights=[0, 1])
    (space / "other" / "raw").rename(space / "raw" / "red")
    workspace = open_workspace(space)

    assert [plan.observation.filter for plan in workspace.observations] == ["ip", "rp"]
    ((visit, plans),) = workspace.visits.items()
    assert visit.slug == "TOI-9999.01/20250304/Demo-0m4"
    assert plans == workspace.observations
    assert [len(plan.calibrations.flat) for plan in plans] == [SMALL.n_flat, 0]


def test_calibration_frames_that_nothing_needs_say_so(space):
    shutil.rmtree(space / "raw" / SMALL.target)
    workspace = open_workspace(space)

    assert workspace.observations == ()
    assert {reason for _, reason in workspace.left_out} == {"no observation needs it"}


def test_frames_are_in_order_of_time_whatever_their_names(space):
    lights = space / "raw" / SMALL.target
    (lights / "TOI-9999.01-0001.fits").rename(lights / "z.fits")

    assert [file.name for file in plan_of(space).frames] == [
        "z.fits",
        "TOI-9999.01-0002.fits",
        "TOI-9999.01-0003.fits",
    ]


def test_the_detector_is_that_of_the_headers(space):
    found = plan_of(space).detector

    assert (found.gain, found.read_noise, found.saturation) == (
        SMALL.gain,
        SMALL.read_noise,
        SMALL.saturation,
    )
    assert found.remarks == ()


def test_the_settings_know_the_detector_better_than_the_headers(space):
    configure(space, "# gain = 1.5 ", "gain = 2.5\nread_noise = 0\nsaturation = 40000 # ")
    found = plan_of(space).detector

    assert (found.gain, found.read_noise, found.saturation) == (2.5, 0.0, 40000.0)


def test_what_is_assumed_of_a_detector_is_said(space):
    found = changed(plan_of(space), read_noise=float("nan"), saturation=float("nan")).detector

    assert (found.read_noise, found.saturation) == (DEFAULT_READ_NOISE, 65535.0)
    assert len(found.remarks) == 2


def test_a_gain_is_never_invented(space):
    with pytest.raises(Blocked, match=r"ip: no header tells the gain; add gain = \.\.\."):
        _ = changed(plan_of(space), gain=float("nan")).detector


def test_the_site_is_that_of_the_headers_with_height_zero_if_unknown(space):
    plan = plan_of(space)

    assert plan.site == pytest.approx((28.3, -16.5, 2390.0))
    assert changed(plan, elevation=float("nan")).site == pytest.approx((28.3, -16.5, 0.0))


def test_a_site_is_never_invented(space):
    with pytest.raises(Blocked, match="no header tells the site; add latitude, longitude"):
        _ = changed(plan_of(space), longitude=float("nan")).site
