"""Control characters ring, or repaint the terminal of whoever reads them."""

from __future__ import annotations

import pytest

from accretor.config import workspace as config
from accretor.core import scrub
from accretor.core.errors import ConfigError, Unusable
from accretor.exofop import content, notes_template


def test_tabulators_and_ends_of_lines_stay_and_nothing_else_does():
    assert scrub.without_controls("a\tb\r\nc\n\x1b[31md\x07\x9b\x7fé") == "a\tb\nc\n[31mdé"
    assert scrub.controls("\x1b a \x07 \x1b") == ("\x1b", "\x07")


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        ('observer = "A\\u001b]0;owned\\u0007"', "observer"),
        ('observer = "A"\n[packaging]\ngoal = "line\\nline\\u0007"', "packaging.goal"),
    ],
)
def test_settings_with_control_characters_are_refused_with_their_place(tmp_path, toml, place):
    path = tmp_path / "workspace.toml"
    target = '\n[[target]]\nname = "TOI-1.01"\ntic = 1\nra = 10.0\ndec = 10.0\n'
    path.write_text(toml + target, encoding="utf-8")

    with pytest.raises(ConfigError, match=f"{place}.*has a control character") as raised:
        config.load(path)
    assert scrub.controls(str(raised.value)) == ()


def test_several_lines_in_a_setting_are_no_control_characters(tmp_path):
    path = tmp_path / "workspace.toml"
    path.write_text(
        'observer = "A"\n[packaging]\ngoal = """\none\n\ttwo"""\n'
        '[[target]]\nname = "TOI-1.01"\ntic = 1\nra = 10.0\ndec = 10.0\n',
        encoding="utf-8",
    )

    assert config.load(path).packaging.goal == "one\n\ttwo"


def test_notes_have_none_whatever_words_they_are_made_of(tmp_path):
    own = tmp_path / "notes.txt.j2"
    own.write_text("{{ word }}\nend\n", encoding="utf-8")

    assert notes_template.render({"word": "a\x1b[2Jb\x07"}, own) == "a[2Jb\nend\n"


def test_a_package_whose_notes_have_one_is_told(tmp_path):
    assert content._text(b"notes\r\n\tof a night\n")
    with pytest.raises(Unusable, match=r"has control characters: U\+001B, U\+0007"):
        content._text(b"notes \x1b[31m of a \x07night\n")
