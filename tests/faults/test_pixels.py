"""Pixels without a value or without a limit: counted, and frames left out whose target they touch."""

from __future__ import annotations

import json

import numpy as np
import pytest

from accretor.core.dumps import COMPARISON, TEMPLATE_STARS
from accretor.io import dump
from tests.faults import files, look
from tests.faults.files import with_pixels
from tests.harness import run

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def spoilt(clean, tmp_path_factory):
    """Return a workspace in which pixels of single frames are spoilt, by the name of the frame."""
    workspace = tmp_path_factory.mktemp("pixels")
    folder = clean / "work" / look.SLUG
    stars = dump.read(folder / "template_stars.ecsv", TEMPLATE_STARS).rows
    labels = {row["label"]: row["star"] for row in dump.read(folder / "comparison.ecsv", COMPARISON).rows}
    by_name = {row["image_name"]: row for row in look.curve(clean)}
    template = next(row for row in by_name.values() if row["image_name"] == "TOI-9999.01-0004.fits")
    target, comparison = stars[0], stars[labels["C2"]]
    spoil = {
        "TOI-9999.01-0008.fits": (target, NAN, 1),
        "TOI-9999.01-0009.fits": (comparison, NAN, 1),
        "TOI-9999.01-0010.fits": ({"x": 10, "y": 100}, NAN, 5),
        "TOI-9999.01-0011.fits": (comparison, INF, 1),
        "TOI-9999.01-0012.fits": (target, -INF, 0),
        "TOI-9999.01-0013.fits": (target, 65_000, 1),
        "TOI-9999.01-0014.fits": (target, 65_000, 500),
    }
    for path in sorted((clean / "raw").rglob("*.fits")):
        place = workspace / path.relative_to(clean)
        place.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        if path.name in spoil:
            star, value, half = spoil[path.name]
            x = star["x"] + by_name[path.name]["x"] - template["x"]
            y = star["y"] + by_name[path.name]["y"] - template["y"]
            content = with_pixels(_with(round(x), round(y), value, half))(content)
        place.write_bytes(content)
    # Of so few points another aperture may scatter less once some are spoilt: that would be another curve.
    radius = json.loads((folder / "results.json").read_text(encoding="utf-8"))["aperture_radius_px"]
    settings = (clean / "workspace.toml").read_text(encoding="utf-8")
    pinned = f"{settings}\n[calibration]\nradius = {radius}\n"
    (workspace / "workspace.toml").write_text(pinned, encoding="utf-8")
    return workspace, run(workspace, "calibration")


def _with(x: int, y: int, value: float, half: int):
    def make(pixels: np.ndarray) -> np.ndarray:
        changed = pixels.astype(np.float32)
        changed[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1] = value
        return changed

    return make


def test_spoilt_pixels_end_no_run(spoilt):
    _, done = spoilt

    assert done.status == 0
    assert look.is_tidy(done)


@pytest.mark.parametrize(
    ("frame", "reason", "n_undefined"),
    [
        (8, "target not measured", 9),
        (9, "", 9),
        (10, "", 121),
        (11, "", 9),
        (12, "target not measured", 1),
        (13, "target saturated", 0),
        (14, "0 stars found, 8 needed", 0),
        (15, "", 0),
    ],
)
def test_frame_is_left_out_only_if_its_target_is_touched(spoilt, frame, reason, n_undefined):
    workspace, _ = spoilt
    name = f"TOI-9999.01-{frame:04d}.fits"

    row = next(row for row in look.curve(workspace) if row["image_name"] == name)

    assert row["reason"] == reason
    assert look.frames(workspace)[name]["n_undefined"] == n_undefined


def test_frames_beside_spoilt_pixels_keep_their_flux(spoilt, clean):
    workspace, _ = spoilt
    true = {row["image_name"]: row for row in look.curve(clean)}

    pairs = [(row, true[row["image_name"]]) for row in look.curve(workspace) if row["is_used"]]

    # One comparison star fewer in a frame: within the error that it has anyway.
    off = [(row["relative_flux"] - old["relative_flux"]) / old["relative_flux_error"] for row, old in pairs]
    assert len(off) == 19
    assert np.max(np.abs(off - np.median(off))) < 1


def test_level_of_a_frame_does_not_suffer_from_undefined_pixels(spoilt, clean):
    workspace, _ = spoilt
    name = "TOI-9999.01-0010.fits"

    assert look.frames(workspace)[name]["level"] == pytest.approx(look.frames(clean)[name]["level"], abs=2)


def test_frames_in_any_number_type_give_the_same_light_curve(clean, copy):
    workspace = copy()
    for path, kind in zip(
        sorted((workspace / look.LIGHTS).iterdir()),
        (np.int32, np.float32, np.float64, np.int64) * 6,
        strict=True,
    ):
        path.write_bytes(files.with_pixels(lambda pixels, kind=kind: pixels.astype(kind))(path.read_bytes()))

    run(workspace, "calibration")

    assert look.numbers(look.curve(workspace)) == look.numbers(look.curve(clean))
