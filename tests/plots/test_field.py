from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import Circle

from accretor.plots import style
from accretor.plots.field import field, orientation, stretched

SCALE = 1.3 / 3600


def sky(ny=120, nx=160, seed=5):
    return 300 + 17 * np.random.Generator(np.random.PCG64(seed)).standard_normal((ny, nx))


def stars(x, y, n_target=1):
    n_star = len(x)
    return {
        "x": np.asarray(x, dtype=float),
        "y": np.asarray(y, dtype=float),
        "label": np.array([f"{'T' if number < n_target else 'C'}{number + 1}" for number in range(n_star)]),
        "role": np.array(["target" if number < n_target else "comparison" for number in range(n_star)]),
    }


def crowd(n_star, ny=120, nx=160, seed=1):
    random = np.random.Generator(np.random.PCG64(seed))
    return stars(random.uniform(2, nx - 2, n_star), random.uniform(2, ny - 2, n_star))


def plate(angle, *, is_mirrored):
    """CD matrix of a sky turned by *angle* degrees; north up and east left at 0."""
    turn = np.radians(angle)
    cd = SCALE * np.array([[-np.cos(turn), -np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return cd @ np.diag([-1.0, 1.0]) if is_mirrored else cd


def on_page(figure, x, y):
    """Return where the circle drawn about pixel (x, y) is on the page."""
    axes = figure.axes[0]
    names = axes.get_xlabel(), axes.get_ylabel()
    place = (x, y) if names == ("x (pixel)", "y (pixel)") else (y, x)
    centres = [patch.center for patch in axes.patches if isinstance(patch, Circle)]
    assert any(np.allclose(centre, place) for centre in centres)
    return axes.transData.transform(place)


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("angle", [0, 90, 180, 270, 20, 110, 200, 290, -30])
@pytest.mark.parametrize("zoom", [None, 1.0])
def test_a_star_north_east_of_the_target_is_drawn_up_and_left_of_it(angle, is_mirrored, zoom):
    cd = plate(angle, is_mirrored=is_mirrored)
    offset = np.linalg.inv(cd) @ (np.array([25.0, 25.0]) / 3600)
    x, y = 80.0, 60.0

    figure = field(
        sky(), stars=stars([x, x + offset[0]], [y, y + offset[1]]), radius_px=5, cd=cd, title="", zoom=zoom
    )

    target, north_east = on_page(figure, x, y), on_page(figure, x + offset[0], y + offset[1])
    assert north_east[0] < target[0]
    assert north_east[1] > target[1]


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_the_pixel_under_a_star_is_the_pixel_of_the_star(angle, is_mirrored):
    image = np.full((120, 160), 300.0)
    image[30, 100] = 5000
    cd = plate(angle, is_mirrored=is_mirrored)

    figure = field(image, stars=stars([100], [30]), radius_px=5, cd=cd, title="", zoom=1.0)

    figure.canvas.draw()
    column, row = on_page(figure, 100, 30)
    pixels = np.asarray(figure.canvas.buffer_rgba())
    assert pixels[pixels.shape[0] - 1 - int(row), int(column), :3].max() < 30


@given(angle=st.floats(-180, 180), is_mirrored=st.booleans())
def test_north_is_never_further_than_45_degrees_from_up_nor_east_from_left(angle, is_mirrored):
    cd = plate(angle, is_mirrored=is_mirrored)
    inverse = np.linalg.inv(cd)

    turn = orientation(cd)

    north, east = (turn.on_page(*(inverse[:, row] / np.linalg.norm(inverse[:, row]))) for row in (1, 0))
    assert north[1] > math.cos(math.radians(45.001))
    assert -east[0] > math.cos(math.radians(45.001))


def test_arrows_point_to_the_north_and_east_of_the_plate_solution():
    cd = plate(20, is_mirrored=False)
    figure = field(sky(), stars=stars([80], [60]), radius_px=5, cd=cd, title="")
    page = figure.get_size_inches()
    letters = {text.get_text(): np.multiply(text.get_position(), page) for text in figure.texts}

    # From E to N it is 45 degrees from the horizontal, and 20 more by the turn of the plate.
    across, along = letters["N"] - letters["E"]

    assert math.degrees(math.atan2(along, across)) == pytest.approx(45 + 20, abs=0.5)


def test_two_renders_give_the_same_bytes():
    first, second = (
        style.save(
            field(sky(), stars=crowd(12), radius_px=4, cd=plate(0, is_mirrored=False), title="TIC 1.01")
        )
        for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize("n_star", [1, 12, 60])
@pytest.mark.parametrize("zoom", [None, 3.0])
@pytest.mark.parametrize("angle", [0, 90])
def test_no_text_touches_another_or_leaves_the_page(is_legible, n_star, zoom, angle):
    figure = field(
        sky(), stars=crowd(n_star), radius_px=4, cd=plate(angle, is_mirrored=False),
        title="TIC 292152376.01 " * 8, subtitle="field " * 80, zoom=zoom,
    )  # fmt: skip
    is_legible(figure)


def test_labels_are_outside_all_circles():
    table = crowd(30)
    figure = field(sky(), stars=table, radius_px=4, title="")
    figure.canvas.draw()
    axes = figure.axes[0]
    circles = [axes.transData.transform(patch.center) for patch in axes.patches]
    radius = axes.patches[0].radius * abs(np.subtract(*axes.transData.transform([(0, 0), (1, 0)])[:, 0]))
    labels = [text for text in figure.texts if text.get_text() in set(table["label"])]

    assert len(labels) >= 28
    for label in labels:
        box = label.get_window_extent()
        for x, y in circles:
            gap = math.hypot(max(box.x0 - x, x - box.x1, 0), max(box.y0 - y, y - box.y1, 0))
            assert gap > radius - 1


def test_target_is_green_comparison_stars_are_red_and_circles_have_the_aperture_radius():
    figure = field(sky(), stars=stars([80, 40], [60, 30]), radius_px=7.5, title="")

    target, comparison = figure.axes[0].patches
    assert target.radius == comparison.radius == 7.5
    red, green, _, _ = target.get_edgecolor()
    assert green > 2 * red
    red, green, _, _ = comparison.get_edgecolor()
    assert red > 2 * green


def test_small_apertures_are_enlarged_in_the_whole_field_and_true_in_the_zoom(words_of):
    image = np.zeros((1000, 1000))
    whole, zoom = (
        field(image, stars=stars([500], [500]), radius_px=3, pixel_scale=0.5, title="", zoom=zoom)
        for zoom in (None, 3)
    )

    assert whole.axes[0].patches[0].radius > 3
    assert "circles enlarged" in words_of(whole)
    assert zoom.axes[0].patches[0].radius == 3
    assert "circles enlarged" not in words_of(zoom)


def test_circle_of_two_and_a_half_arcmin_is_drawn_to_scale_and_named(words_of):
    figure = field(
        np.zeros((800, 800)), stars=stars([400], [390]), radius_px=9, pixel_scale=0.5, title="", zoom=3.0
    )

    assert figure.axes[0].patches[-1].radius == pytest.approx(300)
    assert figure.axes[0].get_xlim() == pytest.approx((40, 760))
    assert figure.axes[0].get_ylim() == pytest.approx((30, 750))
    assert "Radius=2.5'" in words_of(figure)
    assert "3.0 px" not in words_of(figure)
    assert "9.0 px = 4.5″" in words_of(figure)


def test_without_a_scale_the_zoom_is_60_pixels_and_nothing_in_arcmin_is_claimed(words_of):
    figure = field(sky(), stars=stars([80], [60]), radius_px=5, title="", zoom=3.0)

    assert figure.axes[0].get_xlim() == (20, 140)
    assert "Radius" not in words_of(figure)
    assert "″" not in words_of(figure)
    assert "\nN" not in words_of(figure)


def test_scale_comes_from_the_plate_solution(words_of):
    figure = field(sky(), stars=stars([80], [60]), radius_px=5, cd=plate(30, is_mirrored=False), title="")

    assert "5.0 px = 6.5″" in words_of(figure)


def test_a_label_does_not_hide_a_star_that_is_not_on_the_list():
    image = sky()
    image[62:75, 88:104] = 20000  # just where the label would be
    figure = field(image, stars=stars([80], [60]), radius_px=5, title="", zoom=1.0)
    figure.canvas.draw()
    label = next(text for text in figure.texts if text.get_text() == "T1")

    x, y = figure.axes[0].transData.inverted().transform(label.get_window_extent().get_points()).mean(axis=0)

    assert not (86 < x < 106 and 60 < y < 77)


@pytest.mark.parametrize("shape", [(40, 400), (400, 40), (2500, 2500)])
def test_narrow_and_large_images_are_drawn(is_legible, shape):
    image = np.ones(shape)
    is_legible(field(image, stars=stars([20], [20]), radius_px=4, cd=plate(0, is_mirrored=False), title="t"))


def test_a_target_near_the_edge_stays_in_the_middle_of_the_zoom(is_legible):
    figure = field(sky(), stars=stars([3], [118]), radius_px=4, pixel_scale=1.0, title="t", zoom=1.0)

    is_legible(figure)
    assert figure.axes[0].get_xlim() == pytest.approx((-57, 63))
    assert style.save(figure)


def test_an_image_without_a_number_is_drawn_blank(is_legible):
    figure = field(np.full((50, 60), np.nan), stars=stars([30], [25]), radius_px=4, title="t")

    is_legible(figure)
    assert style.save(figure)


def test_stretch_is_the_same_for_any_zero_point_and_gain():
    image = sky()
    image[20:24, 30:34] += 4000

    np.testing.assert_allclose(stretched(5 * image - 700), stretched(image), atol=1e-4)


def test_stretch_shows_the_noise_and_keeps_stars_apart():
    image = sky()
    image[10, 10], image[20, 20] = 300 + 10 * 17, 300 + 100 * 17

    shown = stretched(image)

    assert 0.02 < np.std(shown) < 0.3
    assert np.median(shown) < 0.3 < shown[10, 10] <= shown[20, 20]


def test_a_field_without_stars_is_refused():
    with pytest.raises(ValueError, match="at least one star"):
        field(sky(), stars=stars([], []), radius_px=4, title="")
