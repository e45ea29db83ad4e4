from __future__ import annotations

import io
import json
import zipfile

import pytest

from accretor.core.errors import ServiceError
from accretor.exofop import archive as archive_of
from accretor.exofop import tables
from accretor.exofop.server import Server
from accretor.io.http import Client, NotSent
from accretor.io.layout import ArchivePaths
from accretor.io.unzip import Limits
from tests.exofop.archive_server import PAGE, Archive, serve

HEADER = "TIC ID|TOI|Telescope|Filter|Obs Date|Tag"
ZIP = "download_tag_files_zip.php"


def table(*tags, tic=7):
    return "\n".join([HEADER, *(f"{tic}|1.01|LCO|ip|2025-03-04|{tag}" for tag in tags), ""]).encode()


def packed(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(f"tag/{name}", content)
    return buffer.getvalue()


def content(number):
    return bytes(range(256)) * 1600 + str(number).encode()


@pytest.fixture
def archive():
    held = Archive(pages=dict.fromkeys((page.address for page in archive_of.PAGES.values()), b"TIC ID|x\n"))
    held.pages["download_tseries.php"] = table("5", "18493", "5")
    for tag in ("5", "18493"):
        held.pages[f"{ZIP}?tag={tag}"] = packed(a=content(tag), b=b"b")
    with serve(held):
        yield held


@pytest.fixture
def paths(tmp_path):
    return ArchivePaths(tmp_path / "TOI-1.01")


def client(archive, attempts=3):
    return Client("ExoFOP", {archive.place}, backoff=0, attempts=attempts, timeout=(2, 5))


def fetch_tables(archive, paths, name="TOI-1.01", tic=7):
    with client(archive) as visitor:
        return archive_of.fetch_tables(visitor, Server(f"{archive.address}/"), name, tic, paths)


def fetch(archive, paths, tags=("5", "18493"), *, attempts=3, limits=None):
    made = []

    def visitor():
        made.append(client(archive, attempts))
        return made[-1]

    try:
        return archive_of.fetch_files(
            "time_series", tags, paths, Server(f"{archive.address}/"), visitor, limits=limits or Limits()
        )
    finally:
        for one in made:
            one.__exit__()


def test_all_tables_are_kept_and_tags_are_listed_once(archive, paths):
    assert fetch_tables(archive, paths) == []
    for name in archive_of.PAGES:
        assert paths.table(name).is_file()
    assert archive_of.tags(tables.read(paths.table("time_series"), "time_series")) == ["5", "18493"]
    asked = {page: query for page, query, _ in archive.asked}
    assert asked["download_tseries.php"] == {"target": "TOI1", "output": "pipe"}
    assert asked["download_stellar.php"] == {"id": "7", "output": "pipe"}


@pytest.mark.parametrize("answer", [b"No TIC object found", PAGE, b"", table("5", tic=8), b"TIC ID|x\n7|\n"])
def test_no_other_answer_replaces_a_table(archive, paths, answer):
    fetch_tables(archive, paths)
    archive.pages["download_tseries.php"] = answer
    failures = fetch_tables(archive, paths)
    assert len(failures) == 1
    assert failures[0].startswith("time_series: ")
    assert len(tables.read(paths.table("time_series"), "time_series")) == 3


def test_without_a_network_that_is_said_and_not_an_empty_table(paths):
    nowhere = Archive(address="http://127.0.0.1:9/tess", place="127.0.0.1:9")
    with pytest.raises(NotSent):
        fetch_tables(nowhere, paths)


def test_files_come_once_two_at_a_time(archive, paths):
    tags = [str(n) for n in range(6)]
    for tag in tags:
        archive.pages[f"{ZIP}?tag={tag}"] = packed(a=content(tag))
    archive.faults[ZIP] = ["slow"] * 4
    first = fetch(archive, paths, tags)
    assert (first.new, first.kept, first.failures) == (tuple(tags), (), ())
    assert archive.n_open_most == 2
    for tag in tags:
        assert (paths.time_series / tag / "a").read_bytes() == content(tag)
    n_asked = archive.counted(ZIP)
    second = fetch(archive, paths, tags)
    assert (second.new, second.kept) == ((), tuple(tags))
    assert archive.counted(ZIP) == n_asked == 6
    assert not list(paths.folder.rglob("*.zip*"))


def test_a_lost_file_is_fetched_again_and_what_was_there_is_set_aside(archive, paths):
    fetch(archive, paths)
    (paths.time_series / "5" / "a").unlink()
    (paths.time_series / "5" / "b").write_bytes(b"my own notes")
    found = fetch(archive, paths)
    assert (found.new, found.kept) == (("5",), ("18493",))
    assert (paths.time_series / "5" / "a").read_bytes() == content("5")
    assert (paths.time_series / "5.bad1" / "b").read_bytes() == b"my own notes"


@pytest.mark.parametrize("fault", ["500", "cut", "slow"])
def test_trouble_that_passes_is_not_seen(archive, paths, fault):
    archive.faults[ZIP] = [fault]
    assert fetch(archive, paths).failures == ()
    assert (paths.time_series / "5" / "a").read_bytes() == content("5")


@pytest.mark.parametrize(
    ("fault", "reason"), [("html", "not an archive but a page: 'Maintenance'"), ("short", "damaged")]
)
def test_what_is_no_whole_archive_leaves_nothing_and_stops_no_other(archive, paths, fault, reason):
    archive.faults[f"{ZIP}?tag=5"] = [fault] * 9
    found = fetch(archive, paths)
    assert found.new == ("18493",)
    assert len(found.failures) == 1
    assert found.failures[0].startswith("tag 5: ")
    assert reason in found.failures[0]
    assert sorted(path.name for path in paths.time_series.iterdir()) == ["18493"]
    assert fetch(archive, paths).failures  # still nine minus one faults
    archive.faults.clear()
    assert fetch(archive, paths).new == ("5",)


def test_a_download_that_broke_goes_on_where_it_broke(archive, paths):
    whole = archive.pages[f"{ZIP}?tag=5"]
    archive.faults[f"{ZIP}?tag=5"] = ["cut"]
    assert fetch(archive, paths, ["5"], attempts=1).failures
    partial = paths.time_series / "5.zip.partial"
    begun = partial.read_bytes()
    assert len(whole) // 2 - 65536 <= len(begun) <= len(whole) // 2
    assert whole.startswith(begun)
    assert fetch(archive, paths, ["5"], attempts=1).new == ("5",)
    assert archive.asked[-1][2]["Range"] == f"bytes={len(begun)}-"
    assert (paths.time_series / "5" / "a").read_bytes() == content("5")
    assert not partial.exists()


@pytest.mark.parametrize("fault", ["no_range", "416", "other_part"])
def test_a_server_that_cannot_go_on_begins_anew(archive, paths, fault):
    archive.faults[f"{ZIP}?tag=5"] = ["cut", fault]
    fetch(archive, paths, ["5"], attempts=1)
    found = fetch(archive, paths, ["5"], attempts=2)
    assert found.new == ("5",)
    assert (paths.time_series / "5" / "a").read_bytes() == content("5")


def test_two_halves_of_different_archives_are_never_put_together(archive, paths):
    archive.faults[f"{ZIP}?tag=5"] = ["cut"]
    fetch(archive, paths, ["5"], attempts=1)
    archive.pages[f"{ZIP}?tag=5"] = packed(a=content("new") * 2, b=b"b")
    assert fetch(archive, paths, ["5"]).new == ("5",)
    assert (paths.time_series / "5" / "a").read_bytes() == content("new") * 2


def test_a_bomb_and_a_slip_are_refused_and_leave_nothing(archive, paths):
    with zipfile.ZipFile(buffer := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", b"\0" * 5_000_000)
    archive.pages[f"{ZIP}?tag=5"] = buffer.getvalue()
    archive.pages[f"{ZIP}?tag=18493"] = packed(**{"../../x": b"1"})
    found = fetch(archive, paths)
    assert "zip bomb" in found.failures[0]
    assert "leads out of its folder" in found.failures[1]
    assert list(paths.folder.rglob("*")) == [paths.time_series]


def test_a_missing_tag_is_said_by_its_number(archive, paths):
    found = fetch(archive, paths, ["99"])
    assert "tag 99: " in found.failures[0]
    assert "404" in found.failures[0]


def test_the_manifest_tells_size_and_digest_of_every_file(archive, paths):
    import hashlib

    fetch(archive, paths, ["5"])
    entry = json.loads(paths.tags.read_text())["time_series/5"]
    assert entry["files"]["a"] == {"size": 409601, "sha256": hashlib.sha256(content("5")).hexdigest()}
    paths.tags.write_text("{torn")
    assert fetch(archive, paths, ["5"]).new == ("5",)


def test_every_error_is_of_a_service(archive, paths):
    archive.pages["download_tseries.php"] = b"x"
    with client(archive) as visitor, pytest.raises(ServiceError):
        tables.parse(visitor.get(f"{archive.address}/download_tseries.php").body, "time_series")
