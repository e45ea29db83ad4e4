from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accretor.catalogs.bands import SYSTEMS
from accretor.core.catalog import Catalog
from accretor.core.errors import Unusable
from accretor.science import transformations

SG1 = (
    "U",
    "B",
    "V",
    "R",
    "I",
    "Rc",
    "Ic",
    "up",
    "gp",
    "rp",
    "ip",
    "zs",
    "clear",
    "CBB",
    "TESS",
    "I+z",
    "zYJ",
)


def catalog(name, error=0.01, **bands):
    n = len(next(iter(bands.values())))
    return Catalog(
        name=name,
        epoch=2000.0,
        identifier=np.array(["a"] * n),
        ra=np.zeros(n),
        dec=np.zeros(n),
        pm_ra=np.zeros(n),
        pm_dec=np.zeros(n),
        magnitude={band: np.array(value, dtype=np.float64) for band, value in bands.items()},
        magnitude_error={band: np.full(n, error) for band in bands},
        system={band: SYSTEMS.get(band, "AB") for band in bands},
        flag=np.array([""] * n),
    )


def best(filter_name, *catalogs):
    name, tie = transformations.ties(filter_name, {item.name: item for item in catalogs})[0]
    return name, tie, tie.magnitudes(next(item for item in catalogs if item.name == name))


# A star like the Sun (Willmer 2018, ApJS 236, 47: Vega magnitudes of B V R I, AB of the Pan-STARRS1
# bands, at 1 pc scaled away; Gaia's from Casagrande & VandenBerg 2018, MNRAS 479, L102).
SUN = {"B": 5.44, "V": 4.81, "Rc": 4.43, "Ic": 4.10}
SUN_PS1 = {"g": 5.03, "r": 4.64, "i": 4.52, "z": 4.51}
SUN_GAIA = {"G": 4.67, "BP": 4.99, "RP": 4.17}


@pytest.mark.parametrize("band", ["B", "V", "Rc", "Ic"])
@pytest.mark.parametrize(("name", "bands"), [("refcat2", SUN_PS1), ("gaia_dr3", SUN_GAIA)])
def test_the_transformations_give_the_sun_its_colours(band, name, bands):
    found = catalog(name, **{key: [value] for key, value in bands.items()})
    _, tie, (magnitude, error, _) = best(band, found)

    assert tie.band == band
    assert magnitude[0] == pytest.approx(SUN[band], abs=max(0.06, 2 * error[0]))


@pytest.mark.parametrize(("filter_name", "expected"), [("gp", 5.11), ("rp", 4.65), ("ip", 4.53)])
def test_gaia_gives_the_sun_its_magnitudes_in_the_bands_of_sloan(filter_name, expected):
    found = catalog("gaia_dr3", **{key: [value] for key, value in SUN_GAIA.items()})
    _, tie, (magnitude, error, _) = best(filter_name, found)

    # Absolute AB magnitudes of Willmer (2018).
    assert tie.system == "AB"
    assert magnitude[0] == pytest.approx(expected, abs=max(0.06, 2 * error[0]))


def test_the_band_of_tess_of_the_sun_follows_from_gaia():
    found = catalog("gaia_dr3", **{key: [value] for key, value in SUN_GAIA.items()})
    _, tie, (magnitude, _, _) = best("TESS", found)

    # 4.26 by the synthetic photometry of Stassun et al. (2019), to the precision of the Sun's colours.
    assert magnitude[0] == pytest.approx(4.22, abs=0.06)
    assert tie.source.startswith("Stassun")


@pytest.mark.parametrize("filter_name", SG1)
def test_every_filter_of_sg1_is_tied_to_something(filter_name):
    assert transformations.is_known(filter_name)
    everything = [
        catalog(
            "gaia_synthetic", U=[1], B=[1], V=[1], Rc=[1], Ic=[1], u=[1], g=[1], r=[1], i=[1], z=[1], G=[1]
        ),
        catalog("gaia_dr3", G=[1], BP=[1], RP=[1]),
        catalog("tic", Tmag=[1], V=[1]),
        catalog("refcat2", g=[1], r=[1], i=[1], z=[1], G=[1]),
    ]
    assert best(filter_name, *everything)


@pytest.mark.parametrize("plain", "ugriz")
def test_plain_letters_of_sloan_are_its_filters(plain):
    full = transformations.PLAIN[plain]
    found = {"x": catalog("x", u=[1], g=[1], r=[1], i=[1], z=[1])}

    assert transformations.ties(plain, found) == transformations.ties(full, found) != []


def test_a_filter_that_nobody_knows_is_tied_to_nothing():
    assert not transformations.is_known("Halpha")
    assert transformations.ties("Halpha", {"gaia_dr3": catalog("gaia_dr3", G=[1], BP=[1], RP=[1])}) == []


def test_cousins_i_is_calibrated_with_apass_that_has_no_z():
    found = catalog("apass_dr9", B=[13.0], V=[12.4], g=[12.65], r=[12.25], i=[12.1])
    _, tie, (magnitude, _, _) = best("Ic", found)

    assert tie.needed == ("r", "r", "i")
    assert magnitude[0] == pytest.approx(12.25 - 1.2444 * 0.15 - 0.3820)


def test_a_star_that_lacks_another_band_is_not_lost():
    found = catalog(
        "apass_dr9", B=[13.0, np.nan], V=[12.4, 12.0], i=[np.nan, np.nan], g=[12.6, 12.1], r=[12, 12]
    )
    _, tie, (magnitude, _, _) = best("V", found)

    assert tie.source == "native"
    np.testing.assert_array_equal(magnitude, [12.4, 12.0])


def test_native_bands_go_before_transformations_and_colours_beyond_the_range_are_refused():
    survey = catalog("refcat2", g=[14.0, 17.0], r=[13.5, 13.0], i=[13.3, 12.0])
    synthetic = catalog("gaia_synthetic", V=[13.7, 14.9], B=[14.4, 16.5])

    assert best("V", survey, synthetic)[0] == "gaia_synthetic"
    name, tie, (magnitude, _, _) = best("V", survey)
    assert (name, tie.valid) == ("refcat2", transformations.USUAL)
    assert np.isfinite(magnitude[0])
    assert np.isnan(magnitude[1])


def test_the_error_of_a_transformed_magnitude_counts_a_band_that_stands_twice_in_full():
    rng = np.random.Generator(np.random.PCG64(2))
    n = 40_000
    true = {"g": 14.0, "r": 13.4}
    noisy = catalog(
        "x", error=0.02, **{band: value + 0.02 * rng.standard_normal(n) for band, value in true.items()}
    )
    tie = next(tie for _, tie in transformations.ties("B", {"x": noisy}) if tie.source.startswith("Jordi"))
    magnitude, error, _ = tie.magnitudes(noisy)

    assert np.std(magnitude) == pytest.approx(np.sqrt(error[0] ** 2 - tie.scatter**2), rel=0.02)
    assert np.std(magnitude) > 0.025  # 1.313 times the error of g


def test_ab_and_vega_and_back_is_where_one_began():
    for band in transformations.AB_MINUS_VEGA:
        there = transformations.offset(band, "Vega", "AB")
        assert there == -transformations.offset(band, "AB", "Vega")
        assert transformations.offset(band, "AB", "AB") == 0.0
    # Vega is brighter than 0 AB in the blue, fainter in the red: AB magnitudes of B are smaller.
    assert transformations.offset("B", "Vega", "AB") < 0 < transformations.offset("Ic", "Vega", "AB")


def test_a_system_without_a_known_offset_is_refused():
    with pytest.raises(Unusable, match="the difference of AB and Vega is not known for VT"):
        transformations.offset("VT", "Vega", "AB")


@given(shift=st.floats(-3, 3))
def test_a_transformation_keeps_the_order_of_stars_of_one_colour(shift):
    found = catalog("refcat2", g=[14.0, 14.0 + shift], r=[13.5, 13.5 + shift], i=[13, 13], z=[13, 13])
    _, _, (magnitude, _, _) = best("V", found)

    assert magnitude[1] - magnitude[0] == pytest.approx(shift, abs=1e-9)


@pytest.mark.parametrize(
    ("filter_name", "bands", "expected"),
    [
        # G minus the band at BP-RP = 0.5, worked out by hand from the tables of the documentation.
        ("B", {"G": 10.0, "BP": 10.5, "RP": 10.0}, 10.4113),
        ("V", {"G": 10.0, "BP": 10.5, "RP": 10.0}, 10.0720),
        ("R", {"G": 10.0, "BP": 10.5, "RP": 10.0}, 9.8573),
        ("I", {"G": 10.0, "BP": 10.5, "RP": 10.0}, 9.6272),
        ("TESS", {"G": 10.0, "BP": 10.5, "RP": 10.0}, 9.7371),
    ],
)
def test_the_polynomials_of_gaia_are_g_minus_the_band_as_they_are_published(filter_name, bands, expected):
    found = catalog("gaia_dr3", **{key: [value] for key, value in bands.items()})
    _, _, (magnitude, _, _) = best(filter_name, found)

    assert magnitude[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("filter_name", "reddest"), [("B", 1.75), ("gp", 1.75), ("R", 2.0), ("rp", 2.0)])
def test_red_dwarfs_are_not_on_the_relations_of_gaia_that_hold_for_red_giants_only(filter_name, reddest):
    colour = np.array([reddest - 0.05, reddest + 0.05])
    found = catalog("gaia_dr3", G=[12.0, 12.0], BP=12 + colour, RP=[12.0, 12.0])
    _, _, (magnitude, _, _) = best(filter_name, found)

    np.testing.assert_array_equal(np.isfinite(magnitude), [True, False])


@pytest.mark.parametrize(("filter_name", "expected"), [("V", 9.91), ("B", 10.76)])
def test_johnson_follows_from_tycho_by_the_linear_relations_of_its_catalogue(filter_name, expected):
    found = catalog("tycho2", BT=[11.0], VT=[10.0])  # V = VT - 0.09 (BT-VT), B-V = 0.85 (BT-VT)
    _, _, (magnitude, _, _) = best(filter_name, found)

    assert magnitude[0] == pytest.approx(expected)
