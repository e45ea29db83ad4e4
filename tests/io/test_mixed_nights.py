"""Nights as they come off the disk: several of everything in one folder."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from accretor.core.settings import InstrumentSettings, Target
from accretor.io import inventory
from tests.io.test_inventory import frame

ONE = Target(name="TOI-1234.01", tic=1234567, ra="10:00:00", dec="+20:00:00")
OTHER = Target(name="TOI-777.01", tic=7654321, ra="15:00:00", dec="+30:00:00")
CAMERA = "INSTRUME= 'Alpha'"
EAST = InstrumentSettings(name="East-0m5", latitude=40.0, longitude=20.0, height=500.0)
EVENING = datetime(2025, 3, 4, 18, 0)  # noqa: DTZ001


def night(
    raw, n=12, *, first=EVENING, step=300.0, prefix="a", cards=(), obj="TOI-1234", size=(32, 24), seconds=60
):
    for index in range(n):
        own = [*cards, *([] if any("INSTRUME" in card for card in cards) else [CAMERA])]
        own += [f"EXPTIME = {seconds}"]
        frame(
            raw / f"{prefix}-{index:03d}.fits",
            *own,
            start=first + timedelta(seconds=step * index),
            obj=obj,
            size=size,
        )


def sorted_out(raw, instruments=(EAST,)):
    files = inventory.refresh(raw, [], instruments)
    items = inventory.assign(files, (ONE, OTHER), raw)
    slugs = Counter(item.observation.slug for item in items if item.observation)
    return dict(slugs), {item.file.path: item.reason for item in items if item.reason}


def test_targets_filters_and_nights_become_observations_of_their_own(tmp_path):
    night(tmp_path, cards=["FILTER  = 'V'"], prefix="v")
    night(tmp_path, cards=["FILTER  = 'Rc'"], prefix="r", first=EVENING + timedelta(seconds=100))
    night(tmp_path, obj="TOI-777.01", prefix="other", first=EVENING + timedelta(hours=4))
    night(tmp_path, prefix="next", first=EVENING + timedelta(days=1))
    # From before midnight UTC to after it is one night.
    night(tmp_path, prefix="late", n=30, step=1200.0, first=datetime(2025, 3, 7, 19, 0))  # noqa: DTZ001

    slugs, left_out = sorted_out(tmp_path)

    assert slugs == {
        "TOI-1234.01/20250304/East-0m5/V": 12,
        "TOI-1234.01/20250304/East-0m5/Rc": 12,
        "TOI-777.01/20250304/East-0m5/R": 12,
        "TOI-1234.01/20250305/East-0m5/R": 12,
        "TOI-1234.01/20250307/East-0m5/R": 30,
    }
    assert left_out == {}


def test_two_cameras_by_their_cards_are_two_telescopes(tmp_path):
    night(tmp_path, prefix="a")
    night(tmp_path, prefix="b", cards=["INSTRUME= 'Beta'"], first=EVENING + timedelta(seconds=7))
    two = [
        InstrumentSettings(name=f"{name}-0m5", latitude=40.0, longitude=20.0, match={"INSTRUME": name})
        for name in ("Alpha", "Beta")
    ]

    slugs, left_out = sorted_out(tmp_path, two)

    assert slugs == {"TOI-1234.01/20250304/Alpha-0m5/R": 12, "TOI-1234.01/20250304/Beta-0m5/R": 12}
    assert left_out == {}


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"cards": ["INSTRUME= 'Beta'"]}, "of the camera 'Beta', but 12 of 16 frames are 32 x 24 pixels"),
        ({"cards": ["XBINNING= 2"], "size": (16, 12)}, "16 x 12 pixels binned 2x2"),
        ({"size": (8, 8)}, "8 x 8 pixels binned 1x1"),
        ({"cards": ["READOUTM= 'fast'"]}, "in mode 'fast'"),
        ({"cards": ["GAIN    = 120", "OFFSET  = 30"]}, "in mode 'gain 120, offset 30'"),
        ({"n": 2, "seconds": 5}, "exposure of 5 s, the others have 60 s: of focus or pointing?"),
        ({"cards": ["IMAGETYP= 'FOCUS'"]}, "'FOCUS' is not light, bias, dark or flat"),
        ({"obj": "M 51"}, "another target: OBJECT 'M 51'"),
        ({"cards": ["STACKCNT= 40"]}, "made of several exposures"),
    ],
)
def test_frames_that_do_not_belong_are_left_out_with_the_reason(tmp_path, odd, reason):
    night(tmp_path)
    odd = {"n": 4, "prefix": "odd", "first": EVENING + timedelta(hours=3), **odd}
    night(tmp_path, **odd)

    slugs, left_out = sorted_out(tmp_path)

    assert slugs == {"TOI-1234.01/20250304/East-0m5/R": 12}
    assert set(left_out) == {f"odd-{index:03d}.fits" for index in range(odd["n"])}
    assert all(reason in said for said in left_out.values()), left_out


def test_exposure_that_is_changed_for_good_in_mid_night_stays(tmp_path):
    night(tmp_path, n=12)
    night(tmp_path, n=8, prefix="b", seconds=20, first=EVENING + timedelta(hours=2))

    slugs, left_out = sorted_out(tmp_path)

    assert slugs == {"TOI-1234.01/20250304/East-0m5/R": 20}
    assert left_out == {}


def test_of_a_night_that_is_there_raw_and_calibrated_the_calibrated_frames_are_taken(tmp_path):
    night(tmp_path, prefix="raw")
    night(tmp_path, prefix="done", cards=["CALSTAT = 'BDF'"])

    slugs, left_out = sorted_out(tmp_path)

    assert slugs == {"TOI-1234.01/20250304/East-0m5/R": 12}
    assert {path[:3] for path in left_out} == {"raw"}
    assert (
        "1x1 not calibrated before, but 12 of 24 frames are 32 x 24 pixels binned 1x1 calibrated before (BDF)"
        in left_out["raw-000.fits"]
    )


def test_target_is_known_by_coordinates_of_date(tmp_path):
    # 10:00:00 +20:00:00 of 2000, by FK5 of astropy at the equinox of 2025.17.
    cards = ["RA      = '10:01:24.5'", "DEC     = '+19:52:38'"]
    night(tmp_path, cards=cards, obj="pointing 7")

    files = inventory.refresh(tmp_path, [], (EAST,))
    items = inventory.assign(files, (ONE, OTHER), tmp_path)

    assert {item.observation.target for item in items} == {"TOI-1234.01"}
    assert {item.remark for item in items} == {"target by coordinates, which are of date and not of 2000"}
