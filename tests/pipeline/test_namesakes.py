"""Frames of one name in several folders are different frames."""

from __future__ import annotations

import json
import os

import pytest

from tests.harness import make, run

pytestmark = [pytest.mark.usefixtures("blank_figures"), pytest.mark.long]


def test_frames_of_one_name_in_two_folders_give_the_light_curve_of_frames_with_names_of_their_own(tmp_path):
    plain = make(tmp_path / "plain", config="\n[preprocess]\nsave_calibrated = true\n")
    twins = make(tmp_path / "twins", config="\n[preprocess]\nsave_calibrated = true\n")
    lights = sorted((twins / "raw").rglob("TOI-9999*.fits"))
    for half, folder in ((lights[:12], "a"), (lights[12:], "b")):
        (twins / "raw" / folder).mkdir()
        for number, path in enumerate(half):
            moved = path.rename(twins / "raw" / folder / f"img-{number:03d}.fits")
            os.utime(moved, ns=(10**18, 10**18))  # as archives that forget times leave them
    assert run(plain).status == 0
    found = run(twins)
    assert found.status == 0, found.out
    numbers = [
        json.loads(next((folder / "work").rglob("results.json")).read_text()) for folder in (plain, twins)
    ]
    for result in numbers:
        del result["template"]
    assert numbers[0] == numbers[1]
    assert len(list((twins / "work").rglob("*_out.fits"))) == 24
    assert run(twins).stages == []
