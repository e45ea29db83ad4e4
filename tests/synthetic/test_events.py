from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from accretor.synthetic import camera, frames, scenarios, scene
from accretor.synthetic.night import Companion, Hit, Night, Transit, Variable

TINY = Night(
    size=(120, 100), n_star=6, n_frame=8, cadence=1500.0, n_bias=1, n_dark=1, n_flat=1, drift=(3.0, 2.0)
)


def made(**changes):
    return scene.prepare(replace(TINY, **changes))


def test_neighbour_is_eclipsed_while_the_target_has_its_transit():
    prepared = made(
        companions=(Companion((9.0, -6.0), 2.5, eclipse=0.3), Companion((-8.0, 5.0), 1.0)),
        transit=Transit(rp_rs=0.0),
        n_frame=40,
        cadence=300.0,
        scintillation=0.0,
    )

    eclipsed, steady = prepared.variation[:, 6], prepared.variation[:, 7]
    assert eclipsed.min() == pytest.approx(0.7, abs=0.003)
    assert eclipsed[[0, -1]] == pytest.approx(1)
    np.testing.assert_array_equal(steady, 1)
    np.testing.assert_array_equal(prepared.variation[:, :6], 1)
    assert prepared.flux[6] / prepared.flux[0] == pytest.approx(0.1)
    np.testing.assert_allclose(prepared.position[6] - prepared.position[0], [9, -6])
    # The target itself does not dim.
    np.testing.assert_allclose(prepared.transit, 1)


def test_star_of_the_chosen_rank_varies_by_its_amplitude():
    prepared = made(variable=Variable(rank=1, amplitude=0.05, period=2.0), n_frame=60, cadence=240.0)
    others = np.argsort(-prepared.flux[1:]) + 1

    magnitude = -2.5 * np.log10(prepared.variation[:, others[1]])
    assert np.ptp(magnitude) == pytest.approx(0.1, rel=0.02)
    assert np.ptp(prepared.variation[:, others[0]]) == 0


def test_cosmic_rays_fall_where_they_are_said_to_and_nowhere_else():
    plain = made()
    struck = made(cosmic_rays=6.0, hits=(Hit(3, 0, (2.0, 1.0), 9000.0),))
    seen = scene.light(struck, 3).astype(float) - scene.light(plain, 3)
    rays = scene.rays(struck, 3)

    assert (rays[0, 2], len(rays) > 1) == (9000.0, True)
    place = scene.positions(struck, 3)[0] + [2, 1]
    np.testing.assert_allclose(rays[0, :2], place)
    expected = np.zeros_like(seen)
    for x, y, electrons in rays:
        if 0 <= round(x) < 120 and 0 <= round(y) < 100:
            expected[round(y), round(x)] += electrons / struck.night.gain
    # The photon noise of a pixel that is not hit stays what it was.
    assert (seen[expected == 0] == 0).mean() > 0.9
    hit = expected > 500
    np.testing.assert_allclose(seen[hit], expected[hit], rtol=0.15, atol=150)


def test_satellite_leaves_its_light_along_a_line():
    prepared = made(satellites=(2,), satellite_flux=5000.0)
    (x0, y0), (x1, y1) = scene.trail(prepared, 2)
    seen = (scene.light(prepared, 2).astype(float) - scene.light(made(), 2)) * prepared.night.gain

    rows, columns = np.mgrid[:100, :120]
    length = np.hypot(x1 - x0, y1 - y0)
    away = np.abs((columns - x0) * (y1 - y0) - (rows - y0) * (x1 - x0)) / length
    assert abs(np.median(seen[away > 15])) < 1
    assert seen[away < 10].sum() / (away < 10).sum() * 20 == pytest.approx(5000, rel=0.1)
    assert np.isnan(scene.trail(prepared, 1)).all()


def test_pupil_out_of_focus_keeps_light_and_place():
    night = Night(size=(200, 160), n_star=1, defocus=16.0, n_frame=2, drift=(0.0, 0.0), scintillation=0.0)
    sharp, blurred = (scene.prepare(replace(night, defocus=size)) for size in (0.0, 16.0))
    image, ring = scene.starlight(sharp, 0), scene.starlight(blurred, 0)
    x, y = scene.positions(blurred, 0)[0]
    columns = np.mgrid[:160, :200][1]

    assert ring.sum() == pytest.approx(image.sum(), rel=1e-6)
    assert np.average(columns, weights=ring) == pytest.approx(np.average(columns, weights=image), abs=1e-6)
    # The hole is darker than the ring around it.
    assert ring[round(y), round(x)] < 0.85 * ring.max()
    kernel = camera.pupil(blurred.night)
    area = np.pi * 64 * (1 - 0.35**2)
    assert kernel.max() == pytest.approx(1 / area, rel=0.02)


def test_non_linear_detector_loses_its_part_at_saturation():
    night = replace(TINY, nonlinearity=0.05, n_dust=0, pixel_response=0.0, vignetting=0.0)
    straight = scene.prepare(replace(night, nonlinearity=0.0))
    curved = scene.prepare(night)
    bias = straight.camera.bias
    level = (scene.flat(straight, 0) - bias).mean()
    lost = 1 - (scene.flat(curved, 0) - bias).mean() / level

    assert lost == pytest.approx(0.05 * level / night.saturation, rel=0.01)


def test_overscan_follows_the_level_and_sees_no_light(tmp_path):
    night = replace(TINY, overscan=20, bias_drift=70.0)
    frames.write(night, tmp_path, lights=[0, 7])
    folder = tmp_path / "raw" / night.target
    first, last = (fits.getdata(path).astype(float) for path in sorted(folder.iterdir()))

    assert first.shape == (100, 140)
    assert np.median(first[:, 120:]) == pytest.approx(1000, abs=2)
    assert last[:, 120:].mean() - first[:, 120:].mean() == pytest.approx(70, abs=1)
    assert first[:, 120:].std() < 10
    header = fits.getheader(next(folder.iterdir()))
    assert (header["BIASSEC"], header["TRIMSEC"]) == ("[121:140,1:100]", "[1:120,1:100]")


def test_twilight_fades_and_slopes():
    prepared = made(twilight=20.0, twilight_fade=30.0, sky_gradient=0.4, n_star=1)
    sky = [scene.light(prepared, i).astype(float) - 1000 for i in (0, 7)]
    clear = scene.light(made(n_star=1), 0).astype(float) - 1000

    first = np.median(sky[0]) / np.median(clear)
    assert first == pytest.approx(1 + 20 * np.exp(-1.5 / 30), rel=0.1)
    assert np.median(sky[1]) < 1.2 * np.median(clear)
    left, right = np.median(sky[0][:, :20]), np.median(sky[0][:, -20:])
    assert 1.2 < right / left < 1.5


def test_filters_take_turns_and_have_their_flats(tmp_path):
    night = replace(TINY, filters=("gp", "rp"), n_flat=2)
    frames.write(night, tmp_path, lights=[0, 1, 2])
    used = [fits.getval(path, "FILTER") for path in sorted((tmp_path / "raw" / night.target).iterdir())]
    flats = [fits.getval(path, "FILTER") for path in sorted((tmp_path / "raw" / "flat").iterdir())]

    assert used == ["gp", "rp", "gp"]
    assert sorted(flats) == ["gp", "gp", "rp", "rp"]


def test_header_is_written_in_another_dialect_where_one_is_given(tmp_path):
    def dialect(header):
        header["JD"] = (2460739.5, "Julian Date at start")
        del header["TIMESYS"]
        return header

    frames.write(TINY, tmp_path, lights=[0], dialect=dialect)

    headers = [fits.getheader(path) for path in (tmp_path / "raw").rglob("*.fits")]
    assert len(headers) == 4
    assert all("JD" in header and "TIMESYS" not in header for header in headers)


def test_every_scenario_can_be_made_and_has_a_workspace(tmp_path):
    from accretor.config import workspace

    for name in scenarios.SCENARIOS:
        scenario = scenarios.of(name, 3)
        assert scenario.night.seed == 3
        prepared = scene.prepare(replace(scenario.night, n_frame=3))
        assert np.isfinite(prepared.flux).all()
        (tmp_path / "workspace.toml").write_text(scenarios.workspace(scenario), encoding="utf-8")
        assert workspace.load(tmp_path / "workspace.toml").target[0].tic == 999999999
    with pytest.raises(KeyError):
        scenarios.of("no such night", 1)
