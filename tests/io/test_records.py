from __future__ import annotations

import dataclasses
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accretor.core.dumps import Column, Schema
from accretor.core.errors import DumpError
from accretor.io import records

SCHEMA = Schema(
    "measures",
    2,
    (
        Column("name", "string", "of the frame"),
        Column("sky", "float64", "behind it", "electron / pix", 2),
        Column("n_star", "int64", "found"),
        Column("is_good", "bool", "as it should be"),
        Column("x", "float64", "of the stars", "pix", None, ("star",)),
        Column("flux", "float64", "through the apertures", "electron", 1, ("star", "radius")),
    ),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SHAPE = {"star": 3, "radius": 2}


def row(name="a.fits", **values):
    return {
        "name": name,
        "sky": 1.239,
        "n_star": 3,
        "is_good": True,
        "x": np.array([0.1, math.nan, math.inf]),
        "flux": np.arange(6.0).reshape(3, 2) + 0.04,
        **values,
    }


def stored(path, rows, shape=SHAPE, meta=None):
    records.write(path, SCHEMA, rows, shape, meta or {})
    return records.read(path, SCHEMA)[0]


def test_rows_with_their_arrays_come_back(tmp_path):
    first, second = stored(tmp_path / "d", [row(), row("b.fits", is_good=False, n_star=-(2**40))])

    assert (first["name"], first["n_star"], first["is_good"]) == ("a.fits", 3, True)
    assert (second["name"], second["n_star"], second["is_good"]) == ("b.fits", -(2**40), False)
    assert first["sky"] == 1.239  # scalars are rounded by who makes the row
    np.testing.assert_array_equal(first["x"], [0.1, math.nan, math.inf])
    np.testing.assert_array_equal(first["flux"], [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


def test_scalars_are_plain_python_values(tmp_path):
    (found,) = stored(tmp_path / "d", [row()])

    assert [type(found[name]) for name in ("name", "sky", "n_star", "is_good")] == [str, float, int, bool]


def test_shorter_arrays_and_missing_ones_are_filled_with_nan(tmp_path):
    (found,) = stored(tmp_path / "d", [row(x=np.array([7.0]), flux=None)])

    np.testing.assert_array_equal(found["x"], [7.0, math.nan, math.nan])
    assert found["flux"].shape == (3, 2)
    assert np.isnan(found["flux"]).all()


def test_meta_comes_back(tmp_path):
    meta = {"radii": [1.5, 2.5], "frame": "é 'a' \"b\".fits", "long": "it's " * 60, "none": None}
    records.write(tmp_path / "d", SCHEMA, [row()], SHAPE, meta)

    assert records.read(tmp_path / "d", SCHEMA)[1] == meta


def test_a_dump_of_no_rows_is_a_dump(tmp_path):
    assert stored(tmp_path / "d", []) == []


def test_a_dump_of_no_stars_is_a_dump(tmp_path):
    (found,) = stored(tmp_path / "d", [row(x=np.empty(0), flux=np.empty((0, 2)))], {"star": 0, "radius": 2})

    assert found["x"].shape == (0,)
    assert found["name"] == "a.fits"


def test_one_star_and_one_radius_keep_their_axes(tmp_path):
    (found,) = stored(
        tmp_path / "d", [row(x=np.array([1.0]), flux=np.array([[5.0]]))], {"star": 1, "radius": 1}
    )
    columns, _ = records.read_columns(tmp_path / "d", SCHEMA)

    assert found["x"].shape == (1,)
    assert found["flux"].shape == (1, 1)
    assert columns["flux"].shape == (1, 1, 1)


def test_columns_have_the_frames_as_first_axis(tmp_path):
    records.write(tmp_path / "d", SCHEMA, [row(), row("b.fits")], SHAPE, {})
    columns, _ = records.read_columns(tmp_path / "d", SCHEMA)

    assert columns["flux"].shape == (2, 3, 2)
    assert columns["x"].shape == (2, 3)
    assert columns["sky"].dtype == np.float64
    assert columns["flux"].dtype.isnative
    assert columns["name"].tolist() == ["a.fits", "b.fits"]


@settings(deadline=None, max_examples=50)
@given(
    names=st.lists(TEXT, min_size=1, max_size=3),
    sky=st.floats(),
    x=st.lists(st.floats(), min_size=3, max_size=3),
)
@example(["cannot be read: ", "  ", "\\x20", "\x01a\x7f", "\\"], -0.0, [0.0, -0.0, math.nan])
def test_any_text_and_number_comes_back_exactly(tmp_path_factory, names, sky, x):
    path = tmp_path_factory.mktemp("records") / "d"
    found = stored(path, [row(name, sky=sky, x=np.array(x)) for name in names])

    assert [one["name"] for one in found] == names
    assert all(repr(one["sky"]) == repr(sky) for one in found)
    assert all(repr(one["x"].tolist()) == repr(x) for one in found)


def test_the_same_rows_give_the_same_bytes_and_are_not_written_again(tmp_path):
    path = tmp_path / "d"

    assert records.write(path, SCHEMA, [row()], SHAPE, {})
    assert not records.write(path, SCHEMA, [row()], SHAPE, {})
    rows, meta = records.read(path, SCHEMA)
    assert not records.write(path, SCHEMA, rows, SHAPE, meta)


def test_astropy_reads_the_same_values_and_the_units_that_fits_knows(tmp_path):
    from astropy.table import Table

    records.write(tmp_path / "d.fits", SCHEMA, [row()], SHAPE, {})
    table = Table.read(tmp_path / "d.fits", hdu=1)

    assert table["flux"].shape == (1, 3, 2)
    assert table["flux"][0, 2, 1] == 5.0
    assert bool(table["is_good"][0]) is True
    assert (str(table["x"].unit), table["sky"].unit) == ("pix", None)


def test_a_changed_byte_is_noticed_wherever_it_is(tmp_path):
    path = tmp_path / "d"
    records.write(path, SCHEMA, [row()], SHAPE, {"radii": [1.0]})
    whole = path.read_bytes()

    for n in range(0, len(whole), 7):
        path.write_bytes(whole[:n] + bytes([whole[n] ^ 0x01]) + whole[n + 1 :])
        with pytest.raises(DumpError, match="d: was cut short, edited or damaged"):
            records.read(path, SCHEMA)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_dump_that_was_cut_short_is_noticed(tmp_path, part):
    path = tmp_path / "d"
    records.write(path, SCHEMA, [row()], SHAPE, {})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])

    with pytest.raises(DumpError, match="cut short"):
        records.read(path, SCHEMA)


def test_bytes_after_the_end_are_noticed(tmp_path):
    path = tmp_path / "d"
    records.write(path, SCHEMA, [row()], SHAPE, {})
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(DumpError, match="edited"):
        records.read(path, SCHEMA)


def test_a_dump_that_another_program_wrote_anew_is_noticed(tmp_path):
    from astropy.io import fits

    path = tmp_path / "d.fits"
    records.write(path, SCHEMA, [row()], SHAPE, {})
    with fits.open(path, mode="update") as hdus:
        hdus[1].data["x"][0, 0] = 0.2

    with pytest.raises(DumpError, match="edited"):
        records.read(path, SCHEMA)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 3}, "is measures version 2, not measures 3"),
        ({"name": "others"}, "is measures version 2, not others 2"),
        ({"columns": (*SCHEMA.columns, Column("y", "float64", "more"))}, "has other columns than measures 2"),
    ],
)
def test_a_dump_of_another_schema_is_refused(tmp_path, change, reason):
    records.write(tmp_path / "d", SCHEMA, [row()], SHAPE, {})

    with pytest.raises(DumpError, match=reason):
        records.read(tmp_path / "d", dataclasses.replace(SCHEMA, **change))


def test_a_missing_dump_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        records.read(tmp_path / "d", SCHEMA)


def test_arrays_stay_on_the_disk_until_they_are_asked_for(tmp_path):
    stored(tmp_path / "d", [row(), row("b.fits", x=np.array([1.0, 2.0, 3.0]))])
    (_, second), _ = records.rows(tmp_path / "d", SCHEMA)

    assert set(second) == {"name", "sky", "n_star", "is_good"}
    np.testing.assert_array_equal(second["x"], [1.0, 2.0, 3.0])
    assert "x" not in second
    with pytest.raises(KeyError):
        second["y"]


def test_a_row_with_arrays_on_the_disk_can_go_to_another_process(tmp_path):
    stored(tmp_path / "d", [row()])
    (first,), _ = records.rows(tmp_path / "d", SCHEMA)

    copied = pickle.loads(pickle.dumps(first))

    assert copied == first
    np.testing.assert_array_equal(copied["flux"], first["flux"])


@settings(deadline=None, max_examples=30)
@given(kept=st.lists(st.integers(0, 4), max_size=8), new=st.lists(st.integers(0, 8), max_size=3))
def test_stored_and_new_rows_in_any_order_give_the_bytes_of_rows_in_memory(tmp_path_factory, kept, new):
    folder = tmp_path_factory.mktemp("records")
    stored(folder / "d", [row(f"{i}.fits", x=np.array([i / 3])) for i in range(5)])
    on_disk, _ = records.rows(folder / "d", SCHEMA)
    mixed = [records.updated(on_disk[i], {"sky": 0.5}) for i in kept]
    for i in new:
        mixed.insert(i, row("a name that is longer than the others.fits", x=np.array([i / 7])))
    whole = [one.whole() if isinstance(one, records.StoredRow) else one for one in mixed]

    records.write(folder / "mixed", SCHEMA, mixed, SHAPE, {})
    records.write(folder / "whole", SCHEMA, whole, SHAPE, {})

    assert (folder / "mixed").read_bytes() == (folder / "whole").read_bytes()


def test_memory_for_one_more_row_does_not_grow_with_the_rows_that_are_there(tmp_path):
    shape = {"star": 500, "radius": 2}
    value = row(x=np.arange(500.0), flux=np.ones((500, 2)))
    records.write(tmp_path / "d", SCHEMA, [value] * 1000, shape, {})
    size = (tmp_path / "d").stat().st_size

    tracemalloc.start()
    on_disk, _ = records.rows(tmp_path / "d", SCHEMA)
    records.write(tmp_path / "d", SCHEMA, [*on_disk, value], shape, {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size > 12e6
    assert peak < 6e6
    assert len(records.rows(tmp_path / "d", SCHEMA)[0]) == 1001
