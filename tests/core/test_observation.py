from __future__ import annotations

import pickle
from pathlib import PurePosixPath

import pytest

from accretor.core.observation import Observation, Visit

ONE = Observation("TOI-1234.01", "20250304", "Hilltop-0m5", "ip")


def test_the_slug_is_the_folder_target_night_telescope_filter():
    assert ONE.slug == "TOI-1234.01/20250304/Hilltop-0m5/ip"


def test_observations_are_in_folders_of_their_visit():
    assert PurePosixPath(ONE.slug).parent == PurePosixPath(ONE.visit.slug)


def test_filters_of_a_night_and_telescope_are_one_visit():
    other = Observation(ONE.target, ONE.night, ONE.telescope, "gp")

    assert other.visit == ONE.visit == Visit("TOI-1234.01", "20250304", "Hilltop-0m5")
    assert other != ONE


def test_observations_are_in_order_of_target_then_night():
    later = Observation("TOI-1234.01", "20250305", "Hilltop-0m5", "B")
    elsewhere = Observation("TOI-1000.01", "20300101", "Hilltop-0m5", "B")

    assert sorted([later, ONE, elsewhere]) == [elsewhere, ONE, later]


def test_an_observation_is_the_same_in_another_process():
    assert pickle.loads(pickle.dumps(ONE)) == ONE
    assert hash(pickle.loads(pickle.dumps(ONE))) == hash(ONE)


def test_an_observation_cannot_be_changed():
    with pytest.raises(AttributeError):
        ONE.filter = "gp"
