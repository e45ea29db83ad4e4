"""From raw frames to a TFOP SG1 package: the stages in their order.

doit                            everything that is new
doit init workspace=PATH        a first workspace.toml from the headers of your frames
doit list                       how far each stage is; with --all each observation
doit why                        what would be done, and why
doit photometry:TOI-1234.01     one stage of one target, and what it needs
doit show:TOI-1234.01           where its report is; open=yes opens it
doit check:TOI-1234.01          what is wrong with its package
doit upload:TOI-1234.01         what would be sent to ExoFOP; nothing is sent unless you confirm
doit help photometry            what a stage or command does, and its settings
doit doctor                     program, settings, frames and disk, for a bug report
doit workspace=PATH ...         another workspace than the current folder
"""

from __future__ import annotations

from tasks import _first  # noqa: F401  # before anything slow is loaded

# isort: split
from collections.abc import Iterator
from pathlib import Path

from doit.task import Task

from accretor.io.layout import Layout
from tasks import (
    _entry,
    _wishes,
    aij,
    calibration,
    check,
    cite,
    doctor,
    download,
    ephemeris,
    export,
    fetch,
    forced,
    init,
    neb,
    notes,
    organize,
    packaging,
    photometry,
    plotting,
    preprocess,
    registration,
    report,
    show,
    skynet,
    template,
    ttf,
    upload,
    watch,
    why,
    zeropoint,
)
from tasks._reporter import Reporter

_wishes.check_names()
_entry.begin()
_wishes.check()

DOIT_CONFIG = {
    "dep_file": str(Layout(Path()).state),
    "backend": "sqlite3",
    # An upload is never a default.
    "default_tasks": [
        "preprocess",
        "registration",
        "template",
        "photometry",
        "aij",
        "zeropoint",
        "calibration",
        "forced",
        "neb",
        "plotting",
        "packaging",
        "report",
        "index",
    ],
    "continue": True,  # what fails for one observation is no reason to leave the others
    "reporter": Reporter,
    "sort": "definition",
    "verbosity": 2,
    "minversion": "0.37.0",
}


def task_init() -> Iterator[Task]:
    """Write a first workspace.toml from the headers of your frames."""
    yield from init.tasks()


def task_doctor() -> Iterator[Task]:
    """Look at program, settings, frames and disk, for a bug report."""
    yield from doctor.tasks()


def task_organize() -> Iterator[Task]:
    """Make a tree of links to your frames, by what they are."""
    yield from organize.tasks()


def task_preprocess() -> Iterator[Task]:
    """Bring the raw frames to known times, and calibrate the detector."""
    yield from preprocess.tasks()


def task_registration() -> Iterator[Task]:
    """Measure each frame alone."""
    yield from registration.tasks()


def task_template() -> Iterator[Task]:
    """Choose the reference frame, and find the target."""
    yield from template.tasks()


def task_photometry() -> Iterator[Task]:
    """Measure all stars in all frames."""
    yield from photometry.tasks()


def task_aij() -> Iterator[Task]:
    """Read the nights that begin with a measurement table of AstroImageJ."""
    yield from aij.tasks()


def task_zeropoint() -> Iterator[Task]:
    """Bring the magnitudes to those of a catalogue."""
    yield from zeropoint.tasks()


def task_calibration() -> Iterator[Task]:
    """Make the light curve and fit the transit."""
    yield from calibration.tasks()


def task_forced() -> Iterator[Task]:
    """Measure the neighbours of the target, and other places on the sky."""
    yield from forced.tasks()


def task_neb() -> Iterator[Task]:
    """Check whether a neighbour is an eclipsing binary."""
    yield from neb.tasks()


def task_plotting() -> Iterator[Task]:
    """Draw the figures."""
    yield from plotting.tasks()


def task_packaging() -> Iterator[Task]:
    """Make the package for TFOP SG1."""
    yield from packaging.tasks()


def task_check() -> Iterator[Task]:
    """Check the packages, or one that anybody made, before they go out."""
    yield from check.tasks()


def task_notes() -> Iterator[Task]:
    """Put the layout of the notes into the workspace, to be changed there."""
    yield from notes.tasks()


def task_report() -> Iterator[Task]:
    """Write a page that tells the whole of each night."""
    yield from report.tasks()


def task_index() -> Iterator[Task]:
    """Write the page of all observations."""
    yield from report.index()


def task_show() -> Iterator[Task]:
    """Say where the report of a target is, and open it."""
    yield from show.tasks()


def task_upload() -> Iterator[Task]:
    """Upload a package to ExoFOP: show what would be sent, and send it when that is confirmed."""
    yield from upload.tasks()


def task_ephemeris() -> Iterator[Task]:
    """Put the transits of all nights of a target together."""
    yield from ephemeris.tasks()


def task_logout() -> Iterator[Task]:
    """Forget the login to ExoFOP."""
    yield from upload.log_out()


def task_download() -> Iterator[Task]:
    """Fetch what others have observed, from ExoFOP."""
    yield from download.tasks()


def task_fetch() -> Iterator[Task]:
    """Fetch catalogues and what ExoFOP knows of the target, for places without a network."""
    yield from fetch.tasks()


def task_export() -> Iterator[Task]:
    """Write tables for other programs."""
    yield from export.tasks()


def task_cite() -> Iterator[Task]:
    """Write what to cite."""
    yield from cite.tasks()


def task_ttf() -> Iterator[Task]:
    """Compare the predicted transits with those of the TTF."""
    yield from ttf.tasks()


def task_skynet() -> Iterator[Task]:
    """Fetch the frames of a Skynet observation."""
    yield from skynet.tasks()


def task_why() -> Iterator[Task]:
    """Say why a piece of work would be done."""
    yield from why.tasks()


def task_watch() -> Iterator[Task]:
    """Keep reducing while a night is being observed."""
    yield from watch.tasks()
