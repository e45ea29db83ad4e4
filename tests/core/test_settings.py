from __future__ import annotations

import ast
import itertools
from pathlib import Path

import msgspec
import pytest

from accretor.core import settings
from accretor.core.settings import Settings, Target, WorkspaceSettings

CLASSES = [
    node
    for path in sorted(Path(settings.__file__).parent.glob("*.py"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef) and node.name != "Settings"
]
EVERY = pytest.mark.parametrize("node", CLASSES, ids=lambda node: node.name)
NEEDED = {
    "Ephemeris": {"t0", "period", "duration", "depth"},
    "PixelPosition": {"frame", "x", "y"},
    "Target": {"name"},
    "InstrumentSettings": {"name"},
    "ObservationSettings": {"name"},
    "CatalogFileSettings": {"name", "path"},
    "ForcedPosition": {"name", "ra", "dec"},
    "WorkspaceSettings": {"observer", "target"},
}
"""Settings that no default can stand for."""


def fields_without_docstring(node):
    """Return the fields that no string follows; a section within another has the docstring of its class."""
    sections = {section.name for section in CLASSES}
    return [
        item.target.id
        for item, after in itertools.zip_longest(node.body, node.body[1:])
        if isinstance(item, ast.AnnAssign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
        and not {name.id for name in ast.walk(item.annotation) if isinstance(name, ast.Name)} & sections
        and item.target.id != "config_version"
    ]


@EVERY
def test_every_setting_says_what_it_is(node):
    assert ast.get_docstring(node)
    assert fields_without_docstring(node) == []


@EVERY
def test_every_setting_has_a_default_unless_nothing_can_be_assumed(node):
    fields = msgspec.structs.fields(getattr(settings, node.name))

    assert {field.name for field in fields if field.required} == NEEDED.get(node.name, set())


@EVERY
def test_every_section_is_strict_about_its_keys_and_fixed_once_read(node):
    section = getattr(settings, node.name)

    assert issubclass(section, Settings)
    assert section.__struct_config__.forbid_unknown_fields
    assert section.__struct_config__.frozen


@pytest.mark.parametrize("name", [node.name for node in CLASSES if node.name not in NEEDED])
def test_every_default_is_a_value_that_the_setting_allows(name):
    section = getattr(settings, name)

    assert msgspec.convert(msgspec.to_builtins(section()), section) == section()


@pytest.mark.parametrize(
    ("name", "planet"),
    [
        ("TOI-1234.01", "01"),
        ("TOI-1234.12", "12"),
        ("HAT-P-32", "01"),
        ("TIC 1234.5", "01"),
        ("TOI-1.012", "01"),
    ],
)
def test_the_planet_is_the_two_digits_after_the_point_of_its_name(name, planet):
    assert Target(name=name, tic=1, ra=0.0, dec=0.0).planet == planet


def test_two_targets_of_the_same_host_differ():
    first, second = (Target(name=f"TOI-1.0{i}", tic=5, ra=1.0, dec=2.0) for i in (1, 2))

    assert WorkspaceSettings(observer="A", target=(first, second)).target[1].planet == "02"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("TOI-1234.02", "TIC 77.02 (TOI-1234.02)"),
        ("TIC 77.02", "TIC 77.02"),
        ("TIC 77", "TIC 77.01"),
        ("TIC 777", "TIC 77.01 (TIC 777)"),
        ("HAT-P-32", "TIC 77.01 (HAT-P-32)"),
    ],
)
def test_a_star_without_another_name_is_named_once(name, title):
    assert Target(name=name, tic=77, ra=1.0, dec=2.0).designation == title
