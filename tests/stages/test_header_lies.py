"""Headers that do not tell the truth: each lie is put into a simulated night, and must be found out and said.

The night's own headers tell nothing but DATE-OBS, site, pointing and the mount's altitude, all of them true.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from astropy import units as u
from astropy.coordinates import FK5, SkyCoord
from astropy.time import Time

from accretor.core.dumps import FRAMES, INVENTORY
from accretor.io import dump
from accretor.stages import preprocess
from accretor.stages.workspace import open_workspace
from accretor.synthetic import demo, frames
from accretor.synthetic.scenarios import SMALL
from tests.stages.test_camera import bench

NIGHT = dataclasses.replace(
    SMALL, n_frame=24, cadence=700.0, size=(64, 64), n_star=3, isolation=8.0, n_bias=0, n_dark=0, n_flat=0
)
LONGITUDE = NIGHT.site.longitude


def at(header: Any) -> datetime:
    return datetime.fromisoformat(header["DATE-OBS"])


def shifted(header: Any, **by: float) -> None:
    header["DATE-OBS"] = (at(header) + timedelta(**by)).isoformat(timespec="milliseconds")


def local_time(header: Any) -> None:
    """A clock of Chile in the headers of a site that says so."""
    shifted(header, hours=-4)


def time_zone_of_half_an_hour(header: Any) -> None:
    shifted(header, hours=5.5)


def longitude_sign(header: Any) -> None:
    header["SITELONG"] = -LONGITUDE


def date_only(header: Any) -> None:
    header["DATE-OBS"] = header["DATE-OBS"][:10]


def local_time_system(header: Any) -> None:
    header["TIMESYS"] = "LOCAL"


def julian_date(header: Any) -> None:
    # Of the moments of the exposure, its end is the nearest: 7020 s.
    header["JD"] = (Time(header["DATE-OBS"], scale="utc").jd + 7200 / 86400, "Julian date at the start")


def sidereal_time(header: Any) -> None:
    """Of a clock that is ten minutes slow; the time stamps are right."""
    moment = Time(at(header) - timedelta(minutes=10), scale="utc")
    header["LST"] = moment.sidereal_time("mean", LONGITUDE * u.deg).to_string(sep=" ", precision=1)


def sidereal_time_of_the_other_side(header: Any) -> None:
    """True LST, and the longitude with the wrong sign."""
    moment = Time(at(header), scale="utc")
    header["LST"] = moment.sidereal_time("mean", LONGITUDE * u.deg).to_string(sep=" ", precision=1)
    header["SITELONG"] = -LONGITUDE


def end_of_the_exposure(header: Any) -> None:
    """DATE-END is 12 s later than EXPTIME has it."""
    header["DATE-END"] = (at(header) + timedelta(seconds=header["EXPTIME"] + 12)).isoformat()


def coordinates_of_date(header: Any) -> None:
    there = SkyCoord(header["RA"], header["DEC"], unit=("hourangle", "deg")).transform_to(
        FK5(equinox=Time(header["DATE-OBS"]))
    )
    header["RA"] = there.ra.to_string("hourangle", sep=":", precision=2)
    header["DEC"] = there.dec.to_string("deg", sep=":", precision=1, alwayssign=True)
    header["OBJECT"] = "field 7"
    for key in [
        key for key in header if key.startswith(("CTYPE", "CRVAL", "CRPIX", "CD1_", "CD2_", "CUNIT"))
    ]:
        del header[key]


def milliseconds(header: Any) -> None:
    """Exposure in milliseconds, and the card does not say so; the ends of the exposures do."""
    header["DATE-END"] = (at(header) + timedelta(seconds=header["EXPTIME"])).isoformat()
    header["EXPTIME"] = (header["EXPTIME"] * 1000, "exposure")


def clock_set_back(header: Any) -> None:
    """From the middle of the night on the clock is a quarter of an hour slow; the mount knows better."""
    if at(header) > datetime.fromisoformat(NIGHT.start) + timedelta(seconds=NIGHT.cadence * 11.5):
        shifted(header, minutes=-15)


@dataclass(frozen=True)
class Lie:
    """What is put into the headers, and what must be said of it."""

    tell: Callable[[Any], None]
    said: str
    """In what frames.ecsv, or the inventory, says of the night."""
    blocks: bool = False
    """No package may be sent with it."""
    is_left_out: bool = False
    """The frames are none of an observation."""
    corrected: str = ""
    """What makes it true again: a setting of [[instrument]]."""


LIES = [
    Lie(local_time, "agree if the time stamps are of a clock -4 h", blocks=True),
    Lie(time_zone_of_half_an_hour, "agree if the time stamps are of a clock +5.5 h", blocks=True),
    Lie(
        longitude_sign,
        "if the longitude is -16.5, not 16.5",
        blocks=True,
        corrected="longitude = -16.5097",
    ),
    Lie(sidereal_time_of_the_other_side, "sign of the longitude taken from the sidereal time"),
    Lie(sidereal_time, "the sidereal time in the headers is -602 s from", blocks=True),
    Lie(julian_date, "the Julian date in the headers is up to +7020.0 s from the time stamps", blocks=True),
    Lie(clock_set_back, "the clock jumped by -90", blocks=True),
    Lie(
        end_of_the_exposure, "192.00 s between the time stamps of an exposure of 180 s: the middle may be off"
    ),
    Lie(milliseconds, "EXPTIME taken as milliseconds"),
    Lie(coordinates_of_date, "target by coordinates, which are of date and not of 2000"),
    Lie(date_only, "'2025-03-04' has no time of day", is_left_out=True),
    Lie(local_time_system, "the time scale 'LOCAL' is not one that leads to UTC", is_left_out=True),
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """The night with headers that tell the truth."""
    folder = tmp_path_factory.mktemp("true")
    frames.write(NIGHT, folder)
    return folder / "raw"


def night(folder, raw, tell=None, instrument=""):
    """Copy the night, with what *tell* does to its headers, and return all that is said of it."""
    from astropy.io import fits

    shutil.copytree(raw, folder / "raw")
    for path in sorted((folder / "raw").rglob("*.fits")) if tell else ():
        with fits.open(path, mode="update") as hdus:
            tell(hdus[0].header)
    text = demo.WORKSPACE.replace('dialect = "generic"', f'{instrument}\ndialect = "generic"')
    (folder / "workspace.toml").write_text(text, encoding="utf-8")
    space = open_workspace(folder)
    seen = dump.read(folder / "work" / "inventory.ecsv", INVENTORY).rows
    said = {row[key] for row in seen for key in ("reason", "remark", "assignment")}
    problems: list[str] = []
    for plan in space.observations:
        preprocess.run(plan, space.layout, space.settings, bench())
        meta = dump.read(plan.paths.frames, FRAMES).meta
        problems += meta["problems"]
        said |= set(meta["remarks"])
    return " | ".join(sorted(said - {""})), problems, space.observations


def test_headers_that_tell_the_truth_have_nothing_said_of_them(tmp_path, raw):
    said, problems, observations = night(tmp_path / "w", raw)

    assert (said, problems) == ("", [])
    assert len(observations) == 1


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.tell.__name__)
def test_lie_of_the_headers_is_found_out_and_said(tmp_path, raw, lie):
    said, problems, observations = night(tmp_path / "w", raw, lie.tell)

    assert lie.said in said
    assert bool(problems) == lie.blocks, problems
    assert (not observations) == lie.is_left_out
    if lie.corrected:
        assert night(tmp_path / "mended", raw, lie.tell, lie.corrected)[1] == []
