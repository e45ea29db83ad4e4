from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from accretor.io import journal


def write(dump, *rows):
    with journal.Journal(dump) as open_journal:
        for row in rows:
            open_journal.add(row)


def row(i):
    return {"image_name": f"{i}.fits", "flux": np.arange(6.0).reshape(2, 3) + i, "n": i}


def names(dump):
    return [found["image_name"] for found in journal.replay(dump)]


def test_rows_come_back_in_their_order(tmp_path):
    dump = tmp_path / "deep" / "stars.fits"
    write(dump, row(2), row(1))

    assert names(dump) == ["2.fits", "1.fits"]


def test_rows_are_added_to_those_of_an_earlier_run(tmp_path):
    write(tmp_path / "d", row(1))
    write(tmp_path / "d", row(2))

    assert names(tmp_path / "d") == ["1.fits", "2.fits"]


def test_without_a_journal_there_are_no_rows(tmp_path):
    assert list(journal.replay(tmp_path / "d")) == []


def test_a_discarded_journal_is_gone_and_may_be_discarded_again(tmp_path):
    write(tmp_path / "d", row(1))
    journal.discard(tmp_path / "d")
    journal.discard(tmp_path / "d")

    assert list(tmp_path.iterdir()) == []


def test_a_row_is_on_the_disk_before_the_next_is_measured(tmp_path):
    with journal.Journal(tmp_path / "d") as open_journal:
        open_journal.add(row(1))
        assert names(tmp_path / "d") == ["1.fits"]


def test_wherever_the_last_line_is_torn_only_its_row_is_lost(tmp_path):
    dump = tmp_path / "d"
    write(dump, row(1), row(2), row(3))
    whole = journal.path_of(dump).read_bytes()

    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for n in range(last, len(whole) - 1):
        journal.path_of(dump).write_bytes(whole[:n])
        assert names(dump) == ["1.fits", "2.fits"]
        write(dump, row(4))
        assert names(dump) == ["1.fits", "2.fits", "4.fits"]


@pytest.mark.parametrize("junk", [b"\x00" * 512, b"\xff\xfe", b"5\n", b"null\n", b'"text"\n', b"[1]\n"])
def test_a_line_that_is_no_row_is_passed_over(tmp_path, junk):
    journal.path_of(tmp_path / "d").write_bytes(junk)
    write(tmp_path / "d", row(1))

    assert names(tmp_path / "d") == ["1.fits"]


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None, max_examples=60)
@given(
    array=arrays.arrays(
        np.float64, arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), elements=FLOATS
    ),
    number=FLOATS,
    text=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_arrays_numbers_and_texts_come_back_exactly(tmp_path_factory, array, number, text):
    dump = tmp_path_factory.mktemp("journal") / "d"
    write(
        dump,
        {"array": array, "number": np.float64(number), "text": text, "flag": np.bool_(1), "none": None},
    )

    (found,) = journal.replay(dump)
    assert found["array"].shape == array.shape
    assert found["array"].tobytes() == array.tobytes()  # NaN and the sign of zero too
    assert found["number"] == number or (math.isnan(number) and math.isnan(found["number"]))
    assert (found["text"], found["flag"], found["none"]) == (text, True, None)


def test_arrays_of_another_byte_order_and_layout_come_back(tmp_path):
    array = np.arange(12, dtype=">f4").reshape(3, 4).T
    write(tmp_path / "d", {"array": array})

    np.testing.assert_array_equal(next(journal.replay(tmp_path / "d"))["array"], array)


def test_what_a_row_cannot_hold_is_a_bug(tmp_path):
    with pytest.raises(TypeError, match="a row cannot hold"):
        write(tmp_path / "d", {"path": tmp_path})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full, as of Linux")
def test_a_full_disk_is_told_with_the_journal_s_name(tmp_path):
    journal.path_of(tmp_path / "d").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left.*d"), journal.Journal(tmp_path / "d") as full:
        full.add(row(1))
