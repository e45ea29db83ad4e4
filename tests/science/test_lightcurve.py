from __future__ import annotations

import dataclasses
import time as clock

import numpy as np
import pytest

from accretor.core.errors import Unusable
from accretor.core.settings import CalibrationSettings, Ephemeris, Target
from accretor.science import limbdarkening, summary, transit
from accretor.science.lightcurve import LightCurve, Photometry, calibrate

N, N_STAR, TARGET = 160, 24, 3
MID = 2_458_107.711
EPHEMERIS = Ephemeris(t0=MID - 10 * 2.15, period=2.15, duration=3.0, depth=10.0, t0_error=0.001)
STAR = Target(name="TOI-1.01", tic=1, ra=0.0, dec=0.0, teff=6000, logg=4.3)
K, IMPACT = 0.1, 0.3
A_RS = transit.a_rs_of_duration(period=2.15, k=K, impact=IMPACT, full=3.0 / 24)
RADII = np.array([2.0, 4.0, 6.0, 9.0])
ENCLOSED = np.array([0.7, 0.97, 0.99, 1.0])
"""Part of the light within each radius; within the smallest it follows the seeing."""

SKY = 900.0


def true_transit(time, *, tc=MID, k=K):
    law = limbdarkening.of_star(6000, 4.3, "rp")
    return transit.light_curve(
        time,
        np.full(len(time), 60.0),
        tc=tc,
        period=2.15,
        k=k,
        a_rs=A_RS,
        impact=IMPACT,
        law=lambda mu: limbdarkening.intensity(mu, law.g, law.h),
    )


def night(seed=0, *, tc=MID, k=K, start=-2.6, end=2.6, n=N, trend=0.0, cloud=None) -> Photometry:
    """Return the photometry of a made night: hours from mid-transit, stars of known light."""
    random = np.random.Generator(np.random.PCG64(seed))
    time = MID + np.linspace(start, end, n) / 24
    airmass = 1.05 + 0.5 * np.linspace(0, 1, n) ** 2
    level = np.geomspace(1e5, 1.2e6, N_STAR)
    level[TARGET] = 4e5
    seeing = random.normal(0, 1, n)
    scintillation = 0.0012 * airmass**1.5
    light = level * np.exp(-0.2 * airmass)[:, np.newaxis]
    light = light * random.normal(1, scintillation[:, np.newaxis], (n, N_STAR))
    if cloud is not None:
        light = light * cloud[:, np.newaxis]
    light[:, TARGET] *= true_transit(time, tc=tc, k=k) * (1 + trend * (airmass - 1.2))
    flux = (
        light[:, :, np.newaxis]
        * ENCLOSED
        * (1 + np.array([0.02, 0, 0, 0]) * seeing[:, np.newaxis, np.newaxis])
    )
    error = np.sqrt(flux + SKY * np.pi * RADII**2)
    drift = np.linspace(0, 3, n)[:, np.newaxis] + random.normal(0, 0.2, (n, N_STAR))
    return Photometry(
        time=time,
        exposure=np.full(n, 60.0),
        airmass=airmass,
        fwhm=3 + 0.2 * seeing,
        flip=np.ones(n),
        flux=flux + random.normal(0, error),
        flux_error=error,
        sky=random.normal(SKY, 5, (n, N_STAR)),
        x=100 + drift,
        y=200 + drift,
        is_saturated=np.zeros((n, N_STAR), dtype=bool),
        is_near_edge=np.zeros((n, N_STAR), dtype=bool),
        radii=RADII,
        template_fwhm=3.0,
        position=np.column_stack([np.arange(N_STAR) * 20.0, np.arange(N_STAR) * 10.0]),
        target=TARGET,
        neighbour_contrast=np.zeros(N_STAR),
    )


def reduce(
    photometry: Photometry, *, ephemeris=EPHEMERIS, target=STAR, diameter=None, **options
) -> LightCurve:
    """Calibrate with the scintillation of the made night: C_Y is chosen for it at 0.2 m and sea level."""
    return calibrate(
        photometry,
        ephemeris=ephemeris,
        filter_name="rp",
        target=target,
        diameter=0.2 if diameter is None else diameter,
        site_height=0.0,
        settings=CalibrationSettings(
            **({"scintillation": 0.0012 / np.sqrt(1e-5 * 0.2 ** (-4 / 3) / 60)} | options)
        ),
    )


@pytest.mark.long
def test_injected_transits_come_back_within_their_errors():
    pulls = []
    for seed in range(20):
        offset = np.random.Generator(np.random.PCG64(seed)).uniform(-0.003, 0.003)
        curve = reduce(night(seed, tc=MID + offset), detrend=("airmass",))
        assert curve.fit is not None
        assert curve.fit.is_detected
        pulls.append(
            (
                (curve.fit.tc - MID - offset) / curve.fit.tc_error,
                (curve.fit.rp_rs - K) / curve.fit.rp_rs_error,
            )
        )

    mean, sd = np.mean(pulls, axis=0), np.std(pulls, axis=0)
    assert np.all(np.abs(mean) < 0.7), mean
    assert np.all((sd > 0.4) & (sd < 1.4)), sd
    assert np.max(np.abs(pulls)) < 4


def test_noise_is_what_was_predicted():
    ratio = [
        (curve := reduce(night(seed))).noise.rms_per_point_ppt / curve.noise.predicted_rms_ppt
        for seed in range(4)
    ]

    assert np.mean(ratio) == pytest.approx(1, abs=0.06)


def test_the_aperture_that_follows_the_seeing_is_not_chosen():
    made = night()
    made.flux[:, TARGET, 0] *= np.random.Generator(np.random.PCG64(2)).normal(1, 0.01, N)

    curve = reduce(made)

    assert curve.radius > 2
    assert curve.radius_scatter[0] > 2 * curve.radius_scatter[1]
    assert reduce(night(), radius=8.0).radius == 9


def test_a_variable_comparison_star_is_dropped_and_does_no_harm():
    quiet, varied = night(1), night(1)
    varied.flux[:, 10] *= 1 + 0.02 * np.sin(np.linspace(0, 6, N))[:, np.newaxis]

    steady, curve = reduce(quiet), reduce(varied)

    assert curve.stars.reason[10].startswith("varies by 1")
    assert not curve.stars.is_comparison[10]
    assert curve.noise.rms_per_point_ppt == pytest.approx(steady.noise.rms_per_point_ppt, rel=0.02)


def test_clouds_leave_the_relative_flux_and_only_make_it_worse():
    cloud = np.ones(N)
    cloud[50:60] = 0.6

    clear, cloudy = reduce(night(2)), reduce(night(2, cloud=cloud))

    assert cloudy.is_used.all()
    assert np.all(cloudy.relative_flux_error[50:60] > clear.relative_flux_error[50:60])
    difference = (cloudy.relative_flux - clear.relative_flux) / cloudy.relative_flux_error
    assert np.max(np.abs(difference)) < 4
    assert np.median(cloudy.zero_point[50:60] - clear.zero_point[50:60]) == pytest.approx(
        2.5 * np.log10(0.6), abs=0.02
    )


def test_a_frame_behind_thick_clouds_is_left_out_with_its_transparency():
    cloud = np.ones(N)
    cloud[20] = 0.1

    curve = reduce(night(cloud=cloud))

    assert not curve.is_used[20]
    assert curve.reason[20] == "transparency 0.10 of the night's best"
    assert curve.is_used.sum() == N - 1


def test_a_saturated_target_and_a_target_near_the_edge_are_left_out():
    made = night()
    made.is_saturated[5, TARGET] = True
    made.is_near_edge[6, TARGET] = True
    made.flux[7, TARGET] = np.nan

    curve = reduce(made)

    assert curve.reason[5:8] == ("target saturated", "target near the edge", "target not measured")
    assert "target saturated in 1 of 160 frames" in curve.flags


def test_a_cosmic_ray_is_left_out_and_the_transit_is_not():
    made = night(4, k=0.17)
    made.flux[90, TARGET] *= 1.08
    ephemeris = Ephemeris(t0=MID, period=2.15, duration=3.0, depth=28.9)

    curve = reduce(made, ephemeris=ephemeris)

    assert "off its neighbours by" in curve.reason[90]
    assert curve.is_used.sum() >= N - 2
    assert curve.fit is not None
    assert curve.fit.rp_rs == pytest.approx(0.17, abs=4 * curve.fit.rp_rs_error)


def test_a_transit_without_much_baseline_is_not_clipped_away():
    curve = reduce(night(5, start=-1.7, end=1.7))

    assert curve.is_used.sum() >= N - 2
    assert curve.fit is not None
    assert curve.fit.is_shape_fixed
    assert "baseline under a quarter of the transit on both sides: shape fixed" in curve.flags
    assert curve.fit.rp_rs == pytest.approx(K, abs=4 * curve.fit.rp_rs_error)


def test_a_trend_with_airmass_is_found_and_is_no_transit():
    curve = reduce(night(6, k=0.0, trend=0.05))

    assert curve.terms[0].name == "airmass"
    assert curve.fit is None
    assert curve.fit_reason.startswith("no transit is seen: one of the predicted Rp/R* 0.1000 would be known")
    assert curve.fit_reason in curve.flags


def test_a_transit_under_a_trend_keeps_its_depth():
    pulls = []
    for seed in range(3):
        curve = reduce(night(seed, trend=0.05))
        assert curve.fit is not None
        assert [term.name for term in curve.terms] == ["airmass"]
        pulls.append((curve.fit.rp_rs - K) / curve.fit.rp_rs_error)

    assert np.max(np.abs(pulls)) < 3


@pytest.mark.parametrize("seed", [3, 4])
def test_a_trend_is_found_that_a_transit_at_another_time_explains_as_well_by_linear_steps(seed):
    curve = reduce(night(seed, k=0.06, start=-2.3, end=1.9, n=150, trend=0.02))

    assert curve.fit is not None
    assert curve.terms[0].name == "airmass"
    assert abs(curve.fit.tc - MID) < 3 * curve.fit.tc_error
    # Without the trend the mid-time is known to 22 minutes.
    assert curve.fit.tc_error < 8 / 1440


def test_a_partial_transit_gets_no_term_unless_asked():
    made = night(7, start=-2.6, end=0.2, trend=0.05)

    automatic, asked = reduce(made), reduce(made, detrend=("airmass",))

    assert automatic.coverage == "Ingress"
    assert automatic.terms == ()
    assert [term.name for term in asked.terms] == ["airmass"]


def test_a_term_that_says_nothing_new_is_left_out_and_said():
    curve = reduce(night(7), detrend=("x", "y", "flip", "wind"))

    assert [term.name for term in curve.terms] == ["x"]
    assert [flag.split()[2] for flag in curve.flags if "detrend: " in flag] == [
        "y",
        "flip",
        "wind",
    ]


def test_a_star_that_is_not_in_the_list_is_refused():
    with pytest.raises(
        Unusable, match="comparison or exclude: there is no star 99, the template has 0 to 23"
    ):
        reduce(night(), exclude=(99,))


def test_out_of_transit_there_is_a_trend_and_no_fit():
    curve = reduce(night(8, start=3.0, end=8.0, trend=0.05))

    assert curve.coverage == "Out of Transit"
    assert curve.fit is None
    assert curve.fit_reason == "the predicted transit is not in the observation"
    assert [term.name for term in curve.terms] == ["airmass"]
    assert np.all(curve.model == 1)
    assert np.mean(curve.detrended_flux) == pytest.approx(1, abs=1e-3)


def test_without_an_ephemeris_the_curve_is_made_and_not_fitted():
    curve = reduce(night(), ephemeris=None)

    assert curve.fit is None
    assert curve.fit_reason == "no ephemeris is given"
    assert curve.prediction is None
    assert curve.coverage == ""
    assert curve.terms == ()
    assert np.nanmin(curve.relative_flux) < 0.995


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_a_night_that_has_just_begun_has_a_curve(n):
    curve = reduce(night(n=n))

    assert curve.relative_flux.shape == (n,)
    assert np.isfinite(curve.relative_flux).all()
    assert curve.fit is None
    assert "needed" in curve.fit_reason or "not in the observation" in curve.fit_reason


def test_nan_anywhere_costs_no_more_than_its_point():
    made, random = night(9), np.random.Generator(np.random.PCG64(1))
    hole = random.random((N, N_STAR)) < 0.02
    made.flux[hole] = np.nan
    made.flux_error[hole] = np.nan

    curve, whole = reduce(made), reduce(night(9))

    assert curve.fit is not None
    assert whole.fit is not None
    np.testing.assert_array_equal(curve.is_used, ~hole[:, TARGET] & whole.is_used)
    assert curve.fit.rp_rs == pytest.approx(whole.fit.rp_rs, abs=2 * whole.fit.rp_rs_error)


def test_order_of_the_stars_does_not_matter():
    made = night(10)
    order = np.random.Generator(np.random.PCG64(3)).permutation(N_STAR)
    columns = {name: getattr(made, name)[:, order] for name in ("flux", "flux_error", "sky", "x", "y")}
    turned = dataclasses.replace(
        made, **columns, position=made.position[order], target=int(np.nonzero(order == TARGET)[0][0])
    )

    one, other = reduce(made), reduce(turned)

    np.testing.assert_allclose(other.relative_flux, one.relative_flux, atol=1e-7)
    assert [one.stars.reason[star] for star in order] == list(other.stars.reason)


def test_the_same_input_gives_the_same_bytes():
    one, other = reduce(night(11)), reduce(night(11))

    assert one.relative_flux.tobytes() == other.relative_flux.tobytes()
    assert one.fit == other.fit


def test_settings_pin_the_comparison_stars():
    curve = reduce(night(), comparison=(8, 9, 10))

    assert np.nonzero(curve.stars.is_comparison)[0].tolist() == [8, 9, 10]
    assert curve.n_comparison == 3
    assert curve.stars.reason[5] == "not one of [calibration] comparison"
    assert "fewer than 8 comparison stars: 3" in curve.flags


def test_a_step_at_the_meridian_flip_is_taken_out():
    made = night(12)
    side = np.where(np.arange(N) < 60, 1.0, -1.0)
    made.flux[:, TARGET] *= (1 + 0.004 * side)[:, np.newaxis]

    curve = reduce(dataclasses.replace(made, flip=side))

    assert "flip" in [term.name for term in curve.terms]
    assert curve.fit is not None
    assert curve.fit.rp_rs == pytest.approx(K, abs=4 * curve.fit.rp_rs_error)


def test_depth_hardly_depends_on_the_scale_of_the_errors():
    made = night(13)
    larger = dataclasses.replace(made, flux_error=1.1 * made.flux_error)

    one, other = reduce(made).fit, reduce(larger).fit

    assert one is not None
    assert other is not None
    assert abs(one.rp_rs - other.rp_rs) < 0.2 * one.rp_rs_error


def test_without_comparison_stars_the_night_is_unusable():
    made = night()
    made.is_saturated[3] = True

    with pytest.raises(
        Unusable, match="none of 23 stars can be a comparison star, most often: saturated in 1 frame"
    ):
        reduce(made)


def test_without_a_measured_target_the_night_is_unusable():
    made = night()
    made.flux[:, TARGET] = np.nan

    with pytest.raises(Unusable, match="none of 160 frames is left, most often: target not measured"):
        reduce(made)


def test_a_telescope_of_unknown_aperture_is_said():
    curve = calibrate(
        night(),
        ephemeris=EPHEMERIS,
        filter_name="rp",
        target=STAR,
        diameter=None,
        site_height=0.0,
        settings=CalibrationSettings(),
    )

    assert "scintillation not in the errors: telescope_diameter is not given" in curve.flags


def test_a_dense_night_is_fitted_with_bounded_memory():
    curve = reduce(night(n=1500))

    assert curve.fit is not None
    assert curve.fit.rp_rs == pytest.approx(K, abs=4 * curve.fit.rp_rs_error)
    # The error of the depth ends at what is known of the limb darkening; that of the time does not.
    assert curve.fit.tc_error < 0.5 * reduce(night(n=N)).fit.tc_error


def test_a_large_night_is_calibrated_in_seconds():
    made = night()
    many = dataclasses.replace(
        made,
        **{
            name: np.tile(getattr(made, name), (1, 6))
            for name in ("sky", "x", "y", "is_saturated", "is_near_edge")
        },
        **{name: np.tile(getattr(made, name), (1, 6, 3)) for name in ("flux", "flux_error")},
        radii=np.tile(RADII, 3) + np.repeat([0, 0.1, 0.2], 4),
        position=np.zeros((6 * N_STAR, 2)),
        neighbour_contrast=np.zeros(6 * N_STAR),
    )
    started = clock.process_time()

    reduce(many)

    # A shared machine is given three times what a free one needs.
    assert clock.process_time() - started < 9


def test_a_slow_wave_that_no_term_explains_does_not_lift_the_level_off_the_points():
    made = night(5)
    # As a star drifts over a detector without flat fields: steep at first, then level.
    made.flux[:, TARGET] *= (1 + 0.018 * (1 - np.exp(-(made.time - made.time[0]) * 24)))[:, np.newaxis]

    curve = reduce(made)

    residual = curve.residual[curve.is_used]
    weight = curve.relative_flux_error[curve.is_used] ** -2.0
    assert abs(np.sum(weight * residual) / np.sum(weight)) < 1e-4
    assert abs(np.median(curve.relative_flux[np.abs(made.time - MID) > 1.6 / 24]) - 1) < 0.01


def test_the_law_of_limb_darkening_is_the_settings():
    curve = reduce(night(1), limb_darkening="quadratic", detrend=())

    assert curve.fit.limb_law == "quadratic"
    assert (curve.fit.limb_g, curve.fit.limb_h) == (curve.fit.u1, curve.fit.u2)
    assert abs(curve.fit.rp_rs - K) < 4 * curve.fit.rp_rs_error
    assert reduce(night(1), detrend=()).fit.limb_law == "power-2"


def cut(whole: Photometry, frames: slice) -> Photometry:
    n = len(whole.time)
    given = {field.name: getattr(whole, field.name) for field in dataclasses.fields(whole)}
    per_frame = {"radii", "position", "neighbour_contrast"}.symmetric_difference(given)
    return dataclasses.replace(
        whole,
        **{
            name: given[name][frames]
            for name in per_frame
            if isinstance(given[name], np.ndarray) and len(given[name]) == n
        },
    )


@pytest.mark.parametrize("end", ["first", "last"])
def test_a_night_cut_at_any_length_gives_a_transit_or_says_why_not(end):
    # The transit begins half way, as in a night that is being taken, and the mirror image of that.
    whole = night(3, start=-4.6, end=1.6, n=36) if end == "first" else night(3, start=-1.6, end=4.6, n=36)
    for n in range(5, 37):
        curve = reduce(cut(whole, slice(0, n) if end == "first" else slice(36 - n, 36)))

        assert np.isfinite(curve.detrended_flux[curve.is_used]).all()
        if curve.fit is None:
            assert curve.fit_reason
            assert np.all(curve.model == 1)
            assert ("needed" in curve.fit_reason or "not in" in curve.fit_reason) or (
                curve.fit_reason.startswith("the transit is not measured: ")
                and curve.fit_reason in curve.flags
            )
            continue
        assert curve.fit.rp_rs_error < curve.fit.rp_rs
        assert abs(curve.fit.rp_rs - K) < 4 * curve.fit.rp_rs_error, n
        assert abs(curve.fit.tc - MID) < 4 * curve.fit.tc_error, n
        assert curve.fit.duration_hour == pytest.approx(3.0, abs=3 * 0.3)
    assert curve.fit is not None
    assert curve.fit.is_detected


def test_a_dip_that_no_point_tells_from_the_trend_is_no_fit():
    made = night(3, start=-4.6, end=-0.6, n=30)
    made.flux[:, TARGET] *= np.random.Generator(np.random.PCG64(1)).normal(1, 0.03, 30)[:, np.newaxis]

    curve = reduce(made)

    assert curve.fit is None
    assert curve.fit_reason.startswith("the transit is not measured: Rp/R* would be")
    assert curve.fit_reason in curve.flags
    assert np.isfinite(curve.noise.rms_per_point_ppt)


def test_numbers_that_no_transit_has_are_not_believed():
    fitted = reduce(night(1)).fit

    for change, words in (
        ({"rp_rs_error": np.nan}, "its errors cannot be told"),
        ({"rp_rs": 0.5, "rp_rs_error": 28.77}, "Rp/R* would be 0.5000 ± 28.7700"),
        ({"duration_hour": 33.8}, "it would last 33.8 ± "),
        ({"duration_error_hour": 5.0}, "it would last"),
        ({}, ""),
    ):
        assert summary.nonsense(dataclasses.replace(fitted, **change), 3.0).startswith(words)
        assert bool(summary.nonsense(dataclasses.replace(fitted, **change), 3.0)) == bool(words)


def test_frames_that_the_user_leaves_out_are_in_no_fit_and_keep_their_reason():
    made = night(2)
    made.flux[40:44, TARGET] *= 0.9
    words = ("excluded by the configuration: x*",)
    left_out = tuple(words[0] if 40 <= i < 44 else "" for i in range(N))

    curve = reduce(dataclasses.replace(made, left_out=left_out), detrend=("airmass",))

    assert curve.reason[40:44] == words * 4
    assert not curve.is_used[40:44].any()
    assert curve.is_used.sum() >= N - 6
    assert abs(curve.fit.rp_rs - K) < 4 * curve.fit.rp_rs_error


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"max_fwhm": 3.3}, "FWHM 3.4"),
        ({"max_sky": 908.0}, "electron per pixel, above [calibration] max_sky = 908"),
        ({"min_transparency": 0.5}, "of the night's best, below [calibration] min_transparency = 0.5"),
    ],
)
def test_limits_of_the_settings_leave_frames_out_with_value_and_limit(option, expected):
    cloud = np.ones(N)
    cloud[30:35] = 0.4
    made = night(2, cloud=cloud)
    free = reduce(made, detrend=())
    curve = reduce(made, detrend=(), **option)

    assert not any("[calibration]" in reason for reason in free.reason)
    reasons = [reason for reason in curve.reason if "[calibration]" in reason]
    assert any(expected in reason for reason in reasons)
    value = {
        "max_fwhm": made.fwhm > 3.3,
        "max_sky": made.sky[:, TARGET] > 908,
        "min_transparency": cloud < 0.5,
    }[next(iter(option))]
    assert len(reasons) == value.sum()
    assert all("[calibration]" in curve.reason[i] for i in np.flatnonzero(value))
