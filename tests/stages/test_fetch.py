"""How far around the target stars are fetched."""

from __future__ import annotations

import pytest

from accretor.stages import fetch
from accretor.stages.workspace import open_workspace
from tests.harness import SMALL, make, run


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return make(tmp_path_factory.mktemp("radius") / "workspace", lights=range(6))


def reach(workspace, **settings):
    import msgspec

    found = open_workspace(workspace)
    catalogs = msgspec.structs.replace(found.settings.catalogs, **settings)
    changed = msgspec.structs.replace(found.settings, catalogs=catalogs)
    return fetch.radius(changed.target[0], found.observations, changed)


def diagonal():
    """Degree from corner to corner of the simulated frames."""
    return (SMALL.size[0] ** 2 + SMALL.size[1] ** 2) ** 0.5 * SMALL.pixel_scale / 3600


def test_radius_of_the_settings_is_taken_as_it_is(workspace):
    assert reach(workspace, radius=0.123) == 0.123


def test_radius_reaches_the_farthest_corner_before_and_after_the_plate_solution(workspace):
    before = reach(workspace)
    assert run(workspace, "template").status == 0
    after = reach(workspace)

    # The target is somewhere on the frame: from half the diagonal to all of it.
    assert 0.5 * diagonal() < before <= 1.1 * diagonal() + 0.01
    assert after == pytest.approx(1.1 * diagonal(), abs=0.011)


def test_usual_radius_is_taken_where_there_are_no_frames(workspace):
    found = open_workspace(workspace)

    assert fetch.radius(found.settings.target[0], (), found.settings) == fetch.USUAL_RADIUS
