"""The table of faulty files, and what is to become of each."""

from __future__ import annotations

import gzip

import numpy as np

from tests.faults import files
from tests.faults.files import Fault, with_cards, with_pixels, with_text

PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>" + b"x" * 9000
HISTORY = (b"HISTORY nothing of interest happened to this frame",) * 20_000

LEFT_OUT: tuple[Fault, ...] = (
    Fault(
        "F1", "truncated.fits", files.cut(0.515), "the file ends after 51 % of its data; still being copied?"
    ),
    Fault("F1", "truncated.fits.gz", lambda good: gzip.compress(good)[:-9000], "still being copied?"),
    Fault("F1", "truncated.fits.fz", lambda good: files.tiled(good)[:-9000], "still being copied?"),
    Fault("F2", "empty.fits", lambda good: b"", "the file is empty"),
    Fault("F3", "header.fits", files.header_only, "the file ends after 0 % of its data; still being copied?"),
    Fault("F3", "endless.fits", files.endless, "before END; still being copied?"),
    Fault("F4", "login.fits", lambda good: PAGE, "this is a web page"),
    Fault("F4", "notes.fits", lambda good: b"The seeing was poor.\n" * 500, "this is a text file"),
    Fault("F4", "readme.txt", lambda good: b"The seeing was poor.\n", "not a FITS name"),
    Fault(
        "F5", "bitpix17.fits", with_text(b"BITPIX  =                   17"), "BITPIX: 17 is not one of 8, 16"
    ),
    Fault("F5", "bitpix64.fits", with_text(b"BITPIX  =                   64"), "the file ends after 2"),
    Fault("F6", "flipped.fits", files.flipped, "its data do not add up to DATASUM"),
    Fault(
        "F7",
        "wide.fits",
        with_text(b"NAXIS1  =            999999999"),
        "999999999 x 128 pixels are more than 1 GB",
    ),
    Fault(
        "F10", "undated.fits", with_cards({}, without=("DATE-OBS",)), "no time of observation: no DATE-OBS"
    ),
    Fault("F11", "date.fits", with_cards({"DATE-OBS": "2025-03-04"}), "'2025-03-04' has no time of day"),
    Fault(
        "F11",
        "local.fits",
        with_cards({"TIMESYS": "LOCAL"}),
        "the time scale 'LOCAL' is not one that leads to UTC",
    ),
    Fault(
        "F11",
        "american.fits",
        with_cards({"DATE-OBS": "03/31/2025", "TIME-OBS": "22:01:02"}),
        "is not a date",
    ),
    Fault("F13", "clock.fits", files.two_hours_late, "was the clock wrong?"),
    Fault("F13", "day.fits", with_cards({"DATE-OBS": "2025-03-05T12:00:00.000"}), "was the clock wrong?"),
    Fault(
        "F14",
        "copy.fits",
        lambda good: good,
        "same exposure as TOI-9999.01/TOI-9999.01-0003.fits",
        is_copy=True,
    ),
    Fault(
        "F14", "edited.fits", with_cards({"OBSERVER": "me"}), "same exposure as TOI-9999.01/", is_copy=True
    ),
    Fault("F15", "binned.fits", with_cards({"XBINNING": 2, "YBINNING": 2}), "binned 2x2 with gain 1.5, but"),
    Fault(
        "F15",
        "subframe.fits",
        files.of_size(slice(64), slice(64)),
        "64 x 64 pixels binned 1x1 with gain 1.5, but",
    ),
    Fault("F15", "gain.fits", with_cards({"GAIN": 3.0}), "with gain 3, but"),
    Fault(
        "F18",
        "elsewhere.fits",
        with_cards({"OBJECT": "M 13", "CRVAL1": 250.42, "CRVAL2": 36.46}),
        "another target",
    ),
    Fault("F19", "closed.fits", with_pixels(np.zeros_like), "0 stars found, 8 needed"),
    Fault("F8", "void.fits", with_pixels(lambda pixels: pixels * np.float32(np.nan)), "no pixel has a value"),
    Fault("F20", "colour.fits", files.colours, "this is a 3-D image (160 x 128 x 3)"),
    Fault(
        "F20",
        "focus.fits",
        with_cards({"IMAGETYP": "FOCUS"}),
        "'FOCUS' is not light, bias, dark or flat",
    ),
    Fault("F22", "damaged.fits.gz", files.damaged_gzip, "cannot be read, the gzip file is damaged"),
    Fault("F22", "damaged.fits.fz", files.damaged_tiles, "cannot be read, the file is damaged"),
)
"""Each of them is left out with these words, and every other frame is reduced as if it were not there."""


def _not_a_number(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32)


USED: tuple[Fault, ...] = (
    Fault("F11", "offset.fits", files.in_zone, ""),
    Fault("F20", "extension.fits", files.in_extension, ""),
    Fault("F20", "packed.fits.fz", files.tiled, ""),
    Fault("F20", "packed.FITS.GZ", gzip.compress, ""),
    Fault("F20", "UPPER.FIT", lambda good: good, ""),
    Fault("F20", "other.fts", lambda good: good, ""),
    Fault("F6", "checksum.fits", files.checksummed, ""),
    Fault("F20", "float.fits", with_pixels(_not_a_number), ""),
    Fault("F21", "latin.fits", with_text(b"OBSERVER= 'Andr\xe9 \xff\x07'"), ""),
    Fault("F21", "hierarch.fits", with_text(b"HIERARCH ESO TEL FOCU VALUE = 12.3 / long"), ""),
    Fault("F21", "continue.fits", with_text(b"LONG    = 'a long text &'", b"CONTINUE  'goes on'"), ""),
    Fault("F21", "history.fits", with_text(*HISTORY), ""),
)
"""Other forms of good frames: what is measured of them is what it was."""
