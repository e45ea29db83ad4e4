"""Frames packed by Rice: what is unpacked straight, and what is left to astropy."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits as astropy

from accretor.core.errors import Unusable
from accretor.io import header, pixels, rice

RNG = np.random.Generator(np.random.PCG64(5))


def write(path, data, *, tile=None, kind="RICE_1", checksum=True, **cards):
    image = astropy.CompImageHDU(data, compression_type=kind, tile_shape=tile)
    astropy.HDUList([astropy.PrimaryHDU(), image]).writeto(path, checksum=checksum)
    with astropy.open(path, mode="update", disable_image_compression=True) as hdus:
        hdus[1].header.update(cards)
    return path


def by_astropy(path):
    with astropy.open(io.BytesIO(path.read_bytes())) as hdus:
        return np.asarray(hdus[1].data)


def is_straight(path):
    return rice.find(header.read(path)) is not None


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4"])
@pytest.mark.parametrize("tile", [None, (7, 301), (400, 301)], ids=str)
def test_pixels_are_those_that_astropy_reads(tmp_path, kind, tile):
    info = np.iinfo(kind)
    data = RNG.integers(max(info.min, -40_000), min(info.max, 70_000), (400, 301), dtype=kind, endpoint=True)
    data[0, :2] = info.min, info.max
    path = write(tmp_path / "a.fits.fz", data, tile=tile)

    taken = pixels.take(path, 1)

    assert is_straight(path)
    np.testing.assert_array_equal(taken.image, by_astropy(path))
    np.testing.assert_array_equal(taken.image, data)
    assert taken.image.dtype == np.dtype(kind)
    np.testing.assert_array_equal(pixels.read(path, 1), data)


def test_part_of_a_packed_image_is_taken(tmp_path):
    data = RNG.integers(0, 900, (80, 60)).astype(np.uint16)
    path = write(tmp_path / "a.fits.fz", data)
    green = (data[0::2, 1::2].astype(np.float64) + data[1::2, 0::2]) / 2

    np.testing.assert_array_equal(pixels.read(path, 1, "mean 01+10"), green)
    np.testing.assert_array_equal(pixels.take(path, 1, "mean 01+10").image, green)


@pytest.mark.parametrize(
    ("kind", "tile", "cards"),
    [
        ("RICE_1", (40, 50), {}),
        ("GZIP_1", None, {}),
        ("HCOMPRESS_1", (16, 60), {}),
        ("RICE_1", None, {"BZERO": 100}),
        ("RICE_1", None, {"BSCALE": 2.0}),
    ],
    ids=str,
)
def test_what_is_unusual_is_left_to_astropy(tmp_path, kind, tile, cards):
    path = write(
        tmp_path / "a.fits.fz", RNG.integers(0, 900, (80, 60)).astype(np.int16), tile=tile, kind=kind, **cards
    )

    assert not is_straight(path)
    np.testing.assert_array_equal(pixels.take(path, 1).image, by_astropy(path))


def test_packed_fractions_are_left_to_astropy(tmp_path):
    path = write(tmp_path / "a.fits.fz", RNG.normal(0, 900, (80, 60)).astype(np.float32))

    assert not is_straight(path)
    np.testing.assert_array_equal(pixels.take(path, 1).image, by_astropy(path))


def test_an_astropy_without_the_function_unpacks_whole_images(tmp_path, monkeypatch):
    path = write(tmp_path / "a.fits.fz", RNG.integers(0, 900, (80, 60)).astype(np.int16))
    monkeypatch.setattr(rice, "_decompress", lambda: None)

    assert not is_straight(path)
    np.testing.assert_array_equal(pixels.take(path, 1).image, by_astropy(path))


def damaged(path, at, *new):
    content = bytearray(path.read_bytes())
    begin = header.read(path).data_offset + at
    content[begin : begin + len(new)] = bytes(new)
    path.write_bytes(content)
    return path


def test_one_changed_bit_of_a_tile_is_seen_by_the_sum(tmp_path):
    path = write(tmp_path / "a.fits.fz", RNG.integers(0, 900, (80, 60)).astype(np.int16))
    content = path.read_bytes()
    at = header.read(path).expected_size - 40
    path.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])

    taken = pixels.take(path, 1)

    assert taken.image is None
    assert "DATASUM" in taken.reason


@pytest.mark.parametrize(
    ("at", "new"),
    [(4, (127, 0, 0, 0)), (4, (255, 0, 0, 0)), (0, (0, 0, 0, 0)), (0, (0, 1, 0, 0))],
    ids=["far away", "before", "empty", "too long"],
)
def test_a_tile_outside_the_data_is_damage(tmp_path, at, new):
    path = damaged(write(tmp_path / "a.fits.fz", RNG.integers(0, 900, (80, 60)).astype(np.int16)), at, *new)

    assert pixels.take(path, 1, check_sum=False).reason.endswith("tiles are outside the data")
    with pytest.raises(Unusable, match="tiles are outside the data"):
        pixels.read(path, 1)


def test_a_tile_that_ends_too_soon_is_damage(tmp_path):
    path = damaged(
        write(tmp_path / "a.fits.fz", RNG.integers(0, 900, (80, 60)).astype(np.int16)), 0, 0, 0, 0, 3
    )

    taken = pixels.take(path, 1, check_sum=False)

    assert taken.image is None
    assert "the file is damaged" in taken.reason
