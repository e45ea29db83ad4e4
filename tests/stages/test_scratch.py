from __future__ import annotations

import shutil

import numpy as np
import pytest

from accretor.io import fits, pixels
from accretor.stages import scratch
from accretor.stages.workspace import open_workspace
from tests.harness import make, results, run


@pytest.fixture
def packed(tmp_path):
    """A workspace whose frames are Rice-compressed."""
    workspace = make(tmp_path / "packed", lights=range(4))
    for path in sorted((workspace / "raw" / "TOI-9999.01").iterdir()):
        fits.compress(path, path.with_name(f"{path.name}.fz"))
        path.unlink()
    return workspace


def test_what_was_unpacked_is_gone_at_the_end_and_changes_no_result(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "_LARGE", 1000)
    assert run(packed, "photometry").status == 0
    left = [path.name for path in packed.rglob(".unpacked*")]
    first = results(packed)
    config = packed / "workspace.toml"
    without = config.read_text("utf-8").replace("[compute]", '[compute]\nscratch = "0MB"')
    config.write_text(without, "utf-8")
    shutil.rmtree(packed / "work")

    assert run(packed, "photometry").status == 0

    assert left == []
    assert results(packed) == first


def test_an_unpacked_frame_is_read_in_the_place_of_the_packed_one(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "_LARGE", 1000)
    path = next((packed / "raw" / "TOI-9999.01").iterdir())
    taken = pixels.take(path, 1, keep=lambda digest: scratch.file_of(tmp_path / "kept", digest))
    kept = scratch.file_of(tmp_path / "kept", taken.digest)
    np.testing.assert_array_equal(np.load(kept), taken.image)
    np.save(kept, np.zeros((2, 2)))

    assert pixels.read(path, 1, unpacked=str(kept)).shape == (2, 2)
    kept.unlink()
    np.testing.assert_array_equal(pixels.read(path, 1, unpacked=str(kept)), taken.image)


def test_what_a_killed_run_left_is_removed_and_never_read(packed):
    assert run(packed, "preprocess").status == 0
    plan = open_workspace(packed, is_recorded=False).observations[0]
    stray = packed / "work" / plan.observation.slug / ".unpacked-1-1"
    stray.mkdir()
    (stray / "x.npy").write_bytes(b"torn")

    scratch.clear(plan, others=True)

    assert not stray.exists()


def test_the_room_for_unpacked_frames_is_bounded(packed):
    workspace = open_workspace(packed, is_recorded=False)
    plan, settings = workspace.observations[0], workspace.settings.compute
    exposure = plan.frames[0].exposure

    assert scratch.room(plan, settings) == 4e9 // (4 * exposure.width * exposure.height)
