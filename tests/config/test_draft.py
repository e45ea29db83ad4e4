from __future__ import annotations

import math
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from accretor.config import draft
from accretor.core.frame import Exposure

KNOWN = {
    "toi": "TOI-1234.01",
    "tic": 1234567890,
    "ra": 10.123456789,
    "dec": -20.987654321,
    "pm_ra": 12.5,
    "pm_dec": math.nan,
    "teff": 5600.0,
    "logg": math.nan,
    "t0": 2459000.123456,
    "t0_error": 0.0004,
    "period": 3.25,
    "period_error": math.nan,
    "duration": 2.5,
    "depth": 4.5,
}


def candidate(name="TOI-1234.01", aliases=(), row=None):
    return draft.Candidate(name, row["tic"] if row else 0, aliases, 12, (10.5, -20.25), row)


def telescope(name="Hilltop-0m5", example="a.fits", remarks=(), strange=None, **known):
    exposure = Exposure(kind="light", **{"exposure": 60.0, **known})
    sources = dict.fromkeys(
        ("gain", "read_noise", "saturation", "pixel_scale", "latitude", "longitude", "elevation"), "CARD"
    )
    return draft.Telescope(
        name=name,
        dialect="generic",
        n_frame={"light": 12},
        example=example,
        exposure=exposure,
        sources={**sources, "filter": "FILTER", "mid": "DATE-OBS, taken as the start of the exposure"},
        filters={"ip": 12},
        diameter=(0.5, "APTDIA"),
        match={},
        remarks=remarks,
        strange=strange or {},
    )


@given(st.text(), st.text(), st.lists(st.text(), max_size=3), st.text())
def test_whatever_stands_in_headers_and_file_names_the_draft_is_toml(name, example, aliases, remark):
    text = draft.workspace(name, [candidate(name, tuple(aliases))], [telescope("a", example, [remark])])

    read = tomllib.loads(text)

    assert len(read["target"][0].get("aliases", [])) == len(aliases)
    assert set(read) <= {"observer", "raw", "target", "instrument", "upload"}
    text.encode("utf-8")


def test_what_the_table_of_tois_tells_is_in_the_draft_to_the_last_digit():
    read = tomllib.loads(draft.workspace("raw", [candidate(row=KNOWN)], []))

    (target,) = read["target"]
    assert {name: target[name] for name in ("tic", "ra", "dec", "pm_ra", "teff")} == {
        name: KNOWN[name] for name in ("tic", "ra", "dec", "pm_ra", "teff")
    }
    assert not {"pm_dec", "logg"} & set(target)
    assert target["ephemeris"] == {
        "t0": KNOWN["t0"],
        "period": KNOWN["period"],
        "duration": KNOWN["duration"],
        "depth": KNOWN["depth"],
        "t0_error": KNOWN["t0_error"],
        "source": "ExoFOP TOI table",
    }


def test_the_cards_that_nobody_knows_are_shown_where_the_headers_lack_a_word():
    lacking = telescope(strange={"BELICHT": 60000.0, "ORT": 'der "Berg"'}, exposure=math.nan, latitude=1.0)
    text = draft.workspace("raw", [], [lacking])

    assert "exposure of Hilltop-0m5" in lacking.lacking
    assert '# keywords = {exposure = "...", gain = "...", longitude = "..."}    # the cards' in text
    assert "#     BELICHT = 60000.0\n" in text
    assert '#     ORT = "der \\"Berg\\""\n' in text
    assert '# exposure_unit = "s"' in text
    complete = telescope(strange={"ORT": "Berg"}, latitude=1.0, longitude=2.0)
    assert "keywords" not in draft.workspace("raw", [], [complete])


def test_a_value_of_the_header_is_quoted_with_its_card_and_a_missing_one_asked_for():
    text = draft.workspace("raw", [], [telescope(gain=1.5)])

    assert "# gain = 1.5    # electron/ADU, from CARD" in text
    assert "# latitude = ...    # FILL IN: degree, north positive; no card tells it" in text
    assert telescope(gain=1.5).lacking[-1:] == ["latitude and longitude of Hilltop-0m5"]
    assert telescope(latitude=1.0, longitude=2.0).lacking == [
        "gain of Hilltop-0m5, if you know it; else it is measured"
    ]
