"""docs/telescopes.md says what the code does."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import msgspec
import numpy as np

from accretor import instruments
from accretor.core.dumps import LIGHT_CURVE
from accretor.core.settings import InstrumentSettings
from accretor.io import dump
from accretor.synthetic import demo, frames
from accretor.synthetic.dialects import ALWAYS
from accretor.synthetic.night import Site
from tests.harness import SMALL, run

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "telescopes.md").read_text(encoding="utf-8")


def test_every_dialect_is_on_the_page():
    names = {dialect.name for dialect in instruments.DIALECTS if not dialect.name.startswith("skynet-")}

    assert sorted(names - set(re.findall(r"`([a-z-]+)`", PAGE))) == [], "not in docs/telescopes.md"


(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
NIGHT = dataclasses.replace(
    SMALL,
    site=Site(32.78, -105.82, 2788.0),
    start="2025-03-05T02:30:00.000",
    n_frame=12,
    gain=0.25,
    flux=60_000.0,
    bad_frame=None,
    cloud=None,
    n_bias=2,
    n_dark=2,
    n_flat=2,
)


def at_hilltop(header):
    """Write what the camera of the example does: cards of its own, no site, the gain's setting."""
    from astropy.io.fits import Header

    start = str(header["DATE-OBS"])
    found = Header()
    found["TELESCOP"], found["INSTRUME"] = "Hilltop 16 inch", "ZWO ASI6200MM Pro"
    found["SWCREATE"], found["IMAGETYP"] = "N.I.N.A. 2.0", header["IMAGETYP"]
    found["DATE"], found["CLOCK"] = start[:10], start[11:]
    found["EXPT"], found["GAIN"], found["OBJECT"] = header["EXPTIME"], 100, header["OBJECT"]
    found["CCD-TEMP"], found["SATURATE"] = header["CCD-TEMP"], header["SATURATE"]
    found["RDNOISE"] = header["RDNOISE"]
    if "FILTER" in header:
        found["BAND"] = "Sloan r"
    for key in header:
        if key.startswith(ALWAYS):
            found[key] = header[key]
    return found


def reduced(folder, dialect, instrument):
    frames.write(NIGHT, folder, dialect=dialect)
    for path in sorted((folder / "raw").rglob("*.fits")):
        path.rename(path.with_suffix(".FITS"))
    own = demo.WORKSPACE[demo.WORKSPACE.index("[[instrument]]") : demo.WORKSPACE.index("[upload]")]
    text = demo.WORKSPACE.replace(own, instrument + "\n")
    (folder / "workspace.toml").write_text(text + '\n[compute]\nexecutor = "serial"\n', encoding="utf-8")
    done = run(folder, "calibration")
    assert done.failed == {}, done.out
    (path,) = (folder / "work").rglob("lightcurve.ecsv")
    return path, dump.read(path, LIGHT_CURVE).rows


PLAIN = """[[instrument]]
name = "Plain-0m4"
telescope_diameter = 0.4
"""


def test_telescope_of_the_example_is_reduced_by_its_lines_alone(tmp_path):
    _, expected = reduced(tmp_path / "plain", None, PLAIN)

    path, found = reduced(tmp_path / "hilltop", at_hilltop, EXAMPLE)

    assert path.parts[-5:-1] == ("TOI-9999.01", "20250304", "Hilltop-0m4", "rp")
    for key in ("bjd_tdb", "airmass", "relative_flux", "relative_flux_error"):
        np.testing.assert_allclose([row[key] for row in found], [row[key] for row in expected], rtol=1e-12)


def test_example_of_a_telescope_of_ones_own_is_understood():
    (section,) = tomllib.loads(EXAMPLE)["instrument"]

    found = msgspec.convert(section, InstrumentSettings)

    assert found.keywords["start"] == "DATE+CLOCK"
    assert instruments.by_name(found.dialect).name == "nina"
