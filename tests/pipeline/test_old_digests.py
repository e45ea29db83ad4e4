"""Workspaces whose raw files are known by SHA-256, as an earlier version recorded them."""

from __future__ import annotations

import hashlib

from accretor.io import digests
from tests.harness import make, results, run


class Sha256:
    """Digests as they were."""

    def __init__(self):
        self.state = hashlib.sha256()
        self.update = self.state.update

    @property
    def value(self):
        return self.state.hexdigest()


def old(tmp_path, monkeypatch):
    workspace = make(tmp_path / "old", lights=range(10))
    with monkeypatch.context() as before:
        before.setattr(digests, "Running", Sha256)
        assert run(workspace, "photometry").status == 0
    assert "xxh3:" not in (workspace / "work" / "digests.jsonl").read_text("utf-8")
    return workspace


def test_frames_known_by_sha256_are_not_measured_again(tmp_path, monkeypatch):
    workspace = old(tmp_path, monkeypatch)
    before = results(workspace)

    (workspace / "work" / "doit.sqlite").unlink()
    found = run(workspace, "photometry")

    assert [found.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [0, 0, 0]
    assert results(workspace) == before


def test_a_frame_known_by_sha256_that_changed_is_measured_again_and_no_other(tmp_path, monkeypatch):
    workspace = old(tmp_path, monkeypatch)
    frame = sorted((workspace / "raw" / "TOI-9999.01").iterdir())[-1]
    content = bytearray(frame.read_bytes())
    content[-1] ^= 1  # of the padding: the pixels stay
    frame.write_bytes(content)

    found = run(workspace, "photometry")

    assert [found.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [1, 1, 1]


def test_without_the_cache_of_digests_all_is_measured_by_the_new_ones(tmp_path, monkeypatch):
    workspace = old(tmp_path, monkeypatch)
    (workspace / "work" / "digests.jsonl").unlink()
    (workspace / "work" / "doit.sqlite").unlink()

    found = run(workspace, "photometry")

    assert [found.measured(stage) for stage in ("preprocess", "registration", "photometry")] == [
        10,
        10,
        9,
    ]  # one is poor
