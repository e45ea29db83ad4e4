from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.io import digests

ONE = digests.key("night1/a.fits", 100, 17)


@pytest.mark.parametrize(
    ("content", "published"),
    [
        (b"", "99aa06d3014798d86001c324468d497f"),
        (b"abc", "06b05ab6733a618578af5f94892f3950"),
    ],
)
def test_a_digest_is_the_published_one_and_says_what_it_is(tmp_path, content, published):
    path = tmp_path / "a.fits"
    path.write_bytes(content)

    assert digests.of(content) == digests.of_file(path) == f"xxh3:{published}"


def test_what_was_added_is_known(tmp_path):
    path = tmp_path / "work" / "digests.jsonl"
    digests.add(path, {ONE: "abc"})
    digests.add(path, {digests.key("b.fits", 5, 6): "def"})

    assert digests.read(path) == {ONE: "abc", ("b.fits", 5, 6): "def"}


def test_a_file_that_was_moved_to_another_folder_is_known(tmp_path):
    digests.add(tmp_path / "d", {ONE: "abc"})

    find = digests.finder(tmp_path / "d", tmp_path / "raw")

    assert find(digests.key("other/deep/a.fits", 100, 17)) == "abc"


def test_a_namesake_of_a_file_that_is_still_there_is_another_file(tmp_path):
    (tmp_path / "raw" / "night1").mkdir(parents=True)
    (tmp_path / "raw" / "night1" / "a.fits").touch()
    digests.add(tmp_path / "d", {ONE: "abc"})

    find = digests.finder(tmp_path / "d", tmp_path / "raw")

    assert find(digests.key("night2/a.fits", 100, 17)) is None
    assert find(ONE) == "abc"


def test_of_two_namesakes_that_are_gone_neither_is_taken(tmp_path):
    digests.add(tmp_path / "d", {ONE: "abc", digests.key("night2/a.fits", 100, 17): "def"})

    find = digests.finder(tmp_path / "d", tmp_path / "raw")

    assert find(digests.key("night3/a.fits", 100, 17)) is None


@pytest.mark.parametrize("other", [("b.fits", 100, 17), ("a.fits", 101, 17), ("a.fits", 100, 18)])
def test_a_file_of_another_name_size_or_time_is_not_known(tmp_path, other):
    digests.add(tmp_path / "d", {ONE: "abc"})

    assert digests.key(*other) not in digests.read(tmp_path / "d")


def test_without_a_file_nothing_is_known(tmp_path):
    assert digests.read(tmp_path / "d") == {}


def test_adding_nothing_makes_no_file(tmp_path):
    digests.add(tmp_path / "d", {})

    assert not (tmp_path / "d").exists()


def test_of_a_torn_file_only_the_torn_line_is_lost(tmp_path):
    path = tmp_path / "d"
    keys = [digests.key(f"{i}.fits", i, i) for i in range(3)]
    digests.add(path, {key: key[0] for key in keys})
    whole = path.read_bytes()

    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for n in range(last, len(whole) - 1):
        path.write_bytes(whole[:n])
        digests.add(path, {ONE: "new"})
        assert digests.read(path) == {keys[0]: "0.fits", keys[1]: "1.fits", ONE: "new"}


@pytest.mark.parametrize(
    "junk", [b"\xff\xfe\x00", b"5\n", b"null\n", b'"text"\n', b"[1, 2]\n", b'[["a"], 1, 2, "x"]\n', b"{}\n"]
)
def test_a_line_that_is_no_digest_is_passed_over(tmp_path, junk):
    path = tmp_path / "d"
    path.write_bytes(junk)
    digests.add(path, {ONE: "abc"})

    assert digests.read(path)[ONE] == "abc"


@settings(deadline=None, max_examples=60)
@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1))
def test_any_name_is_known_again(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("digests") / "d"
    digests.add(path, {(name, 1, 2): "abc"})

    assert digests.read(path) == {(name, 1, 2): "abc"}
