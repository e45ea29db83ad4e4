"""Services on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalogs.server import Services, serve, stop


@pytest.fixture
def services() -> Iterator[Services]:
    held = Services()
    running = serve(held)
    yield held
    held.is_over.set()
    stop(*running)
