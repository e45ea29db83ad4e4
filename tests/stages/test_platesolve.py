from __future__ import annotations

import shutil
import stat
import sys

import numpy as np
import pytest

from accretor.core.errors import ServiceError, Unusable
from accretor.stages import platesolve
from tests.harness import SHARED

SHAPE = (500, 650)
TARGET = (31.0428, 46.6878)  # HAT-P-32
SCALE = 5.16 / 3600
PLAIN = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 31.0,
    "CRVAL2": 46.7,
    "CRPIX1": 325.5,
    "CRPIX2": 250.5,
    "CD1_1": -SCALE,
    "CD1_2": 0.0,
    "CD2_1": 0.0,
    "CD2_2": SCALE,
}
SIP = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
needs_solver = pytest.mark.skipif(not shutil.which("solve-field"), reason="astrometry.net is not installed")


@pytest.fixture
def frame(tmp_path):
    """Write a frame with these cards (None takes one away) and return its path."""
    from astropy.io import fits

    def written(**changes):
        header = fits.Header()
        for key, value in {**PLAIN, **changes}.items():
            if value is not None:
                header[key] = value
        fits.PrimaryHDU(np.zeros(SHAPE, np.float32), header).writeto(tmp_path / "a.fits", overwrite=True)
        return tmp_path / "a.fits"

    return written


def solve(path, target=TARGET):
    return platesolve.from_header(path, 0, target, SHAPE)


def tangent_plane(ra, dec, *, centre, angle=0.0):
    """Return 0-based x, y of a gnomonic projection written out by hand, x to the west, turned by *angle*."""
    a, d = np.radians(ra) - np.radians(centre[0]), np.radians(dec)
    d0 = np.radians(centre[1])
    c = np.sin(d0) * np.sin(d) + np.cos(d0) * np.cos(d) * np.cos(a)
    xi = np.degrees(np.cos(d) * np.sin(a) / c)
    eta = np.degrees((np.cos(d0) * np.sin(d) - np.sin(d0) * np.cos(d) * np.cos(a)) / c)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    x, y = -xi / SCALE, eta / SCALE
    return (SHAPE[1] - 1) / 2 + cos * x - sin * y, (SHAPE[0] - 1) / 2 + sin * x + cos * y


def test_the_solution_of_a_header_puts_the_target_where_the_projection_does(frame):
    found = solve(frame())
    x, y = tangent_plane(*TARGET, centre=(31.0, 46.7))

    assert found.origin == "header"
    np.testing.assert_allclose(found.wcs().all_world2pix(*TARGET, 0), (x, y), atol=1e-6)
    assert platesolve.pixel_scale(found) == pytest.approx(5.16)


def test_a_solution_whose_numbers_are_text_is_the_same(frame):
    plain = solve(frame()).cards
    as_text = {key: str(value) for key, value in plain.items() if not key.startswith("CTYPE")}

    assert solve(frame(**as_text)).cards == plain


def test_cards_that_tell_nothing_of_the_sky_are_left_behind(frame):
    assert solve(frame(OBJECT="x", CRVAL1A=3.0, PC1_1A=2.0, CDS="y")).cards.keys() == PLAIN.keys()


def test_a_distortion_is_part_of_the_solution(frame):
    plain = solve(frame()).wcs().all_world2pix(*TARGET, 0)
    bent = solve(frame(**SIP, A_ORDER=2, B_ORDER=2, A_2_0=1e-3, B_0_2=0.0)).wcs().all_world2pix(*TARGET, 0)

    assert abs(bent[0] - plain[0]) > 0.1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"CTYPE1": None}, "the header has no plate solution"),
        ({"CTYPE1": "LINEAR"}, "the header has no plate solution"),
        ({"CD1_1": None, "CD1_2": None, "CD2_1": None, "CD2_2": None}, "has no scale"),
        ({"CTYPE2": None}, "is broken"),
        ({"CTYPE1": "RA---ZZZ", "CTYPE2": "DEC--ZZZ"}, "is broken"),
        ({"CRVAL2": 140.0}, "is broken"),
        ({"CRVAL1": "not known"}, "off the frame"),
        ({**SIP, "A_ORDER": 2, "A_2_0": 1e-6}, "is broken"),
        ({**SIP, "A_ORDER": 3, "B_ORDER": 3, "A_3_0": 1e-3, "B_0_3": 1e-3, "A_2_0": 1e-2}, "is broken"),
        ({"RADESYS": "FK4", "EQUINOX": 1950.0}, "is of equinox 1950.0, not 2000"),
        ({"CRVAL2": 48.0}, "off the frame"),
        ({"CRVAL2": -46.7}, "off the frame"),
        ({"CRPIX1": 1e308}, "off the frame"),
    ],
    ids=str,
)
def test_a_header_without_a_solution_that_holds_is_unusable(frame, changes, reason):
    with pytest.raises(Unusable, match=reason) as caught:
        solve(frame(**changes))
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize(
    "changes", [{"RADECSYS": "FK5", "EQUINOX": 2000.0}, {"EQUINOX": "J2000"}, {"RADESYS": "ICRS"}]
)
def test_ways_to_say_the_equinox_2000_make_no_difference(frame, changes):
    plain = solve(frame()).wcs().all_world2pix(*TARGET, 0)

    np.testing.assert_allclose(solve(frame(**changes)).wcs().all_world2pix(*TARGET, 0), plain)


def solver(folder, monkeypatch, script):
    """Put a program of the name solve-field that does *script* first in the path."""
    program = folder / "solve-field"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def ask(x=(1.0, 2.0), y=(3.0, 4.0), flux=(5.0, 6.0), pixel_scale=5.16):
    return platesolve.solve_field(
        np.array(x), np.array(y), np.array(flux), shape=SHAPE, target=TARGET, pixel_scale=pixel_scale
    )


def test_without_solve_field_there_is_no_solution(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unusable, match="is not installed"):
        ask()


on_posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for solve-field")


@on_posix
def test_a_field_that_is_not_solved_is_unusable(monkeypatch, tmp_path):
    solver(tmp_path, monkeypatch, "exit 0")

    with pytest.raises(Unusable, match="found no plate solution; are index files"):
        ask()


@on_posix
def test_a_solver_that_fails_is_told_with_its_last_words(monkeypatch, tmp_path):
    solver(tmp_path, monkeypatch, "echo first >&2; echo no index files >&2; exit 255")

    with pytest.raises(ServiceError, match=r"^solve-field: failed with status 255: no index files$"):
        ask()


@on_posix
def test_a_solver_that_never_ends_is_given_up(monkeypatch, tmp_path):
    solver(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(platesolve, "TIMEOUT", 0.3)

    with pytest.raises(ServiceError, match="gave no answer"):
        ask()


@on_posix
@pytest.mark.parametrize(
    ("pixel_scale", "said"),
    [(5.0, "--scale-units arcsecperpix --scale-low 4.0000 --scale-high 6.2500"), (np.nan, "degwidth")],
)
def test_the_solver_is_told_size_place_and_scale(monkeypatch, tmp_path, pixel_scale, said):
    solver(tmp_path, monkeypatch, f'echo "$@" > {tmp_path / "asked"}')
    with pytest.raises(Unusable):
        ask(pixel_scale=pixel_scale)

    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert "--width 650 --height 500" in asked
    assert "--ra 31.042800 --dec 46.687800" in asked
    assert said in asked


@on_posix
def test_the_solver_gets_the_stars_with_the_first_pixel_at_one(monkeypatch, tmp_path):
    from astropy.io import fits

    solver(tmp_path, monkeypatch, f'cp "$1" {tmp_path / "stars"}')
    with pytest.raises(Unusable):
        ask()

    stars = fits.getdata(tmp_path / "stars", 1)
    assert [stars[name].tolist() for name in ("X", "Y", "FLUX")] == [[2.0, 3.0], [4.0, 5.0], [5.0, 6.0]]


@needs_solver
@pytest.mark.parametrize("angle", [0.0, 137.0])
def test_the_stars_of_a_catalogue_are_solved_to_a_fraction_of_a_pixel(angle):
    catalogue = SHARED / "catalog-tycho2" / "fields" / "tycho2_hatp32.csv"
    if not catalogue.is_file():
        pytest.skip("real data are not here")
    ra, dec, magnitude = np.genfromtxt(catalogue, delimiter=",", skip_header=1, unpack=True)[:3]
    x, y = tangent_plane(ra, dec, centre=(31.0, 46.7), angle=angle)
    inside = (x > 0) & (x < SHAPE[1] - 1) & (y > 0) & (y < SHAPE[0] - 1)
    noise = np.random.Generator(np.random.PCG64(3)).normal(0.0, 0.1, (2, inside.sum()))
    try:
        found = ask(x[inside] + noise[0], y[inside] + noise[1], 10 ** (-0.4 * magnitude[inside]))
    except Unusable as verdict:
        pytest.skip(verdict.reason)  # the index files of Tycho-2 are not installed

    there = found.wcs().all_world2pix(*TARGET, 0)
    np.testing.assert_allclose(there, tangent_plane(*TARGET, centre=(31.0, 46.7), angle=angle), atol=0.5)
    assert found.origin == "solve-field"
    assert platesolve.pixel_scale(found) == pytest.approx(5.16, rel=2e-3)
