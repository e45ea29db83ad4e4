"""Frames of several amplifiers, written here by hand, read by the inventory and as pixels."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from accretor.core.errors import HeaderError, Unusable
from accretor.core.part import Part, parse
from accretor.core.settings import InstrumentSettings
from accretor.io import amplifiers, header, inventory, pixels
from accretor.io import fits as io_fits

GAIN = (2.0, 2.5, 1.6, 2.2)
LEVEL = (1000, 1200, 900, 1500)
HEIGHT, WIDTH, BLIND = 20, 30, 8
PRIMARY = {
    "ORIGIN": "LCOGT",
    "SITEID": "lsc",
    "TELID": "1m0a",
    "INSTRUME": "fa15",
    "OBSTYPE": "EXPOSE",
    "DATE-OBS": "2021-03-05T23:59:10.250",
    "EXPTIME": 120.0,
    "FILTER": "zs",
    "SATURATE": 50_000,
    "RDNOISE": 8.0,
    "CRPIX1": 30.5,
}


@pytest.fixture(scope="module")
def sky():
    """Electron of the whole image."""
    rng = np.random.Generator(np.random.PCG64(20210305))
    return rng.integers(0, 40_000, (2 * HEIGHT, 2 * WIDTH)).astype(np.float64)


def write(path, sky, *, packed=True, planes=False, **changed):
    """Write *sky* as its four amplifiers would: each from its corner of the detector."""
    rng = np.random.Generator(np.random.PCG64(7))
    hdus = [fits.PrimaryHDU(header=fits.Header({**PRIMARY, **changed}))]
    for number, (gain, level) in enumerate(zip(GAIN, LEVEL, strict=True)):
        right, high = number in (1, 2), number in (2, 3)
        corner = sky[high * HEIGHT :, right * WIDTH :][:HEIGHT, :WIDTH]
        raw = np.full((HEIGHT, WIDTH + BLIND), float(level))
        raw[:, WIDTH:] += rng.normal(0, 4, (HEIGHT, BLIND))
        raw[:, :WIDTH] += corner[:: -1 if high else 1, :: -1 if right else 1] / gain
        x = f"{2 * WIDTH}:{WIDTH + 1}" if right else f"1:{WIDTH}"
        y = f"{2 * HEIGHT}:{HEIGHT + 1}" if high else f"1:{HEIGHT}"
        own = {
            "GAIN": gain,
            "BIASSEC": f"[{WIDTH + 1}:{WIDTH + BLIND},1:{HEIGHT}]",
            "DATASEC": f"[1:{WIDTH},1:{HEIGHT}]",
            "TRIMSEC": f"[1:{WIDTH},1:{HEIGHT}]",
            "DETSEC": f"[{x},{y}]",
            "CRPIX1": 999.0,
        }
        make = fits.CompImageHDU if packed else fits.ImageHDU
        hdus.append(make(np.round(raw).astype(np.uint16), fits.Header(own), name="SCI"))
    fits.HDUList(hdus).writeto(path)
    return path


def examined(path):
    status = path.stat()
    return inventory.examine(path.parent, path.name, status.st_size, status.st_mtime_ns, [])


@pytest.mark.parametrize(
    ("name", "packed"), [("a-e00.fits.fz", True), ("a-e00.fits", False), ("a.fits.gz", False)]
)
def test_amplifiers_are_put_together_each_with_its_overscan_and_gain(tmp_path, sky, name, packed):
    path = write(tmp_path / name, sky, packed=packed)

    found = examined(path).exposure

    assert found is not None
    assert (found.width, found.height, found.gain, found.read_noise) == (2 * WIDTH, 2 * HEIGHT, 1.0, 8.0)
    assert found.saturation == 50_000 * min(GAIN)
    assert found.part == "levelled amplifiers 1+2+3+4"
    assert (found.overscan, found.trim) == ("", "")
    assert found.mid == "2021-03-06T00:00:10.250000"
    assert (
        "4 amplifiers, each without its overscan and times its gain (2, 2.5, 1.6, 2.2 electron/ADU)"
        in found.remark
    )
    image = pixels.read(path, found.hdu, found.part)
    # Half an ADU of rounding, and the mean of 160 blind pixels with 4 ADU of noise.
    np.testing.assert_allclose(image, sky, atol=max(GAIN) * (0.51 + 4 * 4 / 160**0.5))
    taken = pixels.take(path, found.hdu, found.part)
    np.testing.assert_array_equal(taken.image, image)


def test_header_of_the_whole_is_the_primary_one_with_its_plate_solution(tmp_path, sky):
    found = header.read(write(tmp_path / "a.fits", sky, packed=False))

    assert (found.hdu, found["CRPIX1"], found["INSTRUME"], found["NAXIS1"]) == (0, 30.5, "fa15", 2 * WIDTH)
    assert not {"BIASSEC", "TRIMSEC", "DETSEC"} & set(found)


def test_strips_of_the_whole_are_those_of_the_frame(tmp_path, sky):
    paths = [write(tmp_path / f"{n}.fits.fz", sky + 100 * n) for n in range(2)]
    part = "levelled amplifiers 1+2+3+4"

    with io_fits.Stack([(path, 0, part) for path in paths]) as stack:
        strips = [stack.rows(start, start + 7) for start in range(0, stack.height, 7)]
        whole = [stack.frame(index) for index in range(2)]

    np.testing.assert_array_equal(np.concatenate(strips, axis=1), whole)
    np.testing.assert_array_equal(whole[1], pixels.read(paths[1], 0, part))


def test_pixel_that_its_amplifier_shows_as_full_is_full_in_the_whole(tmp_path, sky):
    bright = sky.copy()
    bright[5, 5] = (50_000 - LEVEL[0] + 100) * GAIN[0]
    path = write(tmp_path / "a.fits", bright)
    found = examined(path).exposure

    image = pixels.read(path, 0, found.part)

    assert image[5, 5] >= found.saturation
    assert np.count_nonzero(image >= found.saturation) == 1


def test_damaged_amplifier_is_found_by_its_sum(tmp_path, sky):
    path = write(tmp_path / "a.fits", sky, packed=False)
    with fits.open(path) as hdus:
        for hdu in hdus:
            hdu.add_checksum()
        hdus.writeto(path, overwrite=True)
    content = bytearray(path.read_bytes())
    content[-2880 + 500] ^= 0xFF  # within the data of the last
    path.write_bytes(content)

    assert "do not add up" in pixels.take(path, 0, "levelled amplifiers 1+2+3+4").reason


def test_file_that_ends_before_its_last_amplifier_is_told(tmp_path, sky):
    path = write(tmp_path / "a.fits", sky, packed=False)
    path.write_bytes(path.read_bytes()[: -2880 * 1])

    with pytest.raises(HeaderError, match="ends within its last image"):
        header.read(path)


def test_gain_of_the_settings_is_not_taken_a_second_time(tmp_path, sky):
    path = write(tmp_path / "a.fits", sky)
    status = path.stat()
    settings = [InstrumentSettings(name="Mine", gain=2.1)]

    found = inventory.examine(path.parent, path.name, status.st_size, status.st_mtime_ns, settings).exposure

    assert found.gain == 1.0
    assert "gain of the settings is not used" in found.remark


def cube(path, rows):
    """Write a cube as early Sinistro cameras did: the planes are the amplifiers."""
    data = np.zeros((4, rows, 2080), np.int16)
    for plane in range(4):
        data[plane] += 100 * (plane + 1)
        data[plane, :, :2048] += 50
        data[plane, rows - 1, 0] += 7  # last row, first column
    made = {**PRIMARY, "GAIN": "[2.0, 3.0, 4.0, 5.0]", "CCDSUM": "1 1"}
    fits.PrimaryHDU(data, fits.Header(made)).writeto(path)
    return path


@pytest.mark.parametrize("rows", [2048, 2049])
def test_cube_of_an_early_sinistro_is_put_together(tmp_path, rows):
    path = cube(tmp_path / "a.fits", rows)

    found = examined(path).exposure

    assert found is not None
    assert (found.width, found.height, found.gain) == (4096, 4096, 1.0)
    assert found.part == "levelled amplifiers 0.1+0.2+0.3+0.4"
    image = pixels.read(path, found.hdu, found.part)
    assert [image[y, x] for y, x in ((9, 9), (9, 4000), (4000, 4000), (4000, 9))] == [100, 150, 200, 250]
    # The last row of the upper amplifiers is next to the middle of the detector, whose row may be unread.
    middle = image[2048]
    assert np.isnan(middle).all() if rows == 2048 else (middle[0], middle[4095]) == (285.0, 228.0)
    if rows == 2048:
        assert (image[2049, 0], image[2049, 4095]) == (285.0, 228.0)


def test_cube_of_another_camera_stays_a_cube(tmp_path):
    fits.PrimaryHDU(np.zeros((4, 20, 30), np.int16)).writeto(tmp_path / "a.fits")

    assert header.read(tmp_path / "a.fits")["NAXIS"] == 3


def test_amplifier_that_has_gone_is_told(tmp_path, sky):
    with fits.open(write(tmp_path / "a.fits", sky)) as hdus, pytest.raises(Unusable, match="no HDU 9"):
        amplifiers.Readout(hdus, parse("amplifiers 1+9"))


def test_a_full_pixel_keeps_its_value_where_another_amplifier_does_not_tell_its_saturation(tmp_path):
    hdus = [fits.PrimaryHDU()]
    for place, told in (("[1:5,1:4]", {"SATURATE": 60_000}), ("[6:10,1:4]", {})):
        raw = np.full((4, 5), 1000, dtype=np.uint16)
        raw[1, 2] = 65_000
        cards = {"DATASEC": "[1:5,1:4]", "DETSEC": place, "GAIN": 2.0, **told}
        hdus.append(fits.ImageHDU(raw, fits.Header(cards)))
    fits.HDUList(hdus).writeto(tmp_path / "two.fits")

    with fits.open(tmp_path / "two.fits") as file:
        image = amplifiers.Readout(file, Part(amplifiers=((1, 0), (2, 0)))).rows()

    assert image[1].tolist() == [2000.0, 2000.0, 130_000.0, 2000.0, 2000.0] * 2


SHARES = {(i, j): 1e-3 * (1 + i + 0.3 * j) for i in range(1, 5) for j in range(1, 5) if i != j}
CARDS = {f"CRSTLK{i}{j}": share for (i, j), share in SHARES.items()}


def with_crosstalk(sky):
    """Return what the detector shows of *sky*, to first order, by BANZAI's formula the other way round."""
    quadrant = {}
    for number in range(4):
        right, high = number in (1, 2), number in (2, 3)
        corner = sky[high * HEIGHT :, right * WIDTH :][:HEIGHT, :WIDTH]
        quadrant[number + 1] = corner[:: -1 if high else 1, :: -1 if right else 1] / GAIN[number]
    clean = np.array([quadrant[number] for number in range(1, 5)])
    # D1 = D1 - Q21 D2 - Q31 D3 - Q41 D4 and so on gives the clean image of the one that solves this.
    matrix = np.eye(4) - np.array([[SHARES.get((i, j), 0) for i in range(1, 5)] for j in range(1, 5)])
    shown = np.linalg.solve(matrix, clean.reshape(4, -1)).reshape(clean.shape)
    found = np.empty_like(sky)
    for number in range(4):
        right, high = number in (1, 2), number in (2, 3)
        corner = shown[number][:: -1 if high else 1, :: -1 if right else 1] * GAIN[number]
        found[high * HEIGHT :, right * WIDTH :][:HEIGHT, :WIDTH] = corner
    return found


@pytest.mark.parametrize("packed", [True, False])
def test_crosstalk_is_taken_off_by_the_coefficients_of_the_header(tmp_path, sky, packed):
    plain = write(tmp_path / "plain.fits", with_crosstalk(sky), packed=packed)
    told = write(tmp_path / "told.fits", with_crosstalk(sky), packed=packed, **CARDS)

    exposure = examined(told).exposure

    assert exposure.part == "levelled amplifiers 1+2+3+4 without crosstalk"
    assert "crosstalk between them, up to 0.0059, is taken off" in exposure.remark
    image = pixels.read(told, exposure.hdu, exposure.part)
    # Numbers are whole in the file, and overscans are told by few pixels.
    assert (
        np.abs(image - sky).max()
        < 0.02 * np.abs(pixels.read(plain, 0, examined(plain).exposure.part) - sky).max() + 3
    )
    with io_fits.Stack([(told, exposure.hdu, exposure.part)]) as stack:
        strips = [stack.rows(row, row + 7)[0] for row in range(0, 2 * HEIGHT, 7)]
    np.testing.assert_allclose(np.concatenate(strips), image, rtol=1e-6, atol=1e-3)


def test_crosstalk_of_which_a_coefficient_is_missing_stays(tmp_path, sky):
    cards = {key: value for key, value in CARDS.items() if key != "CRSTLK34"}

    exposure = examined(write(tmp_path / "a.fits", sky, **cards)).exposure

    assert exposure.part == "levelled amplifiers 1+2+3+4"
    assert "crosstalk" not in exposure.remark
