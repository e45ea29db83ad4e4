from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.settings import Ephemeris
from accretor.science import ephemeris

HATP32 = Ephemeris(
    t0=2455867.402743, period=2.1500082, duration=3.108, depth=22.2, t0_error=4.9e-5, period_error=2e-7
)


def test_transit_of_hat_p_32_in_december_2017():
    found = ephemeris.predict(HATP32, 2458107.75)

    assert found.epoch == 1042
    assert found.mid == pytest.approx(2458107.711287, abs=1e-6)
    assert (found.egress - found.ingress) * 24 == pytest.approx(3.108, abs=1e-6)


def test_error_grows_with_the_epochs_as_draws_of_the_ephemeris_do():
    random = np.random.Generator(np.random.PCG64(4))
    draws = random.normal(0, HATP32.t0_error, 100_000) + 1042 * random.normal(0, HATP32.period_error, 100_000)

    assert ephemeris.predict(HATP32, 2458107.75).sigma == pytest.approx(np.std(draws), rel=0.01)


@given(st.floats(2455000, 2462000))
def test_no_transit_is_nearer(time):
    found = ephemeris.predict(HATP32, time)

    assert abs(found.mid - time) <= HATP32.period / 2 + 1e-6


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (-3, 3, "Full"),
        (-1.554, 1.554, "Full"),
        (-1.54, 3, "Full"),  # less than two minutes late
        (-3, 0, "Ingress"),
        (0, 3, "Egress"),
        (-3, -1.6, "Out of Transit"),
        (1.6, 4, "Out of Transit"),
        (-1.2, 0.5, "Ingress"),
        (-0.5, 1.2, "Egress"),
    ],
)
def test_coverage_is_told_from_the_contacts_observed(start, end, expected):
    found = ephemeris.predict(HATP32, 2458107.75)

    assert ephemeris.coverage(found, found.mid + start / 24, found.mid + end / 24) == expected


def test_a_candidate_seen_once_is_due_only_then():
    single = Ephemeris(t0=2460000.0, period=0, duration=4.0, depth=5.0, t0_error=0.01)

    now, later = (ephemeris.predict(single, single.t0 + days) for days in (0.1, 40.0))

    assert (now.epoch, now.mid, now.sigma) == (0, single.t0, 0.01)
    assert later.mid == single.t0
    assert ephemeris.coverage(later, single.t0 + 39.9, single.t0 + 40.1) == "Out of Transit"


def test_the_period_of_a_single_transit_is_that_of_such_a_transit_of_the_sun():
    earth = Ephemeris(t0=2460000.0, period=0, duration=13.0, depth=0.08)

    assert ephemeris.orbital_period(earth) == pytest.approx(365.25)
    assert ephemeris.orbital_period(HATP32) == HATP32.period
