"""What figures are drawn from."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.settings import PlottingSettings
from accretor.plots.registry import OF_VISIT
from accretor.science import statistics
from accretor.stages import figures, plotting


def night(cadence: float, bin_minutes: float, *, n_frame: int = 1000) -> figures.Night:
    """Return a night of frames every *cadence* minutes, without files."""
    settings = SimpleNamespace(plotting=PlottingSettings(bin_minutes=bin_minutes, title="T"))
    made = figures.Night(SimpleNamespace(paths=None, settings=settings))
    whole = np.ones(n_frame, dtype=bool)
    time = 2460739.3 + np.arange(n_frame) * cadence / statistics.MINUTES_PER_DAY
    results = dict.fromkeys(("ingress_bjd_tdb", "egress_bjd_tdb", "prediction_error_day"))
    results |= {"has_fit": False, "filter": "ip", "telescope": "Demo-0m4"}
    vars(made).update(table={"bjd_tdb": time, "is_used": whole}, counted=whole, results=results)
    return made


def fewest(one: figures.Night, minutes: float) -> int:
    """Return the fewest frames in a bin of the figures, but for the first bin and the last one."""
    time = one.table["bjd_tdb"]
    index = statistics.bin_index(time, minutes / statistics.MINUTES_PER_DAY, math.floor(time[0]))
    return int(np.bincount(index - index[0])[1:-1].min())


CADENCES = st.floats(0.2, 20)


@given(cadence=CADENCES, wanted=st.sampled_from([1.0, 5.0, 7.5, 10.0]))
def test_bins_are_whole_multiples_of_the_setting_and_hold_about_two_frames(cadence, wanted):
    one = night(cadence, wanted)

    assert one.bin_minutes % wanted == pytest.approx(0)
    # Two frames that come a few seconds late still count as two.
    assert one.bin_minutes >= 2 * cadence - 0.1 * wanted
    assert fewest(one, one.bin_minutes) >= 1
    assert one.bin_minutes == wanted or one.bin_minutes - wanted < 2 * cadence


@given(fast=CADENCES, slow=CADENCES)
def test_bins_of_filters_side_by_side_are_wide_enough_for_each_of_them(fast, slow):
    nights = [night(fast, 5.0), night(slow, 5.0)]
    found = {entry.name: plotting._of_visit(entry, nights)["bin_minutes"] for entry in OF_VISIT}

    assert found["panels"] == max(one.bin_minutes for one in nights)
    assert found["stacked"] == 2 * found["panels"]
    assert all(fewest(one, found["stacked"]) >= 2 for one in nights)


def test_stars_of_the_table_stand_in_its_order_and_others_are_not_listed():
    rows = [{"label": label} for label in ("T1", "C10", "", "C2", "C9")]

    assert [row["label"] for row in figures.listed(rows)] == ["C2", "C9", "C10"]
