from __future__ import annotations

import pytest

from accretor.compute.pool import Pool
from accretor.core.settings import ComputeSettings


@pytest.fixture(scope="module")
def processes():
    """A pool of two processes; starting them is what takes the time."""
    pool = Pool(ComputeSettings(executor="processes", workers=2))
    yield pool
    pool.close()
