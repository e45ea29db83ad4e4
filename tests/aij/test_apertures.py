from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.aij import apertures, subset, table
from accretor.aij.apertures import Apertures, Place
from accretor.core.errors import Unusable
from tests.harness import SHARED

REAL = SHARED / "aij-samples/stellarphot/aij-sample-apertures.aperture"
pixel = st.floats(0, 10_000).map(lambda value: round(value, 4))
places = st.builds(
    Place,
    x=pixel,
    y=pixel,
    is_comparison=st.booleans(),
    ra=st.floats(0, 360).map(lambda value: round(value, 8)),
    dec=st.floats(-90, 90).map(lambda value: round(value, 8)),
    recentre=st.booleans(),
    magnitude=st.just(math.nan) | st.floats(0, 20).map(lambda value: round(value, 3)),
)


@given(st.lists(places, min_size=1, max_size=5), pixel)
def test_apertures_come_back_as_they_were_written(given_places, radius):
    written = Apertures(radius, radius + 1, radius + 2, tuple(given_places), gain=1.5, read_noise=8.0)
    back = apertures.parse(apertures.write(written))

    for one, other in zip(back.places, given_places, strict=True):
        assert (one.x, one.y, one.is_comparison, one.recentre) == (
            other.x,
            other.y,
            other.is_comparison,
            other.recentre,
        )
        assert (one.ra, one.dec) == (other.ra, other.dec)
        assert one.magnitude == pytest.approx(other.magnitude, nan_ok=True)
    assert (back.radius, back.gain, back.read_noise) == (radius, 1.5, 8.0)
    assert math.isnan(back.dark_current)


@pytest.mark.skipif(not REAL.exists(), reason="real data are not here")
def test_a_real_file_is_read():
    found = apertures.read(REAL)

    assert (found.radius, found.sky_inner, found.sky_outer) == (15, 27, 41)
    assert [place.is_comparison for place in found.places] == [False, False, *[True] * 5]
    assert (found.places[0].x, found.places[0].y) == (2017.5583, 2039.4053)
    assert math.isnan(found.places[0].magnitude)


@pytest.mark.parametrize(
    "content",
    [b"", b"#nothing\n", b".multiaperture.xapertures=1,2\n.multiaperture.yapertures=1\n", b"a=\xff\n"],
)
def test_what_is_no_file_of_apertures_is_said(content):
    with pytest.raises(Unusable, match="no file of apertures"):
        apertures.parse(content)


def test_roles_that_do_not_go_with_the_places_are_said():
    with pytest.raises(Unusable, match="1 roles"):
        apertures.parse(
            b".multiaperture.xapertures=1,2\n.multiaperture.yapertures=1,2\n.multiaperture.isrefstar=true\n"
        )


def test_a_subset_reads_back_with_the_numbers_of_its_table():
    columns = {
        "Label": ["a", "b"],
        "BJD_TDB": np.array([2460738.70123456, 2460738.71]),
        "rel_flux_T1_n": np.array([1.0001, 0.99]),
        "rel_flux_err_T1_n": np.array([0.001, 0.001]),
        "AIRMASS": np.array([1.1, 1.2]),
    }
    content = subset.write(columns)
    back = table.parse(content, ".csv")

    assert content.startswith(b"#BJD_TDB,rel_flux_T1_n,")
    assert list(back) == ["BJD_TDB", "rel_flux_T1_n", "rel_flux_err_T1_n", "AIRMASS"]
    np.testing.assert_allclose(back["BJD_TDB"], columns["BJD_TDB"], rtol=0, atol=1e-8)
    np.testing.assert_array_equal(back["rel_flux_T1_n"], columns["rel_flux_T1_n"])
