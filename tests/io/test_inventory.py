from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from accretor.core.settings import InstrumentSettings, Target
from accretor.io import inventory
from accretor.io.inventory import RawFile

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
TARGET = Target(name="HAT-P-32.01", tic=292152376, ra="02:04:10.28", dec="+46:41:16.2", aliases=("HATP-32",))
HILLTOP = InstrumentSettings(name="Hilltop-0m4", latitude=31.7, longitude=-110.9, height=1268)
START = datetime(2025, 3, 5, 3, 0, 0, 250000)  # noqa: DTZ001


def frame(
    path: Path,
    *more: str,
    start: datetime | None = START,
    size: tuple[int, int] = (12, 10),
    obj: str = "HATP-32",
    fill: int = 0,
) -> Path:
    """Write a small light frame in R; cards of *more* go first."""
    cards = ["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", f"NAXIS1  = {size[0]}", f"NAXIS2  = {size[1]}"]
    cards += [*more, "EXPTIME = 60.0", "FILTER  = 'R'", f"OBJECT  = '{obj}'"]
    if start is not None:
        cards.append(f"DATE-OBS= '{start.isoformat()}'")
    block = b"".join(card.encode("latin-1").ljust(80) for card in [*cards, "END"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(block.ljust(-(-len(block) // 2880) * 2880) + bytes([fill]) * (2 * size[0] * size[1]))
    return path


def read(raw: Path, instruments=(HILLTOP,)) -> dict[str, RawFile]:
    return {file.path: file for file in inventory.refresh(raw, [], instruments)}


def assigned(raw: Path, targets=(TARGET,), instruments=(HILLTOP,)):
    return {
        item.file.path: item for item in inventory.assign(list(read(raw, instruments).values()), targets, raw)
    }


def reasons(raw: Path, **more) -> dict[str, str]:
    return {path: item.reason for path, item in assigned(raw, **more).items()}


def test_every_file_at_any_depth_is_found_in_order(tmp_path):
    for name in ("b.fits", "a/z.fit", "a/b/c/d.FTS", "Nuit d'été 100 %{x} 观测/x.fits", ".hidden/y.fits"):
        frame(tmp_path / name)

    assert [path for path, _, _ in inventory.scan(tmp_path)] == sorted(
        ["b.fits", "a/z.fit", "a/b/c/d.FTS", "Nuit d'été 100 %{x} 观测/x.fits", ".hidden/y.fits"]
    )


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_followed_without_loops_and_folders_counted_once(tmp_path):
    raw = tmp_path / "raw"
    frame(raw / "night" / "a.fits")
    frame(tmp_path / "elsewhere" / "b.fits")
    (raw / "night" / "up").symlink_to(raw)
    (raw / "again").symlink_to(raw / "night")
    (raw / "other").symlink_to(tmp_path / "elsewhere")
    (raw / "nowhere.fits").symlink_to(tmp_path / "missing.fits")
    (raw / "c.fits").symlink_to(tmp_path / "elsewhere" / "b.fits")

    assert [path for path, _, _ in inventory.scan(raw)] == ["c.fits", "night/a.fits", "other/b.fits"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_name_that_is_no_text_is_told(tmp_path):
    frame(tmp_path / os.fsdecode(b"caf\xe9.fits"))

    (file,) = read(tmp_path).values()

    assert file.path == "caf\\udce9.fits"
    assert file.reason == "the name of the file is not UTF-8; rename it"


def test_files_that_are_no_frames_have_the_reason(tmp_path):
    frame(tmp_path / "good.FITS")
    frame(tmp_path / "._good.fits")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("cloudy")
    (tmp_path / "empty.fits").write_bytes(b"")
    (tmp_path / "login.fits").write_text("<html>log in</html>")
    (tmp_path / "half.fits").write_bytes((tmp_path / "good.FITS").read_bytes()[:-120])
    (tmp_path / "packed.fit.gz").write_bytes(gzip.compress((tmp_path / "good.FITS").read_bytes()))

    found = {path: file.reason for path, file in read(tmp_path).items()}

    assert found == {
        "good.FITS": "",
        "packed.fit.gz": "",
        "._good.fits": "hidden file",
        ".DS_Store": "hidden file",
        "notes.txt": "not a FITS name",
        "empty.fits": "the file is empty",
        "login.fits": "this is a web page, not a FITS file: a login or error page of an archive?",
        "half.fits": "the file ends after 50 % of its data; still being copied?",
    }


def test_only_new_and_changed_files_are_read_again(tmp_path, monkeypatch):
    for name in ("a.fits", "b.fits"):
        frame(tmp_path / name)
    known = inventory.refresh(tmp_path, [], [HILLTOP])
    opened = []
    original = inventory.header.read
    monkeypatch.setattr(inventory.header, "read", lambda path: opened.append(path.name) or original(path))
    frame(tmp_path / "c.fits")
    os.utime(tmp_path / "b.fits", ns=(5, 5))
    told = []

    again = inventory.refresh(tmp_path, known, [HILLTOP], progress=lambda n, of: told.append((n, of)))

    assert opened == ["b.fits", "c.fits"]
    assert told == [(1, 2), (2, 2)]
    assert [file.path for file in again] == ["a.fits", "b.fits", "c.fits"]


def test_truncated_frame_is_examined_again_when_it_has_grown(tmp_path):
    content = frame(tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(content[:-100])
    first = inventory.refresh(tmp_path, [], [HILLTOP])
    (tmp_path / "a.fits").write_bytes(content)

    second = inventory.refresh(tmp_path, first, [HILLTOP])

    assert "still being copied" in first[0].reason
    assert second[0].reason == ""


def test_row_gives_the_file_back(tmp_path):
    frame(tmp_path / "a.fits", "CCD-TEMP= -20.5", "GAIN    = 1.3")
    (tmp_path / "b.fits").write_bytes(b"")

    for file in inventory.refresh(tmp_path, [], [HILLTOP]):
        row = inventory.to_row(file)
        again = inventory.from_row({**row, "observation": "x"})
        assert repr(again) == repr(file)  # NaN equals itself in print only
        assert row["reason"] == file.reason


def test_instrument_is_known_by_its_cards(tmp_path):
    frame(tmp_path / "a.fits", "TELESCOP= 'C14'")
    frame(tmp_path / "b.fits", "TELESCOP= 'RC 20 (new)'")
    frame(tmp_path / "c.fits", "TELESCOP= 'Dob'")
    one = InstrumentSettings(name="Hill-0m35", match={"TELESCOP": "c14"})
    two = InstrumentSettings(name="Hill-0m5", match={"TELESCOP": "RC 20 (new)"})

    found = read(tmp_path, (one, two))

    assert found["a.fits"].exposure.instrument == "Hill-0m35"
    assert found["b.fits"].exposure.instrument == "Hill-0m5"
    assert found["c.fits"].reason == "none of the instruments Hill-0m35, Hill-0m5 matches: TELESCOP = 'Dob'"


@pytest.mark.parametrize(
    ("match", "is_found"),
    [
        ({"CAM.MODEL": "QHY 600 v1.2 [[]mono]"}, True),  # dots are dots
        ({"cam.model": "qhy*"}, True),
        ({"CAM.MODEL": "QHY 600 v1?2*", "TELESCOP": "*"}, True),
        ({"CAM.MODEL": "QHY 600 v1"}, False),  # all of the value, not a part of it
        ({"CAM.MODEL": "*", "TELESCOP": "RC*"}, False),
    ],
)
def test_a_value_is_matched_as_a_whole_with_stars_for_any_text(tmp_path, match, is_found):
    frame(tmp_path / "a.fits", "HIERARCH CAM.MODEL = 'QHY 600 v1.2 [mono]'", "TELESCOP= 'C14'")

    found = read(tmp_path, (InstrumentSettings(name="Own", match=match),))["a.fits"]

    assert (found.exposure is not None) is is_found


def test_frames_of_one_evening_are_one_observation_across_midnight(tmp_path):
    frame(tmp_path / "a.fits", start=datetime(2025, 3, 5, 1, 0, 0, 5))  # noqa: DTZ001
    frame(tmp_path / "b.fits", start=datetime(2025, 3, 5, 12, 0, 0, 5))  # noqa: DTZ001

    found = {item.observation.slug for item in assigned(tmp_path).values()}

    assert found == {"HAT-P-32.01/20250304/Hilltop-0m4/R"}


def test_calibration_frames_stay_without_observation_and_without_reason(tmp_path):
    frame(tmp_path / "dark.fits", "IMAGETYP= 'DARK'")

    item = assigned(tmp_path)["dark.fits"]

    assert (item.observation, item.reason, item.file.exposure.kind) == (None, "", "dark")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"obj": "M 13"}, "another target: OBJECT 'M 13' is not one of HAT-P-32.01 (aliases HATP-32)"),
        ({"start": None}, "no time of observation"),
    ],
)
def test_frame_left_out_has_the_reason(tmp_path, more, words):
    frame(tmp_path / "a.fits", **more)

    assert words in reasons(tmp_path)["a.fits"]


def test_missing_filter_and_site_are_told_with_the_remedy(tmp_path):
    frame(tmp_path / "a.fits", "FILTER  = ''")

    assert 'give filters = {"" = "..."}' in reasons(tmp_path)["a.fits"]
    nowhere = InstrumentSettings(name="X")
    assert "give latitude, longitude and height" in reasons(tmp_path, instruments=(nowhere,))["a.fits"]


def test_sub_frames_are_left_out_with_both_sizes(tmp_path):
    for i in range(3):
        frame(tmp_path / f"{i}.fits", start=START + timedelta(minutes=i))
    frame(tmp_path / "focus.fits", start=START + timedelta(minutes=9), size=(4, 4))
    frame(tmp_path / "binned.fits", "XBINNING= 2", start=START + timedelta(minutes=8))

    found = reasons(tmp_path)

    assert found["focus.fits"] == "4 x 4 pixels binned 1x1, but 3 of 5 frames are 12 x 10 pixels binned 1x1"
    assert "binned 2x2, but 3 of 5" in found["binned.fits"]
    assert [found[f"{i}.fits"] for i in range(3)] == ["", "", ""]


def test_copies_of_an_exposure_count_once(tmp_path):
    frame(tmp_path / "a.fits")
    frame(tmp_path / "copy" / "a.fits")
    frame(tmp_path / "processed.fits", fill=1)

    assert reasons(tmp_path) == {
        "a.fits": "",
        "copy/a.fits": "same exposure as a.fits",
        "processed.fits": "same exposure as a.fits",
    }


def test_short_frames_within_a_second_of_a_coarse_clock_are_kept_unless_their_bytes_agree(tmp_path):
    whole = START.replace(microsecond=0)
    for name, fill in (("a", 0), ("b", 1), ("c", 1)):
        frame(tmp_path / f"{name}.fits", "EXPTIME = 1.0", start=whole, fill=fill)

    assert reasons(tmp_path) == {"a.fits": "", "b.fits": "", "c.fits": "same exposure as b.fits"}


def test_long_frames_of_the_same_second_are_one(tmp_path):
    content = frame(tmp_path / "a.fits", start=START.replace(microsecond=0)).read_bytes()
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(content))

    assert reasons(tmp_path) == {"a.fits": "", "a.fits.gz": "same exposure as a.fits"}


@pytest.mark.parametrize(
    "text", ["../../x", "/etc", "CON", "a:b", "x" * 60, "🔭", "end.", "a\\b", "..", "{x} %s"]
)
def test_names_of_headers_stay_inside_their_folder(tmp_path, text):
    raw = tmp_path / "raw"
    frame(
        raw / "a.fits",
        f"FILTER  = '{text}'".encode().decode("latin-1"),
        f"TELESCOP= '{text}'".encode().decode("latin-1"),
    )
    nameless = InstrumentSettings(name="", latitude=31.7, longitude=-110.9)

    item = assigned(raw, instruments=(nameless,))["a.fits"]

    assert item.observation is not None
    parts = item.observation.slug.split("/")
    assert len(parts) == 4
    assert all(part and part.isascii() and part[0] != "." and part[-1] != "." for part in parts)
    assert (tmp_path / item.observation.slug).resolve().is_relative_to(tmp_path.resolve())


def test_inventory_needs_neither_numpy_nor_astropy():
    code = (
        "import sys, accretor.io.inventory, accretor.io.calibrations;"
        "print([name for name in ('numpy', 'astropy', 'scipy') if name in sys.modules])"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    packed = sorted(DATA.glob("*.tar.xz"))
    if not packed:
        pytest.skip("real data are not here")
    folder = tmp_path_factory.mktemp("real")
    for path in packed:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    for name in ("headers-msumastro", "panoptes-solved", "stellarphot-testdata"):
        shutil.copytree(DATA / name, folder / name)
    return folder


def test_every_frame_of_the_real_night_is_assigned():
    raw = DATA / "hatp32-microobs" / "raw"
    if not raw.exists():
        pytest.skip("real data are not here")

    found = inventory.assign(inventory.refresh(raw, [], []), [TARGET], raw)

    assert len(found) == 142
    assert {item.reason for item in found} == {""}
    assert {item.observation.slug for item in found} == {"HAT-P-32.01/20171219/MicroObs-Cecilia/clear"}


@pytest.mark.long
def test_other_real_data_never_raise_and_have_their_kinds(unpacked):
    files = inventory.refresh(unpacked, [], [])
    inventory.assign(files, [TARGET], unpacked)

    kinds = {}
    for file in files:
        group, name = file.path.split("/")[0], file.name
        if file.exposure is not None:
            kinds.setdefault(group, []).append((name, file.exposure))
        else:
            assert file.reason

    arcsat = dict(kinds["lpseb35-arcsat"])
    assert {name: e.kind for name, e in arcsat.items()} == {
        name: "bias"
        if "Bias" in name
        else "dark"
        if "Dark" in name
        else "flat"
        if "flat" in name
        else "light"
        for name in arcsat
    }
    assert {e.filter for e in arcsat.values() if e.kind == "light"} == {"gp"}
    wallace = dict(kinds["asteroid2713-wallace"])
    assert {name: e.kind for name, e in wallace.items()} == {
        name: name.split(".")[2].lower() for name in wallace
    }
    assert all(e.longitude == pytest.approx(-71.485) for e in wallace.values())
    assert {e.kind for _, e in kinds["asteroid5945-hall42"]} == {"light", "bias", "flat"}
    assert {e.filter for _, e in kinds["asteroid5945-hall42"] if e.kind == "flat"} == {"V", "VR"}
    assert all(
        e.mid
        for group in kinds
        if group not in ("panoptes-solved", "hd189733b-fuertes")
        for _, e in kinds[group]
    )
