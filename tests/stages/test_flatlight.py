from __future__ import annotations

import math

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.core.readout import Section
from accretor.io import fits
from accretor.stages import flatlight
from accretor.stages.masters import Source


def sources(folder, *levels):
    found = []
    for index, level in enumerate(levels):
        path = folder / f"flat-{index}.fits"
        image = np.full((6, 8), level, dtype=np.float32)
        image[:, 6:] = 0  # overscan
        found.append(Source(path, 0, fits.write_image(path, image, {}), 3.0))
    return found


def names(lit):
    return [item.path.stem for item in lit.sources]


@pytest.mark.parametrize(
    ("saturation", "expected"),
    [(60_000.0, ["flat-1", "flat-2"]), (4_095.0, ["flat-0"]), (math.nan, ["flat-0", "flat-1", "flat-2"])],
)
def test_flats_between_a_tenth_and_seven_tenths_of_saturation_are_used(tmp_path, saturation, expected):
    lit = flatlight.choose(sources(tmp_path, 2_000, 20_000, 41_000, 50_000), saturation, None, {})

    assert names(lit) == expected
    assert len(lit.remarks) == 1
    assert "flat-3.fits (50000 ADU)" in lit.remarks[0]


def test_flats_that_all_have_the_wrong_light_are_used_and_said(tmp_path):
    lit = flatlight.choose(sources(tmp_path, 100, 200), 60_000.0, None, {})

    assert names(lit) == ["flat-0", "flat-1"]
    assert lit.remarks[0].startswith(
        "flats with too little or too much light, 6000 to 42000 ADU wanted: flat-0"
    )


def test_flats_near_saturation_are_not_used_even_if_there_are_no_others(tmp_path):
    lit = flatlight.choose(sources(tmp_path, 45_000, 59_000), 60_000.0, None, {})

    assert names(lit) == ["flat-0"]
    with pytest.raises(Unusable, match=r"all 2 flats are above 85 % of saturation \(60000 ADU\)"):
        flatlight.choose(sources(tmp_path, 58_000, 59_000), 60_000.0, None, {})
    # Where nothing tells the saturation it is that of 16 bits.
    with pytest.raises(Unusable, match="all 1 flats"):
        flatlight.choose(sources(tmp_path, 60_000), math.nan, None, {})


def test_level_is_that_of_the_pixels_that_see_the_sky_and_is_measured_once(tmp_path):
    made = sources(tmp_path, 20_000)
    first = flatlight.choose(made, 60_000.0, Section(0, 2, 0, 6), {})
    made[0].path.unlink()

    again = flatlight.choose(made, 60_000.0, Section(0, 2, 0, 6), first.levels)

    assert first.levels == again.levels == {made[0].digest: 20_000.0}


def test_flat_that_cannot_be_read_is_left_to_the_master_to_tell(tmp_path):
    made = sources(tmp_path, 20_000, 21_000)
    made[1].path.write_bytes(b"nothing")

    assert names(flatlight.choose(made, 60_000.0, None, {})) == ["flat-0", "flat-1"]
