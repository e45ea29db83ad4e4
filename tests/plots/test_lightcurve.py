from __future__ import annotations

import numpy as np
import pytest

from accretor.plots import style
from accretor.plots.lightcurve import light_curve, with_error

LONG = "TIC 292152376.01 (TOI-1234.01)  " + "an observatory with a very long name " * 4


def draw(table, results, **changes):
    return light_curve(table, results, **{"title": "TIC 1.01  UT2017.12.20", "bin_minutes": 5.0, **changes})


def test_two_renders_give_the_same_bytes(night):
    first, second = (style.save(draw(*night(140))) for _ in range(2))

    assert first == second
    assert first.startswith(b"\x89PNG")
    assert b"Software" not in first


def test_the_settings_of_the_user_do_not_change_the_bytes(night):
    import matplotlib as mpl

    expected = style.save(draw(*night(10)))
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "savefig.dpi": 50, "lines.linewidth": 9}):
        changed = style.save(draw(*night(10)))

    assert changed == expected


@pytest.mark.parametrize("n_frame", [1, 10, 140, 2000])
@pytest.mark.parametrize("has_fit", [True, False])
def test_no_text_touches_another_or_leaves_the_page(night, is_legible, n_frame, has_fit):
    is_legible(
        draw(*night(n_frame, has_fit=has_fit), subtitle="Hilltop-0m5 (ip filter, 60 exp, fap 6-12-20)")
    )


def test_the_model_is_drawn_where_it_is_given_and_else_at_the_frames(night):
    table, results = night(10)
    moment = np.linspace(table["bjd_tdb"][0], table["bjd_tdb"][-1], 77)
    given = {"bjd_tdb": moment, "model": 1 - 0.01 * np.cos(7 * moment)}
    day = np.floor(table["bjd_tdb"].min())

    def drawn(**changes):
        axes = draw(table, results, **changes).axes[0]
        return [np.array(line.get_xydata()) for line in axes.lines if line.get_linewidth() == 1.3]

    (fine,), (coarse,) = drawn(line=given), drawn()

    np.testing.assert_array_equal(fine, np.column_stack([moment - day, given["model"]]))
    used = table["is_used"]
    np.testing.assert_array_equal(coarse, np.column_stack([table["bjd_tdb"] - day, table["model"]])[used])


def test_long_titles_stay_on_the_page(night, is_legible):
    is_legible(draw(*night(10), title=LONG, subtitle=LONG * 3))


def test_marks_that_nearly_coincide_have_names_that_do_not(night, is_legible, words_of):
    table, results = night(140)
    for key in ("ingress_bjd_tdb", "egress_bjd_tdb", "flip_bjd_tdb", "tc_bjd_tdb"):
        results[key] = table["bjd_tdb"][0] + 1e-4

    figure = draw(table, results)

    is_legible(figure)
    assert all(
        name in words_of(figure) for name in ("Predicted\ningress", "Predicted\negress", "Meridian\nflip")
    )


def test_the_numbers_given_are_the_numbers_shown(night, words_of):
    words = words_of(draw(*night(140)))

    for number in (
        "4.05 ppt", "2.43 ppt", "3.91 ppt", "22.17 ppt", "0.1489 ± 0.0021", "2458107.71236 ± 0.00080",
        "+1.5 ± 2.1 min", "3.11 h", "airmass, fwhm", "6.0 px (31.2″)", "12.0–20.0 px", "58 comparison stars",
        "60 s", "coverage: Full", "5 min",
    ):  # fmt: skip
        assert number in words


def test_axes_have_names_and_units(night, words_of):
    words = words_of(draw(*night(140)))

    for name in (
        "2458107 (day)",
        "TDB",
        "Relative flux",
        "Residual (ppt)",
        "FWHM",
        "e/px",
        "Airmass",
        "Target x",
    ):
        assert name in words


def test_raw_rms_is_that_of_the_raw_curve_about_the_model(night, words_of):
    table, results = night(140)
    used = table["is_used"]
    expected = 1000 * np.sqrt(np.mean((table["relative_flux"] / table["model"] - 1)[used] ** 2))

    assert f"RMS {expected:.2f} ppt about the model" in words_of(draw(table, results))


def test_every_rms_is_that_of_the_frames_that_count(night, words_of):
    table, results = night(140)
    counted = table["is_used"] & (np.arange(140) < 50)
    expected = 1000 * np.sqrt(np.mean((table["relative_flux"] / table["model"] - 1)[counted] ** 2))

    words = words_of(draw(table, results, counted=counted))

    assert f"RMS {expected:.2f} ppt about the model" in words
    assert f"of {counted.sum()} frames, in the intervals" in words


def test_a_frame_left_out_is_a_cross_and_is_counted(night, words_of):
    table, results = night(140)
    table["is_used"][:] = True
    table["is_used"][[20, 70]] = False
    table["relative_flux"][20] = table["detrended_flux"][20] = np.nan

    figure = draw(table, results)

    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    np.testing.assert_allclose(crosses[0].get_xdata(), table["bjd_tdb"][[20, 70]] - 2458107)
    assert np.isfinite(crosses[0].get_ydata()).all()
    assert "× 2 frames left out" in words_of(figure)


def test_without_a_fit_nothing_of_a_transit_is_claimed(night, words_of):
    words = words_of(draw(*night(140, has_fit=False)))

    assert "No transit fit" in words
    assert not any(word in words for word in ("depth", "Rp/R*", "Observed", "Predicted", "nan", "None"))


def test_a_night_of_which_nothing_could_be_used_is_still_drawn(night, is_legible, words_of):
    table, results = night(10, has_fit=False)
    for name, column in table.items():
        if column.dtype == float and name != "bjd_tdb":
            table[name] = np.full(10, np.nan)
    table["is_used"] = np.zeros(10, dtype=bool)
    results = {"has_fit": False}

    figure = draw(table, results)

    is_legible(figure)
    assert "not measured" in words_of(figure)
    assert style.save(figure)


def test_a_table_without_a_row_is_refused(night):
    table, results = night(10)
    with pytest.raises(ValueError, match="at least one frame"):
        draw({name: column[:0] for name, column in table.items()}, results)


def test_auxiliary_curves_take_15_percent_of_their_panel_each(night):
    axes = draw(*night(140)).axes[2]
    height = np.ptp(axes.get_ylim())

    spans = [np.ptp(line.get_ydata()) / height for line in axes.lines if line.get_marker() in "osD^vP"]

    assert len(spans) == 6
    np.testing.assert_allclose(spans, 0.15, atol=0.006)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.14891, 0.0021, "0.1489 ± 0.0021"),
        (2458107.712361, 0.00080, "2458107.71236 ± 0.00080"),
        (-1.26, 0.0996, "−1.26 ± 0.10"),
        (12.3, 45.0, "12 ± 45"),
        (2458107.712361, float("nan"), "2458107.71236"),
    ],
)
def test_a_value_has_as_many_digits_as_its_error(value, error, text):
    assert with_error(value, error) == text
