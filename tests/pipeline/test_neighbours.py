"""An eclipsing binary beside a target, from raw frames to SG1's table; and when that is made again."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from accretor.aij import radec
from accretor.aij import table as aij_table
from accretor.core.dumps import FORCED, FORCED_POSITIONS, NEIGHBOURS
from accretor.io import dump, journal, records
from accretor.io.layout import ObservationPaths
from accretor.science import neb
from accretor.stages import neb as stage
from accretor.stages import nebstars, table
from accretor.stages.workspace import open_workspace
from accretor.synthetic import frames
from accretor.synthetic.night import Companion, Night, Transit, Truth
from tests.harness import SHARED, SMALL, make, results, run, spawn, start
from tests.pipeline.causes import NIGHT, VISIT
from tests.pipeline.test_night import REAL, REAL_NIGHT, REAL_SETTINGS

ECLIPSING, CLOSE, SATURATED, QUIET = 24, 25, 26, 27
"""Numbers of the further stars of the night."""

FIELD: Night = dataclasses.replace(
    SMALL,
    transit=dataclasses.replace(Transit(), rp_rs=0.001),
    companions=(
        Companion(offset=(-10.0, 0.0), magnitude=3.0, eclipse=0.3),
        Companion(offset=(1.0, -1.3), magnitude=2.5),
        Companion(offset=(-16.5, 38.0), magnitude=-4.0),
        Companion(offset=(23.0, -10.0), magnitude=2.0),
    ),
)
CATALOGUE = """
[[catalogs.file]]
name = "truth"
path = "truth.csv"
columns = {identifier = "id", ra = "ra", dec = "dec", pm_ra = "pm_ra", pm_dec = "pm_dec", Tmag = "T"}
epoch = 2015.17
"""
MILLIARCSEC = 1 / 3.6e6
BRIGHTER = 2.5 * np.log10(1 + 10 ** (-0.4 * 2.5))
"""By which the target and the star beside it are brighter than the target alone, magnitude."""


def catalogue(truth: Truth, *, off: bool = True) -> str:
    """Return the stars of a simulated night as CSV, ten years before it, and one that is off its frames."""
    lines = ["id,ra,dec,pm_ra,pm_dec,T"]
    brightness = 12 - 2.5 * np.log10(np.array(truth.flux) / truth.flux[0])
    for star, (ra, dec, magnitude) in enumerate(zip(truth.ra, truth.dec, brightness, strict=True)):
        motion = 400.0 if star == QUIET else 0.0
        lines.append(f"{star},{ra:.9f},{dec - 10 * motion * MILLIARCSEC:.9f},0,{motion},{magnitude:.4f}")
    if off:
        lines.append(f"off,{truth.ra[0]:.9f},{truth.dec[0] + 140 / 3600:.9f},0,0,13.0")
        ra, dec = empty_place(truth)
        lines.append(f"faint,{ra:.9f},{dec:.9f},0,0,19.0")
    return "\n".join(lines) + "\n"


def empty_place(truth: Truth) -> tuple[float, float]:
    """Return the place 45 arcsec from the target that is farthest from all stars, degree."""
    ra, dec = np.array(truth.ra), np.array(truth.dec)
    angle = np.radians(np.arange(0, 360, 5.0))
    place = (
        ra[0] + 45 / 3600 * np.sin(angle) / np.cos(np.radians(dec[0])),
        dec[0] + 45 / 3600 * np.cos(angle),
    )
    east = (place[0][:, np.newaxis] - ra) * np.cos(np.radians(dec[0]))
    best = int(np.hypot(east, place[1][:, np.newaxis] - dec).min(axis=1).argmax())
    return float(place[0][best]), float(place[1][best])


def settings(depth: float = 18.9, further: str = "") -> str:
    from accretor.synthetic import demo

    changed = demo.WORKSPACE.replace("depth = 11.0 ", f"depth = {depth} ")
    return changed + CATALOGUE + '\n[compute]\nexecutor = "serial"\n' + further


def of_star(workspace: Path) -> dict[str, dump.Row]:
    found = dump.read(workspace / NIGHT / "neighbours.ecsv", NEIGHBOURS).rows
    return {row["identifier"].removeprefix("truth "): row for row in found}


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """A night with an eclipsing neighbour, and what its first run said."""
    workspace = make(tmp_path_factory.mktemp("field"), FIELD)
    truth = frames.write(FIELD, workspace)
    (workspace / "truth.csv").write_text(catalogue(truth), encoding="utf-8")
    (workspace / "workspace.toml").write_text(settings(), encoding="utf-8")
    return workspace, truth, run(workspace, "neb")


def test_the_eclipsing_neighbour_is_an_event_and_no_other_star_is(field):
    workspace, _, done = field
    rows = of_star(workspace)
    about = dump.read_meta(workspace / NIGHT / "neighbours.ecsv")

    assert done.status == 0, done.out + done.err
    assert [star for star, row in rows.items() if row["verdict"] == "event"] == [str(ECLIPSING)]
    event = rows[str(ECLIPSING)]
    assert event["box_depth"] == pytest.approx(300, abs=5 * event["box_depth_error"])
    assert event["disposition"] == "***Not Cleared***"
    assert about["events"] == [f"truth {ECLIPSING}"]
    assert about["delta_mag"] == pytest.approx(event["delta_mag"], abs=1e-3)
    assert stage.delta_mag(ObservationPaths(workspace / NIGHT, workspace, workspace)) == about["delta_mag"]


def test_no_star_is_cleared_that_was_not_measured(field):
    workspace, _, _ = field
    rows = of_star(workspace)

    for star, reason in (
        ("off", "measured in 0 of"),
        (str(SATURATED), "saturated in"),
        (str(CLOSE), "blended with"),
    ):
        assert rows[star]["disposition"] == "***Not Cleared***", star
        assert rows[star]["verdict"] == "not cleared"
        assert reason in rows[star]["reason"]
    assert rows["faint"]["disposition"] == "Cleared-too faint"
    assert "by the catalogue" in rows["faint"]["reason"]
    assert rows["faint"]["neighbour"] == 0


def test_quiet_neighbours_are_cleared_with_the_brightness_that_they_have(field):
    workspace, _, _ = field
    rows = of_star(workspace)
    quiet = rows[str(QUIET)]

    assert (quiet["verdict"], quiet["disposition"]) == ("cleared", "Cleared")
    assert quiet["delta_mag"] == pytest.approx(2.0 + BRIGHTER, abs=0.05)
    assert quiet["depth_needed"] == pytest.approx(18.9 * 10 ** (0.4 * (quiet["delta_mag"] - 0.5)), rel=1e-3)
    assert quiet["recovery"] == 1


def test_stars_are_measured_where_their_motion_has_brought_them(field):
    workspace, truth, _ = field
    rows = dump.read(workspace / NIGHT / "forced_positions.ecsv", FORCED_POSITIONS).rows
    moved = next(row for row in rows if row["identifier"] == f"truth {QUIET}")

    assert moved["dec"] == pytest.approx(truth.dec[QUIET], abs=0.02 / 3600)
    assert moved["separation"] == pytest.approx(1.2 * np.hypot(23.0, 10.0), abs=0.05)
    assert moved["x"] == pytest.approx(rows[0]["x"] + 23.0, abs=0.2)
    assert moved["y"] == pytest.approx(rows[0]["y"] - 10.0, abs=0.2)


def test_what_is_no_detection_stands_as_a_limit_and_each_frame_has_one(field):
    workspace, _, _ = field
    positions = dump.read(workspace / NIGHT / "forced_positions.ecsv", FORCED_POSITIONS).rows
    rows, _ = records.read(workspace / NIGHT / "forced.fits", FORCED)
    at = {row["identifier"]: row["position"] for row in positions}

    assert len(rows) == 23
    for row in rows:
        assert row["is_limit"][at["truth faint"]].all()
        assert not row["is_limit"][at[f"truth {QUIET}"]].any()
        assert np.isnan(row["flux"][at["truth off"]]).all()
        assert (row["upper_limit"][at["truth faint"]] > 0).all()
    deep = [row["limit_delta_mag"] for row in rows]
    # Sky of 144 + 9 and read-out of 64 electron^2 through 5 px: 5 sigma is 650 electron of 240,000.
    assert 5.5 < np.median(deep) < 7.0
    np.testing.assert_allclose([row["limit_tmag"] for row in rows], np.array(deep) + 12, atol=1e-3)
    # A small frame with a saturated star has no room for blank apertures, and says so.
    assert all(np.isnan(row["limit_blank"]) == (row["n_blank"] < 30) for row in rows)


def test_the_table_and_the_figures_agree_with_the_dump(field):
    workspace, _, _ = field
    plots = workspace / VISIT / "plots" / "ip"
    rows = [row for row in of_star(workspace).values() if row["neighbour"]]
    lines = (plots / "NEB-table.txt").read_bytes().decode().split("\r\n")
    listed = [line.split() for line in lines if line[:3].strip()[:1] == "T" and "'" in line]

    assert [part[0] for part in listed] == [f"T{row['neighbour']}" for row in rows]
    assert [row["neighbour"] for row in rows] == list(range(2, 2 + len(rows)))
    for part, row in zip(listed, rows, strict=True):
        assert " ".join(part).endswith(row["disposition"])
        if np.isfinite(row["delta_mag"]):
            assert float(part[3]) == pytest.approx(row["delta_mag"], abs=6e-4)
    with zipfile.ZipFile(io.BytesIO((plots / "NEBcheck.zip").read_bytes())) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    prefix = "TIC999999999-01_20250304_Demo-0m4_ip"
    assert len(names) == len(rows)
    assert all(name.startswith(f"{prefix}_T") and name.endswith("_NEBdepth-plot.png") for name in names)
    assert (plots / "dmagRMS-plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_run_does_nothing(field):
    workspace, _, _ = field
    before = results(workspace)

    assert run(workspace, "neb").done == {}
    assert results(workspace) == before


@pytest.mark.slow
def test_several_processes_make_the_same_bytes(field, tmp_path):
    workspace, _, _ = field
    shutil.copytree(workspace / "raw", tmp_path / "raw")
    shutil.copy2(workspace / "truth.csv", tmp_path)
    text = settings().replace('executor = "serial"', 'executor = "processes"\nworkers = 2')
    (tmp_path / "workspace.toml").write_text(text, encoding="utf-8")

    assert spawn(tmp_path, "neb").status == 0
    assert results(tmp_path) == results(workspace)


@pytest.mark.skipif(os.name == "nt", reason="a process group cannot be killed here")
def test_a_run_that_is_killed_while_it_measures_goes_on_from_there(field, tmp_path):
    workspace, _, _ = field
    shutil.copytree(workspace, tmp_path / "again")
    again = tmp_path / "again"
    for name in ("forced.fits", "forced.ecsv"):
        (again / NIGHT / name).unlink()
    written = journal.path_of(again / NIGHT / "forced.fits")

    process = start(again, "forced")
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if written.is_file() and written.read_bytes().count(b"\n") > 5:
            break
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    last = run(again, "neb")

    assert 0 < last.measured("forced") < 20
    assert results(again) == results(workspace)


def test_cleaning_removes_the_files_for_sg1_too(field, tmp_path):
    workspace, _, _ = field
    shutil.copytree(workspace, tmp_path / "again")

    run(tmp_path / "again", "clean", "neb")

    assert not list(tmp_path.rglob("*NEB*"))
    assert not list(tmp_path.rglob("dmagRMS*"))
    assert not list(tmp_path.rglob("neighbours.ecsv"))


def test_another_catalogue_is_measured_and_without_one_the_old_files_go(field, tmp_path):
    workspace, truth, _ = field
    shutil.copytree(workspace, tmp_path / "again")
    again = tmp_path / "again"
    (again / "truth.csv").write_text(catalogue(truth, off=False), encoding="utf-8")

    other = run(again, "neb")

    # The plate solution is tested against the catalogue too.
    assert set(other.stages) == {"template", "photometry", "zeropoint", "calibration", "forced", "neb"}
    assert other.measured("photometry") == 0
    assert other.measured("forced") == 23
    assert "off" not in of_star(again)

    text = (again / "workspace.toml").read_text(encoding="utf-8")
    (again / "workspace.toml").write_text(text.replace(CATALOGUE, ""), encoding="utf-8")
    without = run(again, "neb")

    assert without.status == 0
    assert without.measured("forced") == 0
    assert "doit fetch:TOI-9999.01" in without.out
    assert not list((again / VISIT).rglob("*NEB*"))
    assert of_star(again) == {}


def test_a_catalogue_that_is_named_and_missing_stops_the_stage_and_is_no_empty_sky(field, tmp_path):
    workspace, _, _ = field
    shutil.copytree(workspace, tmp_path / "again")
    (tmp_path / "again" / "truth.csv").unlink()

    done = run(tmp_path / "again", "neb")

    assert "truth.csv" in " ".join(done.failed.values())
    assert list((tmp_path / "again" / VISIT).rglob("NEB-table.txt"))


def test_places_of_the_settings_are_measured_without_a_catalogue(field, tmp_path):
    _, truth, _ = field
    workspace = make(
        tmp_path,
        FIELD,
        lights=range(3),
        config=f'\n[[forced.position]]\nname = "mine"\nra = {truth.ra[QUIET]}\ndec = {truth.dec[QUIET]}\n',
    )

    done = run(workspace, "forced")
    rows, _ = records.read(workspace / NIGHT / "forced.fits", FORCED)

    assert done.measured("forced") == 3
    flux = np.array([row["flux"][1, -1] for row in rows])
    star = np.array([row["flux"][0, -1] for row in rows])
    np.testing.assert_allclose(-2.5 * np.log10(flux / star), 2.0 + BRIGHTER, atol=0.05)


@pytest.mark.slow
def test_the_real_night_is_checked_against_the_catalogue_of_its_field(tmp_path):
    if not REAL.is_dir() or not (SHARED / "catalog-tycho2").is_dir():
        pytest.skip("real data are not here")
    if not shutil.which("solve-field"):
        pytest.skip("astrometry.net is not here")
    (tmp_path / "raw").mkdir()
    for path in sorted(REAL.iterdir())[::3]:
        shutil.copy2(path, tmp_path / "raw")
    shutil.copy2(SHARED / "catalog-tycho2" / "fields" / "tycho2_hatp32.csv", tmp_path)
    (tmp_path / "workspace.toml").write_text(
        REAL_SETTINGS
        + """
[forced]
radius = 1500
[[catalogs.file]]
name = "tycho2"
path = "tycho2_hatp32.csv"
columns = {ra = "ra_j2000_deg", dec = "dec_j2000_deg", Tmag = "vt_mag"}
""",
        encoding="utf-8",
    )

    done = spawn(tmp_path, "neb")
    if any("no plate solution" in reason for reason in done.failed.values()):
        pytest.skip("index files of astrometry.net for this field are not here")
    found = dump.read(tmp_path / "work" / REAL_NIGHT / "neighbours.ecsv", NEIGHBOURS)
    offset = found.meta["scatter"]

    assert done.status == 0, done.out + done.err
    assert offset < 0.5
    assert len(found.rows) > 10
    assert found.meta["events"] == []
    measured = [row for row in found.rows if np.isfinite(row["delta_mag"]) and abs(row["delta_tmag"]) < 2]
    # V of Tycho against an unfiltered CCD: alike within the colours of stars.
    assert np.median([abs(row["delta_mag"] - row["delta_tmag"]) for row in measured]) < 0.5
    assert json.dumps(found.meta["dispositions"])


def test_the_macro_finds_the_same_in_the_tables_that_are_written_for_it(field):
    workspace, _, _ = field
    assert run(workspace, "zeropoint").status == 0
    (plan,) = open_workspace(workspace).observations
    found = table.collect(plan)
    files = nebstars.files(found, "night")
    tables = {name: aij_table.parse(content) for name, content in files.items() if name.endswith(".tbl")}
    (apertures,) = [radec.parse(content.decode()) for name, content in files.items() if "radec" in name]
    rows = [row for row in of_star(workspace).values() if np.isfinite(row["delta_mag"])]

    assert len(tables) > 1
    assert len(rows) > 5
    for columns in tables.values():
        names = {name.split("_")[1] for name in columns if name.startswith("Source-Sky_")}
        assert names == set(radec.names(apertures))
    for row in rows:
        star = f"{row['neighbour']}"
        (columns,) = [one for name, one in tables.items() if f"_{row['radius']:.1f}px" in name]
        name = f"T{star}" if f"Source-Sky_T{star}" in columns else f"C{star}"
        good = np.isfinite(columns[f"rel_flux_{name}"])
        session = neb.Session(
            time=columns["BJD_TDB"][good],
            target=columns["Source-Sky_T1"][good],
            radius=float(columns["Source_Radius"].mean()),
            ingress=found.results["ingress_bjd_tdb"],
            egress=found.results["egress_bjd_tdb"],
            depth=18.9,
        )
        of_macro = neb.check(
            session,
            *(columns[f"{kind}_{name}"][good] for kind in ("Source-Sky", "rel_flux", "rel_flux_err")),
        )
        # A comparison star is measured where it is found, and not where the catalogue has it.
        near, alike = (2e-4, 1e-3) if name[0] == "T" else (0.02, 0.2)
        assert of_macro.delta_mag == pytest.approx(row["delta_mag"], abs=near), row["identifier"]
        assert of_macro.rms == pytest.approx(row["rms"], rel=alike), row["identifier"]
        assert apertures[row["neighbour"] - 1].recentre == (name[0] == "C")
        # A comparison star stands where it was found, a neighbour where the catalogue has it.
        off = 1.5 / 3600 if name[0] == "C" else 1e-5
        assert apertures[row["neighbour"] - 1].ra == pytest.approx(row["ra"], abs=off)


def test_a_catalogue_of_bright_stars_alone_clears_nothing_in_line_notes_and_report(tmp_path):
    workspace = make(tmp_path / "bright", SMALL)
    truth = frames.write(SMALL, workspace)
    every = catalogue(truth, off=False).splitlines()
    bright = [line for line in every[1:] if float(line.rpartition(",")[2]) <= 12]
    (workspace / "truth.csv").write_text("\n".join([every[0], *bright]) + "\n", encoding="utf-8")
    (workspace / "workspace.toml").write_text(settings(further="[forced]\nradius = 5\n"), encoding="utf-8")

    done = run(workspace, "report")

    assert done.status == 0, done.out + done.err
    missing = (
        "one of T = 16.3 mag could still cause the depth, and may be missing"  # 12 + 2.5 lg(1000 / 18.9)
    )
    assert f"0 neighbours; the catalogue's faintest star has T = 12.0 mag; {missing}" in done.out
    page = next(workspace.rglob("report.html")).read_text(encoding="utf-8")
    assert "No star near the target could cause" not in page
    assert missing in page
    (notes,) = (workspace / "products").rglob("*notes.txt")
    assert "No search for nearby eclipsing binaries was made." in notes.read_text(encoding="utf-8")
