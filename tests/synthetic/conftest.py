from __future__ import annotations

from pathlib import Path

import pytest

from accretor.synthetic import demo, scene
from accretor.synthetic.night import BadFrame, Cloud, Night, Transit
from accretor.synthetic.scene import Scene

SMALL = Night(
    seed=5,
    n_frame=12,
    cadence=1200.0,
    size=(200, 150),
    n_star=15,
    n_bias=2,
    n_dark=1,
    n_flat=2,
    cloud=Cloud(depth=0.5, hour=1.0, sigma=15.0),
    bad_frame=BadFrame(index=7),
    flip=9,
    transit=Transit(impact=0.0, limb_darkening=(0.0, 1.0)),
)


@pytest.fixture(scope="session")
def small() -> Night:
    return SMALL


@pytest.fixture(scope="session")
def prepared(small: Night) -> Scene:
    return scene.prepare(small)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    demo.make(folder)
    return folder
