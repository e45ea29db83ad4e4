"""The catalogues of a target's field, without a network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from accretor import catalogs as library
from accretor.config import workspace as config
from accretor.core.errors import ConfigError, DumpError, Unusable
from accretor.io.layout import Layout
from accretor.stages import catalogs
from accretor.synthetic import demo
from tests.catalogs.test_store import sample

OWN = """
[[catalogs.file]]
name = "{name}"
path = "my stars.csv"
epoch = 2010.0
columns = {{ra = "a", dec = "d", V = "mag"}}
"""


def workspace(tmp_path, more=""):
    layout = Layout(tmp_path)
    layout.config.write_text(demo.WORKSPACE + more, encoding="utf-8")
    settings = config.load(layout.config)
    return layout, settings, settings.target[0]


def test_there_are_none_before_any_was_fetched_or_named(tmp_path):
    asked = workspace(tmp_path)

    assert catalogs.files(*asked) == {}
    assert catalogs.stored(*asked) == {}


def test_kept_and_own_catalogues_are_found_and_own_ones_go_first(tmp_path):
    layout, settings, target = workspace(tmp_path, OWN.format(name="tic"))
    (tmp_path / "my stars.csv").write_text("a,d,mag\n1,2,3\n")
    library.write(layout.catalog("TOI-9999.01", "gaia_dr3"), sample(), {})
    library.write(layout.catalog("TOI-9999.01", "tic"), dataclasses.replace(sample(), name="tic"), {})

    found = catalogs.stored(layout, settings, target)

    assert list(found) == ["gaia_dr3", "tic"]
    assert len(found["gaia_dr3"]) == 5
    assert (found["tic"].epoch, list(found["tic"].magnitude)) == (2010.0, ["V"])
    assert catalogs.files(layout, settings, target)["tic"] == tmp_path / "my stars.csv"


def test_missing_file_of_the_user_and_damaged_catalogue_are_no_empty_sky(tmp_path):
    asked = workspace(tmp_path, OWN.format(name="mine"))
    with pytest.raises(Unusable, match=r"my stars\.csv"):
        catalogs.stored(*asked)
    asked = workspace(tmp_path)
    kept = asked[0].catalog("TOI-9999.01", "tic")
    library.write(kept, sample(), {})
    kept.write_bytes(kept.read_bytes()[:-20])
    with pytest.raises(DumpError, match=r"tic\.ecsv"):
        catalogs.stored(*asked)


def test_name_of_a_file_that_could_leave_the_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"catalogs\.file"):
        workspace(tmp_path, OWN.format(name="../x"))


def test_positions_move_from_the_catalogue_epoch():
    still = dataclasses.replace(sample(), pm_dec=np.zeros(5))

    ra, dec = catalogs.positions(still, 2016.0)
    np.testing.assert_array_equal((ra, dec), (still.ra, still.dec))

    ra, _ = catalogs.positions(still, 2026.0)
    moved = (ra - still.ra) * np.cos(np.radians(still.dec)) * 3.6e6
    np.testing.assert_allclose(moved, still.pm_ra * 10, rtol=1e-4, atol=1e-3)
