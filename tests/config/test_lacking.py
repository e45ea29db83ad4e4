"""What a workspace file still leaves to its user is told all at once."""

from __future__ import annotations

import pytest

from accretor.config import lacking
from accretor.core.settings import (
    InstrumentSettings,
    PackagingSettings,
    UploadSettings,
    WorkspaceSettings,
)

WHOLE = WorkspaceSettings(observer="A. Observer", target=(), upload=UploadSettings(username="a"))
TELESCOPE = InstrumentSettings(name="Hilltop-0m5", telescope_diameter=0.5)
NAMELESS = InstrumentSettings(name="Valley-0m3")
DIAMETER = "[[instrument]] telescope_diameter = ... (m) of Valley-0m3"


def test_a_whole_file_lacks_nothing():
    assert lacking.for_exofop(WHOLE, [TELESCOPE]) == []


def test_observer_diameter_and_user_are_told_together_with_their_keys():
    empty = WorkspaceSettings(observer=" ", target=())

    assert lacking.for_exofop(empty, [TELESCOPE, NAMELESS, NAMELESS]) == [
        'observer = "..."',
        DIAMETER,
        '[upload] username = "..."',
    ]


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({"packaging": PackagingSettings(observers="A, B")}, 'observer = "..."'),
        ({"upload": UploadSettings(telescope_size=0.3)}, DIAMETER),
        ({"upload": UploadSettings(username="a")}, '[upload] username = "..."'),
    ],
)
def test_what_is_said_in_another_place_is_not_asked_for(given, gone):
    found = lacking.for_exofop(WorkspaceSettings(observer="", target=(), **given), [NAMELESS])

    assert gone not in found
    assert len(found) == 2


def test_only_lines_to_fill_in_that_are_empty_are_blanks(tmp_path):
    path = tmp_path / "workspace.toml"
    path.write_text(
        'observer = ""   # FILL IN: who observed\n'
        "tic = 0 # FILL IN: number\n"
        'ra = "1:2:3"    # FILL IN: place\n'
        'raw = ""        # a comment\n'
        "# telescope_diameter = 0.4    # FILL IN: m\n",
        encoding="utf-8",
    )

    assert [(blank.line, blank.key, blank.need) for blank in lacking.blanks(path)] == [
        (1, "observer", "who observed"),
        (2, "tic", "number"),
    ]
