from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, EarthLocation, SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from accretor.synthetic import frames
from accretor.synthetic.night import Night, Truth

KEYWORDS = (
    *("IMAGETYP", "OBJECT", "DATE-OBS", "EXPTIME", "TELESCOP", "INSTRUME", "GAIN", "RDNOISE", "SATURATE"),
    *("XBINNING", "YBINNING", "CCD-TEMP", "SITELAT", "SITELONG", "SITEELEV"),
)


@pytest.fixture(scope="module")
def written(small: Night, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("night")
    return folder, frames.write(small, folder)


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def plate_solution(path: Path) -> WCS:
    header = fits.getheader(path)
    # Without DATE-OBS, from which astropy would make an MJD-OBS, with a warning.
    return WCS(fits.Header([card for card in header.cards if card.keyword.startswith(("C", "RADESYS"))]))


def test_same_night_is_the_same_bytes(written, small, tmp_path):
    assert frames.write(small, tmp_path) == written[1]
    assert bytes_below(tmp_path) == bytes_below(written[0])


def test_part_of_a_night_is_the_same_bytes_as_in_the_whole(written, small, tmp_path):
    whole = bytes_below(written[0])
    truth = frames.write(replace(small, n_bias=1, n_dark=0, n_flat=0), tmp_path, lights=[4, 2])
    part = bytes_below(tmp_path)
    lights = {name for name in part if "/TOI" in name}

    assert lights == {"raw/TOI-9999.01/TOI-9999.01-0003.fits", "raw/TOI-9999.01/TOI-9999.01-0005.fits"}
    assert all(part[name] == whole[name] for name in lights)
    assert truth == written[1]


def test_frames_that_are_there_are_left_alone(small, tmp_path):
    frames.write(small, tmp_path, lights=[0])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.fits")}
    frames.write(small, tmp_path, lights=[0])

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.fits")} == before
    assert len(before) == 6


def test_folders_hold_what_the_night_says(written):
    names = sorted(bytes_below(written[0]))

    assert [name for name in names if "/TOI" in name] == [
        f"raw/TOI-9999.01/{frame}" for frame in written[1].frame
    ]
    assert len(names) == 12 + 2 + 1 + 2


def test_night_without_darks_and_flats_has_none(small, tmp_path):
    frames.write(replace(small, n_dark=0, n_flat=0), tmp_path, lights=[0])

    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == ["TOI-9999.01", "bias"]


def test_headers_are_standard_and_complete(written):
    for path in written[0].rglob("*.fits"):
        with fits.open(path) as file:
            file.verify("exception")
            header, data = file[0].header, file[0].data
            assert (header["BITPIX"], header["BZERO"]) == (16, 32768)
            assert data.dtype == np.uint16
            for keyword in KEYWORDS:
                assert keyword in header
            assert (header["IMAGETYP"] == "LIGHT") == ("AIRMASS" in header) == ("CRVAL1" in header)
            assert len(header["DATE-OBS"]) == len("2025-03-04T21:00:00.000")


def test_no_two_frames_begin_at_the_same_time(written):
    starts = [fits.getval(path, "DATE-OBS") for path in written[0].rglob("*.fits")]

    assert len(set(starts)) == len(starts)


def test_calibration_frames_end_before_the_first_light_frame(written, small):
    for kind in ("bias", "dark", "flat"):
        for path in (written[0] / "raw" / kind).iterdir():
            header = fits.getheader(path)
            assert header["IMAGETYP"] == kind.upper()
            end = np.datetime64(header["DATE-OBS"]) + np.timedelta64(int(header["EXPTIME"]), "s")
            assert end < np.datetime64(small.start)


def test_plate_solution_puts_every_star_on_its_pixel(written, small):
    folder, truth = written
    middle = (np.array(small.size) - 1) / 2
    nominal = np.column_stack([truth.x, truth.y])
    for index, name in enumerate(truth.frame):
        wcs = plate_solution(folder / "raw" / small.target / name)
        x, y = wcs.all_world2pix(truth.ra, truth.dec, 0)
        place = middle + truth.flip[index] * (nominal - middle) + [truth.dx[index], truth.dy[index]]
        np.testing.assert_allclose(np.column_stack([x, y]), place, atol=1e-4)
        target = np.array(wcs.all_world2pix(small.ra, small.dec, 0))
        np.testing.assert_allclose(target, place[0], atol=1e-4)


def test_light_is_where_the_plate_solution_says(written, small):
    folder, truth = written
    for name in (truth.frame[0], truth.frame[11]):
        path = folder / "raw" / small.target / name
        x, y = plate_solution(path).all_world2pix(small.ra, small.dec, 0)
        row, column = round(float(y)), round(float(x))
        cut = fits.getdata(path)[row - 5 : row + 6, column - 5 : column + 6].astype(float)
        cut -= np.median(cut)
        cut[cut < 0.1 * cut.max()] = 0
        rows, columns = np.mgrid[-5:6, -5:6]
        assert column + np.average(columns, weights=cut) == pytest.approx(float(x), abs=0.1)
        assert row + np.average(rows, weights=cut) == pytest.approx(float(y), abs=0.1)


def test_night_can_be_without_plate_solutions(small, tmp_path):
    frames.write(replace(small, has_wcs=False), tmp_path, lights=[0])
    header = fits.getheader(tmp_path / "raw" / small.target / "TOI-9999.01-0001.fits")

    assert not {"CTYPE1", "CRVAL1", "CD1_1"} & set(header)
    assert "RA" in header


def test_truth_has_the_times_that_follow_from_the_headers(written, small):
    folder, truth = written
    for index in (0, 5, 11):
        header = fits.getheader(folder / "raw" / small.target / truth.frame[index])
        site = EarthLocation(
            lon=header["SITELONG"] * u.deg, lat=header["SITELAT"] * u.deg, height=header["SITEELEV"] * u.m
        )
        mid = Time(header["DATE-OBS"], scale="utc", location=site) + header["EXPTIME"] / 2 * u.s
        delay = mid.light_travel_time(SkyCoord(small.ra * u.deg, small.dec * u.deg))
        assert ((mid.tdb + delay).jd - truth.bjd[index]) * 86400 == pytest.approx(0, abs=1e-3)
        assert header["AIRMASS"] == pytest.approx(truth.airmass[index], abs=1e-4)
        assert header["OBJCTALT"] == pytest.approx(truth.altitude[index], abs=1e-4)


def test_truth_names_the_bad_frame_and_brackets_the_cloud(written):
    truth = written[1]
    inside = [truth.cloud[0] < time < truth.cloud[1] for time in truth.bjd]

    assert truth.bad_frame == truth.frame[7]
    assert inside[int(np.argmin(truth.transparency))]
    assert min(value for value, cloudy in zip(truth.transparency, inside, strict=True) if not cloudy) > 0.93


def test_night_that_ends_before_its_bad_frame_has_none(small, tmp_path):
    truth = frames.write(replace(small, n_frame=2, flip=None), tmp_path, lights=[])

    assert truth.bad_frame == ""
    assert len(truth.frame) == 2


def test_truth_knows_the_transit(written, small):
    truth = written[1]

    assert truth.depth == pytest.approx(11.025)
    assert truth.dip == pytest.approx(11.025, abs=1e-4)
    assert truth.bjd[0] < truth.tc < truth.bjd[-1]
    assert (truth.tc - small.transit.t0) / small.transit.period == pytest.approx(12, abs=1e-6)
    assert min(truth.transit) == pytest.approx(1 - 0.105**2, abs=1e-7)


def test_truth_is_plain_json(written):
    text = json.dumps(asdict(written[1]), allow_nan=False)
    back = {
        key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(text).items()
    }

    assert Truth(**back) == written[1]


@given(ra=st.floats(0, 359.999), dec=st.floats(-89, 89))
def test_pointing_is_written_as_it_is(ra, dec):
    hours, degrees = frames.pointing_text(ra, dec)

    assert Angle(hours, unit="hourangle").degree == pytest.approx(ra, abs=0.08 / 3600)
    assert Angle(degrees, unit="deg").degree == pytest.approx(dec, abs=0.06 / 3600)
    assert len(hours) == len("07:01:23.40")
    assert degrees[0] in "+-"
