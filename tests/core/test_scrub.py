from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.core.scrub import scrub


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "password: 'hunter2'",
        "Authorization: Bearer hunter2",
        "https://me:hunter2@example.org/x",
        "apikey=hunter2&x=1",
        "session = hunter2",
        'API_KEY: "hunter2"',
    ],
)
def test_what_lets_in_is_taken_out(text):
    assert "hunter2" not in scrub(text, {})


def test_the_longest_word_goes_first_and_parts_of_words_stay():
    words = {"/home/ann": "~", "ann": "<user>"}

    assert scrub("/home/ann/raw, ann, planner, ANN", words) == "~/raw, <user>, planner, <user>"


def test_mail_addresses_are_taken_out():
    assert scrub("write to a.b+c@mail.example.org!", {}) == "write to <e-mail>!"


@given(st.text(alphabet="abc /=:@.", max_size=40), st.text(alphabet="xyz", min_size=3, max_size=8))
def test_a_word_between_blanks_never_stays(text, word):
    assert f" {word} " not in scrub(f"{text} {word} {text}", {word: "<gone>"})
