from __future__ import annotations

import pytest

from accretor.core.errors import DumpError, ServiceError
from accretor.exofop import tables

GOOD = (
    b'TIC ID|TOI|Telescope|Filter|Obs Date|Tag|Notes\n7|1.01|LCO|ip|2025-03-04|18493|a, "b"\n7|1.01|X|g||5|\n'
)


def test_cells_come_back_as_they_are():
    rows = tables.parse(GOOD, "time_series", ("Tag",))
    assert [row["Tag"] for row in rows] == ["18493", "5"]
    assert rows[0]["Notes"] == 'a, "b"'


def test_a_header_alone_is_a_table_without_rows():
    assert tables.parse(b"TIC ID|Tag\n", "imaging") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"No TIC object found",
        b"<html><body>a|b</body></html>",
        b"\n <!DOCTYPE html>\n<table>|</table>",
        b'{"error": "a|b"}',
        b"Sorry, ExoFOP is down",
        b"TIC ID|Tag\n7",
        b"TIC ID|Tag\n7|5|6|7\n",
        GOOD.replace(b"|5|\n", b"|5"),
    ],
)
def test_nothing_but_a_whole_table_is_a_table(content):
    with pytest.raises(ServiceError):
        tables.parse(content, "time_series")


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(ServiceError, match="has no column Tag"):
        tables.parse(b"TIC ID|TOI\n7|1.01\n", "time_series", ("Tag",))


def test_the_error_shows_the_title_of_the_page_and_no_control_character():
    with pytest.raises(ServiceError, match="a page: 'Log in'"):
        tables.parse(b"<html><title>Log\x1b[2J in</title>".replace(b"\x1b[2J", b"\n"), "time_series")


def test_a_bar_at_the_end_of_the_rows_is_no_cell():
    assert tables.parse(b"a|b\n1|2|\n", "x") == [{"a": "1", "b": "2"}]


def test_a_table_is_kept_and_read_back(tmp_path):
    from astropy.table import Table

    path = tmp_path / "time_series.ecsv"
    rows = tables.write(path, "time_series", GOOD)
    assert tables.read(path, "time_series") == rows
    assert list(Table.read(path)["Tag"]) == ["18493", "5"]
    with pytest.raises(ServiceError):
        tables.write(path, "time_series", b"<html>")
    assert tables.read(path, "time_series") == rows
    assert tables.read(tmp_path / "none", "time_series") == []
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DumpError):
        tables.read(path, "time_series")


def test_columns_of_one_name_stay_apart():
    assert tables.parse(b"a|a|b\n1|2|3\n", "x") == [{"a": "1", "a 2": "2", "b": "3"}]
