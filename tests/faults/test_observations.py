"""Observations that cannot become a light curve: each ends in one line, and the others go on."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from accretor.core.dumps import TEMPLATE_STARS
from accretor.io import dump
from tests.faults import files, look
from tests.faults.files import Make, with_cards, with_pixels, with_text
from tests.harness import Run, run

NIGHT = "TOI-9999.01/20250304/Demo-0m4"
FRAMES = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """Eight good frames that are told to be of another filter, and made bad."""

    filter: str
    make: Callable[[float, float], Make]
    """Gets the place of the target in the template, pixel."""
    stage: str
    """The stage that must refuse; empty if the frames are left out already by their headers."""
    verdict: str
    n_frame: int = FRAMES
    suffix: str = ".fits"


def _near(pixels: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.indices(pixels.shape)
    return np.hypot(columns - x, rows - y) < radius


def _saturated(x: float, y: float) -> Make:
    return with_pixels(lambda pixels: np.where(_near(pixels, x, y, 5), 60_000, pixels).astype(np.uint16))


def _alone(x: float, y: float) -> Make:
    return with_pixels(
        lambda pixels: np.where(_near(pixels, x, y, 12) | (pixels < 1400), pixels, 60_000).astype(np.uint16)
    )


def _few(x: float, y: float) -> Make:
    def make(pixels: np.ndarray) -> np.ndarray:
        sky = pixels[pixels < np.percentile(pixels, 60)]
        noise = np.random.Generator(np.random.PCG64(1)).choice(sky, pixels.shape)
        return np.where(_near(pixels, x, y, 30), pixels, noise).astype(np.uint16)

    return with_pixels(make)


def _edge(margin: int) -> Callable[[float, float], Make]:
    return lambda x, y: files.of_size(slice(None), slice(int(x) + margin))


CASES = (
    Case("gp", _saturated, "calibration", "none of 8 frames is left, most often: target saturated"),
    Case("rp", lambda x, y: with_cards({"CRVAL1": 105.43}), "template", "off the frame"),
    Case("zs", _edge(5), "template", "pixels from the edge of TOI-9999.01-0008.fits"),
    Case("Y", _edge(11), "calibration", "none of 8 frames is left, most often: target near the edge"),
    Case(
        "U",
        lambda x, y: with_pixels(lambda pixels: pixels[:, ::-1].copy()),
        "template",
        "the target is not in",
    ),
    Case("B", _few, "template", "stars found, 8 needed ("),
    Case(
        "Bc",
        lambda x, y: with_text(b"CD1_1   = abc def"),
        "template",
        "or say where the target is: [target.pixel]",
    ),
    Case("V", lambda x, y: with_pixels(np.zeros_like), "template", "0 stars found, 8 needed (8 of them)"),
    Case("I", _alone, "calibration", "can be a comparison star, most often: saturated in 8 frames"),
    Case("R", lambda x, y: bytes, "calibration", "3 of 3 frames are measured, 5 needed", n_frame=3),
    Case("up", lambda x, y: files.damaged_gzip, "template", "the gzip file is damaged", suffix=".fits.gz"),
    Case("Ic", lambda x, y: with_cards({}, without=("GAIN",)), "preprocess", "add gain = ...", n_frame=3),
    Case("w", lambda x, y: with_cards({}, without=("SITELAT",)), "", "give latitude, longitude and height"),
    Case("", lambda x, y: bytes, "", 'give filters = {"" = "..."}'),
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    workspace: Path
    run: Run


@pytest.fixture(scope="module")
def outcome(clean, tmp_path_factory):
    workspace = tmp_path_factory.mktemp("observations")
    shutil.copytree(clean / "raw", workspace / "raw")
    shutil.copy(clean / "workspace.toml", workspace)
    lights = sorted((clean / look.LIGHTS).iterdir())
    star = dump.read(clean / "work" / look.SLUG / "template_stars.ecsv", TEMPLATE_STARS).rows[0]
    for case in CASES:
        folder = workspace / "raw" / f"as {case.filter}"
        folder.mkdir()
        for path in lights[7 : 7 + case.n_frame]:
            content = with_cards({"FILTER": case.filter})(path.read_bytes())
            (folder / f"{path.stem}{case.suffix}").write_bytes(case.make(star["x"], star["y"])(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")  # no solve-field: it would search the sky for simulated stars
        yield Outcome(workspace, run(workspace, "calibration"))


def test_blocked_observations_show_no_traceback_and_an_exit_status(outcome):
    assert outcome.run.status != 0
    assert look.is_tidy(outcome.run)


@pytest.mark.parametrize("case", [case for case in CASES if case.stage], ids=lambda case: case.filter)
def test_observation_is_blocked_in_one_line_by_the_stage_that_knows(outcome, case):
    failed = {task: words for task, words in outcome.run.failed.items() if task.endswith(f"/{case.filter}")}

    assert list(failed) == [f"{case.stage}:{NIGHT}/{case.filter}"]
    assert case.verdict in "".join(failed.values())


@pytest.mark.parametrize("case", [case for case in CASES if not case.stage], ids=lambda case: case.filter)
def test_headers_that_lack_something_are_told_with_the_setting_that_helps(outcome, case):
    assert case.verdict in outcome.run.out


def test_observation_beside_blocked_ones_is_the_same_as_alone(outcome, clean):
    assert look.curve(outcome.workspace) is not None
    assert look.numbers(look.curve(outcome.workspace)) == look.numbers(look.curve(clean))


def test_blocked_observations_are_tried_again_and_measure_nothing_twice(outcome):
    again = run(outcome.workspace, "calibration")

    assert again.failed == outcome.run.failed
    assert sum(again.measured(stage) for stage in ("preprocess", "registration", "photometry")) == 0
