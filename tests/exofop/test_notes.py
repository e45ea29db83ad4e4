from __future__ import annotations

import math
import re
from dataclasses import fields, replace

import pytest

from accretor.core.errors import ConfigError
from accretor.exofop import notes, notes_template
from accretor.exofop.notes import FilterNotes, FitNotes, NotesInput, PredictionNotes

FIT = FitNotes(
    tc=2458107.7104,
    tc_error=0.0007,
    rp_rs=0.15,
    rp_rs_error=0.002,
    duration=3.05,
    duration_error=0.07,
    delta_bic=410.3,
)
CLEAR = FilterNotes(
    filter="Clear",
    n_frame=142,
    n_used=139,
    left_out={"outlier by 6.2 sigma": 1, "target saturated": 2},
    exposure=60,
    cadence=92.3,
    start=2458107.60,
    end=2458107.80,
    airmass=(1.3, 1.02, 1.1),
    aperture=(3.2, 8, 14),
    fwhm=1.9,
    pixel_scale=5.16,
    n_comparison=88,
    detrend=(("airmass", 3.2, 0.4),),
    rms_per_point=4.13,
    rms_10min=2.5,
    rms_predicted=3.4,
    coverage="Full",
    has_flip=False,
    shift_max=(150.2, 60.1),
    shift_sd=(80.0, 30.0),
    fit=FIT,
    beta=1.3,
)
DUE = PredictionNotes(2458107.6465, 2458107.711287, 2458107.776, 0.0003, 22.2, 3.108, "Bonomo et al. 2017")
VISIT = NotesInput(
    292152376, "01", "TOI-1234.01", "20171220", "MicroObs-Cecilia", "A. Observer", (CLEAR,), DUE, 0.15
)


def text(visit=VISIT, **changes):
    """Return the notes on one line, as a reader sees them."""
    return " ".join(
        notes.notes(
            replace(visit, filters=(replace(CLEAR, **changes),) if changes else visit.filters)
        ).split()
    )


def test_the_first_line_is_the_subject_that_sg1_asks_for():
    first = notes.notes(VISIT).splitlines()[0]
    assert first == "TIC 292152376.01 (TOI-1234.01) on UT2017.12.20 from MicroObs-Cecilia in Clear"


def test_every_section_is_there_and_numbered():
    heads = re.findall(r"(?m)^(\d)\. ([A-Z ]+)$", notes.notes(VISIT))

    assert [number for number, _ in heads] == list("12345678")
    assert [title for _, title in heads][:4] == ["GOAL", "INTERPRETATION", "APERTURE RADIUS", "TRANSIT"]


@pytest.mark.parametrize(
    "fact",
    [
        "detected a 1.3 min early (1.2 sigma), 3.5 min shorter (0.8 sigma) event of 22.50 +/- 0.60 ppt",
        "using an aperture of 16.5\" (3.2 px)",
        "depth is 0.3 ppt greater (0.5 sigma) than predicted",
        "Predicted Tc 2458107.711287 BJD_TDB +/- 0.4 min",
        "observed Tc 2458107.710400 +/- 0.000700 BJD_TDB (1.0 min)",
        "(Rp/R*)^2 = 0.02250 +/- 0.00060",
        "observed from 67 min before the predicted ingress to 35 min after the predicted egress",
        "RMS 4.13 ppt per exposure, 3.40 ppt predicted",
        "2.50 ppt in 10 min",
        "typical FWHM 9.8\" (1.9 px)",
        "139 of them made the light curve",
        "left out: 2 frames (target saturated)",
        "left out: 1 frame (outlier by 6.2 sigma)",
        "comparison stars: 88",
        "detrended with airmass (+3.20 +/- 0.40 ppt per sd)",
        "meridian flip: no",
        'max 150.2 px in x and 60.1 px in y (775.0" and 310.1")',
        'standard deviation 80.0 px in x and 30.0 px in y (412.8" and 154.8")',
    ],
)  # fmt: skip
def test_every_fact_is_told_with_its_numbers(fact):
    assert fact in text()


def test_what_was_not_looked_at_is_said_so():
    assert "contamination by other stars was not assessed" in text()
    assert "No search for nearby eclipsing binaries was made" in text()
    assert "not assessed" not in text(contamination="no star of Gaia DR3 within the aperture")


def test_it_is_never_claimed_that_files_are_on_exofop():
    assert "uploaded" not in text()


def test_without_a_fit_the_notes_say_so_and_why():
    said = text(fit=None, fit_reason="the night is out of transit", coverage="Out of Transit")

    assert "fitted no transit (the night is out of transit)" in said
    assert "no fit: the night is out of transit." in said
    assert "detected" not in said
    assert "observed Tc" not in said


@pytest.mark.parametrize("change", [{"delta_bic": 4.0}, {"delta_bic": -6.0}, {"rp_rs_error": 0.1}])
def test_a_weak_fit_is_no_detection(change):
    said = text(fit=replace(FIT, **change))

    assert "detected no significant transit" in said
    assert "early" not in said


def test_without_an_ephemeris_nothing_is_compared():
    said = text(replace(VISIT, prediction=None))

    assert "No ephemeris was given" in said
    for word in ("early", "late", "shorter", "longer", "full predicted"):
        assert word not in said.replace("later", "")


def test_the_error_of_the_prediction_counts_in_the_significance():
    sure = text(replace(VISIT, prediction=replace(DUE, mid_error=0.0)))
    unsure = text(replace(VISIT, prediction=replace(DUE, mid_error=0.01)))

    assert "(its error is unknown)" in sure
    assert "1.3 min early (0.1 sigma)" in unsure


def test_each_filter_has_its_own_lines():
    other = replace(CLEAR, filter="gp", fwhm=2.4, fit=None, fit_reason="too few frames")

    said = notes.notes(replace(VISIT, filters=(CLEAR, other)))

    assert said.splitlines()[0].endswith("in Clear, gp")
    assert "Clear: typical FWHM" in said
    assert "gp: typical FWHM" in said
    assert "gp: no transit was fitted: too few frames." in said
    assert "all filters: meridian flip: no." in said
    assert "gp: meridian flip" not in said


def test_without_a_pixel_scale_there_are_no_arcseconds():
    said = text(pixel_scale=math.nan)

    assert '"' not in said
    assert "3.2 px (pixel scale unknown)" in said


def test_no_number_is_printed_as_nan_and_nothing_is_left_to_fill_in():
    unknown = {
        field.name: math.nan
        for field in fields(FilterNotes)
        if field.name
        in {"cadence", "fwhm", "pixel_scale", "rms_per_point", "rms_10min", "rms_predicted", "beta"}
    }
    pairs = {"shift_max": (math.nan, math.nan), "shift_sd": (math.nan, math.nan), "airmass": (math.nan,) * 3}

    said = text(**unknown, **pairs, fit=None, detrend=())

    assert "nan" not in said
    assert not re.search(r"[\[\]<>{}]|TODO|None\b(?! were)", said)


def test_remarks_and_earlier_comments_are_passed_on():
    visit = replace(
        VISIT, remarks=("No flat field.",), previous="VPC on 20240406", neighbours="12 of 12 cleared."
    )

    said = text(visit)

    assert "No flat field." in said
    assert "VPC on 20240406" in said
    assert "12 of 12 cleared." in said


def test_lines_are_short_enough_for_mail():
    body = notes.notes(replace(VISIT, previous="word " * 200)).splitlines()[1:]
    assert max(len(line) for line in body) <= notes_template.WIDTH


def test_a_template_of_the_user_lays_out_the_same_words(tmp_path):
    own = tmp_path / "notes.txt.j2"
    own.write_text(
        "{{ subject }}\n{% for one in filters %}{{ one.filter }} {{ '%.2f' | format(one.fwhm) }}\n"
        "{% endfor %}"
        "{{ section.goal.lines[0] | wrap(2) }}\n",
        encoding="utf-8",
    )

    first, seeing, goal, *_ = notes.notes(VISIT, template=own).splitlines()

    assert first == notes.subject(VISIT)
    assert seeing == "Clear 1.90"
    assert goal.startswith("  To see whether the transit of TOI-1234.01")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("fine\n{{ subjekt }}", "'subjekt' is undefined"),
        ("fine\n{% for one in filters %}", "Unexpected end of template"),
        ("fine\n{{ filters[0].fwmh }}", "has no attribute 'fwmh'"),
        ("fine\n{{ 1 / 0 }}", "ZeroDivisionError"),
        ("fine\n{{ subject.__class__.__mro__ }}", "is unsafe"),
    ],
)
def test_a_wrong_template_is_told_in_one_line_with_its_line(tmp_path, source, reason):
    own = tmp_path / "notes.txt.j2"
    own.write_text(source, encoding="utf-8")

    with pytest.raises(ConfigError) as found:
        notes.notes(VISIT, template=own)

    assert "notes.txt.j2: line 2: " in str(found.value)
    assert reason in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    "note", ["", "full transit observed; clouds at the end", "TOI-1234 with two cameras"]
)
def test_a_public_note_without_a_result_is_free(note):
    assert notes.tells_results(note) == ""


@pytest.mark.parametrize(
    "note", ["detected a transit", "event 5 min late", "1.2 ppt in 10 min", "no event", "all NEBs cleared"]
)
def test_a_result_in_a_public_note_is_noticed(note):
    assert notes.tells_results(note) != ""


def test_seeing_transparency_and_the_smallest_aperture_are_told_where_they_are_known():
    said = text(fwhm_range=(1.5, 2.5), least_transparency=0.62, smallest=(2.0, 0.97, 0.04))

    assert 'from 7.7" (1.5 px) to 12.9" (2.5 px)' in said
    assert "at least 0.62 of the night's best" in said
    assert 'smallest aperture with a like depth: 10.3" (2.0 px), in which it is 0.97 +/- 0.04' in said
    assert "smallest" not in text()
