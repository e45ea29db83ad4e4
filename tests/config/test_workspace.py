from __future__ import annotations

import re
from typing import get_args

import msgspec
import pytest

from accretor.config import workspace
from accretor.core import settings as sections
from accretor.core.errors import ConfigError
from accretor.core.settings import Settings, WorkspaceSettings

EXAMPLE = """\
observer = "A. Observer"

[[target]]
name = "HAT-P-32.01"
aliases = ["HATP-32", "HAT-P-32"]
tic = 292152376
ra = "02:04:10.28"          # ICRS, hours; decimal degrees also understood
dec = "+46:41:16.2"
[target.ephemeris]
t0 = 2455867.402743         # BJD_TDB
period = 2.1500082          # day
duration = 3.108            # hour
depth = 22.2                # ppt

[instrument]
name = "MicroObs-Cecilia"   # the ExoFOP telescope token
dialect = "microobservatory"
telescope_diameter = 0.15   # m
gain = 38.0                 # electron/ADU
read_noise = 15.0           # electron
saturation = 4000           # ADU
"""

LEAST = """\
observer = "A. Observer"

[[target]]
name = "TOI-1234.01"
tic = 1
ra = 10.0
dec = 20.0
"""

EPHEMERIS = "[target.ephemeris]\nt0 = 1.0\nperiod = 2.0\nduration = 3.0\ndepth = 4.0\n"
SECOND = '[[target]]\nname = "{}"\ntic = 2\nra = 11.0\ndec = 21.0\n'


@pytest.fixture
def load(tmp_path):
    def written(text, encoding="utf-8"):
        path = tmp_path / "workspace.toml"
        path.write_text(text, encoding=encoding)
        return workspace.load(path)

    return written


@pytest.fixture
def refusal(load, tmp_path):
    """Return what is said of a text that must be refused, without the name of the file."""

    def said(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        message = str(caught.value)
        assert message.startswith(f"{tmp_path / 'workspace.toml'}: ")
        assert "\n" not in message
        return message.removeprefix(f"{tmp_path / 'workspace.toml'}: ")

    return said


def test_an_example_of_a_real_night_is_read(load):
    found = load(EXAMPLE)

    assert found.target[0].aliases == ("HATP-32", "HAT-P-32")
    assert found.target[0].ephemeris.period == 2.1500082
    assert found.instrument[0].saturation == 4000.0
    assert isinstance(found.instrument[0].saturation, float)


def test_what_is_not_said_has_its_default(load):
    found = load(LEAST)

    assert found == WorkspaceSettings(observer="A. Observer", target=found.target)
    assert found.instrument == ()


def test_a_byte_order_mark_does_no_harm(load):
    assert load(LEAST, "utf-8-sig") == load(LEAST)


def test_one_table_and_a_list_of_one_table_are_the_same(load):
    assert load(LEAST + '[instrument]\nname = "A"\n') == load(LEAST + '[[instrument]]\nname = "A"\n')


UNKNOWN = [
    ("photometri = 1\n" + LEAST, "photometri: unknown key; did you mean photometry?"),
    (LEAST + "[photometry]\nradius = [5]", "photometry.radius: unknown key; did you mean radii?"),
    (LEAST + EPHEMERIS + "perod = 2", "target[0].ephemeris.perod: unknown key; did you mean period?"),
    (LEAST + SECOND.format("B") + "alias = 3", "target[1].alias: unknown key; did you mean aliases?"),
    (
        LEAST + '[[instrument]]\nname = "A"\nlattitude = 3',
        "instrument[0].lattitude: unknown key; did you mean latitude?",
    ),
    (LEAST + '[compute.slurm]\nqueu = "x"', "compute.slurm.queu: unknown key; "),
    (LEAST + "[ensemble]\nzzz = 1", "ensemble.zzz: unknown key; valid are policy"),
]


@pytest.mark.parametrize(("text", "said"), UNKNOWN)
def test_an_unknown_key_is_named_with_the_nearest_valid_one(refusal, text, said):
    assert refusal(text).startswith(said)


BELOW = [
    (
        LEAST + EPHEMERIS + 'aliases = ["TOI-1234"]',
        "target[0].ephemeris.aliases: is a key of target[0], and must stand above the table ephemeris",
    ),
    (
        LEAST + '[[instrument]]\nname = "A"\n[instrument.keywords]\nexposure = "X"\ntrim = ""',
        "instrument[0].keywords.trim: is a key of instrument[0], and must stand above the table keywords",
    ),
    (
        LEAST + '[upload]\nusername = "a"\nraw = "frames"',
        "upload.raw: is a key of its own, and must stand above all tables",
    ),
    (
        LEAST + '[[instrument]]\nname = "A"\nraw = "frames"',
        "instrument[0].raw: is a key of its own, and must stand above all tables",
    ),
]


@pytest.mark.parametrize(("text", "said"), BELOW)
def test_a_key_that_slipped_into_the_table_above_it_is_told_where_it_belongs(refusal, text, said):
    assert refusal(text) == said


def tables(kind=WorkspaceSettings, place=""):
    """Yield every table of the workspace with the place of its keys in the file."""
    yield place, kind
    for field in msgspec.structs.fields(kind):
        for option in [field.type, *get_args(field.type)]:
            if isinstance(option, type) and issubclass(option, Settings):
                index = {
                    "target": "[0]",
                    "instrument": "[0]",
                    "filter": "[]",
                    "file": "[0]",
                    "position": "[0]",
                }.get(field.name, "")
                yield from tables(option, f"{place}{field.name}{index}.")


def document(place, key):
    """Return a workspace with *key* = 1 in the table at *place*."""
    names = [name for name in re.sub(r"\[\d*\]", "", place).split(".") if name]
    if not names:
        return f"{key} = 1\n{LEAST}"
    if names == ["target"]:
        return f"{LEAST}{key} = 1\n"
    if names in (["catalogs", "file"], ["forced", "position"]):
        return f"{LEAST}[[{'.'.join(names)}]]\n{key} = 1\n"
    names += ["ip"] if place.endswith("[].") else []  # a table of tables, by names of the user's choice
    head = '[[instrument]]\nname = "A"\n' if names == ["instrument"] else f"[{'.'.join(names)}]\n"
    return f"{LEAST}{head}{key} = 1\n"


@pytest.mark.parametrize(
    ("place", "name"),
    [(place, field.name) for place, kind in tables() for field in msgspec.structs.fields(kind)],
)
def test_every_key_with_a_letter_too_many_is_named_as_what_was_meant(refusal, place, name):
    wrong = f"{name}q"

    assert refusal(document(place, wrong)) == f"{place}{wrong}: unknown key; did you mean {name}?"


def test_all_sections_are_reached_from_the_workspace():
    reached = {kind for _, kind in tables()}
    all_of_them = {
        kind
        for kind in vars(sections).values()
        if isinstance(kind, type) and issubclass(kind, Settings) and not kind.__subclasses__()
    }

    assert all_of_them == reached


WRONG = [
    (LEAST.replace('"A. Observer"', "3"), "observer: expected a text, got a whole number (found 3)"),
    (
        LEAST.replace("tic = 1", 'tic = "TIC 1"'),
        "target[0].tic: expected a whole number, got a text (found 'TIC 1')",
    ),
    (LEAST.replace("tic = 1", "tic = -1"), "target[0].tic: expected a whole number >= 0 (found -1)"),
    (LEAST.replace("10.0", '"25:00:00"'), "target[0].ra: '25:00:00' is not a right ascension"),
    (LEAST.replace("20.0", "-90.5"), "target[0].dec: -90.5 is not a declination"),
    (LEAST.replace("20.0", "nan"), "target[0].dec: must be a finite number"),
    (
        LEAST + EPHEMERIS.replace("2.0", "-1"),
        "target[0].ephemeris.period: expected a number >= 0.0 (found -1)",
    ),
    (LEAST + EPHEMERIS.replace("1.0", "inf"), "target[0].ephemeris.t0: must be a finite number"),
    (LEAST + "[photometry]\nradii = [5, -1]", "photometry.radii[1]: expected a number > 0.0"),
    (LEAST + "[photometry]\nradii = [5, inf]", "photometry.radii[1]: must be a finite number"),
    (LEAST + "[photometry]\nradii = 5", "photometry.radii: expected a list, got a whole number (found 5)"),
    (
        LEAST + "[photometry]\nannulus_fwhm = [1, 2, 3]",
        "photometry.annulus_fwhm: expected a list of length 2, got 3",
    ),
    (
        LEAST + "[photometry]\nannulus_fwhm = [7, 4]",
        "photometry.annulus_fwhm: inner radius 7.0 is not below the outer 4.0",
    ),
    (
        LEAST + "[photometry]\nrecentre = 1",
        "photometry.recentre: expected true or false, got a whole number (found 1)",
    ),
    (
        LEAST + "[plotting]\nbin_minutes = true",
        "plotting.bin_minutes: expected a number, got true or false (found True)",
    ),
    (
        LEAST + "[calibration]\nmax_detrend = 9",
        "calibration.max_detrend: expected a whole number <= 4 (found 9)",
    ),
    (
        LEAST + '[calibration]\ndetrend = ["airmas"]',
        "calibration.detrend[0]: 'airmas' is not one of auto, airmass, ",
    ),
    (
        LEAST + '[[observation]]\nname = "TOI-1234.01"\n[observation.calibration]\ncomparision = [1]',
        "observation[0].calibration.comparision: unknown key; did you mean comparison?",
    ),
    (
        LEAST + '[[observation]]\nname = "TOI-1234.01"\n[observation.calibration]\nradius = -1',
        "observation[0].calibration.radius: expected a number > 0.0 (found -1)",
    ),
    (
        LEAST + '[[observation]]\nname = "TOI-1234.01"\n[observation.photometry]\nannulus_fwhm = [7, 4]',
        "observation[0].photometry.annulus_fwhm: inner radius 7.0 is not below the outer 4.0",
    ),
    (
        LEAST + '[[observation]]\nname = "TOI-1235.01/20250304"',
        "observation[0].name: 'TOI-1235.01' is no target; it begins with one of TOI-1234.01",
    ),
    (LEAST + '[ensemble]\npolicy = "Keep"', "ensemble.policy: 'Keep' is not one of keep, best"),
    ("config_version = 2\n" + LEAST, "config_version: 2 is not one of 1"),
    ("photometry = 3\n" + LEAST, "photometry: expected a table, got a whole number (found 3)"),
    ("instrument = 3\n" + LEAST, "instrument: must be a table [instrument] or several [[instrument]]"),
    (LEAST + '[[instrument]]\nname = "A b"', "instrument[0].name: 'A b' must be letters, digits and hyphens"),
    (
        LEAST + '[[instrument]]\nname = "A"\nlatitude = 91',
        "instrument[0].latitude: expected a number <= 90.0 (found 91)",
    ),
    (
        LEAST + '[[instrument]]\nname = "A"\ndialect = "B"',
        "instrument[0].dialect: 'B' is not a header dialect; there are auto, ",
    ),
    (
        LEAST + '[[instrument]]\nname = "A"\nfilters = {x = 1}',
        "instrument[0].filters.x: expected a text, got a whole number (found 1)",
    ),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_value_is_told_with_its_key_and_what_was_found(refusal, text, said):
    assert refusal(text).startswith(said)


MISSING = [
    ("", "observer: is missing; target: is missing"),
    ('observer = "A"', "target: is missing"),
    ('observer = "A"\ntarget = []', "target: at least one [[target]] is needed"),
    *(
        (re.sub(f"(?m)^{key} = .*\n", "", LEAST), f"target[0].{key}: is missing")
        for key in ("name", "ra", "dec")
    ),
    (LEAST + EPHEMERIS.replace("depth = 4.0\n", ""), "target[0].ephemeris.depth: is missing"),
    (LEAST + "[[instrument]]\ngain = 1.0", "instrument[0].name: is missing"),
]


@pytest.mark.parametrize(("text", "said"), MISSING)
def test_a_missing_key_is_named(refusal, text, said):
    assert refusal(text) == said


@pytest.mark.parametrize("name", ["TOI-1234.01", "TOI 1234.01", "TOI/1234.01", " TOI-1234.01"])
def test_two_targets_whose_folder_would_be_the_same_are_refused(refusal, name):
    assert (
        refusal(LEAST + SECOND.format(name))
        == f"target[1].name: '{name}' and 'TOI-1234.01' would share a folder"
    )


def test_two_planets_of_one_star_are_two_targets(load):
    assert [target.planet for target in load(LEAST + SECOND.format("TOI-1234.02")).target] == ["01", "02"]


def test_of_several_instruments_each_must_say_which_frames_are_its_own(refusal, load):
    first, second = ('[[instrument]]\nname = "A"\nmatch = {TELESCOP = "a"}\n', '[[instrument]]\nname = "B"\n')

    assert refusal(LEAST + first + second).startswith("instrument[1].match: is needed")
    assert len(load(LEAST + first + second + 'match = {TELESCOP = "b"}').instrument) == 2


def test_two_instruments_cannot_have_one_name(refusal):
    one = '[[instrument]]\nname = "A"\nmatch = {{TELESCOP = "{}"}}\n'

    assert (
        refusal(LEAST + one.format("a") + one.format("b"))
        == "instrument[1].name: 'A' is the name of two instruments"
    )


@pytest.mark.parametrize("text", ["observer", "[[target]\n", "a = 1\na = 2", "observer = 'A\n"])
def test_what_is_not_toml_is_said_to_be_so_with_its_place(refusal, text):
    assert re.match(r"is not TOML: .*(line \d|end of document)", refusal(text))


def test_text_that_is_not_utf_8_is_said_to_be_so(tmp_path):
    (tmp_path / "workspace.toml").write_bytes('observer = "é"'.encode("latin-1"))

    with pytest.raises(ConfigError, match="is not TOML"):
        workspace.load(tmp_path / "workspace.toml")


SPECIAL = """
[calibration]
radius = 5
detrend = ["airmass"]

[[observation]]
name = "TOI-1234.01/20250304"
[observation.calibration]
radius = 4
exclude = [7]

[[observation]]
name = "TOI-1234.01/20250304/Hilltop-0m5/ip"
[observation.calibration]
exclude = []
comparison = [2, 5]
[observation.template]
frame = "a.fits"
"""


@pytest.mark.parametrize(
    ("slug", "radius", "exclude", "comparison", "frame"),
    [
        ("TOI-1234.01/20250303/Hilltop-0m5/ip", 5, (), (), ""),
        ("TOI-1234.01/20250304/Hilltop-0m5/gp", 4, (7,), (), ""),
        ("TOI-1234.01/20250304/Hilltop-0m5/ip", 4, (), (2, 5), "a.fits"),
        ("TOI-1234.01/202503041/Hilltop-0m5/ip", 5, (), (), ""),
    ],
)
def test_settings_of_an_observation_go_before_those_of_all(load, slug, radius, exclude, comparison, frame):
    found = load(LEAST + SPECIAL).of(slug)

    calibration = found.calibration
    assert (calibration.radius, calibration.exclude, calibration.comparison) == (radius, exclude, comparison)
    assert (calibration.detrend, found.template.frame) == (("airmass",), frame)


def test_without_settings_of_its_own_an_observation_has_those_of_all(load):
    found = load(LEAST)

    assert found.of("TOI-1234.01/20250304/Hilltop-0m5/ip") == found


@pytest.mark.parametrize(("ra", "dec", "key"), [('"x"', "1.0", "ra"), ("1.0", "95", "dec")])
def test_a_place_that_is_none_is_named(refusal, ra, dec, key):
    good = '[[forced.position]]\nname = "a"\nra = 1\ndec = 2\n'
    text = f'{LEAST}{good}[[forced.position]]\nname = "b"\nra = {ra}\ndec = {dec}\n'

    assert refusal(text).startswith(f"forced.position[1].{key}: ")


def test_all_that_is_wrong_in_a_file_is_told_at_once(refusal):
    text = LEAST.replace('"A. Observer"', "3").replace("20.0", "-90.5") + "[upload]\nuser = 1\n"

    said = refusal(text)

    assert "observer: expected a text" in said
    assert "upload.user: unknown key; did you mean username?" in said
    # Of values the types come first: what is not read cannot be looked at.
    assert "target[0].dec: -90.5 is not a declination" in refusal(
        text.replace("= 3", '= "A"').replace("user = 1", "")
    )


def test_wrong_values_of_several_tables_are_told_at_once(refusal):
    text = LEAST.replace("20.0", "-90.5") + '[[instrument]]\nname = "A b"\n'

    assert [part.split(":")[0] for part in refusal(text).split("; ") if "[0]" in part] == [
        "target[0].dec",
        "instrument[0].name",
    ]


def test_all_keys_that_a_table_lacks_are_named_together(refusal):
    text = re.sub("(?m)^(period|duration|depth) = .*\n", "", LEAST + EPHEMERIS)

    assert refusal(text) == "target[0].ephemeris: period, duration, depth are missing"


def test_a_number_of_0_is_that_of_a_target_still_to_be_identified(load):
    assert load(LEAST.replace("tic = 1", "tic = 0")).target[0].tic == 0
