from __future__ import annotations

import json

import pytest

from accretor.core.dumps import RESULTS
from accretor.core.errors import DumpError
from accretor.stages import results

FOUND = {
    "n_frame_good": 139,
    "aperture_radius_px": 4.64,
    "n_comparison": 21,
    "rms_per_point_ppt": 4.561,
    "predicted_rms_ppt": 4.4,
    "rp_rs": 0.14891,
    "rp_rs_error": 0.00204,
    "fit_reason": "",
}


def test_the_numbers_come_back(tmp_path):
    whole = {key.name: None for key in RESULTS} | FOUND
    (tmp_path / "results.json").write_text(json.dumps(whole), encoding="utf-8")

    assert results.read(tmp_path / "results.json") == whole


def test_a_file_that_lacks_numbers_is_not_believed(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(FOUND), encoding="utf-8")

    with pytest.raises(DumpError, match="does not hold the results"):
        results.read(tmp_path / "results.json")


def test_numbers_that_are_not_there_or_torn_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError):
        results.read(tmp_path / "results.json")

    (tmp_path / "results.json").write_text(json.dumps(FOUND)[:40], encoding="utf-8")
    with pytest.raises(DumpError, match=r"results\.json: is damaged"):
        results.read(tmp_path / "results.json")


def test_a_fit_is_told_in_one_line():
    assert results.said(FOUND) == (
        "139 points, r = 4.6 px, 21 stars, 4.56 ppt (predicted 4.40); Rp/R* 0.1489 ± 0.0020"
    )


def test_without_a_fit_the_reason_is_told():
    said = results.said({**FOUND, "rp_rs": None, "rp_rs_error": None, "fit_reason": "no ephemeris"})

    assert said.endswith("; no fit: no ephemeris")


def test_a_scatter_that_cannot_be_predicted_is_not_invented():
    assert "predicted" not in results.said({**FOUND, "predicted_rms_ppt": None})


def test_numbers_that_are_null_are_unknown_and_no_exception():
    said = results.said({**FOUND, "rp_rs_error": None, "rms_per_point_ppt": None})

    assert said.endswith("unknown ppt (predicted 4.40); Rp/R* 0.1489 ± unknown")
