"""What ``keywords`` of ``[[instrument]]`` say of cards that no dialect knows."""

from __future__ import annotations

from typing import get_args

import pytest

from accretor import instruments
from accretor.core.settings import HeaderWord, InstrumentSettings
from accretor.instruments import origin
from accretor.instruments.generic import GENERIC

TIMES = {
    "start": ("T_AUF", "20:58:30"),
    "middle": ("T_MITTE", "21:00:00"),
    "end": ("T_ZU", "21:01:30"),
}
"""Of an exposure of three minutes about nine."""

WORDS = {
    "exposure": ("BELZEIT", 180000.0, "exposure", 180.0),
    "filter": ("BAND", "Sloan i", "filter", "ip"),
    "object": ("ZIEL", "TOI-1234", "object", "TOI-1234"),
    "kind": ("ART", "Science", "kind", "light"),
    "temperature": ("CHIPTEMP", -20.5, "temperature", -20.5),
    "gain": ("EPERADU", 1.5, "gain", 1.5),
    "read_noise": ("RAUSCH", 8.0, "read_noise", 8.0),
    "saturation": ("VOLL", 60000, "saturation", 60000.0),
    "pixel_scale": ("BOGEN", 1.25, "pixel_scale", 1.25),
    "ra": ("ZIEL_RA", "07:00:00", "ra", 105.0),
    "dec": ("ZIEL_DEC", "+24:30:00", "dec", 24.5),
    "altitude": ("HOEHE", 84.5, "altitude", 84.5),
    "latitude": ("ORT_B", 28.25, "latitude", 28.25),
    "longitude": ("ORT_L", -16.5, "longitude", -16.5),
    "height": ("ORT_H", 2390.0, "elevation", 2390.0),
    "mode": ("MODUS", "slow.1", "mode", "slow.1"),
}
"""Card, its value, and the field of the exposure with what it is there."""

HEADER = {
    "NAXIS1": 320,
    "NAXIS2": 240,
    "DATUM": "2025-03-04",
    **{card: value for card, value, *_ in WORDS.values()},
}


def own(**keywords):
    return InstrumentSettings(name="Hilltop", exposure_unit="ms", keywords=keywords)


def read(header, settings):
    return instruments.exposure(header, "a.fits", settings)


ALL = {word: card for word, (card, *_) in WORDS.items()}


def test_each_word_is_tried_here():
    assert {*WORDS, *TIMES} == {*get_args(HeaderWord)}


@pytest.mark.parametrize("word", WORDS)
def test_a_card_of_any_name_is_read_where_the_settings_name_it(word):
    _, _, field, expected = WORDS[word]

    found = read(HEADER, own(**ALL))

    assert getattr(found, field) == expected


@pytest.mark.parametrize("word", TIMES)
def test_a_time_that_the_settings_name_is_believed_and_not_that_of_the_dialect(word):
    card, clock = TIMES[word]
    # When the file was written, in the time of some zone; a middle that does not fit it.
    of_the_dialect = {"DATE-OBS": "2025-03-04T14:01:33", "DATE-AVG": "2025-03-04T14:00:00"}
    settings = own(**ALL, **{word: f"datum+{card.lower()}"})  # headers are in capitals, people are not

    found = read({**HEADER, **of_the_dialect, card: clock}, settings)

    assert found.mid == "2025-03-04T21:00:00.000000"
    assert found.time_rule == f"DATUM+{card} is the {word} of the exposure" + (
        ": assumed" if word == "start" else ""
    )


def test_a_card_that_the_settings_name_and_the_header_lacks_is_remarked():
    header = {**HEADER, "GAIN": 2.0, "DATE-OBS": "2025-03-04T21:00:00"}

    found = read(header, own(**{**ALL, "gain": "EPERADO"}))

    assert found.gain == 2.0
    assert "no card EPERADO, which the settings name for gain" in found.remark.split("; ")
    assert "no card" not in read(header, own(**ALL)).remark


@pytest.mark.parametrize(("value", "degree"), [(-20.5, -20.5), (252.65, -20.5), (20.0, 20.0)])
def test_a_temperature_may_be_in_kelvin(value, degree):
    assert read({**HEADER, "CHIPTEMP": value}, own(**ALL)).temperature == degree


def test_cards_that_no_dialect_knows_are_told_from_those_of_fits_and_of_the_dialect():
    header = {
        **HEADER,
        "CD1_1": 1e-4,
        "BZERO": 32768,
        "SWSERIAL": "0WM2N",
        "NOTES": " ",
        "EXPTIME": 60.0,
        "DATE-OBS": "2025-03-04",
    }

    assert origin.strange(header, GENERIC).keys() == HEADER.keys() - {"NAXIS1", "NAXIS2"}
