from __future__ import annotations

import json

import pytest

from accretor.core.dumps import POSTERIOR
from accretor.io import dump
from tests.harness import make, run

pytest.importorskip("emcee")
SAMPLED = """
[calibration]
detrend = []
sampling = true
sampling_steps = 100
sampling_walkers = 12
"""


def test_sampling_leaves_samples_their_picture_and_numbers_and_takes_them_away_when_it_is_off(tmp_path):
    workspace = make(tmp_path, config=SAMPLED)

    first = run(workspace, "calibration")

    assert first.status == 0
    (table,) = workspace.glob("work/*/*/*/*/posterior.ecsv")
    (picture,) = workspace.glob("products/*/*/*/plots/*/posterior.png")
    (numbers,) = workspace.glob("work/*/*/*/*/results.json")
    found = dump.read(table, POSTERIOR)
    results = json.loads(numbers.read_text(encoding="utf-8"))
    assert results["posterior_median"][0] == pytest.approx(results["tc_bjd_tdb"], abs=0.05)
    assert results["posterior_is_converged"] is False
    assert "autocorrelation" in found.meta["doubt"] or "steps were taken" in found.meta["doubt"]
    assert any("posterior not converged" in flag for flag in results["flags"])
    assert len(found.rows) > 100
    assert picture.read_bytes().startswith(b"\x89PNG")
    kept = table.read_bytes()
    table.unlink()
    assert run(workspace, "calibration").stages == ["calibration"]
    assert table.read_bytes() == kept

    settings = workspace / "workspace.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("sampling = true\n", ""), encoding="utf-8"
    )
    run(workspace, "calibration")

    assert not table.exists()
    assert not picture.exists()
    assert json.loads(numbers.read_text(encoding="utf-8"))["posterior_median"] == []
