from __future__ import annotations

import contextlib
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.aij import numbers, table
from accretor.core.errors import Unusable

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
TOI_7149 = DATA / "aij-samples/profe-toi7149/TOI-7149/measurements/250223_g_w3.tbl"
STUDENT = DATA / "aij-samples/student-tools-mcclure"
WASP_135 = DATA / "aij-tables/wasp135b/Measurements.xls"

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_/()-]{0,12}", fullmatch=True)
values = (
    st.floats(1e-6, 1e9) | st.floats(-1e9, -1e-6) | st.integers(-1000, 1000).map(float) | st.just(math.nan)
)


def real(path):
    if not path.exists():
        pytest.skip("real data are not here")
    return path


@st.composite
def columns(draw):
    n_row = draw(st.integers(1, 5))
    found = {"Label": [f"f{row}_{draw(names)}.fits" for row in range(n_row)]}
    for name in draw(st.lists(names, unique=True, min_size=1, max_size=5)):
        if name != "Label":
            found[name] = np.array(draw(st.lists(values, min_size=n_row, max_size=n_row)))
    return found


@given(columns())
def test_a_table_comes_back_as_it_was_written(written):
    back = table.parse(table.write(written))

    assert list(back) == list(written)
    assert back["Label"] == written["Label"]
    for name in set(written) - {"Label"}:
        np.testing.assert_allclose(back[name], written[name], rtol=1e-15, atol=1e-16)


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_cell_is_empty_or_has_a_blank(labels):
    text = table.write({"Label": labels, "JD_UTC": np.arange(len(labels), dtype=float)}).decode()

    lines = text.removesuffix("\n").split("\n")
    assert len(lines) == len(labels) + 1
    for number, line in enumerate(lines[1:], start=1):
        cells = line.split("\t")
        assert cells[0] == str(number)
        assert len(cells) == 3
        assert all(len(cell.split()) == 1 for cell in cells)


def test_astropys_tab_reader_as_used_by_the_sg1_tool_reads_our_table(tmp_path):
    from astropy.table import Table

    path = tmp_path / "x_measurements.tbl"
    content = table.write(
        {"Label": ["a b.fits", "c.fits"], "JD_UTC": [2460000.5, 2460000.6], "EXPTIME": [60, 60]}
    )

    path.write_bytes(content)
    back = Table.read(path, format="ascii.tab", data_start=1)

    assert list(back["JD_UTC"]) == [2460000.5, 2460000.6]
    assert list(back["Label"]) == ["a_b.fits", "c.fits"]
    assert back["EXPTIME"].dtype.kind == "i"


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="rows"):
        table.write({"a": [1.0], "b": [1.0, 2.0]})


@pytest.mark.parametrize("name", ["", "a b", "#a", "a\tb"])
def test_names_that_would_break_the_table_are_refused(name):
    with pytest.raises(ValueError, match="name of a column"):
        table.write({name: [1.0]})


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"Label\tJD\tf\nx.fits\t1.5\tNaN\n", ".xls"),
        (b" \tLabel\tJD\tf\r\n1\tx.fits\t1.5\t-\r\n", ".tbl"),
        (b"# AIJ_ID 7\nLabel\tJD\tf\nx.fits\t1.5\t\n", ".tbl"),
        (b"Label,JD,f\nx.fits, 1.5,\n", ".csv"),
        (b"Label   JD  f\n x.fits  1.5  nan\n", ".txt"),
        (b'Label JD f\n"x.fits" 1.5 nan\n', ".tbl"),
        (b"\xef\xbb\xbfLabel\tJD\tf\nx.fits\t1.5\n", ".tbl"),
    ],
)
def test_every_way_of_writing_a_table_is_read(content, suffix):
    back = table.parse(content, suffix)

    assert back["Label"] == ["x.fits"]
    assert back["JD"] == [1.5]
    assert np.isnan(back["f"]).all()


def test_the_last_comment_is_the_header_where_there_is_no_other():
    back = table.parse(b"#a comment\n#BJD_TDB\tflux\n2460000.5\t1\n2460000.6\t0.9\n", ".tbl")

    np.testing.assert_array_equal(back["flux"], [1, 0.9])


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_no_table(content):
    with pytest.raises(Unusable, match="empty"):
        table.parse(content)


def test_a_row_that_is_too_long_is_named():
    with pytest.raises(Unusable, match="line 3 has 3 cells"):
        table.parse(b"a\tb\n1\t2\n1\t2\t3\n")


@given(st.binary(max_size=200))
def test_no_content_makes_the_reader_fail_with_another_error(content):
    with contextlib.suppress(Unusable):
        table.parse(content)


@pytest.mark.parametrize(
    ("path", "n_column", "n_row"),
    [
        (TOI_7149, 482, 534),
        (STUDENT / "Table.tbl", 293, 120),
        (STUDENT / "more_data.tbl", 293, 237),
        (WASP_135, 316, 288),
    ],
)
def test_real_tables_of_astroimagej_3_to_6_are_read(path, n_column, n_row):
    back = table.read(real(path))

    assert len(back) == n_column
    assert [name for name, cells in back.items() if isinstance(cells, list)] == ["Label"]
    assert {len(cells) for cells in back.values()} == {n_row}


@pytest.mark.parametrize("path", [TOI_7149, STUDENT / "Table.tbl"])
def test_a_real_table_comes_back_byte_for_byte_but_for_row_numbers_and_blanks_in_labels(path):
    theirs = [line.partition("\t") for line in real(path).read_text().splitlines()]

    ours = table.write(table.read(path)).decode().splitlines()

    assert [line.partition("\t")[2] for line in ours] == [
        "_".join(label.split()) + tab + numbers_of_row for label, tab, numbers_of_row in theirs
    ]


def test_old_tables_keep_their_numbers():
    back = table.read(real(WASP_135))

    assert back["BJD_TDB"][0] == 2458962.777871
    assert numbers.write(back["EXPTIME"][0]) == "40"


def test_a_long_night_is_written_and_read_without_holding_it_as_text():
    n_row, n_column = 600, 120
    rng = np.random.Generator(np.random.PCG64(1))
    columns = {f"c{place}": rng.normal(size=n_row) for place in range(n_column)}
    size = n_row * n_column * 8
    tracemalloc.start()
    written = bytearray()
    for line in table.lines(columns):
        written += line
    _, to_write = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    content = bytes(written)
    before, _ = tracemalloc.get_traced_memory()
    back = table.parse(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert to_write < 1.3 * len(content)  # the bytes themselves; cells as objects would be four times as much
    assert peak - before < 2.5 * size
    np.testing.assert_allclose(back["c7"], columns["c7"], rtol=0, atol=1e-16)


TOI_2000 = DATA / "aij-samples/toi2000-published"
MUSCAT = DATA / "aij-samples/muscat-notes"


@pytest.mark.parametrize(
    ("path", "columns", "first"),
    [
        (STUDENT / "one_more_obsv.tbl", 50, None),
        (MUSCAT / "TOI6449b-jd20240128_MuSCAT4_g_measurements.csv", 8, 2460337.965501),
        (TOI_2000 / "toi_2000_table_04_B.tsv", 7, 2459255.980346),
        (TOI_2000 / "toi_2000_table_05_B.txt", 12, 2459328.9512276),
        (TOI_2000 / "toi_2000_table_06.csv", 5, 9338.006101),
    ],
)
def test_published_tables_of_every_ending_are_read(path, columns, first):
    back = table.read(real(path))
    time = next(cells for name, cells in back.items() if name.startswith("BJD"))

    assert len(back) >= columns
    assert all(isinstance(cells, np.ndarray) for name, cells in back.items() if name != "Label")
    assert first is None or time[0] == first
