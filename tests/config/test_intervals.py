"""Intervals for the scatter: in the settings, in PROFE's table, and what they change."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.config import intervals
from accretor.config import workspace as config
from accretor.core.dumps import LIGHT_CURVE
from accretor.core.errors import ConfigError
from accretor.io import dump
from accretor.science import statistics
from tests.harness import make, run

TARGET = '[[target]]\nname = "TOI-1.01"\ntic = 1\nra = 10.0\ndec = 10.0\n'
NIGHT = "work/TOI-9999.01/20250304/Demo-0m4/ip"


def loaded(folder, toml, table=None):
    path = folder / "workspace.toml"
    path.write_text(f'observer = "A. Observer"\n{TARGET}{toml}', encoding="utf-8")
    if table is not None:
        (folder / "times.csv").write_text(table, encoding="utf-8")
    return config.load(path)


def test_pairs_and_a_table_are_the_same_intervals(tmp_path):
    pairs = loaded(tmp_path, "[calibration]\nintervals = [[2460000.1, 2460000.2], [2460000.3, 2460000.4]]\n")
    table = loaded(
        tmp_path,
        '[calibration]\nintervals = "times.csv"\n',
        "init_time,final_time\n2460000.1,2460000.2\n2460000.3,2460000.4\n",
    )

    assert pairs == table
    assert pairs.calibration.rms_intervals == ((2460000.1, 2460000.2), (2460000.3, 2460000.4))


def test_the_empty_table_that_profe_makes_is_no_interval(tmp_path):
    found = loaded(tmp_path, '[calibration]\nintervals = "times.csv"\n', "init_time,final_time\n")

    assert found.calibration.rms_intervals == ()


def test_a_table_can_be_for_one_observation(tmp_path):
    found = loaded(
        tmp_path,
        '[[observation]]\nname = "TOI-1.01/20250304"\n[observation.calibration]\nintervals = "times.csv"\n',
        "init_time,final_time\n1.5,2.5\n",
    )

    assert found.of("TOI-1.01/20250304/A-0m4/ip").calibration.rms_intervals == ((1.5, 2.5),)
    assert found.of("TOI-1.01/20250305/A-0m4/ip").calibration.rms_intervals == ()


@pytest.mark.parametrize(
    ("value", "table", "words"),
    [
        ('"times.csv"', None, r"calibration\.intervals.*times\.csv: No such file"),
        ('"times.csv"', "start,end\n1,2\n", "has no column init_time"),
        ('"times.csv"', "init_time,final_time\n1,2\n3,x\n", "line 3: could not convert"),
        ('"times.csv"', "init_time,final_time\n5,4\n", "line 2: 5.0 to 4.0 is no interval"),
        ("[[5.0, 4.0]]", None, "5.0 to 4.0 is no interval"),
        ("[[5.0]]", None, r"calibration\.intervals"),
    ],
)
def test_what_is_no_interval_is_refused_with_its_place(tmp_path, value, table, words):
    with pytest.raises(ConfigError, match=words):
        loaded(tmp_path, f"[calibration]\nintervals = {value}\n", table)


def test_a_table_with_a_byte_order_mark_and_blanks_is_read(tmp_path):
    path = tmp_path / "times.csv"
    path.write_text("\ufeffinit_time, final_time\n 1.0 , 2.0\n\n,\n", encoding="utf-8")

    assert intervals.read(path) == ((1.0, 2.0),)


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30),
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10))),
)
def test_intervals_that_hold_nothing_count_for_nothing(times, pairs):
    time = np.array(times)
    ordered = [tuple(sorted(pair)) for pair in pairs]

    inside = statistics.inside(time, ordered)

    expected = np.array([any(first <= when <= last for first, last in ordered) for when in times])
    assert inside.tolist() == (expected if expected.any() else np.ones(len(times), dtype=bool)).tolist()


def test_every_rms_is_that_of_the_frames_in_the_intervals(tmp_path):
    first, last = 2460739.375, 2460739.43
    space = make(
        tmp_path / "space", config=f"\n[calibration]\nintervals = [[{first}, {last}]]\ndetrend = []\n"
    )

    assert run(space, "calibration").status == 0

    rows = dump.read(space / NIGHT / "lightcurve.ecsv", LIGHT_CURVE).rows
    results = json.loads((space / NIGHT / "results.json").read_text(encoding="utf-8"))
    counted = [row["residual"] for row in rows if row["is_used"] and first <= row["bjd_tdb"] <= last]
    every = [row["residual"] for row in rows if row["is_used"]]
    assert 3 < len(counted) < len(every)
    expected, all_of_them = (1000 * float(np.sqrt(np.mean(np.square(part)))) for part in (counted, every))
    assert results["rms_per_point_ppt"] == pytest.approx(expected, abs=1e-4)
    assert abs(expected - all_of_them) > 0.01
    assert (
        f"RMS of {len(counted)} of {len(every)} frames: those in [calibration] intervals" in results["flags"]
    )


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("[calibration]", "calibration.exclude_times"),
        (
            '[[observation]]\nname = "TOI-1.01/20250304"\n[observation.calibration]',
            "observation[0].calibration.exclude_times",
        ),
    ],
)
def test_times_to_leave_out_are_checked_where_they_stand(tmp_path, section, key):
    assert loaded(tmp_path, f'{section}\nexclude_times = [["2025-03-04", "2025-03-05"], [1.5, 2.5]]\n')
    with pytest.raises(ConfigError, match=re.escape(key)):
        loaded(tmp_path, f'{section}\nexclude_times = [["2025-03-05", "2025-03-04"]]\n')
