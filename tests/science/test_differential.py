from __future__ import annotations

import numpy as np

from accretor.science import differential

RADII = np.array([2.0, 3.0, 4.0, 5.0, 6.0])


def choose(*scatter, fwhm=2.0):
    return RADII[differential.choose_radius(RADII, np.array(scatter), fwhm, usual=2)]


def test_the_radius_of_least_scatter_is_chosen():
    assert choose(9, 6, 4, 5, 6) == 4


def test_a_smaller_radius_that_is_as_good_is_preferred():
    assert choose(9, 4.1, 4, 4.05, 6) == 3


def test_radii_that_follow_the_seeing_are_left_out_while_there_are_others():
    assert choose(3, 4, 5, 6, 7) == 3
    assert choose(3, 4, 5, 6, 7, fwhm=10.0) == 2


def test_unknown_scatter_leaves_the_usual_radius():
    assert choose(*[np.nan] * 5) == 4
    assert choose(np.nan, np.nan, np.nan, 5, 6) == 5
