"""What all tests share."""

import os
from pathlib import Path

# Where Python is told to keep no bytecode, each of the hundreds of processes that tests start would compile
# all libraries anew, seconds each; it is kept where it is in nobody's way.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")

# Many threads on small matrices, in several test processes, wait for one another; a run of doit has one too.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import pytest
from hypothesis import settings

# A busy machine must not fail a property for being slow.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="module")
def blank_figures():
    """For modules whose runs in this process need figures, and that look at none."""
    from tests import harness

    with harness.blank_figures():
        yield
