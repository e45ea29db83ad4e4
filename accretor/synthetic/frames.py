"""A simulated night as raw FITS frames, with the headers of a common camera program."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from accretor.core.arrays import Floats
from accretor.io.atomic import write_bytes
from accretor.synthetic import scene, sky, transit
from accretor.synthetic.night import Night, Truth
from accretor.synthetic.scene import Scene

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from accretor.synthetic.dialects import Program

READ_OUT_TIME = 5.0
"""Between calibration frames, second."""

Dialect: TypeAlias = "Callable[[Header], Header]"
"""Returns the header that another camera program would have written, given ours."""


def write(
    night: Night,
    folder: Path,
    *,
    lights: Collection[int] | None = None,
    dialect: Dialect | None = None,
    program: Program | None = None,
) -> Truth:
    """Write the raw frames of *night* to ``raw/`` in *folder*.

    A frame is the same whichever others are written with it, and one that is
    there already is left alone.

    Parameters
    ----------
    night : Night
    folder : Path
        Workspace; bias, dark, flat and light frames get a folder each below its ``raw/``.
    lights : collection of int, optional
        Numbers of the light frames to write, from 0; default: all of them.
    dialect : callable, optional
        Turns each header into that of another camera program; default: as it is.
    program : Program, optional
        Writes header and file as another program does; goes before *dialect*.

    Returns
    -------
    Truth
        Of the whole night, whatever part was written.

    Raises
    ------
    ValueError
        If the frame has no room for the stars of the night.
    OSError
        If *folder* cannot be written.
    """
    prepared = scene.prepare(night)
    raw = folder / "raw"
    begin = sky.start_of(night, -600 - _calibration_time(night))
    second = 0.0
    translate = program.translate if program else dialect or (lambda header: header)
    suffix = ".fits.fz" if program and program.is_packed else ".fits"
    n_filter = max(len(night.filters), 1)
    for kind, number, exposure in (
        ("flat", night.n_flat * n_filter, night.flat_exposure),
        ("bias", night.n_bias, 0.0),
        ("dark", night.n_dark, night.exposure),
    ):
        make = {"flat": scene.flat, "bias": scene.bias, "dark": scene.dark}[kind]
        for index in range(number):
            header = _calibration_header(night, kind, begin, second, exposure)
            if kind == "flat":
                header["FILTER"] = (scene.filter_of(night, index), "filter")
            content = _fits(make(prepared, index), translate(header), program)
            write_bytes(raw / kind / f"{kind}-{index + 1:03d}{suffix}", content)
            second += exposure + READ_OUT_TIME
    for index in range(night.n_frame) if lights is None else sorted(lights):
        path = raw / night.target / f"{Path(light_name(night, index)).stem}{suffix}"
        header = translate(_light_header(prepared, index))
        write_bytes(path, _fits(scene.light(prepared, index), header, program))
    return truth(prepared)


def light_name(night: Night, index: int) -> str:
    """Return the file name of light frame *index*, which counts from 0; names count from 1."""
    return f"{night.target}-{index + 1:04d}.fits"


def pointing_text(ra: float, dec: float) -> tuple[str, str]:
    """Return right ascension in hours and declination in degrees, sexagesimal, of a direction in degree."""
    sign = "-" if dec < 0 else "+"
    return _sexagesimal(ra / 15, 2), f"{sign}{_sexagesimal(abs(dec), 1)}"


def truth(prepared: Scene) -> Truth:
    """Return what a reduction of the night should find."""
    night, planet = prepared.night, prepared.night.transit
    middle = float((prepared.bjd[0] + prepared.bjd[-1]) / 2)
    deepest = transit.dimmed_flux(np.array([planet.impact]), planet.rp_rs, planet.limb_darkening)
    ra, dec = sky.to_sky(night, prepared.position).T
    return Truth(
        rp_rs=planet.rp_rs,
        tc=transit.nearest_mid(middle, planet),
        duration=transit.duration(planet),
        depth=1000 * planet.rp_rs**2,
        dip=1000 * float(1 - deepest[0]),
        frame=tuple(light_name(night, index) for index in range(night.n_frame)),
        bjd=_plain(prepared.bjd),
        altitude=_plain(prepared.altitude),
        airmass=_plain(prepared.airmass),
        transparency=_plain(prepared.transparency),
        transit=_plain(prepared.transit),
        dx=_plain(prepared.shift[:, 0]),
        dy=_plain(prepared.shift[:, 1]),
        flip=tuple(int(side) for side in prepared.flip),
        fwhm=_plain(prepared.fwhm),
        bad_frame="".join(
            light_name(night, index) for index in range(night.n_frame) if scene.fault(prepared, index)
        ),
        cloud=_cloud(prepared),
        x=_plain(prepared.position[:, 0]),
        y=_plain(prepared.position[:, 1]),
        ra=_plain(ra),
        dec=_plain(dec),
        flux=_plain(prepared.flux),
        colour=_plain(prepared.colour),
    )


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _cloud(prepared: Scene) -> tuple[float, float] | None:
    cloud = prepared.night.cloud
    if cloud is None:
        return None
    first = prepared.bjd[0] - prepared.night.exposure / 2 / 86400
    middle, half = first + cloud.hour / 24, 2 * cloud.sigma / 1440
    return float(middle - half), float(middle + half)


def _calibration_time(night: Night) -> float:
    """Return how long the calibration frames take, second."""
    n_flat = night.n_flat * max(len(night.filters), 1)
    exposed = n_flat * night.flat_exposure + night.n_dark * night.exposure
    return exposed + READ_OUT_TIME * (n_flat + night.n_bias + night.n_dark)


def _calibration_header(night: Night, kind: str, begin: datetime, second: float, exposure: float) -> Header:
    start = begin + (sky.start_of(night, second) - sky.start_of(night, 0))
    return _common_header(night, kind.upper(), kind, start, exposure)


def _light_header(prepared: Scene, index: int) -> Header:
    night = prepared.night
    start = sky.start_of(night, index * night.cadence)
    header = _common_header(night, "LIGHT", night.target, start, night.exposure)
    ra, dec = pointing_text(*sky.pointing(night))
    for keyword, value, comment in (
        ("FILTER", scene.filter_of(night, index), "filter"),
        ("RA", ra, "[h:m:s] centre of the field, ICRS"),
        ("DEC", dec, "[d:m:s] centre of the field, ICRS"),
        ("RADESYS", "ICRS", "frame of RA and DEC"),
        (
            "OBJCTALT",
            round(float(prepared.altitude[index]), 4),
            "[deg] altitude of the target at mid-exposure",
        ),
        ("AIRMASS", round(float(prepared.airmass[index]), 4), "of the target at mid-exposure"),
    ):
        header[keyword] = (value, comment)
    if night.has_wcs:
        header.update(_wcs_cards(prepared, index))
    return header


def _common_header(night: Night, kind: str, name: str, start: datetime, exposure: float) -> Header:
    from astropy.io.fits import Header

    header = Header()
    cards: tuple[tuple[str, str | float | int, str], ...] = (
        ("IMAGETYP", kind, "kind of frame"),
        ("OBJECT", name, "what was pointed at"),
        ("DATE-OBS", start.isoformat(timespec="milliseconds"), "UTC at the start of the exposure"),
        ("TIMESYS", "UTC", "time scale of DATE-OBS"),
        ("EXPTIME", exposure, "[s] exposure"),
        ("TELESCOP", night.telescope, "telescope"),
        ("INSTRUME", night.camera, "camera"),
        ("GAIN", night.gain, "[electron/adu] gain"),
        ("RDNOISE", night.read_noise, "[electron] read noise"),
        ("SATURATE", night.saturation, "[adu] saturation level"),
        ("XBINNING", 1, "binning in x"),
        ("YBINNING", 1, "binning in y"),
        ("CCD-TEMP", night.temperature, "[Celsius] of the detector"),
        ("SITELAT", night.site.latitude, "[deg] north positive"),
        ("SITELONG", night.site.longitude, "[deg] east positive"),
        ("SITEELEV", night.site.height, "[m] above the sea"),
    )
    for keyword, value, comment in cards:
        header[keyword] = (value, comment)
    if night.overscan:
        width, height = night.size
        header["BIASSEC"] = (f"[{width + 1}:{width + night.overscan},1:{height}]", "overscan")
        header["TRIMSEC"] = (f"[1:{width},1:{height}]", "pixels that see the sky")
    return header


def _wcs_cards(prepared: Scene, index: int) -> dict[str, str | float]:
    """Return the plate solution of a frame: exact, for the stars were placed by it."""
    night = prepared.night
    ra, dec = sky.pointing(night)
    # FITS counts pixels from 1.
    x, y = sky.centre(night) + prepared.shift[index] + 1
    matrix = prepared.flip[index] * sky.plate(night)
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "CRVAL1": ra,
        "CRVAL2": dec,
        "CRPIX1": float(x),
        "CRPIX2": float(y),
        "CD1_1": float(matrix[0, 0]),
        "CD1_2": float(matrix[0, 1]),
        "CD2_1": float(matrix[1, 0]),
        "CD2_2": float(matrix[1, 1]),
    }


def _sexagesimal(value: float, digits: int) -> str:
    """Return *value* >= 0 as ``hh:mm:ss.s``; rounded before it is split, so that 60 never shows."""
    unit = 10**digits
    whole, rest = divmod(round(value * 3600 * unit), unit)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{rest:0{digits}d}"


def _fits(image: NDArray[Any], header: Header, program: Program | None = None) -> bytes:
    from astropy.io.fits import CompImageHDU, HDUList, PrimaryHDU

    buffer = io.BytesIO()
    if program is not None and program.bayer:
        image = _mosaic(image, program.bayer)
        _finer(header)
    if program is not None and program.amplifiers:
        primary = PrimaryHDU(header=_without(header))
        HDUList([primary, *_of_amplifiers(image, header, program)]).writeto(buffer)
    elif program is not None and program.is_packed:
        packed = CompImageHDU(image, header, compression_type="RICE_1")
        HDUList([PrimaryHDU(), packed]).writeto(buffer)
    else:
        PrimaryHDU(image, header).writeto(buffer)
    return buffer.getvalue()


def _without(header: Header) -> Header:
    """Return *header* without the cards that are the amplifiers' own."""
    primary = header.copy()
    for key in ("GAIN", "RDNOISE", "SATURATE", "EXTNAME"):
        primary.remove(key, ignore_missing=True)
    return primary


def _of_amplifiers(image: NDArray[Any], header: Header, program: Program) -> list[Any]:
    """Return an HDU for each amplifier, without what the primary header says."""
    from astropy.io.fits import CompImageHDU, Header

    return [
        CompImageHDU(raw, Header(cards.items()), name="SCI", compression_type="RICE_1")
        for raw, cards in program.split(image, header)
    ]


def _mosaic(image: NDArray[Any], pattern: str) -> NDArray[Any]:
    """Return the frame of a colour camera: green has the values of *image*, red and blue have less."""
    found = np.zeros((2 * image.shape[0], 2 * image.shape[1]), dtype=image.dtype)
    for place, colour in enumerate(pattern):
        part = {"G": 1.0, "R": 0.7, "B": 0.5}[colour]
        found[place // 2 :: 2, place % 2 :: 2] = image * part
    return found


def _finer(header: Header) -> None:
    """Make the plate solution in *header* that of pixels of half the size."""
    for key in header:
        if key.startswith("CRPIX"):
            header[key] = (header[key] - 0.5) * 2 + 0.5
        elif key.startswith(("CD1_", "CD2_")):
            header[key] /= 2
