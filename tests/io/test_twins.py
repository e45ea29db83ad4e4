from __future__ import annotations

import numpy as np

from accretor.io import twins

LARGE = np.arange(twins.LARGE // 4, dtype=np.float32).reshape(-1, 1000)


def never():
    raise AssertionError("it is there already")


def test_a_large_array_is_made_once_and_mapped_thereafter(tmp_path):
    made = twins.shared(tmp_path / "dark", "a" * 64, lambda: LARGE)
    found = twins.shared(tmp_path / "dark", "a" * 64, never)

    np.testing.assert_array_equal(made, LARGE)
    np.testing.assert_array_equal(found, LARGE)
    assert not found.flags.writeable


def test_the_twin_of_another_array_is_not_taken_and_goes(tmp_path):
    twins.shared(tmp_path / "dark", "a" * 64, lambda: LARGE)

    found = twins.shared(tmp_path / "dark", "b" * 64, lambda: LARGE + 1)

    assert found[0, 0] == 1
    assert [path.name for path in tmp_path.iterdir()] == [f"dark-{'b' * 16}.npy"]


def test_a_twin_that_is_cut_short_is_made_again(tmp_path):
    twins.shared(tmp_path / "dark", "a" * 64, lambda: LARGE)
    twin = tmp_path / f"dark-{'a' * 16}.npy"
    twin.write_bytes(twin.read_bytes()[:5000])

    np.testing.assert_array_equal(twins.shared(tmp_path / "dark", "a" * 64, lambda: LARGE), LARGE)


def test_a_small_array_has_no_twin(tmp_path):
    found = twins.shared(tmp_path / "dark", "a" * 64, lambda: LARGE[:3])

    np.testing.assert_array_equal(found, LARGE[:3])
    assert list(tmp_path.iterdir()) == []
