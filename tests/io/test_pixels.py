from __future__ import annotations

import io

import numpy as np
import pytest
import xxhash
from astropy.io import fits as astropy_fits

from accretor.core.errors import Unusable
from accretor.io import pixels

RNG = np.random.Generator(np.random.PCG64(7))
LARGE = RNG.integers(0, 65536, (1100, 1203)).astype(np.uint16)
"""Large enough to share its place in memory, of an odd number of bytes per piece."""


def written(path, data, *, packed=False, **cards):
    header = astropy_fits.Header(list(cards.items()))
    if packed:
        hdus = [
            astropy_fits.PrimaryHDU(),
            astropy_fits.CompImageHDU(data, header, compression_type="RICE_1"),
        ]
    else:
        hdus = [astropy_fits.PrimaryHDU(data, header)]
    astropy_fits.HDUList(hdus).writeto(path, checksum=True)
    return path


def by_astropy(path, hdu=0):
    with astropy_fits.open(io.BytesIO(path.read_bytes())) as hdus:
        return np.asarray(hdus[hdu].data)


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4", "f4", "f8"])
def test_pixels_are_those_that_astropy_reads(tmp_path, kind):
    data = (RNG.normal(100, 30, (37, 41)) % 250).astype(kind)
    path = written(tmp_path / "a.fits", data)

    found = pixels.read(path)

    np.testing.assert_array_equal(found, by_astropy(path))
    assert found.dtype.isnative
    assert found.dtype == np.dtype(kind)


@pytest.mark.parametrize(
    "cards", [{"BSCALE": 0.5, "BZERO": 100.0}, {"BZERO": 1000.0}, {"BLANK": -32768}], ids=str
)
def test_scaled_pixels_and_blanks_are_those_that_astropy_reads(tmp_path, cards):
    data = RNG.integers(-32768, 32767, (30, 20)).astype(np.int16)
    path = tmp_path / "a.fits"
    hdu = astropy_fits.PrimaryHDU(data)
    hdu.writeto(path)
    with astropy_fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header.update(cards)

    np.testing.assert_array_equal(pixels.read(path), by_astropy(path))


@pytest.mark.parametrize("packed", [False, True])
def test_a_large_frame_is_digested_summed_and_read_in_one_go(tmp_path, packed):
    path = written(tmp_path / "a.fits", LARGE, packed=packed)

    taken = pixels.take(path, int(packed))

    assert taken.digest == f"xxh3:{xxhash.xxh3_128_hexdigest(path.read_bytes())}"
    np.testing.assert_array_equal(taken.image, LARGE)


@pytest.mark.parametrize("at", [3000, 700_001, 2 * LARGE.size])
def test_one_changed_bit_anywhere_in_the_data_is_seen(tmp_path, at):
    path = written(tmp_path / "a.fits", LARGE)
    content = bytearray(path.read_bytes())
    begin = content.index(b"END     ") // 2880 * 2880 + 2880
    content[begin + at] ^= 16
    path.write_bytes(content)

    taken = pixels.take(path)

    assert taken.image is None
    assert "DATASUM" in taken.reason
    assert pixels.take(path, check_sum=False).image is not None


@pytest.mark.parametrize("width", [1203, 1204, 1205, 1206])
def test_a_whole_frame_of_any_length_adds_up(tmp_path, width):
    path = written(tmp_path / "a.fits", RNG.integers(0, 255, (1001, width)).astype(np.uint8))

    assert pixels.take(path).reason == ""


def test_a_frame_that_is_to_be_kept_is_not_overwritten_by_the_next(tmp_path):
    first = written(tmp_path / "a.fits", LARGE)
    second = written(tmp_path / "b.fits", LARGE[::-1].copy())

    kept, lent = pixels.read(first, own=True), pixels.read(first)
    pixels.read(second)

    np.testing.assert_array_equal(kept, LARGE)
    np.testing.assert_array_equal(lent, LARGE[::-1])


def test_a_frame_that_is_cut_short_is_not_usable_and_has_its_digest(tmp_path):
    path = written(tmp_path / "a.fits", LARGE)
    path.write_bytes(path.read_bytes()[:1_000_000])

    taken = pixels.take(path)

    assert taken.image is None
    assert taken.reason
    assert taken.digest == f"xxh3:{xxhash.xxh3_128_hexdigest(path.read_bytes())}"
    with pytest.raises(Unusable):
        pixels.read(path)
