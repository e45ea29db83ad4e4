from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.errors import Unusable
from accretor.core.settings import TemplateSettings
from accretor.science import template

DEFAULT = TemplateSettings()


def measures(n_frame=15):
    rng = np.random.Generator(np.random.PCG64(1))
    return rng.normal(500, 20, n_frame), rng.normal(3, 0.2, n_frame), rng.normal(100, 8, n_frame)


def test_the_dark_sharp_frame_with_many_stars_is_the_best():
    sky, fwhm, n_match = measures()
    sky[6], fwhm[6], n_match[6] = 420, 2.2, 140

    score = template.scores(sky, fwhm, n_match, np.ones(15, dtype=bool), DEFAULT)

    assert template.choose(score, np.arange(15.0)) == 6
    assert score[6] == 6  # three measures, each at its limit


def test_no_single_measure_decides():
    sky, fwhm, n_match = measures()
    fwhm[3], sky[3], n_match[3] = 0.01, 900, 20

    score = template.scores(sky, fwhm, n_match, np.ones(15, dtype=bool), DEFAULT)

    assert score[3] == -2


def test_frames_that_are_not_good_have_no_score_and_no_say():
    sky, fwhm, n_match = measures()
    is_good = np.arange(15) < 10
    fwhm[2] = np.nan

    score = template.scores(sky, fwhm, n_match, is_good, DEFAULT)
    without = template.scores(sky[:10], fwhm[:10], n_match[:10], is_good[:10], DEFAULT)

    assert np.isnan(score[[2, 10, 14]]).all()
    np.testing.assert_array_equal(score[:10], without)


def test_weights_decide_what_counts():
    sky, fwhm, n_match = measures()
    only_fwhm = TemplateSettings(weight_sky=0, weight_fwhm=1, weight_stars=0)

    score = template.scores(sky, fwhm, n_match, np.ones(15, dtype=bool), only_fwhm)

    assert fwhm[template.choose(score, np.arange(15.0))] <= np.sort(fwhm)[1]


def test_of_equal_frames_the_earliest_is_taken():
    assert template.choose(np.array([1.0, 2, 2, np.nan, 2]), np.array([1.0, 9, 3, 0, 4])) == 2


def test_without_a_good_frame_there_is_no_template():
    with pytest.raises(Unusable, match="no good frame"):
        template.choose(np.full(3, np.nan), np.arange(3.0))


@given(st.permutations(range(9)))
def test_the_order_of_the_frames_does_not_matter(order):
    sky, fwhm, n_match = measures(9)
    good = np.ones(9, dtype=bool)

    score = template.scores(sky, fwhm, n_match, good, DEFAULT)
    shuffled = template.scores(sky[order], fwhm[order], n_match[order], good, DEFAULT)

    np.testing.assert_array_equal(shuffled, score[order])


def test_a_faint_target_stays_in_the_star_list(draw, expose, scattered):
    xy = scattered(30, (200, 240), 14, seed=2)
    flux = np.geomspace(1e5, 2e3, 30)
    image = expose(draw((200, 240), *xy.T, flux, 3.0) + 200, seed=3)

    bright = template.star_list(image, 3.0, max_stars=10)
    kept = template.star_list(image, 3.0, max_stars=10, keep=xy[27] + 1)

    assert len(bright) == len(kept) == 10
    assert template.find(kept.xy, xy[27], radius=1.0) == 9
    np.testing.assert_allclose(kept.xy[:9], bright.xy[:9])
    with pytest.raises(Unusable, match=r"no star within 3\.0 pixel .* nearest is at"):
        template.find(bright.xy, xy[27], radius=3.0)


def test_stars_of_a_catalogue_are_added_behind_the_found_ones(draw, expose, scattered):
    xy = scattered(5, (120, 120), 20, seed=2)
    found = template.star_list(
        expose(draw((120, 120), *xy.T, np.full(5, 5e4), 3.0) + 200, seed=3), 3.0, max_stars=9
    )

    both = template.add(found, np.array([[10.0, 20.0]]), 3.0)

    assert len(both) == len(found) + 1
    assert both.xy[-1].tolist() == [10.0, 20.0]
    assert both.flux[-1] == 0


def test_roles_follow_from_the_distance_to_the_target():
    xy = np.array([[0.0, 0.0], [100.0, 100.0], [103.0, 104.0], [130.0, 100.0]])

    assert template.roles(xy, 1, neighbour_radius=20.0) == ["comparison", "target", "neighbour", "comparison"]


def test_contrast_counts_the_light_of_near_stars():
    xy = np.array([[0.0, 0.0], [3.0, 4.0], [50.0, 50.0], [53.0, 50.0], [49.0, 50.0]])
    flux = np.array([100.0, 25.0, 10.0, 5.0, 0.0])

    found = template.contrast(xy, flux, radius=6.0)

    np.testing.assert_allclose(found[:4], [0.25, 4.0, 0.5, 2.0])
    assert found[4] == np.inf


def test_a_target_that_two_hundred_stars_outshine_is_in_the_list(draw, expose, scattered):
    xy = scattered(240, (900, 900), 22, seed=3)
    flux = np.geomspace(3e5, 1e4, 240)
    image = expose(draw((900, 900), *xy.T, flux, 3.0) + 100, seed=4)

    found = template.star_list(image, 3.0, max_stars=40, keep=xy[230:231])

    assert len(found) == 40
    assert np.hypot(*(found.xy - xy[230]).T).min() < 0.3
