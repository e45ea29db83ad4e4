"""Damaged tiles of compressed frames, which may end the process that unpacks them."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits as astropy

from accretor.core.errors import Unusable
from accretor.io import fits, tiles

PIXELS = np.random.default_rng(3).normal(1000, 20, (256, 300)).astype(np.int16)


def packed(kind, *, checksum=False, **cards):
    """Return a frame packed by *kind*; *cards* of its table are changed afterwards."""
    shape = (64, 300) if kind == "HCOMPRESS_1" else (1, 300)
    image = astropy.CompImageHDU(PIXELS, compression_type=kind, tile_shape=shape)
    buffer = io.BytesIO()
    astropy.HDUList([astropy.PrimaryHDU(), image]).writeto(buffer, checksum=checksum)
    if not cards:
        return buffer.getvalue()
    changed = io.BytesIO()
    with astropy.open(io.BytesIO(buffer.getvalue()), disable_image_compression=True) as hdus:
        hdus[1].header.update(cards)
        hdus.writeto(changed)
    return changed.getvalue()


def deadly():
    """Return a frame whose first tile says that it is four times as long as it is."""
    content = bytearray(packed("HCOMPRESS_1"))
    at = content.index(b"\xdd\x99", 2 * 2880)
    for place in (at + 2, at + 6):
        if int.from_bytes(content[place : place + 4]) == 64:
            content[place : place + 4] = (256).to_bytes(4)
    return bytes(content)


def test_such_a_tile_does_end_the_process_that_unpacks_it():
    code = (
        "import io, sys\nfrom astropy.io import fits\n"
        "fits.open(io.BytesIO(sys.stdin.buffer.read()))[1].data[0, 0]\n"
    )

    done = subprocess.run([sys.executable, "-c", code], input=deadly(), capture_output=True, check=False)

    assert done.returncode != 0
    assert b"Traceback" not in done.stderr


def test_a_frame_that_would_end_the_process_is_unusable(tmp_path):
    (tmp_path / "a.fits.fz").write_bytes(deadly())

    with pytest.raises(Unusable, match="unpacking it ends the process; copy it again"):
        fits.read_image(tmp_path / "a.fits.fz", 1)
    with pytest.raises(Unusable, match="unpacking it ends the process"):
        fits.Stack([(tmp_path / "a.fits.fz", 1, "")])


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "HCOMPRESS_1", "PLIO_1"])
@pytest.mark.parametrize("checksum", [False, True])
def test_a_whole_frame_is_read(kind, checksum):
    image = fits.decode_image(packed(kind, checksum=checksum), 1)

    np.testing.assert_array_equal(image, PIXELS)


def test_a_frame_whose_sum_is_right_needs_no_other_process(monkeypatch):
    monkeypatch.setattr(tiles.sys, "executable", "/nowhere")

    np.testing.assert_array_equal(fits.decode_image(packed("HCOMPRESS_1", checksum=True), 1), PIXELS)
    with pytest.raises(OSError, match="nowhere"):
        fits.decode_image(packed("HCOMPRESS_1"), 1)


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({"ZNAXIS2": 300}, "256 tiles, 300 needed"),
        ({"ZTILE1": 301}, "tiles of"),
        ({"ZTILE2": 0}, "tiles of"),
        ({"ZVAL1": -2}, "Rice blocks of -2 pixels"),
        ({"ZVAL2": 3}, "pixels of 3 bytes"),
    ],
)
def test_a_header_of_tiles_that_contradicts_itself_is_said(cards, said):
    with pytest.raises(Unusable, match=said):
        fits.decode_image(packed("RICE_1", **cards), 1)


@pytest.mark.parametrize("place", [0, 4], ids=["length", "offset"])
@pytest.mark.parametrize("value", [-1, 10_000_000])
def test_a_tile_outside_the_data_is_said(place, value):
    content = packed("RICE_1")
    with astropy.open(io.BytesIO(content), disable_image_compression=True) as hdus:
        at = hdus[1].fileinfo()["datLoc"] + 8 * 100 + place

    with pytest.raises(Unusable, match="tiles are outside the data"):
        fits.decode_image(content[:at] + value.to_bytes(4, signed=True) + content[at + 4 :], 1)


def test_a_file_that_ends_before_its_tiles_is_said():
    with pytest.raises(Unusable, match="ends before its data do"):
        fits.decode_image(packed("RICE_1")[:-5760], 1)
