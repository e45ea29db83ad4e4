from __future__ import annotations

import itertools

import numpy as np
import pytest

from accretor.plots import style
from accretor.plots.comparison import comparison_stars


def draw(n_frame=140, n_star=12, *, with_target=True, **changes):
    random = np.random.Generator(np.random.PCG64(3))
    sigma = 0.003 * (1 + np.arange(n_star) / 4)
    time = 2458107.61 + np.linspace(0, 0.2, n_frame)
    names = [f"C{number + 2}" for number in range(n_star)]
    if n_star > 1:
        names[1] += " TIC 1234567890 Gaia DR3 " + "4" * 60
    arguments = {
        "bjd_tdb": time, "flux": 1 + sigma * random.standard_normal((n_frame, n_star)), "names": names,
        "rms_ppt": list(1000 * sigma), "is_used": np.arange(n_frame) % 20 != 7, "title": "TIC 1.01",
        "subtitle": "each star over the others", "ingress": time[0] + 0.05, "egress": time[0] + 0.15,
        "target": 1 + 0.004 * random.standard_normal(n_frame) if with_target else None, **changes,
    }  # fmt: skip
    return comparison_stars(**arguments)


def test_two_renders_give_the_same_bytes():
    assert style.save(draw()) == style.save(draw())


@pytest.mark.parametrize("n_frame", [1, 10, 140, 2000])
@pytest.mark.parametrize("n_star", [1, 12])
def test_no_text_touches_another_or_leaves_the_page(is_legible, n_frame, n_star):
    is_legible(draw(n_frame, n_star))


def test_every_star_has_its_name_and_rms(words_of):
    words = words_of(draw())

    for number, rms in enumerate(3 * (1 + np.arange(12) / 4)):
        assert f"C{number + 2}" in words
        assert f"RMS {rms:.2f} ppt" in words
    for name in ("Predicted\ningress", "Predicted\negress", "2458107 (day)", "Relative flux + offset", "T1"):
        assert name in words


def test_stars_are_drawn_one_below_the_other_without_mixing():
    figure = draw(with_target=False)

    points = [
        line.get_ydata()
        for line in figure.axes[0].lines
        if line.get_marker() == "o" and line.get_zorder() == 2
    ]
    medians = [np.median(each) for each in points]

    assert len(points) == 12
    assert all(above > below for above, below in itertools.pairwise(medians))
    assert all(
        np.percentile(above, 10) > np.percentile(below, 90) for above, below in itertools.pairwise(points)
    )


def test_a_star_that_was_never_measured_and_missing_numbers_are_drawn(is_legible, words_of):
    flux = np.ones((140, 3)) + 0.003 * np.random.Generator(np.random.PCG64(1)).standard_normal((140, 3))
    flux[:, 1] = np.nan

    figure = draw(
        flux=flux, names=["C2", "C3", "C4"], rms_ppt=[3.0, None, float("nan")], ingress=None, egress=np.nan
    )

    is_legible(figure)
    assert words_of(figure).count("RMS unknown") == 2
    assert "Predicted" not in words_of(figure)
    assert style.save(figure)


def test_a_night_of_which_no_frame_is_used_is_still_drawn(is_legible):
    is_legible(draw(10, 3, is_used=np.zeros(10, dtype=bool)))


def test_a_wild_star_does_not_flatten_the_others(words_of):
    flux = 1 + 0.003 * np.random.Generator(np.random.PCG64(1)).standard_normal((140, 5))
    flux[:, 4] = 1 + 100 * (flux[:, 4] - 1)

    figure = draw(flux=flux, names=list("abcde"), rms_ppt=[3, 3, 3, 3, 300], with_target=False)

    assert np.ptp(figure.axes[0].get_ylim()) < 0.12
    assert "points beyond" in words_of(figure)


def test_neither_star_nor_target_is_refused():
    with pytest.raises(ValueError, match="needs a star"):
        draw(n_star=0, with_target=False)
