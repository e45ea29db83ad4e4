from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.io import fits

IMAGE = np.arange(12.0).reshape(3, 4)
ALL = [(0, 0), (0, 1), (1, 0), (1, 1)]


def astropy_file(path, data, **options):
    from astropy.io import fits as astropy

    hdus = (
        [astropy.PrimaryHDU(data)]
        if not options
        else [astropy.PrimaryHDU(), astropy.CompImageHDU(data, **options)]
    )
    astropy.HDUList(hdus).writeto(path)
    return path


def test_an_image_comes_back_with_its_cards(tmp_path):
    digest = fits.write_image(
        tmp_path / "a.fits", IMAGE, {"IMAGETYP": "bias", "NCOMBINE": (5, "frames combined")}
    )
    header = fits.read_header(tmp_path / "a.fits")

    np.testing.assert_array_equal(fits.read_image(tmp_path / "a.fits"), IMAGE)
    assert (header["IMAGETYP"], header["NCOMBINE"], header.comments["NCOMBINE"]) == (
        "bias",
        5,
        "frames combined",
    )
    assert (
        digest
        == fits.digest(tmp_path / "a.fits")
        == hashlib.sha256((tmp_path / "a.fits").read_bytes()).hexdigest()
    )


def test_the_same_image_gives_the_same_bytes():
    assert fits.image_bytes(IMAGE, {"A": 1}) == fits.image_bytes(IMAGE.astype(">f8"), {"A": 1})


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_images_of_every_kind_of_number_are_read_as_floats(tmp_path, kind):
    path = astropy_file(tmp_path / "a.fits", np.array([[0, 1], [2, 255]], dtype=kind))
    found = fits.read_image(path)

    assert found.dtype == np.float32
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, [[0, 1], [2, 255]])


def test_a_tile_compressed_image_is_read(tmp_path):
    data = np.arange(4096, dtype=np.int16).reshape(64, 64)
    path = astropy_file(tmp_path / "a.fits.fz", data, compression_type="RICE_1")

    np.testing.assert_array_equal(fits.read_image(path, 1), data)


def test_a_gzipped_file_is_read_and_one_that_unpacks_to_too_much_is_not(tmp_path, monkeypatch):
    content = gzip.compress(fits.image_bytes(IMAGE, {}))
    np.testing.assert_array_equal(fits.decode_image(content), IMAGE)

    monkeypatch.setattr(fits, "MOST_UNPACKED", 2880)
    with pytest.raises(Unusable, match="unpacks to more than"):
        fits.decode_image(content)


def test_a_file_that_is_not_there_is_not_a_verdict_on_its_data(tmp_path):
    with pytest.raises(FileNotFoundError):
        fits.read_image(tmp_path / "a.fits")


@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>", b"SIMPLE  =                    T", b"\x1f\x8b torn"]
)
def test_a_file_that_is_no_fits_is_unusable(tmp_path, content):
    (tmp_path / "a.fits").write_bytes(content)

    with pytest.raises(Unusable, match="cannot be read"):
        fits.read_image(tmp_path / "a.fits")


def test_a_page_or_a_text_is_said_to_be_no_fits_in_words_of_our_own(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"# a workspace\n" * 300)

    with pytest.raises(Unusable, match=r"it is no FITS file: its first card is not SIMPLE$"):
        fits.read_image(tmp_path / "a.fits")


@pytest.mark.parametrize("data", [None, np.zeros(5), np.zeros((2, 3, 4))], ids=["none", "spectrum", "cube"])
def test_a_file_without_a_flat_image_is_unusable(tmp_path, data):
    path = astropy_file(tmp_path / "a.fits", data)

    with pytest.raises(Unusable, match=r"HDU.* holds no image"):
        fits.read_image(path)


def test_an_hdu_that_is_not_there_is_unusable(tmp_path):
    fits.write_image(tmp_path / "a.fits", IMAGE, {})

    with pytest.raises(Unusable, match="cannot be read"):
        fits.read_image(tmp_path / "a.fits", 3)


def test_a_stack_read_in_strips_is_the_images(tmp_path):
    rng = np.random.Generator(np.random.PCG64(1))
    images = rng.integers(0, 60000, (3, 7, 5)).astype(np.uint16)
    paths = [astropy_file(tmp_path / f"{i}.fits", image) for i, image in enumerate(images)]
    paths.append(astropy_file(tmp_path / "3.fits.fz", images[0], compression_type="RICE_1"))

    with fits.Stack([(path, int(path.suffix == ".fz"), "") for path in paths]) as stack:
        assert (stack.height, stack.width) == (7, 5)
        strips = [stack.rows(start, min(start + 3, 7)) for start in range(0, 7, 3)]
        whole = stack.frame(2)

    np.testing.assert_array_equal(np.concatenate(strips, axis=1), [*images, images[0]])
    np.testing.assert_array_equal(whole, images[2])
    assert whole.dtype == strips[0].dtype == np.float32


def test_a_stack_with_a_damaged_file_is_unusable_and_leaves_no_file_open(tmp_path):
    fits.write_image(tmp_path / "a.fits", IMAGE, {})
    (tmp_path / "b.fits").write_bytes(b"nothing")

    # A file that is left open would be a ResourceWarning, which is an error here.
    with pytest.raises(Unusable):
        fits.Stack([(tmp_path / "a.fits", 0, ""), (tmp_path / "b.fits", 0, "")])


def test_data_that_do_not_add_up_to_their_sum_are_unusable(tmp_path):
    from astropy.io import fits as astropy

    astropy.PrimaryHDU(IMAGE.astype(np.int16)).writeto(tmp_path / "a.fits", checksum=True)
    content = (tmp_path / "a.fits").read_bytes()
    fits.check_sum(content)

    with pytest.raises(Unusable, match="DATASUM"):
        fits.check_sum(content[:2885] + bytes([content[2885] ^ 4]) + content[2886:])


def test_data_without_a_sum_are_believed():
    fits.check_sum(fits.image_bytes(IMAGE, {}))


@pytest.mark.parametrize("suffix", [".fits", ".fits.fz"])
@pytest.mark.parametrize(
    ("part", "cells"), [("mean 01+10", [(0, 1), (1, 0)]), ("mean 11", [(1, 1)]), ("mean 00+01+10+11", ALL)]
)
def test_a_colour_is_the_mean_of_its_pixels_whole_and_in_strips(tmp_path, suffix, part, cells):
    rng = np.random.Generator(np.random.PCG64(2))
    image = rng.integers(0, 60000, (7, 9)).astype(np.uint16)  # odd: the last row and column are left out
    path = astropy_file(
        tmp_path / f"a{suffix}", image, **({"compression_type": "RICE_1"} if "fz" in suffix else {})
    )
    hdu = int("fz" in suffix)
    expected = np.mean([image[row:6:2, column:8:2].astype(np.float64) for row, column in cells], axis=0)

    with fits.Stack([(path, hdu, part)] * 2) as stack:
        assert (stack.height, stack.width) == (3, 4)
        strips = np.concatenate([stack.rows(start, start + 2) for start in (0, 2)], axis=1)
        whole = stack.frame(1)

    np.testing.assert_allclose(fits.read_image(path, hdu, part), expected, rtol=1e-6)
    np.testing.assert_allclose(whole, expected, rtol=1e-6)
    np.testing.assert_allclose(strips[0], expected, rtol=1e-6)


def test_a_plane_of_a_cube_is_that_plane(tmp_path):
    cube = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    path = astropy_file(tmp_path / "a.fits", cube)

    with fits.Stack([(path, 0, "plane 2")]) as stack:
        np.testing.assert_array_equal(stack.frame(0), cube[1])
    np.testing.assert_array_equal(fits.read_image(path, 0, "plane 3"), cube[2])
    with pytest.raises(Unusable, match="without plane 4"):
        fits.read_image(path, 0, "plane 4")
