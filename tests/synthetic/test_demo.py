from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from photutils.aperture import CircularAnnulus, CircularAperture, aperture_photometry

from accretor.catalogs import files as catalogs
from accretor.config import workspace
from accretor.synthetic import demo
from accretor.synthetic.demo import DEMO


@pytest.fixture(scope="module")
def truth(demo_folder: Path) -> dict:
    return json.loads((demo_folder / "truth.json").read_text(encoding="utf-8"))


def stack(folder: Path, kind: str):
    return np.array([fits.getdata(path).astype(float) for path in sorted((folder / "raw" / kind).iterdir())])


def photometry(folder: Path, truth: dict):
    """Fluxes (frame, star) by a plain reduction at the true places."""
    bias = np.median(stack(folder, "bias"), axis=0)
    dark = np.median(stack(folder, "dark"), axis=0)
    flat = np.median([image / np.median(image) for image in stack(folder, "flat") - bias], axis=0)
    place = np.column_stack([truth["x"], truth["y"]])
    flux = []
    for raw, dx, dy in zip(stack(folder, DEMO.target), truth["dx"], truth["dy"], strict=True):
        image = (raw - dark) / flat * DEMO.gain
        here = place + np.array([dx, dy])
        around = CircularAnnulus(here, 14, 22).to_mask(method="center")
        sky = np.array([np.median(mask.get_values(image)) for mask in around])
        sums = aperture_photometry(image, CircularAperture(here, 5.5))["aperture_sum"]
        flux.append(np.asarray(sums) - sky * np.pi * 5.5**2)
    return np.array(flux)


def test_demo_is_made_in_seconds(tmp_path):
    start = time.process_time()
    demo.make(tmp_path)

    # It takes 2 s; the rest is for slower machines.
    assert time.process_time() - start < 8


def test_demo_has_its_frames(demo_folder, truth):
    counts = {folder.name: len(list(folder.iterdir())) for folder in (demo_folder / "raw").iterdir()}

    assert counts == {"bias": 5, "dark": 5, "flat": 5, "TOI-9999.01": 56}
    assert truth["bad_frame"] == "TOI-9999.01-0010.fits"


def test_workspace_of_the_demo_is_valid_and_speaks_of_this_night(demo_folder):
    settings = workspace.load(demo_folder / "workspace.toml")
    target, instrument = settings.target[0], settings.instrument[0]

    assert (target.name, target.tic, target.aliases) == ("TOI-9999.01", 999999999, ("TOI-9999",))
    assert target.ephemeris is not None
    assert (instrument.name, instrument.telescope_diameter) == (DEMO.telescope, DEMO.diameter)
    assert instrument.gain is None
    early = DEMO.transit.t0 - target.ephemeris.t0
    assert early * 1440 == pytest.approx(2, abs=0.01)
    assert early < target.ephemeris.t0_error
    assert target.ephemeris.duration == pytest.approx(2.215, abs=0.02)
    hour, minute, second = (float(part) for part in str(target.ra).split(":"))
    assert 15 * (hour + minute / 60 + second / 3600) == pytest.approx(DEMO.ra, abs=1e-6)
    degree, minute, second = (float(part) for part in str(target.dec).split(":"))
    assert degree + minute / 60 + second / 3600 == pytest.approx(DEMO.dec, abs=1e-6)


def test_changed_workspace_is_kept_and_lost_frames_are_made_again(tmp_path, demo_folder):
    (tmp_path / "workspace.toml").write_text("# mine\n", encoding="utf-8")
    demo.make(tmp_path)

    assert (tmp_path / "workspace.toml").read_text(encoding="utf-8") == "# mine\n"
    name = "raw/TOI-9999.01/TOI-9999.01-0056.fits"
    assert (tmp_path / name).read_bytes() == (demo_folder / name).read_bytes()


def test_workspace_is_written_last(tmp_path, monkeypatch):
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("accretor.synthetic.frames.truth", fail)
    with pytest.raises(OSError, match="no space"):
        demo.make(tmp_path)

    assert (tmp_path / "raw").exists()
    assert not (tmp_path / "workspace.toml").exists()


def test_night_of_the_demo_has_a_whole_transit_with_baseline(truth):
    half = truth["duration"] / 48

    assert 2.0 < truth["duration"] < 2.4
    assert (truth["tc"] - half - truth["bjd"][0]) * 1440 > 38
    assert (truth["bjd"][-1] - truth["tc"] - half) * 1440 > 38
    assert 11.5 < truth["dip"] < 13.5
    assert min(truth["transparency"]) == pytest.approx(0.6, abs=0.01)
    assert max(truth["airmass"]) < 1.6


def test_field_of_the_demo_suits_differential_photometry(truth):
    flux = np.array(truth["flux"])
    x, y = np.array(truth["x"]), np.array(truth["y"])

    assert flux.size == 45
    assert 2 <= np.sum(flux > flux[0]) <= 8
    assert np.hypot(x[1:] - x[0], y[1:] - y[0]).min() >= 12
    assert np.hypot(truth["dx"][-1] - truth["dx"][0], truth["dy"][-1] - truth["dy"][0]) == pytest.approx(
        12, abs=1
    )


def test_no_star_of_the_demo_is_saturated(demo_folder):
    assert stack(demo_folder, DEMO.target).max() < 0.85 * DEMO.saturation


def test_plain_reduction_of_the_demo_finds_the_transit(demo_folder, truth):
    flux = photometry(demo_folder, truth)
    comparison = np.sum(flux[:, np.argsort(truth["flux"])[-16:]], axis=1) - flux[:, 0]
    curve = flux[:, 0] / comparison
    good = np.array([name != truth["bad_frame"] for name in truth["frame"]])
    model = np.array(truth["transit"])
    trend = np.polyfit(np.array(truth["airmass"])[good], (curve / model)[good], 1)
    curve = curve / np.polyval(trend, truth["airmass"])

    residual = 1000 * (curve - model)[good]
    depth = np.sum(((1 - curve) * (1 - model))[good]) / np.sum(((1 - model) ** 2)[good])

    assert 1.5 < np.std(residual) < 3.2
    # 28 points in transit of 2.5 ppt make the depth good to 5 %.
    assert depth == pytest.approx(1, abs=0.15)
    assert abs(curve[9] - model[9]) > 0.02


def test_the_catalogue_of_the_demo_has_the_true_places_and_the_true_light(demo_folder, truth):
    settings = workspace.load(demo_folder / "workspace.toml")
    (given,) = settings.catalogs.file
    stars = catalogs.local(demo_folder / given.path, given.name, given.columns, epoch=given.epoch)
    flux = np.array(truth["flux"])

    np.testing.assert_allclose(stars.ra, truth["ra"], atol=1e-7)
    np.testing.assert_allclose(stars.dec, truth["dec"], atol=1e-7)
    # The camera's band is that of i: its differences are those of the light that was simulated.
    differences = stars.magnitude["i"] - stars.magnitude["i"][0]
    np.testing.assert_allclose(10 ** (-0.4 * differences), flux / flux[0], rtol=2e-4)
    redder = np.argsort(truth["colour"])
    assert np.all(np.diff((stars.magnitude["BP"] - stars.magnitude["RP"])[redder]) > -5e-4)
