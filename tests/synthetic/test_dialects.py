"""One simulated night, as every observatory and program would have written it, through doit."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from astropy.io import fits

from accretor import instruments
from accretor.core.dumps import CALIBRATIONS, INVENTORY, LIGHT_CURVE
from accretor.io import dump, header
from accretor.synthetic import demo, frames
from accretor.synthetic.dialects import PROGRAMS
from tests.harness import SMALL, run

# Exposures begin at odd parts of a second, so that what a header rounds shows.
NIGHT = replace(
    SMALL,
    start="2025-03-04T21:00:00.437",
    cadence=600.2173,
    bad_frame=None,
    n_bias=3,
    n_dark=3,
    n_flat=3,
)
DAY = 86400
ALWAYS_TESTED = ("lco-sinistro", "seestar", "sharpcap-grabbed")
"""Packed and of four amplifiers, in colour, stamped at the end; the others when slow tests are wanted."""


def curve(folder, name):
    """Reduce the night as the program *name* writes it ("" is our own) and return its light curve."""
    program = PROGRAMS.get(name)
    frames.write(NIGHT, folder, program=program)
    own = next(line for line in demo.WORKSPACE.splitlines() if line.startswith("dialect = ")) + "\n"
    return reduced(folder, program.settings if program else own)


def reduced(folder, settings):
    """Reduce the night with *settings* of its instrument; return its light curve and the inventory."""
    own = next(line for line in demo.WORKSPACE.splitlines() if line.startswith("dialect = ")) + "\n"
    config = demo.WORKSPACE.replace(own, settings)
    (folder / "workspace.toml").write_text(config + '\n[compute]\nexecutor = "serial"\n', encoding="utf-8")
    done = run(folder, "--continue", "calibration")
    assert not done.failed, done.failed
    (path,) = (folder / "work").rglob("lightcurve.ecsv")
    assert path.parts[-5:-1] == ("TOI-9999.01", "20250304", "Demo-0m4", "ip")
    seen = dump.read(folder / "work" / "inventory.ecsv", INVENTORY).rows
    return dump.read(path, LIGHT_CURVE).rows, seen


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return curve(tmp_path_factory.mktemp("ours"), "")


@pytest.mark.parametrize(
    "name",
    [name if name in ALWAYS_TESTED else pytest.param(name, marks=pytest.mark.slow) for name in PROGRAMS],
)
def test_light_curve_does_not_depend_on_who_wrote_the_headers(tmp_path, ours, name):
    expected, _ = ours
    found, seen = curve(tmp_path, name)
    lights = [row for row in seen if row["kind"] == "light"]
    values = header.read(next((tmp_path / "raw" / NIGHT.target).iterdir()))

    assert instruments.detect(values).name == PROGRAMS[name].name
    assert len(found) == len(expected) == NIGHT.n_frame
    assert not any(row["reason"] for row in seen)
    gain = 1.0 if PROGRAMS[name].amplifiers else NIGHT.gain
    np.testing.assert_allclose([row["gain"] for row in lights], gain)
    assert {row["exposure"] for row in lights} == {NIGHT.exposure}

    def column(rows, key):
        return np.array([row[key] for row in rows], dtype=np.float64)

    time_error = np.abs(column(found, "bjd_tdb") - column(expected, "bjd_tdb")) * DAY
    assert time_error.max() < PROGRAMS[name].rounding + 1e-4
    # The image of several amplifiers is in electron, and a pixel is hot from 40 units on: one of twenty is so
    # in one of the two only; other pixels of a small field are then of the sky. That is a sixth of the error
    # of the flux, which is 3e-3.
    tolerance = (5e-4, 5e-3) if PROGRAMS[name].amplifiers else (2e-6, 2e-6)
    # The scintillation in the errors goes with the airmass, which a second changes by a ten-thousandth.
    more = (0.0, 1e-4 * PROGRAMS[name].rounding)
    for key, *parts in zip(("relative_flux", "relative_flux_error"), tolerance, more, strict=True):
        close = {"rtol": sum(parts), "err_msg": key}
        np.testing.assert_allclose(column(found, key), column(expected, key), **close)
    # A site rounded to an arcsecond, or a second of time, moves the altitude by less than 0.01 degree.
    np.testing.assert_allclose(column(found, "airmass"), column(expected, "airmass"), atol=5e-4)


OWN_WORDS = """\
match = {program = "OBS.V1.2 [[]own]"}
latitude = 28.3
longitude = -16.5
height = 2390
exposure_unit = "ms"
filters = {"I Sloan 2" = "ip"}
keywords.exposure = "BELZEIT"
keywords.end = "DATUM+SCHLUSS"
keywords.filter = "BAND"
keywords.object = "ZIEL"
keywords.kind = "ART"
keywords.temperature = "CHIPTEMP"
keywords.gain = "EPERADU"
keywords.read_noise = "RAUSCH"
keywords.saturation = "VOLL"
"""
"""The settings for headers that no dialect knows."""


def in_a_cube(data, header):
    """The image is the second of three planes."""
    return np.stack([np.zeros_like(data), data, np.full_like(data, 7)]), "plane = 2\n"


def of_four_colours(data, header):
    """Each pixel of the night is four of a colour camera, whose mean it is."""
    frames._finer(header)
    header["BAYERPAT"] = "RGGB"
    del header["GAIN"], header["RDNOISE"]
    twice = np.repeat(np.repeat(data, 2, axis=0), 2, axis=1)
    settings = f"gain = {NIGHT.gain / 4}\nread_noise = {NIGHT.read_noise / 2}\n"
    return twice, f'{settings}colour = "superpixel"\n'


@pytest.mark.slow
@pytest.mark.parametrize("form", [in_a_cube, of_four_colours])
def test_light_curve_does_not_depend_on_the_form_of_the_image(tmp_path, ours, form):
    expected, _ = ours
    frames.write(NIGHT, tmp_path)
    for path in sorted((tmp_path / "raw").rglob("*.fits")):
        with fits.open(path) as hdus:
            header = hdus[0].header.copy()
            data, settings = form(hdus[0].data, header)
        fits.PrimaryHDU(data, header).writeto(path, overwrite=True)

    found, seen = reduced(tmp_path, settings)

    assert not any(row["reason"] for row in seen)
    for key in ("bjd_tdb", "relative_flux", "relative_flux_error", "airmass"):
        np.testing.assert_allclose(
            [row[key] for row in found], [row[key] for row in expected], rtol=2e-6, err_msg=key
        )


def test_light_curve_does_not_depend_on_words_that_only_the_settings_know(tmp_path, ours):
    expected, _ = ours
    frames.write(NIGHT, tmp_path)
    for path in sorted((tmp_path / "raw").rglob("*.fits")):
        with fits.open(path) as hdus:
            data, was = hdus[0].data.copy(), hdus[0].header
        end = datetime.fromisoformat(was["DATE-OBS"]) + timedelta(seconds=was["EXPTIME"])
        own = {
            "PROGRAM": "obs.v1.2 [own]",
            "ART": was["IMAGETYP"],
            "ZIEL": was["OBJECT"],
            "BELZEIT": was["EXPTIME"] * 1000,
            "DATUM": f"{end:%Y-%m-%d}",
            "SCHLUSS": f"{end:%H:%M:%S.%f}",
            "DATE-OBS": f"{end - timedelta(hours=7):%Y-%m-%dT%H:%M:%S}",  # of the file, in local time
            "EPERADU": was["GAIN"],
            "RAUSCH": was["RDNOISE"],
            "VOLL": was["SATURATE"],
            "CHIPTEMP": was["CCD-TEMP"],
        }
        if "FILTER" in was:
            own["BAND"] = "I sloan 2"
        if "CTYPE1" in was:
            own |= {card: was[card] for card in was if re.fullmatch(r"C(TYPE|UNIT|RVAL|RPIX|D\d_)\d", card)}
        fits.PrimaryHDU(data, fits.Header(own)).writeto(path, overwrite=True)

    found, seen = reduced(tmp_path, OWN_WORDS)

    assert {row["reason"] for row in seen} == {""}
    for key in ("bjd_tdb", "relative_flux", "relative_flux_error", "airmass"):
        np.testing.assert_allclose(
            [row[key] for row in found], [row[key] for row in expected], rtol=2e-6, err_msg=key
        )


def as_banzai(path, bias, dark, flat):
    """Replace a raw frame of LCO by what BANZAI makes of it: electron, with its catalogue and maps."""
    with fits.open(path) as hdus:
        header, raw = hdus[1].header.copy(), hdus[1].data.astype(np.float64)
    image = ((raw - bias - dark) / flat * header["GAIN"]).astype(np.float32)
    header["SATURATE"] *= header["GAIN"]
    header.update({"GAIN": 1.0, "RLEVEL": 91, "L1STATOV": 1, "L1STATTR": 1, "L1STATBI": 1, "L1STATFL": 1})
    for key in ("BZERO", "BSCALE"):
        header.remove(key, ignore_missing=True)
    catalogue = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=np.zeros(3))], name="CAT")
    image_hdu = fits.CompImageHDU(image, header, name="SCI", compression_type="RICE_1", quantize_level=64)
    maps = [
        fits.CompImageHDU((dark > np.median(dark) + 40).astype(np.uint8), name="BPM"),
        fits.CompImageHDU(np.sqrt(np.abs(image)).astype(np.float32), name="ERR", quantize_level=64),
    ]
    path.unlink()
    hdus = fits.HDUList([fits.PrimaryHDU(), image_hdu, catalogue, *maps])
    hdus.writeto(path.with_name(path.name.replace(".fits.fz", "-e91.fits.fz")))


def test_frames_that_banzai_calibrated_are_not_calibrated_again(tmp_path, ours):
    expected, _ = ours
    frames.write(NIGHT, tmp_path, program=PROGRAMS["lco"])
    raw = tmp_path / "raw"

    def stack(kind):
        return np.array([fits.getdata(path, 1) for path in sorted((raw / kind).iterdir())], dtype=np.float64)

    bias = np.median(stack("bias"), axis=0)
    dark = np.median(stack("dark") - bias, axis=0)
    scale = NIGHT.flat_exposure / NIGHT.exposure
    flats = stack("flat") - bias - scale * dark
    flat = np.median(flats / np.median(flats, axis=(1, 2), keepdims=True), axis=0)
    for path in sorted((raw / NIGHT.target).iterdir()):
        as_banzai(path, bias, dark, flat)

    found, seen = reduced(tmp_path, PROGRAMS["lco"].settings)

    lights = [row for row in seen if row["kind"] == "light"]
    assert {(row["calibrated"], row["gain"]) for row in lights} == {("BDF", 1.0)}
    (table,) = (tmp_path / "work").rglob("calibrations.ecsv")
    offered = dump.read(table, CALIBRATIONS).rows
    assert len(offered) == NIGHT.n_bias + NIGHT.n_dark + NIGHT.n_flat
    assert not any(row["use"] for row in offered)
    assert all("calibrated before (BDF)" in row["reason"] for row in offered)
    # The one map there is holds what BANZAI's says, which is what the dark calls hot.
    (bad,) = (tmp_path / "work").rglob("masters/*.fits")
    np.testing.assert_array_equal(fits.getdata(bad) != 0, dark > np.median(dark) + 40)
    assert fits.getheader(bad)["N_LISTED"] > 10
    assert len(found) == len(expected) == NIGHT.n_frame
    # Packed floats are rounded to 1/64 of the noise.
    for key, tolerance in (("bjd_tdb", 1e-9), ("relative_flux", 1e-3), ("relative_flux_error", 2e-2)):
        np.testing.assert_allclose(
            [row[key] for row in found], [row[key] for row in expected], rtol=tolerance, err_msg=key
        )
