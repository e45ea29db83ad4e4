from __future__ import annotations

import dataclasses
import math
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accretor.core.dumps import Column, Schema
from accretor.core.errors import DumpError
from accretor.io import dump

SCHEMA = Schema(
    "things",
    3,
    (
        Column("name", "string", "of the thing"),
        Column("mass", "float64", "of the thing", "kg"),
        Column("time", "float64", "of its arrival", "d", 3),
        Column("count", "int64", "how many"),
        Column("is_good", "bool", "as it should be"),
        Column("remark", "string", 'with "quotes": and, commas'),
        Column("flux", "float64", "not in this file", "electron", None, ("star",)),
    ),
)
ROWS = [
    {"name": "a.fits", "mass": 1.5, "time": 1.23456, "count": 3, "is_good": True, "remark": ""},
    {
        "name": "é, 观.fits",
        "mass": math.nan,
        "time": -0.0,
        "count": -1,
        "is_good": False,
        "remark": 'said "no"',
    },
]
META = {"summary": {"good": 1, "poor": 1}, "remarks": ["±", "two: words"], "scale": 0.1, "frame": None}

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROW = st.fixed_dictionaries(
    {
        "name": TEXT,
        "mass": st.floats(),
        "time": st.floats(),
        "count": st.integers(-(2**63), 2**63 - 1),
        "is_good": st.booleans(),
        "remark": TEXT,
    }
)


def same(one, other):
    """Tell whether two rows are equal, with NaN equal to itself and -0.0 not to 0.0."""
    return {key: repr(value) for key, value in one.items()} == {
        key: repr(value) for key, value in other.items()
    }


def on_one_line(text):
    return " ".join(text.splitlines())


def test_rows_and_meta_come_back(tmp_path):
    dump.write(tmp_path / "d", SCHEMA, ROWS, META)
    found = dump.read(tmp_path / "d", SCHEMA)

    assert found.meta == META
    assert [row["name"] for row in found.rows] == ["a.fits", "é, 观.fits"]
    assert found.rows[0] == {**ROWS[0], "time": 1.235}
    assert math.isnan(found.rows[1]["mass"])
    assert found.rows[1]["remark"] == 'said "no"'


def test_a_dump_of_no_rows_is_a_dump(tmp_path):
    dump.write(tmp_path / "d", SCHEMA, [], {})

    assert dump.read(tmp_path / "d", SCHEMA) == dump.Dump([], {})


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(ROW, max_size=4))
@example(
    [{"name": "#1.fits", "mass": 0.1, "time": 0.0, "count": 0, "is_good": True, "remark": "a\r\nb\x85c"}]
)
def test_any_text_and_number_comes_back_exactly(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("dump") / "d"
    dump.write(path, SCHEMA, rows, {})
    found = dump.read(path, SCHEMA).rows

    wanted = [
        {**dump.rounded(SCHEMA, row), "name": on_one_line(row["name"]), "remark": on_one_line(row["remark"])}
        for row in rows
    ]
    assert len(found) == len(wanted)
    assert all(same(one, other) for one, other in zip(found, wanted, strict=True))


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(ROW, max_size=4))
def test_what_was_read_is_written_with_the_same_bytes(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("dump") / "d"
    dump.write(path, SCHEMA, rows, META)
    found = dump.read(path, SCHEMA)

    assert not dump.write(path, SCHEMA, found.rows, found.meta)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(meta=st.dictionaries(st.sampled_from(["a", "remarks", "wcs"]), JSON))
def test_any_meta_comes_back_without_the_rows_too(tmp_path_factory, meta):
    path = tmp_path_factory.mktemp("dump") / "d"
    dump.write(path, SCHEMA, ROWS, meta)

    assert dump.read(path, SCHEMA).meta == meta
    assert meta.items() <= dump.read_meta(path).items()


# Astropy itself takes blanks off the ends of a cell, and an empty one for a missing value.
PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(
    lambda text: text == text.strip()
)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "name": PLAIN,
                "mass": st.floats(),
                "time": st.floats(allow_nan=False, allow_infinity=False),
                "count": st.integers(-(2**63), 2**63 - 1),
                "is_good": st.booleans(),
                "remark": PLAIN,
            }
        ),
        min_size=1,
        max_size=3,
    ),
    meta=st.dictionaries(
        st.sampled_from(["a", "b"]), TEXT | st.integers(-(2**40), 2**40) | st.lists(TEXT), max_size=2
    ),
)
@example([{**ROWS[0], "name": "#1.fits", "remark": "# too"}], {"a": "\x7f\x85\u2028 \U0001f52d"})
def test_astropy_reads_the_same_values_units_and_meta(tmp_path_factory, rows, meta):
    from astropy.table import Table

    path = tmp_path_factory.mktemp("dump") / "d.ecsv"
    dump.write(path, SCHEMA, rows, meta)
    table = Table.read(path, format="ascii.ecsv")

    assert table.colnames == [column.name for column in SCHEMA.scalars]
    assert str(table["mass"].unit) == "kg"
    assert table["remark"].description == 'with "quotes": and, commas'
    assert [column.dtype.kind for column in table.itercols()] == ["U", "f", "f", "i", "b", "U"]
    wanted = [dump.rounded(SCHEMA, row) for row in rows]
    for name in table.colnames:
        assert [repr(value) for value in table[name].tolist()] == [repr(row[name]) for row in wanted]
    assert {key: table.meta[key] for key in meta} == meta


def test_an_unchanged_dump_is_not_written_again(tmp_path):
    assert dump.write(tmp_path / "d", SCHEMA, ROWS, META)
    assert not dump.write(tmp_path / "d", SCHEMA, [dict(row) for row in ROWS], dict(META))
    assert dump.write(tmp_path / "d", SCHEMA, ROWS[:1], META)


def test_wherever_a_dump_is_cut_it_is_noticed(tmp_path):
    path = tmp_path / "d"
    dump.write(path, SCHEMA, ROWS, META)
    whole = path.read_bytes()

    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        with pytest.raises(DumpError, match="d: "):
            dump.read(path, SCHEMA)


def test_whichever_byte_is_changed_it_is_noticed(tmp_path):
    path = tmp_path / "d"
    dump.write(path, SCHEMA, ROWS, META)
    whole = path.read_bytes()

    for n in range(len(whole)):
        path.write_bytes(whole[:n] + bytes([whole[n] ^ 0x81]) + whole[n + 1 :])
        with pytest.raises(DumpError, match="d: "):
            dump.read(path, SCHEMA)


@pytest.mark.parametrize(("old", "new"), [("1.5,", "1.6,"), ('"scale": 0.1', '"scale": 0.2'), ("kg", "g")])
def test_a_value_meta_or_unit_that_was_edited_by_hand_is_noticed(tmp_path, old, new):
    path = tmp_path / "d"
    dump.write(path, SCHEMA, ROWS, META)
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")

    with pytest.raises(DumpError, match="cut short or edited by hand"):
        dump.read(path, SCHEMA)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 4}, "is things version 3, not things 4"),
        ({"name": "others"}, "is things version 3, not others 3"),
        ({"columns": SCHEMA.columns[1:]}, "has other columns than things 3"),
    ],
)
def test_a_dump_of_another_schema_is_refused(tmp_path, change, reason):
    dump.write(tmp_path / "d", SCHEMA, ROWS, META)

    with pytest.raises(DumpError, match=reason):
        dump.read(tmp_path / "d", dataclasses.replace(SCHEMA, **change))


def test_a_file_that_is_no_dump_is_refused(tmp_path):
    (tmp_path / "d").write_text("name,mass\na,1\n", encoding="utf-8")

    with pytest.raises(DumpError, match="no complete header"):
        dump.read(tmp_path / "d", SCHEMA)
    with pytest.raises(DumpError, match="no complete header"):
        dump.read_meta(tmp_path / "d")


def test_a_missing_dump_has_no_meta(tmp_path):
    assert dump.read_meta(tmp_path / "d") == {}
    with pytest.raises(FileNotFoundError):
        dump.read(tmp_path / "d", SCHEMA)


def test_the_meta_is_read_without_the_rows(tmp_path):
    path = tmp_path / "d"
    dump.write(path, SCHEMA, ROWS, META)
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    path.write_text("\n".join(head) + "\n", encoding="utf-8")

    assert dump.read_meta(path)["summary"] == META["summary"]


def test_a_dump_that_is_set_aside_keeps_its_content(tmp_path):
    (tmp_path / "d.ecsv").write_text("torn", encoding="utf-8")
    aside = dump.set_aside(tmp_path / "d.ecsv")

    assert aside == tmp_path / "d.ecsv.bad"
    assert aside.read_text(encoding="utf-8") == "torn"
    assert not (tmp_path / "d.ecsv").exists()


def test_rounding_gives_the_value_that_is_read_back(tmp_path):
    row = dump.rounded(SCHEMA, {**ROWS[0], "time": 2460697.3070114999, "mass": 1})
    dump.write(tmp_path / "d", SCHEMA, [row], {})

    assert row["time"] == 2460697.307
    assert same(row, dump.read(tmp_path / "d", SCHEMA).rows[0])


def test_numpy_values_are_written_as_plain_ones(tmp_path):
    import numpy as np

    row = {
        **ROWS[0],
        "mass": np.float64(1.5),
        "count": np.int32(3),
        "is_good": np.bool_(1),
        "name": np.str_("a.fits"),
    }

    assert dump.text(SCHEMA, [row], {}) == dump.text(SCHEMA, ROWS[:1], {})


def test_a_missing_value_is_a_bug(tmp_path):
    with pytest.raises(KeyError, match="mass"), warnings.catch_warnings():
        dump.write(tmp_path / "d", SCHEMA, [{"name": "a"}], {})
    assert not (tmp_path / "d").exists()


def test_a_column_is_a_list_of_its_values():
    assert dump.column(ROWS, "count") == [3, -1]


def test_single_columns_are_read_as_the_whole_is(tmp_path):
    path = tmp_path / "d.ecsv"
    dump.write(path, SCHEMA, ROWS, META)
    whole = dump.read(path, SCHEMA).rows

    found = dump.read_columns(path, SCHEMA, ("mass", "name"))

    assert repr(found) == repr([dump.column(whole, "mass"), dump.column(whole, "name")])
    path.write_text(path.read_text(encoding="utf-8").replace(",1.5,", ",1.6,"), encoding="utf-8")
    with pytest.raises(DumpError, match="edited"):
        dump.read_columns(path, SCHEMA, ("mass",))
