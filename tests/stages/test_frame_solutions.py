"""The plate solution of each frame, in the calibrated frames and in AstroImageJ's table."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

from accretor.aij import table as aij_table
from accretor.synthetic import scene, sky
from tests.harness import SMALL, make, run

pytestmark = pytest.mark.usefixtures("blank_figures")

NIGHT = dataclasses.replace(SMALL, n_frame=10, cadence=1500.0, flip=6, rotation=128.0, seed=23)
"""A camera that is turned, and turned over at the meridian."""
FOLDER = "TOI-9999.01/20250304/Demo-0m4"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = make(
        tmp_path_factory.mktemp("solutions") / "w", NIGHT, config="\n[preprocess]\nsave_calibrated = true\n"
    )
    done = run(folder, "packaging")
    assert (done.status, done.failed) == (0, {}), done.out
    return folder


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(fits.getheader(path))


def test_each_calibrated_frame_shows_the_stars_where_its_own_header_says(workspace):
    there = scene.prepare(NIGHT)
    direction = sky.to_sky(NIGHT, there.position)
    folder = workspace / "work" / FOLDER / "ip/calibrated"
    turns = []
    for number in range(NIGHT.n_frame):
        if number == NIGHT.bad_frame.index:  # trailed: it has no stars to carry a solution over
            continue
        wcs = read(folder / f"TOI-9999.01-{number + 1:04d}_out.fits")
        seen = wcs.all_world2pix(direction, 0)
        np.testing.assert_allclose(seen, scene.positions(there, number), atol=0.15)
        turns.append(np.degrees(np.arctan2(wcs.wcs.cd[0, 1], wcs.wcs.cd[1, 1])))
    assert abs(abs(turns[0] - turns[-1]) - 180) < 0.1


def test_positions_in_the_table_of_astroimagej_are_those_that_each_frame_shows(workspace):
    path = next((workspace / "products" / FOLDER / "package").glob("*_measurements.tbl"))
    table = aij_table.read(path)
    folder = workspace / "work" / FOLDER / "ip/calibrated"
    names = [name.removeprefix("X(FITS)_") for name in table if name.startswith("X(FITS)_")]
    for name in names[:4]:
        for row, label in enumerate(table["Label"]):
            wcs = read(folder / f"{str(label).removesuffix('.fits')}_out.fits")
            place = [[table[f"X(FITS)_{name}"][row], table[f"Y(FITS)_{name}"][row]]]
            ra, dec = wcs.all_pix2world(place, 1)[0]
            assert table[f"RA_{name}"][row] * 15 == pytest.approx(ra, abs=2e-6)
            assert table[f"DEC_{name}"][row] == pytest.approx(dec, abs=2e-6)
        # They follow the noise of the centre, and not the drift of the frame.
        assert 0 < np.ptp(table[f"DEC_{name}"]) * 3600 < 0.5 * NIGHT.pixel_scale
    assert np.ptp(table["X(FITS)_T1"]) > 2


def test_a_frame_that_shows_no_stars_keeps_the_solution_of_its_raw_header(workspace):
    number = NIGHT.bad_frame.index + 1
    name = f"TOI-9999.01-{number:04d}"
    header = fits.getheader(workspace / "work" / FOLDER / f"ip/calibrated/{name}_out.fits")
    raw = fits.getheader(next((workspace / "raw").rglob(f"{name}.fits")))
    assert [header.get(key) for key in ("CRVAL1", "CD1_1")] == [raw.get(key) for key in ("CRVAL1", "CD1_1")]
