"""Are the errors of a real night true? Transits are put into its comparison stars, and found again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from benchmarks import injections
from tests.harness import SHARED, run

RAW = SHARED / "hatp32-microobs" / "raw"
SETTINGS = """
observer = "A. Observer"

[[target]]
name = "HAT-P-32.01"
aliases = ["HATP-32", "HAT-P-32"]
tic = 292152376
ra = "02:04:10.28"
dec = "+46:41:16.2"
[target.ephemeris]
t0 = 2455867.402743
period = 2.1500082
duration = 3.108
depth = 22.2

[instrument]
name = "MicroObs-Cecilia"
dialect = "microobservatory"
telescope_diameter = 0.15
gain = 38.0
read_noise = 15.0
saturation = 4000
"""


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    if not RAW.is_dir():
        pytest.skip("real data are not here")
    if not shutil.which("solve-field"):
        pytest.skip("astrometry.net is not here")
    workspace = tmp_path_factory.mktemp("injections")
    (workspace / "workspace.toml").write_text(SETTINGS, encoding="utf-8")
    shutil.copytree(RAW, workspace / "raw")
    reduced = run(workspace, "calibration")
    if any("no plate solution" in reason for reason in reduced.failed.values()):
        pytest.skip("index files of astrometry.net for this field are not here")
    return injections.load(workspace)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_transits_put_into_a_real_night_come_back_as_their_errors_say(night):
    found = list(injections.pulls(night, seed=1))
    tc = np.array([pull.tc_pull for pull in found])
    rp_rs = np.array([pull.rp_rs_pull for pull in found])

    print(injections.report(found))
    assert len(found) >= 60
    assert max(np.abs(tc).max(), np.abs(rp_rs).max()) < 4
    assert 0.8 < rp_rs.std() < 1.2
    assert 0.8 < tc.std() < 1.2
    assert abs(tc.mean()) < 0.5
    assert abs(rp_rs.mean()) < 0.5


@pytest.mark.slow
def test_the_host_of_an_injection_is_never_the_target_and_never_faint(night):
    hosts = injections.hosts(night)

    assert len(hosts) >= 20
    assert night.photometry.target not in hosts
    flux = np.nanmedian(night.photometry.flux[:, :, -3], axis=0)
    assert np.all(flux[hosts] > 0.3 * flux[night.photometry.target])
