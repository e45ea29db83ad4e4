from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.settings import Ephemeris
from accretor.report import verdicts
from accretor.report.verdicts import State

EPHEMERIS = Ephemeris(t0=2458000.0, period=2.0, duration=3.0, depth=10.0)
GOOD = {
    "has_fit": True, "fit_reason": "", "delta_bic": 85.0, "is_detected": True,
    "o_c_minute": 1.0, "o_c_error_minute": 1.0,
    "prediction_error_day": 0.001, "depth_ppt": 10.5, "depth_error_ppt": 0.5, "rms_per_point_ppt": 2.0,
    "predicted_rms_ppt": 1.8, "rms_10min_ppt": 1.2, "coverage": "Full",
}  # fmt: skip


def states(results, *, ephemeris=EPHEMERIS, neighbours=(), problems=()):
    found = verdicts.of_observation(results, ephemeris, neighbours, problems)
    return {one.name: one.state for one in found}


def test_a_good_night_is_all_yes():
    assert set(states(GOOD).values()) == {State.YES}


def test_without_a_fit_nothing_is_claimed_of_the_transit():
    found = states(
        {**GOOD, "has_fit": False, "fit_reason": "no ephemeris is given", "coverage": ""}, ephemeris=None
    )

    assert [found[name] for name in ("Transit seen", "On time", "Depth as predicted", "Transit covered")] == [
        State.UNKNOWN
    ] * 4


def test_a_transit_that_is_not_detected_has_neither_time_nor_depth():
    found = states({**GOOD, "delta_bic": 4.0, "is_detected": False})

    assert found["Transit seen"] is State.NO
    assert found["On time"] is found["Depth as predicted"] is State.UNKNOWN


@pytest.mark.parametrize(
    ("late", "state"), [(2.9, State.YES), (-2.9, State.YES), (3.1, State.NO), (-3.1, State.NO)]
)
def test_on_time_means_within_three_sigma(late, state):
    assert states({**GOOD, "o_c_minute": late})["On time"] is state


@pytest.mark.parametrize(("depth", "state"), [(11.4, State.YES), (8.6, State.YES), (11.6, State.NO)])
def test_the_depth_is_held_against_the_prediction_in_units_of_its_error(depth, state):
    assert states({**GOOD, "depth_ppt": depth})["Depth as predicted"] is state


def test_a_scatter_without_prediction_is_not_judged():
    assert states({**GOOD, "predicted_rms_ppt": None})["Scatter as expected"] is State.UNKNOWN
    assert states({**GOOD, "rms_per_point_ppt": 2.8})["Scatter as expected"] is State.NO


def test_neighbours_that_were_not_checked_are_not_called_cleared():
    assert states(GOOD, neighbours=None)["Neighbours cleared"] is State.UNKNOWN


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (["Cleared", "Likely cleared", "Cleared-too-faint"], State.YES),
        (["Cleared", "Not cleared"], State.PART),
        (["Not cleared", "NOT cleared - flux too low", "NEB"], State.NO),
        ([""], State.NO),
    ],
)
def test_all_neighbours_must_be_cleared(words, state):
    assert states(GOOD, neighbours=[{"disposition": word} for word in words])["Neighbours cleared"] is state


def test_a_neighbour_that_loses_light_is_not_cleared_whatever_the_table_of_sg1_says():
    rows = [{"disposition": "Cleared", "verdict": "event"}, {"disposition": "Cleared", "verdict": "cleared"}]

    assert states(GOOD, neighbours=rows)["Neighbours cleared"] is State.PART


@pytest.mark.parametrize(
    ("rows", "state"),
    [([], State.UNKNOWN), ([{"disposition": "Cleared"}], State.PART), ([{"disposition": ""}], State.NO)],
)
def test_a_catalogue_that_may_lack_the_eclipsing_star_clears_no_field(rows, state):
    said = {
        one.name: one for one in verdicts.of_observation(GOOD, EPHEMERIS, rows, [], ["one may be missing"])
    }

    assert said["Neighbours cleared"].state is state
    assert "one may be missing" in said["Neighbours cleared"].detail


@pytest.mark.parametrize(
    ("words", "state"),
    [("Full", State.YES), ("Ingress", State.PART), ("Egress", State.PART), ("Out of Transit", State.NO)],
)
def test_half_a_transit_is_covered_in_part(words, state):
    assert states({**GOOD, "coverage": words})["Transit covered"] is state


def test_a_package_that_lacks_something_is_not_complete_and_none_is_not_known():
    assert states(GOOD, problems=["no WCS.fits"])["Package complete"] is State.NO
    assert states(GOOD, problems=None)["Package complete"] is State.UNKNOWN


MAYBE = st.none() | st.floats(-1e6, 1e6)


@given(st.fixed_dictionaries({
    **{name: MAYBE for name in GOOD if name not in ("has_fit", "is_detected", "fit_reason", "coverage")},
    "has_fit": st.booleans(), "is_detected": st.booleans(), "fit_reason": st.text(max_size=9),
    "coverage": st.sampled_from(["", "Full", "Egress"]),
}))  # fmt: skip
def test_whatever_numbers_are_missing_every_question_has_an_answer(results):
    found = verdicts.of_observation(results, EPHEMERIS, None, None)

    assert len(found) == 7
    assert all(one.value for one in found)
    assert not any("nan" in one.value.lower() or "none" in one.value.lower() for one in found)
