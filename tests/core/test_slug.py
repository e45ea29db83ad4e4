from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accretor.core.slug import slug

DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}


@given(st.text())
@example("")
@example("..")
@example("/etc/passwd")
@example("con.fits")
@example("COM¹")
@example("x" * 300)
@example("\ud800")
def test_every_slug_is_a_safe_file_name_everywhere(text):
    name = slug(text)

    assert re.fullmatch(r"[A-Za-z0-9.+_-]{1,64}", name)
    assert not name.startswith((".", "-"))
    assert not name.endswith(".")
    assert name.split(".")[0].upper() not in DEVICES


@given(st.text())
def test_a_slug_is_its_own_slug(text):
    assert slug(slug(text)) == slug(text)


@given(st.text())
def test_composed_and_decomposed_accents_make_one_slug(text):
    assert slug(unicodedata.normalize("NFC", text)) == slug(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HAT-P-32.01", "HAT-P-32.01"),
        ("HAT P 32 (b)", "HAT-P-32-b"),
        ("../../up", "up"),
        ("I+z", "I+z"),
        ("Épsilon Índi", "Epsilon-Indi"),
        ("nul", "_nul"),
        ("NUL.fits", "_NUL.fits"),
        ("", "unnamed"),
    ],
)
def test_what_can_stay_stays(text, name):
    assert slug(text) == name


def test_long_names_with_one_beginning_stay_distinct():
    assert slug("x" * 100) != slug("x" * 101)


def test_names_in_other_scripts_stay_distinct():
    assert slug("北斗") != slug("南斗")
