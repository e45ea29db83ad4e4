"""From raw frames to a TFOP SG1 package: the stages in their order.

doit                            everything that is new
doit list                       how far each stage is
doit photometry:TOI-1234.01     one stage of one target, and what it needs
doit help photometry            what a stage does, and its settings
doit workspace=PATH ...         another workspace than the current folder
"""

from __future__ import annotations

from pathlib import Path

from accretor.io.layout import Layout
from tasks import _entry
from tasks._reporter import Reporter
from tasks.preprocess import task_preprocess  # isort: skip  # the order of `doit list` is that of the stages
from tasks.registration import task_registration  # isort: skip
from tasks.template import task_template  # isort: skip
from tasks.photometry import task_photometry  # isort: skip
from tasks.calibration import task_calibration  # isort: skip
from tasks.plotting import task_plotting  # isort: skip
from tasks.packaging import task_packaging  # isort: skip
from tasks.upload import task_upload  # isort: skip

_entry.begin()

__all__ = [
    "DOIT_CONFIG",
    "task_calibration",
    "task_packaging",
    "task_photometry",
    "task_plotting",
    "task_preprocess",
    "task_registration",
    "task_template",
    "task_upload",
]

DOIT_CONFIG = {
    "dep_file": str(Layout(Path()).state),
    "backend": "sqlite3",
    "default_tasks": [
        "preprocess",
        "registration",
        "template",
        "photometry",
        "calibration",
        "plotting",
        "packaging",
    ],
    "continue": True,  # what fails for one observation is no reason to leave the others
    "reporter": Reporter,
    "sort": "definition",
    "verbosity": 2,
    "minversion": "0.37.0",
}
