"""Transits of several nights and filters, put together."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from accretor.core.dumps import FIT_POINTS, RESULTS, TRANSITS
from accretor.core.errors import Blocked
from accretor.core.observation import Observation
from accretor.core.settings import Ephemeris, Target
from accretor.io import dump
from accretor.io.layout import Layout
from accretor.stages import ephemeris

GIVEN = Ephemeris(t0=2460000.0, period=3.0, duration=2.0, depth=10.0, t0_error=0.001, period_error=1e-5)
TARGET = Target(name="TOI-1.01", tic=1, ra=0.0, dec=0.0, ephemeris=GIVEN)


def plan(layout, night, filter_name, epoch, offset, error, **other):
    """Write the results of a made night, and return its plan."""
    observation = Observation("TOI-1.01", night, "Site-1m0", filter_name)
    paths = layout.observation(observation)
    mid = GIVEN.t0 + epoch * GIVEN.period
    found = dict.fromkeys((key.name for key in RESULTS), None) | {
        "night": night, "telescope": "Site-1m0", "filter": filter_name, "epoch": epoch, "coverage": "Full",
        "mid_bjd_tdb": mid, "prediction_error_day": 0.001, "has_fit": True, "is_detected": True,
        "tc_bjd_tdb": mid + offset, "tc_error_day": error, "rp_rs": 0.1, "rp_rs_error": 0.002,
        "a_rs": 9.0, "a_rs_error": 0.3, "impact": 0.2, "impact_error": 0.1, "limb_g": 0.6,
        "limb_g_error": 0.1,
        "fit_correlation": np.eye(5).ravel().tolist(), "fit_prior": [0.0] * 25, "fit_prior_slope": [0.0] * 5,
    } | other  # fmt: skip
    paths.results.parent.mkdir(parents=True)
    paths.results.write_text(json.dumps(found), encoding="utf-8")
    dump.write(paths.fit_points, FIT_POINTS, [], {"reason": "made by hand"})
    return SimpleNamespace(observation=observation, target=TARGET, paths=paths)


def made(folder: Path):
    layout = Layout(folder)
    plans = [
        plan(layout, "20230301", "gp", 10, 0.001, 0.001),
        plan(layout, "20230301", "ip", 10, 0.004, 0.002, rp_rs=0.11),
        plan(layout, "20230501", "ip", 30, 0.002, 0.001),
        plan(layout, "20230601", "ip", 40, 0.2, 0.01, is_detected=False),
    ]
    done = ephemeris.run(plans, layout, SimpleNamespace())
    rows = dump.read(layout.transits("TOI-1.01"), TRANSITS).rows
    return rows, json.loads(layout.ephemeris("TOI-1.01").read_text(encoding="utf-8")), done


def test_filters_of_a_night_have_a_row_each_and_one_together(tmp_path):
    rows, _, _ = made(tmp_path)

    assert [(row["night"], row["filters"], row["is_used"]) for row in rows] == [
        ("20230301", "gp", False),
        ("20230301", "gp ip", True),
        ("20230301", "ip", False),
        ("20230501", "ip", True),
        ("20230601", "ip", False),
    ]
    both = rows[1]
    mean = (0.001 / 1 + 0.004 / 4) / 1.25
    assert both["o_c"] == pytest.approx(1440 * mean, abs=1e-4)
    assert both["o_c_sigma"] == pytest.approx(mean / np.hypot(0.001 / np.sqrt(1.25), 0.001), abs=1e-3)
    assert both["method"] == "product of the single fits: the points of gp are not kept"
    assert rows[3]["method"] == "single fit"
    assert both["a_rs_error"] == pytest.approx(0.3 / np.sqrt(2), abs=1e-5)
    assert [row["rp_rs"] for row in (rows[0], rows[2])] == [0.1, 0.11]
    assert rows[4]["reason"] == "the transit is not detected"


def test_the_ephemeris_is_the_weighted_line_through_the_transits(tmp_path):
    _, found, done = made(tmp_path)
    first, second = (0.001 / 1 + 0.004 / 4) / 1.25, 0.002

    observed = found["observed"]
    assert (found["n_transit"], found["n_time"]) == (2, 2)
    assert observed["period_day"] == pytest.approx(3.0 + (second - first) / 20, abs=1e-9)
    assert observed["period_error_day"] == pytest.approx(
        np.hypot(0.001, 0.001 / np.sqrt(1.25)) / 20, abs=1e-9
    )
    assert found["observed_and_given"]["period_error_day"] < 0.5 * observed["period_error_day"]
    assert "2 mid-times of 2 transits" in done.said


def test_the_same_results_give_the_same_bytes(tmp_path):
    made(tmp_path / "one")
    made(tmp_path / "other")

    for name in ("ephemeris.ecsv", "ephemeris.json"):
        one, other = (tmp_path / place / "products" / "TOI-1.01" / name for place in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_without_a_fit_or_an_ephemeris_it_says_what_is_needed(tmp_path):
    layout = Layout(tmp_path)
    lone = plan(layout, "20230301", "gp", 10, 0.0, 0.001, has_fit=False)

    with pytest.raises(Blocked, match=r"no transit was fitted; doit calibration:TOI-1\.01 says why"):
        ephemeris.run([lone], layout, SimpleNamespace())
    unknown = Target(name="TOI-1.01", tic=1, ra=0.0, dec=0.0)
    with pytest.raises(Blocked, match=r"add \[target.ephemeris\]"):
        ephemeris.run([SimpleNamespace(**vars(lone) | {"target": unknown})], layout, SimpleNamespace())
