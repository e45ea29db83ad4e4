"""A wrong value in ``[[instrument]]`` stops with one line that names key, value and what is right."""

from __future__ import annotations

import msgspec
import pytest

from accretor.config import workspace
from accretor.core.errors import ConfigError
from accretor.core.settings import InstrumentSettings

HEAD = """\
observer = "A. Observer"
[[target]]
name = "TOI-1234.01"
ra = 10.0
dec = 20.0
[[instrument]]
"""

SECTION = "expected a section such as [1:2048,1:2048]"
WRONG = [
    ("name", '"Hill top"', "'Hill top' must be letters, digits and hyphens, as ExoFOP wants it"),
    ("dialect", '"ninja"', "'ninja' is not a header dialect; did you mean nina?"),
    ("camera", "5", "expected a text, got a whole number (found 5)"),
    ("telescope_diameter", "400", "expected a number <= 50.0 (found 400)"),  # millimetres
    ("gain", '"1.5"', "expected a number, got a text (found '1.5')"),
    ("gain", "nan", "must be a finite number"),
    ("read_noise", "-1", "expected a number >= 0.0 (found -1)"),
    ("dark_current", "-1", "expected a number >= 0.0 (found -1)"),
    ("saturation", "0", "expected a number > 0.0 (found 0)"),
    ("linear_fraction", "92", "expected a number <= 1.0 (found 92)"),
    ("pixel_scale", "0", "expected a number > 0.0 (found 0)"),
    ("latitude", '"28d"', "expected a number, got a text (found '28d')"),
    ("longitude", "400", "expected a number <= 360.0 (found 400)"),
    ("height", "23900", "expected a number <= 9000.0 (found 23900)"),
    ("overscan", '"1:20,1:1024"', f"{SECTION} (found '1:20,1:1024')"),
    ("trim", '"[3:318]"', f"{SECTION} (found '[3:318]')"),
    ("trim", '"[0:318,0:238]"', "'[0:318,0:238]' holds no pixel; it must run upwards from 1"),
    ("trim", '"[318:3,3:238]"', "'[318:3,3:238]' holds no pixel; it must run upwards from 1"),
    ("nonlinearity", "1.0", "expected a list, got a number (found 1.0)"),
    ("nonlinearity", "[0.0]", "c1, the second number, is 0; it must be near 1: the list is c0, c1, c2 ..."),
    ("nonlinearity", "[1.0, 1e-6]", "c1, the second number, is 1e-06; it must be near 1: "),
    ("bad_pixels", "[1, 2]", "expected a text, got a list"),
    ("time_stamp", '"mid"', "'mid' is not one of auto, start, middle, end"),
    ("exposure_unit", '"h"', "'h' is not one of auto, s, ms, min"),
    ("keywords", '"EXPT"', "expected a table, got a text (found 'EXPT')"),
    ("keywords.exposur", '"EXPT"', "unknown key; did you mean exposure?"),
    ("keywords.exposure", "5", "expected a text, got a whole number (found 5)"),
    ("keywords.exposure", '""', "'' is not a keyword of the header"),
    ("keywords.exposure", '"A+B"', "'A+B' is not a keyword of the header"),
    ("keywords.end", '"DATE+"', "'DATE+' is not a keyword of the header, or two joined as \"DATE+TIME\""),
    ("colour", '"Green"', "'Green' is not one of auto, green, red, blue, superpixel, none"),
    ("bayer", '"RGG"', "expected R, B and two G in some order, as RGGB (found 'RGG')"),
    ("bayer", '"RRRR"', "expected R, B and two G in some order, as RGGB (found 'RRRR')"),
    ("plane", "-1", "expected a whole number >= 0 (found -1)"),
    ("filters", '"ip"', "expected a table, got a text (found 'ip')"),
    ("filters.i", "5", "expected a text, got a whole number (found 5)"),
    ("filters.i", '"i prime"', "'i prime' must be letters, digits, + and -, as ExoFOP wants it, e.g. gp"),
    ("match", '"Hilltop*"', "expected a table, got a text (found 'Hilltop*')"),
    ("match.TELESCOP", "5", "expected a text, got a whole number (found 5)"),
]


def refused(tmp_path, lines):
    path = tmp_path / "workspace.toml"
    path.write_text(HEAD + lines, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        workspace.load(path)
    return str(caught.value).removeprefix(f"{path}: instrument[0].")


def test_each_setting_has_a_wrong_value_here():
    tried = {key.partition(".")[0] for key, _, _ in WRONG}

    assert tried == {field.name for field in msgspec.structs.fields(InstrumentSettings)}


@pytest.mark.parametrize(("key", "value", "said"), WRONG)
def test_a_wrong_value_is_one_line_with_the_key_and_what_it_should_be(tmp_path, key, value, said):
    name = "" if key == "name" else 'name = "Hilltop"\n'

    found = refused(tmp_path, f"{name}{key} = {value}\n")

    assert found.startswith(f"{key}: {said}")
    assert "\n" not in found


def test_a_keyword_with_a_dot_is_known_to_need_quotes(tmp_path):
    found = refused(tmp_path, 'name = "A"\nmatch = {CAM.MODEL = "x"}\n')

    assert found == "match.CAM: expected a text, got a table: a key with a dot needs quotes"


def test_pixels_without_light_are_not_among_those_that_are_kept(tmp_path):
    found = refused(tmp_path, 'name = "A"\noverscan = "[1:20,1:100]"\ntrim = "[20:120,1:100]"\n')

    assert found.startswith("overscan: [1:20,1:100] has pixels of trim, [20:120,1:100]")


def test_sections_side_by_side_are_no_mistake(tmp_path):
    path = tmp_path / "workspace.toml"
    lines = 'name = "A"\noverscan = "[1:20,1:100]"\ntrim = "[21:120,1:100]"\n'
    path.write_text(HEAD + lines, encoding="utf-8")

    assert workspace.load(path).instrument[0].overscan == "[1:20,1:100]"
