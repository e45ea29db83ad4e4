from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.aij import javaproperties, plotcfg
from accretor.aij.plotcfg import PlotConfig, TransitStart

TEMPLATE = (
    Path(__file__).resolve().parents[2]
    / ".."
    / "shared/data/aij-samples/templates/minimal_measurements.plotcfg"
)
FIT = TransitStart(period=2.15, tc=2460000.96, depth=0.022, a_rs=6.1, inclination=88.5, u1=0.35, u2=0.22)
CONFIG = PlotConfig(
    title="TIC 292152376.01     UT2025.02.23",
    subtitle="Hilltop-0m5 (ip filter, 60 exp, fap 8-16-28)",
    first_time=2460000.8,
    last_time=2460001.1,
    ingress=2460000.9,
    egress=2460001.02,
    transit=FIT,
    detrend=("AIRMASS", "Meridian_Flip"),
    bin_size=5,
    depth=22.0,
    scatter=4.0,
    comparison=("C2", "C5"),
)


def test_every_key_of_the_known_set_is_there_and_no_other():
    if not TEMPLATE.exists():
        pytest.skip("real data are not here")

    assert set(plotcfg.properties(CONFIG)) == set(plotcfg.parse(TEMPLATE.read_bytes()))


def test_a_curve_without_a_fit_has_the_same_keys():
    bare = PlotConfig("", "", 2460000.8, 2460001.1)

    assert set(plotcfg.properties(bare)) == set(plotcfg.properties(CONFIG))
    assert plotcfg.properties(bare)["plotY2"] == "false"
    assert plotcfg.properties(bare)["normIndex0"] == "7"


def test_the_file_says_what_its_keys_say():
    assert plotcfg.parse(plotcfg.write(CONFIG)) == plotcfg.properties(CONFIG)


def test_the_file_has_no_date():
    head = plotcfg.write(CONFIG).decode().splitlines()
    assert [line for line in head if line.startswith("#")] == ["#AstroImageJ Plot Configuration"]


def test_markers_count_from_the_whole_day_of_the_first_row_and_pass_one_after_midnight():
    keys = plotcfg.properties(CONFIG)

    assert (keys["vMarker1Value"], keys["vMarker2Value"]) == ("0.9", "1.02")
    assert (keys["dMarker2Value"], keys["dMarker3Value"]) == ("0.9", "1.02")
    assert keys["showVMarker1"] == keys["showDMarkers"] == "true"


def test_the_fit_starts_from_our_values_and_keeps_limb_darkening():
    keys = plotcfg.properties(CONFIG)

    assert [keys[f"priorCenter[2][{place}]"] for place in range(7)] == [
        "1.0", "0.022", "6.1", "2460000.96", "88.5", "0.35", "0.22",
    ]  # fmt: skip
    assert [keys[f"lockToCenter[2][{place}]"] for place in (4, 5, 6)] == ["false", "true", "true"]
    assert keys["orbitalPeriod2"] == "2.15"
    assert keys["detrendFitIndex2"] == "9"
    assert (keys["detrendlabel[2][0]"], keys["detrendlabel[2][1]"]) == ("AIRMASS", "Meridian_Flip")


def test_curves_that_show_depths_have_true_scale_and_do_not_touch():
    keys = plotcfg.properties(CONFIG)
    shifts = [float(keys[f"customShiftFactor{row}"]) for row in (0, 1, 2, 9, 10)]

    assert all(keys[f"customScaleFactor{row}"] == "1.0" for row in range(12))
    assert all(upper - lower > 0.022 for upper, lower in itertools.pairwise(shifts))
    assert float(keys["yMin"]) < 1 + shifts[-1] - 0.022
    assert [keys[f"ylabel{row}"] for row in (9, 10, 11)] == ["rel_flux_C2", "rel_flux_C5", ""]


def test_the_flip_is_marked_only_if_there_was_one():
    assert plotcfg.properties(CONFIG)["showMFMarkers"] == "false"
    flipped = plotcfg.properties(replace(CONFIG, flip=2460000.95))
    assert (flipped["showMFMarkers"], flipped["mfMarker1Value"]) == ("true", "0.95")


def test_too_many_detrending_columns_are_refused():
    with pytest.raises(ValueError, match="three"):
        plotcfg.properties(replace(CONFIG, detrend=("a", "b", "c", "d")))


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_survives_javas_escapes(text):
    assert javaproperties.parse(javaproperties.write({"key": text}, "c"))["key"] == text
