from __future__ import annotations

import io
import stat
import zipfile

import pytest

from accretor.core.errors import Unusable
from accretor.io import unzip
from accretor.io.unzip import Limits


def archive(path, files, *, links=(), compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in files.items():
            made.writestr(name, content)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            made.writestr(info, "/etc/passwd")
    return path


def everything(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_files_come_out_whole_without_the_folder_that_holds_all(tmp_path):
    path = archive(tmp_path / "a.zip", {"tag/a.tbl": b"x" * 5000, "tag/sub/b.txt": b"y"})
    assert unzip.unpack(path, tmp_path / "out") == ["a.tbl", "sub/b.txt"]
    assert everything(tmp_path / "out") == {"a.tbl": b"x" * 5000, "sub/b.txt": b"y"}


def test_files_of_several_folders_keep_them(tmp_path):
    path = archive(tmp_path / "a.zip", {"one/a": b"1", "two/a": b"2"})
    assert unzip.unpack(path, tmp_path / "out") == ["one/a", "two/a"]


@pytest.mark.parametrize(
    "name",
    ["../out.txt", "a/../../b", "/etc/x", "\\x", "..\\x", "C:\\x", "c:x", "a/..", "..", "x/..\\..\\y"],
)
def test_nothing_is_written_for_a_name_that_leads_elsewhere(tmp_path, name):
    inside = tmp_path / "inside"
    inside.mkdir()
    path = archive(inside / "a.zip", {"good": b"1", name: b"2"})
    with pytest.raises(Unusable, match="leads out of its folder"):
        unzip.unpack(path, inside / "out")
    assert set(everything(tmp_path)) == {"inside/a.zip"}


def test_links_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", {}, links=["passwd"])
    with pytest.raises(Unusable, match="is a link"):
        unzip.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("files", "limits", "reason"),
    [
        ({f"f{n}": b"" for n in range(11)}, Limits(n_file=10), "has 11 files"),
        ({"a": b"1" * 600, "b": b"2" * 600}, Limits(n_byte=1000), "unpacks to 0.0012 MB"),
        ({"a": b"\0" * 3_000_000}, Limits(), "zip bomb"),
    ],
)
def test_archives_that_grow_too_much_are_refused(tmp_path, files, limits, reason):
    path = archive(tmp_path / "a.zip", files)
    with pytest.raises(Unusable, match=reason):
        unzip.unpack(path, tmp_path / "out", limits)
    assert not (tmp_path / "out").exists()


def test_a_size_that_is_a_lie_does_not_let_a_bomb_through(tmp_path):
    path = archive(tmp_path / "a.zip", {"a": b"\0" * 3_000_000})
    content = path.read_bytes()
    claimed = (3_000_000).to_bytes(4, "little")
    path.write_bytes(content.replace(claimed, (1000).to_bytes(4, "little")))
    with pytest.raises(Unusable):
        unzip.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_damaged_byte_is_noticed(tmp_path):
    path = archive(tmp_path / "a.zip", {"a": bytes(range(256)) * 40}, compression=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[3000] ^= 1
    path.write_bytes(content)
    with pytest.raises(Unusable, match="damaged"):
        unzip.check(path)
    with pytest.raises(Unusable, match="damaged"):
        unzip.unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\3\4" + b"\0" * 40])
def test_what_is_no_archive_is_said_to_be_damaged(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(Unusable, match="damaged"):
        unzip.check(tmp_path / "a.zip")


def test_a_cut_archive_is_noticed(tmp_path):
    whole = archive(tmp_path / "a.zip", {"a": bytes(range(256)) * 99}).read_bytes()
    for n_byte in (10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "b.zip").write_bytes(whole[:n_byte])
        with pytest.raises(Unusable):
            unzip.check(tmp_path / "b.zip")


def test_names_that_some_systems_cannot_have_are_changed(tmp_path):
    path = archive(
        tmp_path / "a.zip", {"ab:c?.tbl": b"1", "con.txt": b"2", ".hidden": b"3", "x" * 300 + ".tbl": b"4"}
    )
    names = unzip.unpack(path, tmp_path / "out")
    assert names[:3] == ["_.hidden", "_con.txt", "ab_c_.tbl"]
    assert len(names[3]) == 150
    assert names[3].endswith(".tbl")


@pytest.mark.parametrize("names", [["a.tbl", "A.TBL"], ["ab:c", "ab?c"], ["a", "a/b"]])
def test_two_files_of_one_name_are_not_laid_over_each_other(tmp_path, names):
    path = archive(tmp_path / "a.zip", dict.fromkeys(names, b"1"))
    with pytest.raises(Unusable, match=r"two files|a file and a folder"):
        unzip.unpack(path, tmp_path / "out")


def test_an_encrypted_archive_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("a", b"1")
    content = bytearray(buffer.getvalue())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(Unusable, match="encrypted"):
        unzip.unpack(tmp_path / "a.zip", tmp_path / "out")
