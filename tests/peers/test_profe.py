"""The program profe makes its figures from our tables."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from accretor.aij import table
from accretor.science import statistics
from tests.harness import SHARED

pytestmark = pytest.mark.peers
VISIT = "products/TIC-999999999.02/20250304/Demo-0m4/package"
WORK = "work/TIC-999999999.02/20250304/Demo-0m4"
DATE = "2025-03-04"
FIT = """\
(Rp/R*)^2   Fitted  0.0110
Tc   Fitted  2460739.4561
t14 (h:m:s)   Calc  02:12:00
RMS (normalized)   Stat  0.0025
"""
"""What AstroImageJ's fit panel would leave; the notes of profe are made from it."""


@pytest.fixture(scope="module")
def made(profe, packed, tmp_path_factory):
    """The folder of a night after ``profe -o``, and what it said."""
    folder = tmp_path_factory.mktemp("profe-night")
    night = folder / "organized_data" / "TIC999999999"
    for part in ("measurements", "lcs", "exofop", "raw"):
        (night / part / DATE).mkdir(parents=True)
    for band, token in (("g", "gp"), ("i", "ip")):
        (own,) = (packed / VISIT).glob(f"*_{token}_measurements.tbl")
        shutil.copy2(own, night / "measurements" / DATE / f"night_{band}.tbl")
        calibrated = sorted((packed / WORK / token / "calibrated").glob("*_out.fits"))[:3]
        (night / "corrected_3x3" / DATE / f"calibrated_{band}").mkdir(parents=True)
        for path in calibrated:
            shutil.copy2(path, night / "corrected_3x3" / DATE / f"calibrated_{band}")
        shutil.copy2(calibrated[0], night / "raw" / DATE / f"{band}.fit")
        panel = night / "exofop" / DATE / "AIJ" / token / "fitpanel_rel_flux_T1.txt"
        panel.parent.mkdir(parents=True)
        panel.write_text(FIT)
    done = subprocess.run([profe, "-o"], capture_output=True, text=True, timeout=600, check=False, cwd=folder)
    log = "".join(path.read_text() for path in (folder / "logs").glob("*.log"))
    return night, done, log


def test_all_nine_modules_run_through(made):
    _, done, log = made

    assert done.returncode == 0
    assert "Traceback" not in done.stderr + log
    errors = [line for line in log.splitlines() if "ERROR" in line and "from ExoFOP" not in line]
    assert errors == []  # but for the network, where there is none
    assert "Skipping astrometry solving" in log  # without a key
    assert "Skipping TTF data retrieval" in log


@pytest.mark.parametrize(
    "pattern",
    [
        "plots/*/AltAz_and_guiding/*AltAz_movement.png",
        "plots/*/*_PROFE_lc.pdf",
        "plots/*/*_lc_2panels.pdf",
        "lcs/*/norm_gri_lcs.csv",
        "plots/*/time-avg/time-averaging-all-bands.png",
        "exofop/*/gp/*_gp_lightcurve.png",
        "exofop/*/ip/*_ip_lightcurve.png",
        "exofop/*/gp/*_gp_compstar-lightcurves.png",
        "exofop/*/ip/*_ip_compstar-lightcurves.png",
        "exofop/*/gp/*_gp_measurements.tbl",
        "exofop/*/gp/*_field.png",
        "exofop/*/gp/*_seeing-profile.png",
        "exofop/*/*_notes.txt",
    ],
)
def test_its_products_are_there(made, pattern):
    assert [path for path in made[0].glob(pattern) if path.stat().st_size > 100]


TABLE = SHARED / "aij-samples/profe-toi7149/TOI-7149/measurements/250223_g_w3.tbl"
WINDOW = (2460729.90, 2460729.95)
NUMBERS = """
import json, sys
import numpy as np, pandas as pd
from profe.output.light_curves import LightCurvePlotter
plotter = LightCurvePlotter.__new__(LightCurvePlotter)
table = pd.read_csv(sys.argv[1], sep="\\t")
time, flux = table["BJD_TDB"].to_numpy(), table["rel_flux_T1"].to_numpy()
flux = flux / np.median(flux)
binned = {minutes: list(plotter._bin_data(time, flux, flux, minutes)[1]) for minutes in (6, 10)}
inside = (time >= float(sys.argv[2])) & (time <= float(sys.argv[3]))
print(json.dumps({
    "rms": plotter._calc_rms_ppt(pd.Series(flux)), "bins": binned,
    "rms_in_bins": plotter._calc_rms_ppt(pd.Series(binned[10])),
    "rms_inside": plotter._calc_rms_ppt(pd.Series(flux[inside])),
}))
"""


def test_scatter_and_bins_of_a_real_night_are_those_of_profe(profe, tmp_path):
    if not TABLE.exists():
        pytest.skip("real data are not here")
    (tmp_path / "scatter_of_profe.py").write_text(NUMBERS)
    done = subprocess.run(
        [profe.with_name("python"), "scatter_of_profe.py", TABLE.resolve(), *map(str, WINDOW)],
        capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout.splitlines()[-1])
    columns = table.read(TABLE)
    time, flux = columns["BJD_TDB"], columns["rel_flux_T1"] / np.median(columns["rel_flux_T1"])
    ones = np.ones(len(time))

    def scatter(values):  # about the mean, as a part of the median
        return 1000 * statistics.rms(values - values.mean()) / np.median(values)

    for minutes, expected in theirs["bins"].items():
        # Their bins begin with the first point, ours with whole multiples of the width after a whole day.
        _, ours, _ = statistics.time_bins(time - time[0], flux, ones, float(minutes))
        np.testing.assert_allclose(ours, [value for value in expected if np.isfinite(value)], rtol=1e-9)
    _, ten, _ = statistics.time_bins(time - time[0], flux, ones, 10.0)
    assert scatter(flux) == pytest.approx(theirs["rms"], rel=1e-9)
    assert scatter(ten) == pytest.approx(theirs["rms_in_bins"], rel=1e-9)
    inside = statistics.inside(time, (WINDOW,))
    assert 0 < inside.sum() < len(time)
    assert scatter(flux[inside]) == pytest.approx(theirs["rms_inside"], rel=1e-9)
