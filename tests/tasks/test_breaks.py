"""What a bug of ours costs: the piece of work that it is in, and nothing beside it."""

from __future__ import annotations

import json

from accretor.science import lightcurve
from tests.harness import run
from tests.tasks.conftest import TARGETS


def results_of(space, target):
    (path,) = (space / "work" / target).rglob("results.json")
    return path


def test_a_bug_in_one_observation_stops_no_other_and_not_the_summary(space, monkeypatch):
    sound = lightcurve.calibrate

    def broken(photometry, **given):
        if given["target"].name == TARGETS[0]:
            raise ZeroDivisionError("injected")
        return sound(photometry, **given)

    for target in TARGETS:
        results_of(space, target).unlink()
    monkeypatch.setattr(lightcurve, "calibrate", broken)
    ran = run(space, "calibration")

    assert ran.status != 0
    assert "BROKE: ZeroDivisionError: injected" in ran.out
    assert "report these lines" in ran.out
    assert "a fault of accretor: ZeroDivisionError: injected; logs/accretor.log" in run(space, "why").out
    assert "in broken" in (space / "logs" / "accretor.log").read_text(encoding="utf-8")
    assert ran.stages == ["calibration"]
    assert not list((space / "work" / TARGETS[0]).rglob("results.json"))
    assert results_of(space, TARGETS[1]).is_file()
    assert f"{TARGETS[1]}  20250306" in ran.out
    assert "tasks: " in ran.out
    monkeypatch.undo()
    after = run(space, "calibration")
    assert after.status == 0
    assert len(after.done) == 1


def test_the_summary_of_results_that_nobody_foresaw_ends_no_run(space):
    path = results_of(space, TARGETS[0])
    odd = json.loads(path.read_text(encoding="utf-8")) | {"n_frame_good": None, "flags": None}
    path.write_text(json.dumps(odd), encoding="utf-8")

    ran = run(space, "registration")

    assert ran.status == 0
    assert f"{TARGETS[0]}  20250304: the summary broke here (TypeError" in ran.out
    assert f"{TARGETS[1]}  20250306" in ran.out
    assert "Next:  doit list" in ran.out  # there is no report to be shown
    assert "Traceback" not in ran.out + ran.err


def test_results_of_an_earlier_version_with_a_fit_of_null_are_told(space):
    path = results_of(space, TARGETS[0])
    odd = json.loads(path.read_text(encoding="utf-8"))
    odd |= {"has_fit": True, "rp_rs": 0.001, "rp_rs_error": None, "depth_error_ppt": None, "o_c_minute": None}
    path.write_text(json.dumps(odd), encoding="utf-8")

    ran = run(space, "registration")

    assert "Rp/R* 0.0010 ± unknown" in ran.out
    assert "the summary broke" not in ran.out
    assert "Rp/R* 0.0010 ± unknown" in run(space, "list", "--all").out
