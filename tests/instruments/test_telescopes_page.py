"""docs/telescopes.md says what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from accretor import instruments
from accretor.core.settings import InstrumentSettings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "telescopes.md").read_text(encoding="utf-8")


def test_every_dialect_is_on_the_page():
    names = {dialect.name for dialect in instruments.DIALECTS if not dialect.name.startswith("skynet-")}

    assert names <= set(re.findall(r"`([a-z-]+)`", PAGE))


def test_example_of_a_telescope_of_ones_own_is_understood():
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    (section,) = tomllib.loads(text)["instrument"]

    found = msgspec.convert(section, InstrumentSettings)

    assert found.keywords["start"] == "DATE+CLOCK"
    assert instruments.by_name(found.dialect).name == "nina"
