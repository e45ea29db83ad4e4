from __future__ import annotations

import gzip
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from accretor.core.errors import HeaderError
from accretor.io import header


def fits_bytes(*cards: str, data: bytes = b"", end: bool = True) -> bytes:
    """Return a file of these cards, each padded to 80 bytes, and data."""
    lines = [card.encode("latin-1").ljust(80) for card in cards]
    block = b"".join([*lines, b"END".ljust(80)] if end else lines)
    return block.ljust(-(-len(block) // 2880) * 2880) + data


def plain(width: int = 10, height: int = 8, bits: int = 16) -> list[str]:
    return [
        "SIMPLE  =                    T",
        f"BITPIX  = {bits}",
        "NAXIS   = 2",
        f"NAXIS1  = {width}",
        f"NAXIS2  = {height}",
    ]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def frame(tmp_path):
    def make(*more: str, data: int = 160) -> Path:
        return write(tmp_path / "frame.fits", fits_bytes(*plain(), *more, data=bytes(data)))

    return make


def test_header_is_the_one_that_astropy_reads(tmp_path):
    image = fits.PrimaryHDU(np.zeros((8, 10), np.int16))
    image.header["OBJECT"] = "it's /here"
    image.header["GAIN"] = (1.5, "electron / adu")
    image.header["FLIP"] = True
    image.header["N"] = -3
    image.header["LONG"] = "word " * 40
    image.header["HIERARCH ESO TEL ALT"] = 55.25
    image.header["COMMENT"] = "nothing"
    image.writeto(tmp_path / "a.fits")

    found = header.read(tmp_path / "a.fits")

    with fits.open(tmp_path / "a.fits") as hdus:
        truth = {key: value for key, value in hdus[0].header.items() if key != "COMMENT"}
        assert found.data_offset == hdus[0].fileinfo()["datLoc"]
    truth["LONG"] = truth["LONG"].rstrip()
    assert dict(found) == truth
    assert found.hdu == 0
    assert found.expected_size == found.data_offset + 160


def test_unquoted_text_keeps_its_value(frame):
    found = header.read(frame("DATE-OBS= 2019-11-19T20:41:48.288 / start", "DATE    = 19/11/19 / old"))

    assert found["DATE-OBS"] == "2019-11-19T20:41:48.288"
    assert found["DATE"] == "19/11/19"


def test_first_of_a_repeated_keyword_wins(frame):
    assert header.read(frame("OBJECT  = 'first'", "OBJECT  = 'second'"))["OBJECT"] == "first"


def test_printed_number_keeps_its_zeros_and_comment(frame):
    found = header.read(frame("MJD-OBS = 58107.250000 / start"))

    assert found["MJD-OBS"] == 58107.25
    assert found.printed["MJD-OBS"] == "58107.250000 / start"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+62.592 / x", 62.592),
        ("060.00", 60.0),
        ("05", 5),
        ("1.5D+01", 15.0),
        ("T", True),
        ("''", ""),
        ("'a''b  '", "a'b"),
        ("'never closed", "never closed"),
        ("/ no value", ""),
    ],
)
def test_value_is_read_as_it_is_meant(frame, text, value):
    found = header.read(frame(f"KEY     = {text}"))["KEY"]

    assert found == value
    assert type(found) is type(value)


def test_bytes_that_are_not_ascii_are_survived(frame):
    found = header.read(frame("OBSERVER= 'Andr\xe9\x07'", "OBJECT  = 'HATP-32'"))

    assert found["OBSERVER"] == "André"
    assert found["OBJECT"] == "HATP-32"


def test_twenty_thousand_lines_of_history_cost_little(frame):
    path = frame(*["HISTORY nothing of interest"] * 20_000, "OBJECT  = 'last'")
    began = time.perf_counter()

    assert header.read(path)["OBJECT"] == "last"

    assert time.perf_counter() - began < 1


def test_endless_header_is_given_up(tmp_path):
    path = write(tmp_path / "a.fits", fits_bytes(*plain(), end=False) + b" " * 10_100_000)

    with pytest.raises(HeaderError, match="no END within 10 MB"):
        header.read(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>" * 100, "this is a web page"),
        (b"\n\n<html><head>", "this is a web page"),
        (b"name,ra,dec\n1,2,3\n", "this is a text file"),
        (bytes(range(256)) * 20, "this is not a FITS file"),
        (bytes(5760), "filled with zeros"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "placeholder of git-lfs"),
        (fits_bytes(*plain(), end=False), "before END"),
        (fits_bytes(*plain())[:1000], "ends with its header"),
        (fits_bytes(*plain())[:300], "before END"),
        (fits_bytes(*plain()), "ends after 0 % of its data; still being copied"),
        (fits_bytes(*plain(), data=bytes(82)), "ends after 51 % of its data; still being copied"),
        (fits_bytes(*plain(bits=32), data=bytes(160)), "ends after 50 %"),
        (fits_bytes(*plain(bits=17), data=bytes(9000)), "BITPIX: 17 is not one of"),
        (fits_bytes(*plain(width=999_999_999)), "NAXIS1: 999999999 x 8 pixels are more than 1 GB"),
        (fits_bytes(*plain(width=-5)), "-5"),
        (fits_bytes(*plain(width=0), data=bytes(100)), "0 x 8 pixels"),
        (fits_bytes("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0"), "no image"),
        (
            fits_bytes(
                "SIMPLE  = T",
                "BITPIX  = 8",
                "NAXIS   = 4",
                "NAXIS1  = 9",
                "NAXIS2  = 9",
                "NAXIS3  = 3",
                "NAXIS4  = 2",
            ),
            "4-D image .9 x 9 x 3 x 2.",
        ),
        (fits_bytes("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 9"), "1-D image"),
        (fits_bytes("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 1000000"), "not a number of axes"),
    ],
)
def test_bad_file_is_told_in_a_sentence(tmp_path, content, reason):
    path = write(tmp_path / "a.fits", content)

    with pytest.raises(HeaderError, match=reason) as caught:
        header.read(path)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pack", [False, True])
def test_image_in_an_extension_is_found_and_knows_the_primary(tmp_path, pack):
    pixels = np.arange(32 * 40, dtype=np.int16).reshape(32, 40)
    kind = fits.CompImageHDU if pack else fits.ImageHDU
    image = kind(pixels, name="SCI")
    image.header["OBJECT"] = "target"
    primary = fits.PrimaryHDU()
    primary.header["OBJECT"] = "primary"
    primary.header["TELESCOP"] = "dome"
    path = tmp_path / "a.fits.fz"
    fits.HDUList([primary, image, fits.ImageHDU(np.zeros((3, 3)))]).writeto(path)

    found = header.read(path)

    assert found.hdu == 1
    assert (found["NAXIS1"], found["NAXIS2"], found["BITPIX"]) == (40, 32, 16)
    assert (found["OBJECT"], found["TELESCOP"]) == ("target", "dome")
    with fits.open(path) as hdus:
        assert np.array_equal(hdus[found.hdu].data, pixels)


def test_cut_packed_image_is_told(tmp_path):
    path = tmp_path / "a.fits.fz"
    noise = np.random.Generator(np.random.PCG64(1)).integers(0, 60000, (200, 200)).astype(np.int32)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(noise)]).writeto(path)
    content = path.read_bytes()
    write(path, content[: len(content) * 2 // 3])

    with pytest.raises(HeaderError, match="still being copied"):
        header.read(path)


def test_gzipped_frame_is_read(tmp_path):
    content = fits_bytes(*plain(), "OBJECT  = 'x'", data=bytes(2880))
    path = write(tmp_path / "a.fits.gz", gzip.compress(content))

    assert header.read(path)["OBJECT"] == "x"


@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_cut_gzipped_frame_is_told(tmp_path, part):
    content = gzip.compress(
        fits_bytes(*plain(300, 300), data=np.random.Generator(np.random.PCG64(1)).bytes(180_000))
    )
    path = write(tmp_path / "a.fits.gz", content[: int(len(content) * part)])

    with pytest.raises(HeaderError, match="still being copied"):
        header.read(path)


def test_gzip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "a.fits.gz"
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write(fits_bytes(*plain(60_000, 60_000)))
        stream.write(bytes(50_000_000))
    began = time.perf_counter()

    with pytest.raises(HeaderError, match="more than 1 GB"):
        header.read(path)

    assert time.perf_counter() - began < 0.5


def test_missing_padding_at_the_end_is_no_truncation(frame):
    assert header.read(frame(data=160)).expected_size == 2880 + 160


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=80, max_size=80), max_size=40))
def test_no_card_makes_the_parser_fail(cards):
    values, printed = header.parse(b"".join(cards))

    assert set(printed) <= set(values)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 2879), byte=st.integers(0, 255))
def test_one_wrong_byte_is_read_or_told(tmp_path_factory, at, byte):
    content = bytearray(fits_bytes(*plain(), "OBJECT  = 'x'", data=bytes(160)))
    content[at] = byte
    path = write(tmp_path_factory.getbasetemp() / "wrong.fits", bytes(content))

    with suppress(HeaderError):
        assert header.read(path)


def images(path, names, shape=(8, 9), **more):
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(np.zeros(shape, np.int16), name=name) for name in names)]
    fits.HDUList(hdus).writeto(path, **more)
    return path


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_file_with_an_image_for_each_amplifier_is_refused_with_all_of_them(tmp_path, suffix):
    path = images(tmp_path / f"a{suffix}", ["SCI"] * 4)

    with pytest.raises(HeaderError, match=r"4 images of 9 x 8 pixels in one file, in HDU 1, 2, 3, 4"):
        header.read(path)


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_images_of_errors_and_bad_pixels_beside_the_sky_are_passed_over(tmp_path, suffix):
    path = images(tmp_path / f"a{suffix}", ["SCI", "BPM", "ERR"])

    assert header.read(path).hdu == 1


def test_packed_frame_with_packed_maps_beside_it_is_read(tmp_path):
    rng = np.random.Generator(np.random.PCG64(3))
    data = rng.integers(0, 1000, (30, 40)).astype(np.int16)
    packed = [fits.CompImageHDU(data, name=name) for name in ("SCI", "BPM", "ERR")]
    table = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=np.zeros(3))], name="CAT")
    fits.HDUList([fits.PrimaryHDU(), packed[0], table, *packed[1:]]).writeto(tmp_path / "a-e91.fits.fz")

    found = header.read(tmp_path / "a-e91.fits.fz")

    assert (found.hdu, found["NAXIS1"], found["NAXIS2"]) == (1, 40, 30)
