"""Write the numbers of the golden night as they are now; look at what changed, and say it in the CHANGELOG.

uv run python -m tests.golden.night
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from accretor.core.dumps import LIGHT_CURVE
from accretor.io import dump
from tests.harness import make, run
from tests.pipeline.causes import NIGHT

FILE = Path(__file__).with_name("night.json")
NUMBERS = (
    *(
        "n_frame_good",
        "n_comparison",
        "aperture_radius_px",
        "fwhm_px",
        "rms_per_point_ppt",
        "predicted_rms_ppt",
    ),
    *("tc_bjd_tdb", "tc_error_day", "rp_rs", "rp_rs_error", "duration_hour", "duration_error_hour", "beta"),
    "science_version",
)
COLUMNS = ("bjd_tdb", "relative_flux", "relative_flux_error", "model")


def measure(folder: Path) -> dict[str, object]:
    """Reduce the small simulated night in *folder*, and return its numbers."""
    workspace = make(folder)
    done = run(workspace, "calibration")
    if done.status:
        raise RuntimeError(done.out + done.err)
    results = json.loads((workspace / NIGHT / "results.json").read_text(encoding="utf-8"))
    rows = [
        row for row in dump.read(workspace / NIGHT / "lightcurve.ecsv", LIGHT_CURVE).rows if row["is_used"]
    ]
    return {
        "results": {name: results[name] for name in NUMBERS},
        "light_curve": {name: [round(row[name], 8) for row in rows] for name in COLUMNS},
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        FILE.write_text(json.dumps(measure(Path(place)), indent=1) + "\n", encoding="utf-8")
