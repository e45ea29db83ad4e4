from __future__ import annotations

import numpy as np
import pytest

from accretor.science import detrend

N, NOISE = 120, 0.003


def quantities(seed=2):
    random = np.random.Generator(np.random.PCG64(seed))
    time = 2_458_107.0 + np.linspace(0, 0.25, N)
    return {
        "airmass": 1 + 8 * (time - time[0]) ** 2,
        "time": time,
        "x": random.normal(300, 2, N),
        "fwhm": random.normal(3, 0.3, N),
        "flip": np.where(np.arange(N) < 50, 1.0, -1.0),
    }


def choose(trend, *, max_terms=2, template=None, seed=9):
    terms = detrend.candidates(quantities(), np.ones(N, dtype=bool))
    flux = 1 + trend(terms) + np.random.Generator(np.random.PCG64(seed)).normal(0, NOISE, N)

    def chi2(names):
        design = np.column_stack([np.ones(N), *(terms[name] for name in names)])
        return float(np.sum((flux - design @ np.linalg.lstsq(design, flux, rcond=None)[0]) ** 2)) / NOISE**2

    return detrend.select(terms, chi2, n_point=N, max_terms=max_terms, template=template)


def test_terms_are_standardised_over_the_frames_used():
    is_used = np.arange(N) % 3 > 0
    terms = detrend.candidates(quantities(), is_used)

    for name in ("airmass", "time", "x"):
        assert np.mean(terms[name][is_used]) == pytest.approx(0, abs=1e-9)
        assert np.std(terms[name][is_used]) == pytest.approx(1)


def test_what_does_not_vary_or_is_not_known_is_no_term():
    given = quantities() | {"x": np.full(N, 3.0), "fwhm": np.full(N, np.nan), "flip": np.ones(N)}

    assert set(detrend.candidates(given, np.ones(N, dtype=bool))) == {"airmass", "time"}


def test_constant_light_needs_no_term():
    found = [choose(lambda terms: 0 * terms["x"], seed=seed) for seed in range(20)]

    assert found.count(()) >= 18


def test_airmass_goes_before_time():
    assert choose(lambda terms: 0.006 * terms["airmass"])[0] == "airmass"
    assert "time" not in choose(lambda terms: 0.006 * terms["airmass"] + 0.002 * terms["time"])


def test_the_terms_that_made_the_trend_are_found():
    assert set(choose(lambda terms: 0.004 * terms["x"] + 0.003 * terms["fwhm"])) == {"x", "fwhm"}


def test_a_step_at_the_flip_does_not_count_towards_the_most():
    def trend(terms):
        return 0.005 * terms["flip"] + 0.004 * terms["x"]

    assert set(choose(trend, max_terms=1)) == {"flip", "x"}
    assert choose(trend, max_terms=0) == ("flip",)


def test_what_looks_like_the_transit_is_no_term():
    terms = detrend.candidates(quantities(), np.ones(N, dtype=bool))

    assert choose(lambda _: 0.004 * terms["x"], template=1 - 0.01 * terms["x"]) == ()


def test_every_set_that_could_be_chosen_is_there_once():
    is_used = np.ones(N, dtype=bool)
    terms = detrend.candidates(quantities(), is_used)
    terms["again"] = terms["x"]

    found = detrend.sets(terms, max_terms=2, template=None, is_used=is_used)

    sets = [frozenset(one) for one in found]
    assert found[0] == ()
    assert len(set(sets)) == len(sets)
    # Of airmass, time, x, again and fwhm at most two, with the flip or without; not both of the first
    # two, nor the same under two names.
    assert len(sets) == 2 * (1 + 5 + 10 - 2)
    assert not any({"airmass", "time"} <= one or {"x", "again"} <= one for one in sets)


def test_evidence_is_demanded_of_every_term_but_airmass():
    assert detrend.demanded(()) == detrend.demanded(("airmass",)) == 0
    assert detrend.demanded(("airmass", "x", "flip")) == 12
