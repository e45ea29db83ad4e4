from __future__ import annotations

import numpy as np

from accretor.science import frames


def night(n_frame=40, **changes):
    rng = np.random.Generator(np.random.PCG64(1))
    values = {
        "n_match": rng.integers(90, 110, n_frame).astype(float),
        "transparency": rng.normal(1.3, 0.03, n_frame),
        "fwhm": rng.normal(3, 0.3, n_frame),
        "sky": rng.normal(400, 20, n_frame),
        "sky_noise": np.full(n_frame, 21.0),
    }
    for name, (index, value) in changes.items():
        values[name][index] = value
    return frames.remarks(**values)


def test_an_ordinary_night_has_no_remarks():
    assert night() == [""] * 40


def test_each_thing_that_is_unusual_is_said_of_its_frame_with_numbers():
    found = night(n_match=(3, 40.0), transparency=(5, 0.5), fwhm=(7, 6.5), sky=(9, 2500.0))

    assert [index for index, words in enumerate(found) if words] == [3, 5, 7, 9]
    assert found[3].startswith("40 stars matched, usually ")
    assert found[5].endswith("% of the light of a clear frame")
    assert found[7].startswith("FWHM 6.5 pixel, usually ")
    assert found[9].startswith("sky 2500 electron per pixel, usually ")


def test_a_dark_sky_of_almost_nothing_is_not_compared():
    sky = np.array([0.5, 1.0, 0.2, 9.0, 0.3, -0.5])
    other = np.ones(6)

    assert frames.remarks(100 * other, other, 3 * other, sky, 8 * other) == [""] * 6


def test_what_is_not_known_is_not_remarked_on():
    nothing = np.full(4, np.nan)

    assert frames.remarks(nothing, nothing, nothing, nothing, nothing) == [""] * 4
