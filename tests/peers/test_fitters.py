"""juliet and allesfitter load the files that are written for them."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from accretor.archives import formats
from accretor.archives.curve import Curve, Fit, Orbit
from tests.peers.conftest import install

pytestmark = pytest.mark.peers

RNG = np.random.Generator(np.random.PCG64(2))
TIME = 2460739.35 + np.arange(120) * 120 / 86400
CURVE = Curve(
    name="TOI-1234.01", star="TOI-1234", tic=123, date="20250304", telescope="Hilltop-0m5", filter="ip",
    observer="A. Observer", exposure=60.0, binning="1x1", jd_utc=TIME - 0.003, bjd_tdb=TIME,
    flux=1 + RNG.normal(0, 0.003, 120), error=np.full(120, 0.003),
    covariates={"AIRMASS": np.linspace(1.1, 1.6, 120), "X": np.sin(np.arange(120.0))},
    detrended_with=("AIRMASS", "X"), orbit=Orbit(2460739.42 - 1000 * 2.15, 2.15, 22.0, 3.1, 0.0004, 2e-6),
    fit=Fit(2460739.42, 0.001, 0.149, 0.003, 6.1, 88.5, 3.1, 0.1), limb=(0.3, 0.2),
)  # fmt: skip
INSTRUMENT = "Hilltop_0m5_ip_20250304"

JULIET = """
import json, sys, juliet
instrument = sys.argv[1].replace("_", "-")
data = juliet.load(priors="juliet/priors.dat", lcfilename=f"juliet/{instrument}.dat", out_folder="out")
model = juliet.model(data, modeltype="lc")
guess = {}
for name, prior in data.priors.items():
    kind, numbers = prior["distribution"], prior["hyperparameters"]
    if kind == "fixed":
        guess[name] = numbers
    else:
        guess[name] = 0.5 * (numbers[0] + numbers[1]) if "uniform" in kind else numbers[0]
guess |= {"p_p1": 0.149, "a_p1": 6.1, "b_p1": 0.16}
model.generate(guess)
print(json.dumps({
    "time": list(data.times_lc[instrument]), "flux": list(data.data_lc[instrument]),
    "error": list(data.errors_lc[instrument]), "terms": data.lm_lc_arguments[instrument].tolist(),
    "model": list(model.model[instrument]["deterministic"]),
}))
"""

ALLESFITTER = """
import json, sys, types
try:
    import ellc
except Exception:  # its compiled part may not fit the machine; nothing that reads files is in it
    sys.modules["ellc"] = types.ModuleType("ellc")
from allesfitter import config
config.init("allesfitter", quiet=True)
base = config.BASEMENT
data = base.data[sys.argv[1]]
print(json.dumps({
    "time": list(data["time"]), "flux": list(data["flux"]), "error": list(data["err_scales_flux"]),
    "series": list(data["custom_series"]), "free": list(base.fitkeys),
    "inside": all(low <= value <= high for value, (kind, low, high, *_) in zip(base.theta_0, base.bounds)
                  if kind == "uniform"),
}))
"""


def loaded(python, folder, script):
    made, failed = formats.files(CURVE)
    assert failed == []
    for name, content in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "load.py").write_text(script)
    done = subprocess.run(
        [python, "load.py", INSTRUMENT], capture_output=True, text=True, timeout=300, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def same(found, digits=7):
    np.testing.assert_allclose(found["time"], CURVE.bjd_tdb, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found["flux"], CURVE.flux, rtol=0, atol=10.0**-digits)


def test_juliet_loads_the_curve_and_its_model_of_the_priors_is_the_transit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("juliet")
    found = loaded(install(folder / "env", "juliet", python="3.11"), folder, JULIET)
    terms = np.array(found["terms"])

    same(found)
    np.testing.assert_allclose(found["error"], CURVE.error, atol=1e-7)
    assert terms.shape == (120, 2)
    assert np.corrcoef(terms[:, 0], CURVE.covariates["AIRMASS"])[0, 1] == pytest.approx(1)
    model = np.array(found["model"])
    # In the middle, with limb darkening, the star loses more than the area of the planet.
    assert TIME[model.argmin()] == pytest.approx(2460739.42, abs=0.005)
    assert 1 - model.min() / model.max() == pytest.approx(1.1 * 0.149**2, rel=0.1)


def test_allesfitter_loads_its_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("allesfitter")
    packages = (
        *("allesfitter", "numpy<1.24", "matplotlib<3.9", "scipy<1.12", "seaborn", "astropy", "statsmodels"),
        *("emcee", "dynesty<2", "pandas<2.2", "tqdm", "corner", "h5py", "celerite", "numba", "lightkurve"),
        *("setuptools<70", "bokeh", "rich"),
    )
    found = loaded(install(folder / "env", *packages, python="3.11"), folder, ALLESFITTER)

    same(found)
    assert np.corrcoef(found["series"], CURVE.covariates["AIRMASS"])[0, 1] == pytest.approx(1)
    assert set(found["free"]) == {
        *("b_rr", "b_rsuma", "b_cosi", "b_epoch", "b_period"),
        *(f"host_ldc_q{i}_{INSTRUMENT}" for i in (1, 2)),
        f"ln_err_flux_{INSTRUMENT}",
    }
    assert found["inside"]
