from __future__ import annotations

import math

import numpy as np
import pytest

from accretor.core.dumps import MASTERS
from accretor.core.errors import DumpError
from accretor.io import dump, fits
from accretor.io.layout import ObservationPaths
from accretor.stages import masters
from accretor.stages.masters import MasterFiles, Source

HEIGHT, WIDTH = 24, 32
BIAS, DARK_RATE = 300.0, 0.5
NOISE = 4.0


@pytest.fixture
def paths(tmp_path):
    return ObservationPaths(tmp_path / "work", tmp_path / "plots", tmp_path / "exports")


@pytest.fixture
def rng():
    return np.random.Generator(np.random.PCG64(5))


@pytest.fixture
def sources(tmp_path, rng):
    """Write frames of a level, with noise, and return them as sources."""

    def written(kind, n, level, exposure=0.0):
        found = []
        for i in range(n):
            image = level + rng.normal(0.0, NOISE, (HEIGHT, WIDTH))
            path = tmp_path / "raw" / f"{kind}{i}.fits"
            found.append(Source(path, 0, fits.write_image(path, image, {}), exposure))
        return found

    return written


def record(paths, *rows):
    dump.write(paths.masters, MASTERS, rows, {})
    return masters.files(paths)


def vignetting():
    x = np.linspace(-1.0, 1.0, WIDTH)
    return np.broadcast_to(1.0 - 0.2 * x**2, (HEIGHT, WIDTH))


def test_a_master_bias_is_the_level_of_its_frames_with_less_noise(paths, sources):
    row = masters.make("bias", sources("bias", 9, BIAS), paths, MasterFiles(), "id")
    image = fits.read_image(paths.master("bias"))

    assert image.mean() == pytest.approx(BIAS, abs=5 * NOISE / 3 / math.sqrt(image.size))
    assert 0.7 < image.std() / (NOISE / 3) < 1.5  # a median or a clipped mean of 9
    assert (row["kind"], row["n_frame"], row["exposure"], row["input"]) == ("bias", 9, 0.0, "id")
    assert row["frames"] == " / ".join(f"bias{i}.fits" for i in range(9))
    assert row["digest"] == fits.digest(paths.master("bias"))


def test_a_dark_has_its_bias_taken_off_and_a_flat_its_bias_and_dark(paths, sources):
    bias = masters.make("bias", sources("bias", 9, BIAS), paths, MasterFiles(), "b")
    dark = masters.make(
        "dark", sources("dark", 9, BIAS + DARK_RATE * 60, 60.0), paths, record(paths, bias), "d"
    )
    level = BIAS + DARK_RATE * 10 + 20000 * vignetting()
    masters.make("flat", sources("flat", 9, level, 10.0), paths, record(paths, bias, dark), "f")

    error = 5 * NOISE / 3 / math.sqrt(HEIGHT * WIDTH) * math.sqrt(2)
    assert fits.read_image(paths.master("dark")).mean() == pytest.approx(DARK_RATE * 60, abs=error)
    assert dark["exposure"] == 60.0
    flat = fits.read_image(paths.master("flat"))
    assert np.median(flat) == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(flat, vignetting() / np.median(vignetting()), atol=2e-3)


def test_the_order_and_folder_of_the_frames_do_not_change_a_master(paths, sources):
    frames = sources("bias", 5, BIAS)
    one = masters.make("bias", frames, paths, MasterFiles(), "id")
    before = paths.master("bias").read_bytes()

    assert masters.make("bias", frames[::-1], paths, MasterFiles(), "id") == one
    assert paths.master("bias").read_bytes() == before
    assert masters.input_of("bias", frames, []) == masters.input_of("bias", frames[::-1], [])


def test_a_master_is_another_one_with_other_frames_another_kind_or_other_masters(sources):
    frames = sources("bias", 3, BIAS)
    made = [
        masters.input_of("bias", frames, []),
        masters.input_of("bias", frames[:2], []),
        masters.input_of("dark", frames, []),
        masters.input_of("dark", frames, ["digest of a bias"]),
    ]

    assert len(set(made)) == len(made)


def test_without_a_record_there_are_no_masters(paths):
    assert masters.recorded(paths) == {}
    with pytest.raises(FileNotFoundError):
        masters.files(paths)


def test_a_record_that_cannot_be_trusted_is_none_and_is_set_aside(paths):
    paths.folder.mkdir()
    paths.masters.write_text("torn", encoding="utf-8")
    with pytest.raises(DumpError):
        masters.files(paths)

    assert masters.recorded(paths) == {}
    assert [path.name for path in paths.folder.iterdir()] == ["masters.ecsv.bad"]


def test_a_master_whose_file_is_gone_is_not_recorded(paths, sources):
    record(paths, masters.make("bias", sources("bias", 3, BIAS), paths, MasterFiles(), "b"))
    assert set(masters.recorded(paths)) == {"bias"}

    paths.master("bias").unlink()
    assert masters.recorded(paths) == {}


def test_a_self_dark_stands_for_a_dark_and_is_not_scaled(paths, sources):
    row = masters.make("bias", sources("light", 3, BIAS), paths, MasterFiles(), "s")
    found = record(paths, {**row, "kind": "selfdark", "exposure": 60.0})

    assert found.dark == str(paths.master("selfdark"))
    assert math.isnan(found.dark_exposure)
    assert not found.has_zero_level


def test_masters_with_a_bias_or_a_dark_of_known_exposure_have_a_zero_level():
    assert MasterFiles(bias="bias.fits").has_zero_level
    assert MasterFiles(dark="dark.fits", dark_exposure=60.0).has_zero_level
    assert not MasterFiles(flat="flat.fits").has_zero_level


def test_the_identity_of_masters_is_that_of_their_bytes_not_of_their_folder(paths, sources):
    found = record(paths, masters.make("bias", sources("bias", 3, BIAS), paths, MasterFiles(), "b"))

    assert found.id == MasterFiles(bias="elsewhere/bias.fits", digests=found.digests).id
    assert found.id != MasterFiles(bias=found.bias, digests=(("bias", "other"),)).id


def test_loaded_masters_are_the_images_on_the_disk(paths, sources):
    row = masters.make("bias", sources("bias", 3, BIAS), paths, MasterFiles(), "b")
    found = masters.load(record(paths, row))

    np.testing.assert_array_equal(found.bias, fits.read_image(paths.master("bias")))
    assert found.dark is None
    assert found.flat is None
