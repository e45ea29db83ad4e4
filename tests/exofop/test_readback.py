from __future__ import annotations

import pytest

from accretor.core.errors import ServiceError
from accretor.exofop import readback
from accretor.exofop.readback import HeldSeries
from accretor.io.http import Answer
from tests.exofop.sending import fields, session


def answer(text):
    return Answer("https://x/tess/download.php", 200, {}, text.encode())


def rows(text, *needed):
    return readback.table(answer(text), needed or ("File Name", "File ID"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "No TIC object found",
        "<html><body>File Name,File ID</body></html>",
        "Sorry, try again later",
        "Type,Name,ID\n",
        "Type|File Name\nx|y\n",
        "Type,File Name,File ID\nLight_Curve,a.tbl\n",
        '{"error": "File Name"}',
        "File Name,File ID\n" + "x" * 200_000 + ",7\n",
    ],
)
def test_what_is_no_table_is_an_error(text):
    with pytest.raises(ServiceError):
        rows(text)


@pytest.mark.parametrize(
    "text", ["Type,File Name,File ID\n", "\ufeffType|File Name|File ID", "File ID,File Name\r\n"]
)
def test_a_line_of_names_alone_is_an_empty_list(text):
    assert rows(text) == []


def test_both_separators_quotes_and_a_last_column_with_anything_are_read():
    pipe = rows('File ID|File Name|Description\n7|a.tbl|x | y "z\n')
    comma = rows('File ID,File Name,Description\n7,a.tbl,"x, y\nz"\n\n8,b,c\n')
    assert [row["fileid"] for row in (*pipe, *comma)] == ["7", "7", "8"]
    assert pipe[0]["description"] == 'x | y "z'
    assert comma[0]["filename"] == "a.tbl"


def test_units_behind_a_column_s_name_do_not_matter():
    (row,) = rows("Pixel Scale (arcsec)|Telescope\n0.39|A &amp; B\n", "Pixel Scale", "Telescope")
    assert (row["pixelscale"], row["telescope"]) == ("0.39", "A & B")


def test_a_form_is_known_by_telescope_filter_and_date():
    held = HeldSeries(fields("ip"), "me")
    assert readback.is_of(held, fields("ip"))
    assert not readback.is_of(held, fields("gp"))
    assert not readback.is_of(held, fields("ip", tel="Hilltop-1m0"))
    assert not readback.is_of(held, fields("ip", obsdate="2025-03-05"))


def test_differences_are_of_values_not_of_spelling():
    held = HeldSeries(fields("ip", psf="2.3", camera=" qhy600 ", transcov="Ingress"), "me")
    assert readback.differences(held, fields("ip")) == ["transcov is Ingress there, Full here"]
    assert readback.differences(HeldSeries({"psf": "2.3"}, ""), fields("ip")) == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_file_that_exofop_does_not_give_out_has_no_digest(exofop, status):
    visit = session(exofop.url)
    visit.open()
    exofop.set(get={"kind": "status", "status": status, "pages": ["get_file.php"], "times": 9})
    assert readback.digest(visit, readback.HeldFile("a.tbl", "7", "", "me"), 10) is None


def test_a_server_that_cannot_give_a_file_now_is_an_error_not_a_missing_file(exofop):
    visit = session(exofop.url)
    visit.open()
    exofop.set(get={"kind": "status", "status": 410, "pages": ["get_file.php"], "times": 9})
    with pytest.raises(ServiceError):
        readback.digest(visit, readback.HeldFile("a.tbl", "7", "", "me"), 10)
