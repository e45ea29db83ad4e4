"""A night whose numbers are known to the last digit that matters: no change moves them unseen.

It is simulated, so they can be anybody's. Oldest and newest allowed libraries differ by 1e-8 of each;
the tolerances are a thousandth of the errors of the numbers, which no result can depend on.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from accretor.core import versions
from tests.golden import night

RENEW = "run: python -m tests.golden.night, look at the difference, and say it under Science in the CHANGELOG"
TOLERANCE = {
    "n_frame_good": 0,
    "n_comparison": 0,
    "aperture_radius_px": 1e-6,  # one of the grid
    "fwhm_px": 0.001,
    "rms_per_point_ppt": 0.001,
    "predicted_rms_ppt": 0.001,
    "tc_bjd_tdb": 2e-6,  # day: 0.001 of its error
    "tc_error_day": 2e-6,
    "rp_rs": 5e-6,
    "rp_rs_error": 5e-6,
    "duration_hour": 1e-4,
    "duration_error_hour": 1e-4,
    "beta": 0.001,
}


@pytest.fixture(scope="module")
def golden():
    return json.loads(night.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def now(tmp_path_factory):
    return night.measure(tmp_path_factory.mktemp("golden"))


def test_the_numbers_are_those_of_this_science_version(golden):
    assert golden["results"]["science_version"] == versions.SCIENCE, RENEW


@pytest.mark.parametrize("name", TOLERANCE)
def test_a_number_of_the_golden_night_is_what_it_was(golden, now, name):
    assert now["results"][name] == pytest.approx(golden["results"][name], abs=TOLERANCE[name], rel=0), RENEW


@pytest.mark.parametrize(
    ("column", "tolerance"),
    [
        ("bjd_tdb", 1e-8),  # a millisecond
        ("relative_flux", 3e-6),  # 0.001 of the error of a point
        ("relative_flux_error", 3e-6),
        ("model", 1e-5),
    ],
)
def test_the_light_curve_of_the_golden_night_is_what_it_was(golden, now, column, tolerance):
    np.testing.assert_allclose(
        now["light_curve"][column], golden["light_curve"][column], rtol=0, atol=tolerance, err_msg=RENEW
    )


def test_the_golden_night_is_near_its_truth(golden):
    from accretor.synthetic import frames, scene
    from tests.harness import SMALL

    truth, found = frames.truth(scene.prepare(SMALL)), golden["results"]

    assert abs(found["rp_rs"] - truth.rp_rs) < 3 * found["rp_rs_error"]
    assert abs(found["tc_bjd_tdb"] - truth.tc) < 3 * found["tc_error_day"]
