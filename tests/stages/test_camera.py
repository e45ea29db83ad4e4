"""What preprocess finds out of a camera, on small simulated nights of known cameras."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
from astropy.io import fits

from accretor.compute.pool import Pool
from accretor.core.dumps import CALIBRATIONS, MASTERS
from accretor.core.errors import Blocked, Unusable
from accretor.core.settings import ComputeSettings
from accretor.io import dump
from accretor.stages import masters, preprocess, reduced
from accretor.stages.bench import Bench
from accretor.stages.workspace import open_workspace
from accretor.synthetic import demo, frames, scene
from accretor.synthetic.scenarios import SMALL

NIGHT = dataclasses.replace(
    SMALL, n_frame=6, cadence=1800.0, n_bias=6, n_dark=3, n_flat=6, pixel_response=0.004
)


def bench():
    return Bench(Pool(ComputeSettings(executor="serial")), lambda done, total: None)


def workspace(folder, night=NIGHT, *, instrument="", sections="", dialect=None):
    frames.write(night, folder, dialect=dialect)
    text = demo.WORKSPACE.replace('dialect = "generic"', f'{instrument}\ndialect = "generic"')
    (folder / "workspace.toml").write_text(text + sections, encoding="utf-8")
    return open_workspace(folder)


def preprocessed(space):
    plan = space.observations[0]
    preprocess.run(plan, space.layout, space.settings, bench())
    return plan


def images(space, plan):
    rows = dump.read(plan.paths.frames, preprocess.FRAMES).rows
    files = reduced.frame_files(plan, space.layout, rows, masters.files(plan.paths))
    return [reduced.read(item) for item in files]


def without(*keywords):
    def dialect(header):
        for keyword in keywords:
            del header[keyword]
        return header

    return dialect


def expected(night, index):
    """Return the true sky and stars, electron, of a light frame."""
    prepared = scene.prepare(night)
    return scene.starlight(prepared, index) + night.sky * night.exposure


def residual_sky(image, night, index):
    """Return how far the image is from the truth where no star is, electron."""
    prepared = scene.prepare(night)
    rows, columns = np.mgrid[: night.size[1], : night.size[0]]
    far = np.all([np.hypot(columns - x, rows - y) > 15 for x, y in scene.positions(prepared, index)], axis=0)
    return float(np.median((image - expected(night, index))[far]))


def test_overscan_takes_off_a_level_that_wanders_and_the_rims_are_trimmed(tmp_path):
    night = dataclasses.replace(NIGHT, overscan=20, bias_drift=60.0)
    sections = 'overscan = "[161:180,1:160]"\ntrim = "[1:160,1:160]"'
    space = workspace(tmp_path, night, instrument=sections)
    plan = preprocessed(space)

    for index, (raw, image) in enumerate(images(space, plan)):
        assert raw.shape == image.shape == (160, 160)
        # 144 electron of sky; the level would move it by 90 if it were not taken off.
        assert residual_sky(image, night, index) == pytest.approx(0, abs=2.5)
    assert fits.getdata(plan.paths.master("bias")).mean() == pytest.approx(0, abs=0.5)
    assert masters.files(plan.paths).readout.trim is not None


def test_an_overscan_that_is_all_of_the_frame_is_refused(tmp_path):
    space = workspace(tmp_path, instrument='overscan = "[1:160,1:160]"')

    with pytest.raises(Unusable, match=r"the overscan \[1:160,1:160\] is all of the frame"):
        preprocessed(space)


def test_trim_moves_the_plate_solution_with_the_pixels(tmp_path):
    from accretor.stages import platesolve

    trim = "[21:160,11:150]"
    space = workspace(tmp_path, instrument=f'trim = "{trim}"')
    plan = preprocessed(space)
    row = dump.read(plan.paths.frames, preprocess.FRAMES).rows[0]
    files = reduced.frame_files(plan, space.layout, [row], masters.files(plan.paths))[0]
    raw, _ = reduced.read(files)

    whole = platesolve.from_header(space.layout.raw / row["path"], 0, (NIGHT.ra, NIGHT.dec), (160, 160))
    cut = platesolve.from_header(
        space.layout.raw / row["path"], 0, (NIGHT.ra, NIGHT.dec), raw.shape, files.masters.readout.origin
    )

    before = np.array(whole.wcs().all_world2pix(NIGHT.ra, NIGHT.dec, 0))
    after = np.array(cut.wcs().all_world2pix(NIGHT.ra, NIGHT.dec, 0))
    np.testing.assert_allclose(before - after, [20, 10], atol=1e-6)
    x, y = np.rint(after).astype(int)
    assert (
        raw[y, x] == raw[y - 3 : y + 4, x - 3 : x + 4].max() or raw[y - 1 : y + 2, x - 1 : x + 2].max() > 3000
    )


def test_non_linearity_is_undone_in_lights_and_flats(tmp_path):
    night = dataclasses.replace(NIGHT, nonlinearity=0.08, flux=1.2e6, scintillation=0.0)
    a = night.nonlinearity / night.saturation
    setting = f"nonlinearity = [0, 1, {a:.8g}, {2 * a**2:.8g}, {5 * a**3:.8g}, {14 * a**4:.8g}]"
    found = {}
    for name, text in (("without", ""), ("with", setting)):
        folder = tmp_path / name
        space = workspace(folder, night, instrument=text)
        image = images(space, preprocessed(space))[0][1]
        true = expected(night, 0)
        bright = true > 25_000
        found[name] = float(np.median(image[bright] / true[bright]))

    assert bright.sum() > 5
    # 8 % at 60,000 ADU; the flat, of 27,000, takes part of it off again.
    assert abs(found["with"] - 1) < 0.01
    assert abs(found["without"] - 1) > 2 * abs(found["with"] - 1)


def test_non_linearity_without_a_zero_level_is_not_used_and_said(tmp_path):
    night = dataclasses.replace(NIGHT, n_bias=0)
    space = workspace(tmp_path, night, instrument="nonlinearity = [0, 1, 1e-7]")
    plan = preprocessed(space)

    assert masters.files(plan.paths).readout.nonlinearity == ()
    assert any("nonlinearity" in remark for remark in dump.read_meta(plan.paths.masters)["remarks"])


def test_map_of_bad_pixels_holds_the_hot_the_dead_and_the_listed(tmp_path):
    listed = np.zeros((160, 160), dtype=np.uint8)
    listed[17, 23] = 1
    tmp_path.mkdir(exist_ok=True)
    fits.PrimaryHDU(listed).writeto(tmp_path / "mine.fits")
    night = dataclasses.replace(NIGHT, hot_fraction=0.002, hot_current=30.0)
    space = workspace(tmp_path, night, instrument='bad_pixels = "mine.fits"')
    plan = preprocessed(space)

    image = fits.getdata(plan.paths.master("bad")).astype(int)
    current = scene.prepare(night).camera.dark * night.exposure / night.gain
    hot = current > 60 + np.median(current)
    assert image[17, 23] & masters.LISTED
    assert hot.sum() > 20
    assert (image[hot] & masters.HOT).all()
    row = next(row for row in dump.read(plan.paths.masters, MASTERS).rows if row["kind"] == "bad")
    assert row["n_frame"] == np.count_nonzero(image)
    known = masters.load(masters.files(plan.paths))
    np.testing.assert_array_equal(known.bad, image != 0)


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [("other.fits", (50, 60), "60x50 pixels"), ("gone.fits", None, "cannot be read")],
)
def test_map_that_does_not_fit_blocks_the_observation(tmp_path, name, shape, reason):
    tmp_path.mkdir(exist_ok=True)
    if shape:
        fits.PrimaryHDU(np.zeros(shape, dtype=np.uint8)).writeto(tmp_path / name)
    space = workspace(tmp_path, instrument=f'bad_pixels = "{name}"')

    with pytest.raises(Blocked, match=reason):
        preprocessed(space)


def test_gain_and_read_noise_that_no_header_tells_are_measured_and_said(tmp_path):
    space = workspace(tmp_path, dialect=without("GAIN", "RDNOISE"))
    with pytest.raises(Blocked, match="no header tells the gain"):
        _ = space.observations[0].detector
    plan = preprocessed(space)

    assert plan.detector.gain == pytest.approx(NIGHT.gain, rel=0.03)
    assert plan.detector.read_noise == pytest.approx(NIGHT.read_noise, rel=0.03)
    said = dump.read_meta(plan.paths.masters)["remarks"]
    assert any("gain not known" in text and "6 flats and 6 biases" in text for text in said)
    assert any("read noise not known" in text and "measured" in text for text in said)


def test_gain_is_estimated_from_the_sky_and_stays_when_frames_are_added(tmp_path):
    night = dataclasses.replace(NIGHT, n_flat=0, n_frame=12, sky=4.0, cadence=900.0)
    space = workspace(tmp_path, night, dialect=without("GAIN"))
    plan = preprocessed(space)
    first = plan.detector.gain

    assert first == pytest.approx(night.gain, rel=0.06)
    assert "sky of 12 frames" in dump.read_meta(plan.paths.masters)["detector"]["origin"]
    (space.layout.raw / night.target / frames.light_name(night, 5)).unlink()
    assert preprocessed(open_workspace(tmp_path)).detector.gain == first


def test_gain_that_cannot_be_measured_blocks_with_the_reason(tmp_path):
    night = dataclasses.replace(NIGHT, n_flat=0, n_bias=0, n_dark=0, n_frame=3)
    space = workspace(tmp_path, night, dialect=without("GAIN"))

    with pytest.raises(Blocked, match=r"no header tells the gain, and it cannot be measured: .*; add gain"):
        preprocessed(space)


def test_header_whose_gain_is_known_needs_no_measurement(tmp_path):
    plan = preprocessed(workspace(tmp_path))

    assert dump.read_meta(plan.paths.masters)["detector"] == {}


def test_other_clock_of_the_headers_is_compared_and_blocks_only_above_a_minute(tmp_path):
    found = {}
    for seconds in (0.0, 20.0, 7200.0):
        folder = tmp_path / str(seconds)

        def dialect(header, seconds=seconds):
            from astropy.time import Time

            start = Time(header["DATE-OBS"], scale="utc").jd + seconds / 86400
            header["JD"] = (start, "Julian date at the start")
            return header

        meta = dump.read_meta(preprocessed(workspace(folder, dialect=dialect)).paths.frames)
        said = [text for text in meta["remarks"] if "Julian" in text]
        found[seconds] = (len(said), len(meta["problems"]))
        assert meta["time_rule"] == "DATE-OBS is the start of the exposure: by its comment"

    assert found == {0.0: (0, 0), 20.0: (1, 0), 7200.0: (1, 1)}


def what_became_of(plan):
    rows = dump.read(plan.paths.calibrations, CALIBRATIONS).rows
    return {row["path"]: (row["use"], row["reason"]) for row in rows}


def test_table_tells_of_each_calibration_frame_the_master_or_the_reason(tmp_path):
    frames.write(NIGHT, tmp_path)
    with fits.open(tmp_path / "raw" / "flat" / "flat-002.fits", mode="update") as hdus:
        hdus[0].data[:] = 59_000
    with fits.open(tmp_path / "raw" / "dark" / "dark-001.fits", mode="update") as hdus:
        hdus[0].header["CCD-TEMP"] = 5.0
    (tmp_path / "workspace.toml").write_text(demo.WORKSPACE, encoding="utf-8")

    plan = preprocessed(open_workspace(tmp_path))

    found = what_became_of(plan)
    assert len(found) == NIGHT.n_bias + NIGHT.n_dark + NIGHT.n_flat
    assert found["bias/bias-001.fits"] == ("bias.fits", "")
    assert found["dark/dark-001.fits"] == ("", "dark is 25.0 K off, 2 K allowed")
    assert found["flat/flat-001.fits"] == ("flat.fits", "")
    assert found["flat/flat-002.fits"][0] == ""
    remarks = dump.read_meta(plan.paths.masters)["remarks"]
    assert any("6000 to 42000 ADU are wanted: flat-002.fits (59000 ADU)" in said for said in remarks)


def test_frames_that_were_calibrated_before_are_not_calibrated_again(tmp_path):
    def dialect(header):
        if header["IMAGETYP"] == "LIGHT":
            header["CALSTAT"] = "BDF"
        return header

    space = workspace(tmp_path, dialect=dialect)
    plan = preprocessed(space)
    raw = [
        fits.getdata(path).astype(np.float64) for path in sorted((tmp_path / "raw" / NIGHT.target).iterdir())
    ]

    assert dump.read(plan.paths.masters, MASTERS).rows == []
    assert {use for use, _ in what_became_of(plan).values()} == {""}
    reasons = {reason for _, reason in what_became_of(plan).values()}
    assert reasons == {
        "the frames are calibrated before (BDF): no bias is taken off twice",
        "the frames are calibrated before (BDF): no dark is taken off twice",
        "the frames are calibrated before (BDF): no flat is divided by twice",
    }
    for (_, image), as_it_was in zip(images(space, plan), raw, strict=True):
        np.testing.assert_allclose(image, NIGHT.gain * as_it_was, rtol=1e-6)
    assert masters.files(plan.paths).has_zero_level


def test_frames_of_a_colour_camera_give_the_picture_of_a_camera_without_colours(tmp_path):
    from accretor.synthetic.dialects import PROGRAMS

    plain = workspace(tmp_path / "plain")
    expected_images = images(plain, preprocessed(plain))
    frames.write(NIGHT, tmp_path / "colour", program=PROGRAMS["seestar"])
    text = demo.WORKSPACE.replace('dialect = "generic"', PROGRAMS["seestar"].settings + "#")
    (tmp_path / "colour" / "workspace.toml").write_text(text, encoding="utf-8")
    colour = open_workspace(tmp_path / "colour")

    found = images(colour, preprocessed(colour))

    for (raw, image), (raw_expected, image_expected) in zip(found, expected_images, strict=True):
        np.testing.assert_array_equal(raw, raw_expected)
        np.testing.assert_allclose(image, image_expected, rtol=1e-6)


def test_frames_of_twilight_are_poor_with_the_altitude_of_the_sun(tmp_path):
    night = dataclasses.replace(NIGHT, start="2025-03-04T19:00:00.000", n_frame=4, cadence=1200.0)

    plan = preprocessed(workspace(tmp_path, night))

    rows = dump.read(plan.paths.frames, preprocess.FRAMES).rows
    # The day of 11.7 h around a noon at 13:18 UTC ends at 19:08; 6 degrees later it is 19:32. Mid-exposures
    # are 20 minutes apart from 19:01:30.
    assert [row["status"] for row in rows] == ["poor", "poor", "good", "good"]
    assert "twilight: the Sun is +" in rows[0]["reason"]
    assert "twilight: the Sun is -" in rows[1]["reason"]


def test_masters_of_the_same_frames_are_taken_over_by_other_targets_and_nights(tmp_path):
    frames.write(dataclasses.replace(NIGHT, filters=("ip", "rp"), n_frame=8), tmp_path)
    (tmp_path / "workspace.toml").write_text(demo.WORKSPACE, encoding="utf-8")
    space = open_workspace(tmp_path)
    first, second = space.observations
    preprocess.run(first, space.layout, space.settings, bench())
    for path in [*(tmp_path / "raw" / "bias").iterdir(), *(tmp_path / "raw" / "dark").iterdir()]:
        before = path.stat()
        path.write_bytes(bytes(before.st_size))  # whoever reads it now has no master
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    preprocess.run(second, space.layout, space.settings, bench())

    for kind in ("bias", "dark"):
        assert second.paths.master(kind).read_bytes() == first.paths.master(kind).read_bytes()
    rows = [dump.read(plan.paths.masters, MASTERS).rows for plan in (first, second)]
    assert [row for row in rows[0] if row["kind"] in ("bias", "dark")] == [
        row for row in rows[1] if row["kind"] in ("bias", "dark")
    ]
    flats = [next(row for row in one if row["kind"] == "flat") for one in rows]
    assert flats[0]["input"] != flats[1]["input"]


# A star of 4e6 electrons is full in every frame of a 12-bit camera, and the others are not.
SHALLOW = dataclasses.replace(NIGHT, saturation=4095, gain=4.0, n_frame=4, magnitudes=(-4.0, 4.0))


def test_a_camera_whose_pixels_pile_up_is_full_there_where_no_header_tells_it(tmp_path):
    plan = preprocessed(workspace(tmp_path, SHALLOW, dialect=without("SATURATE")))

    detector = dump.read_meta(plan.paths.masters)["detector"]
    assert plan.detector.saturation == 4095
    assert detector["is_saturation_seen"]
    assert any("4095 ADU estimated" in remark for remark in dump.read_meta(plan.paths.masters)["remarks"])


def test_a_header_or_a_setting_that_tells_the_saturation_is_believed(tmp_path):
    plan = preprocessed(workspace(tmp_path / "header", dataclasses.replace(SHALLOW, saturation=4000)))
    told = workspace(
        tmp_path / "setting", SHALLOW, dialect=without("SATURATE"), instrument="saturation = 3900"
    )

    assert plan.detector.saturation == 4000
    assert preprocessed(told).detector.saturation == 3900
    assert dump.read_meta(told.observations[0].paths.masters)["detector"] == {}


def test_a_night_without_a_full_pixel_is_taken_for_one_of_16_bits_and_remarked(tmp_path):
    plan = preprocessed(workspace(tmp_path, dialect=without("SATURATE")))

    assert plan.detector.saturation == 65535
    assert any("65535 ADU assumed" in remark for remark in dump.read_meta(plan.paths.masters)["remarks"])


def test_a_saturation_that_later_frames_show_changes_nothing_but_a_remark_until_it_is_renewed(tmp_path):
    space = workspace(tmp_path, SHALLOW, dialect=without("SATURATE"))
    lights = sorted((tmp_path / "raw" / SHALLOW.target).iterdir())
    later = [path.rename(tmp_path / path.name) for path in lights[2:]]
    for path in lights[:2]:
        with fits.open(path, mode="update") as hdus:
            hdus[0].data = np.minimum(
                hdus[0].data, 3000 + np.arange(hdus[0].data.size).reshape(hdus[0].shape) % 997
            ).astype(np.uint16)
            hdus[0].data[0, 0] = 3999
    plan = preprocessed(open_workspace(tmp_path))
    assert plan.detector.saturation == 65535

    for path in later:
        path.rename(tmp_path / "raw" / SHALLOW.target / path.name)
    plan = preprocessed(open_workspace(tmp_path))
    remarks = dump.read_meta(plan.paths.masters)["remarks"]
    assert plan.detector.saturation == 65535
    assert any("they now do at 4095 ADU" in remark for remark in remarks)
    assert dump.read_meta(preprocessed(open_workspace(tmp_path)).paths.masters)["remarks"] == remarks

    plan = open_workspace(tmp_path).observations[0]
    preprocess.run(plan, space.layout, space.settings, dataclasses.replace(bench(), renew=True))
    assert plan.detector.saturation == 4095
