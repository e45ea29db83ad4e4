"""A package made by hand: one night, any filters, every file as small as it may be."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib

import numpy as np
import pytest

from accretor.aij import plotcfg, radec, table
from accretor.exofop import naming
from accretor.science import times

TIC, PLANET, DATE, OBSERVATORY = 292152376, "01", "20250304", "Hilltop-0m5"
START = 2460738.7  # 2025-03-04 04:48 UT


def png():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def fits(scale=0.389, **cards):
    from astropy.io import fits as astropy_fits

    header = astropy_fits.Header()
    header.update(
        {
            "CTYPE1": "RA---TAN",
            "CTYPE2": "DEC--TAN",
            "CRVAL1": 31.0428333,
            "CRVAL2": 46.6878333,
            "CRPIX1": 2.5,
            "CRPIX2": 2.5,
            "CD1_1": -scale / 3600,
            "CD1_2": 0.0,
            "CD2_1": 0.0,
            "CD2_2": scale / 3600,
        }
    )
    header.update(cards)
    buffer = io.BytesIO()
    astropy_fits.PrimaryHDU(np.zeros((4, 4), dtype=np.float32), header=header).writeto(buffer)
    return buffer.getvalue()


def columns(n_row=51, radius=6.0, exposure=60.0, **changes):
    time = START + np.arange(n_row) * 90 / 86400
    ones = np.ones(n_row)
    where, site = times.Direction(31.0428333, 46.6878333), times.Site(28.3, -16.5, 2390.0)
    found = {
        "Label": [f"f{row}.fits" for row in range(n_row)],
        "JD_UTC": time,
        "BJD_TDB": times.bjd_tdb([times.iso(jd) for jd in time], where, site) if n_row else time,
        "AIRMASS": 1.1 * ones,
        "EXPTIME": exposure * ones,
        "Source_Radius": radius * ones,
        "rel_flux_T1": 5 / 6 * ones,
        "rel_flux_C2": 0.0 * ones,
        "rel_flux_err_T1": 0.002 * ones,
        "rel_flux_err_C2": 0.0 * ones,
        "tot_C_cnts": 6e4 * ones,
        "Width_T1": 4.0 * ones,
        "Sky/Pixel_T1": 20.0 * ones,
        "X(FITS)_T1": 2.5 * ones,
        "Y(FITS)_T1": 2.5 * ones,
        "RA_T1": 2.06952222 * ones,
        "DEC_T1": 46.6878333 * ones,
        "Source-Sky_T1": 5e4 * ones,
        "Source-Sky_C2": 6e4 * ones,
        "rel_flux_T1_n": ones,
        "rel_flux_err_T1_n": 0.004 * ones,
    }
    return found | changes


def apertures():
    return [
        radec.Aperture(2.06952222 * 15, 46.6878333, is_comparison=False),
        radec.Aperture(31.2, 46.7, is_comparison=True),
    ]


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("T2.png", png())
    return buffer.getvalue()


def subset():
    return f"BJD_TDB,flux,error\n{columns()['BJD_TDB'][0]:.6f},1,0.004\n".encode()


def content(tail):
    if tail.endswith(".png"):
        return png()
    if tail == "measurements.plotcfg":
        return plotcfg.write(plotcfg.PlotConfig("a", "b", START, START + 0.1))
    return {
        "measurements.tbl": lambda: table.write(columns()),
        "measurements.radec": lambda: radec.write(apertures()),
        "WCS.fits": fits,
        "measurements_NEBcheck.zip": archive,
        "subset.csv": subset,
        "notes.txt": f"TIC {TIC}.{PLANET} on UT2025.03.04\n".encode,
        "measurements_NEB-table.txt": lambda: (
            b"                       TFOP NEB Search Table for:\r\n"
            b"Star  from target  PA (deg.)  dmag   RMS(ppt)  NEBdepth(ppt)  NEBdepth/RMS    Disposition\r\n"
        ),
    }[tail]()


def name(tail, filter_name="ip", n_pixel=None):
    return naming.file_name(TIC, PLANET, DATE, OBSERVATORY, filter_name, tail, n_pixel)


@pytest.fixture(scope="session")
def made():
    """Return this module: its functions make the contents of files."""
    return sys.modules[__name__]


@pytest.fixture
def package(tmp_path):
    """Return a function that makes a sound package of the given filters."""

    def make(*filters, tails=None):
        folder = tmp_path / "package"
        folder.mkdir(exist_ok=True)
        for filter_name in filters:
            for tail in naming.TAILS:
                if (tail.is_global and filter_name != filters[0]) or (tails and tail.name not in tails):
                    continue
                (folder / name(tail.name, filter_name)).write_bytes(content(tail.name))
        return folder

    return make


@pytest.fixture(scope="session")
def exofop_process():
    from tests.exofop.server import running

    with running() as server:
        yield server


@pytest.fixture
def exofop(exofop_process):
    """A local ExoFOP that holds nothing and fails in nothing."""
    exofop_process.set(reset=True)
    return exofop_process
