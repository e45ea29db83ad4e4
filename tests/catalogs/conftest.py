"""Services on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalogs.server import Services, serve


@pytest.fixture
def services() -> Iterator[Services]:
    with serve(Services()) as held:
        yield held
