"""Sections of the stages that measure: from the raw frame to the light curve."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import replace

from accretor.core.settings.base import Fraction, NonNegative, Positive, Settings


class PreprocessSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Detector calibration: bias, dark, flat, and the clock."""

    self_dark: Literal["auto", "never"] = "auto"
    """``auto``: make a dark from the drifting science frames when no darks fit; ``never``: do without."""
    self_dark_frames: tuple[str, ...] = ()
    """Names of the raw frames of the self-dark; default: spread over the night, and kept once chosen."""
    save_calibrated: bool = False
    """Write ``calibrated/*.fits`` for work in AstroImageJ; off, for it doubles the disk."""
    exposure_tolerance: NonNegative = 0.02
    """Relative difference of exposure up to which an unscaled dark fits."""
    temperature_tolerance: NonNegative = 2.0
    """Largest difference of detector temperature between a dark and the frames, kelvin."""
    calibration_days: NonNegative = 30.0
    """Days before or after the frames up to which bias, dark and flat frames are used, the nearest night of
    each first: hot pixels come and dust moves within weeks."""
    believe_clock: bool = False
    """Make a complete package though other clocks of the headers disagree by more than a minute: for
    after you have found out which of them is wrong."""
    median3: bool = False
    """Take the median of 3 x 3 pixels of the calibrated frames (as PROFE does): it hides hot pixels and costs
    8.6, 5.0, 1.6, 0.5 ppt of scatter at a FWHM of 1.8, 3.5, 7, 10 pixels, so it is off."""
    check_sums: bool = True
    """Leave out frames whose data do not add up to their DATASUM; ``false`` for frames that some program
    has cut or changed without a new sum."""


class RegistrationSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Measuring each frame alone."""

    threshold: Positive = 5.0
    """Detection limit of stars, times the noise of the sky."""
    max_stars: Annotated[int, Meta(ge=20, le=2000)] = 200
    """Brightest stars kept in a frame's list."""
    min_stars: Annotated[int, Meta(ge=3)] = 8
    """Fewest stars of a good frame; one with fewer is poor."""


class TemplateSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Choosing the reference frame and its star list."""

    weight_sky: NonNegative = 1.0
    """Weight of a dark sky in the score; 0: it does not count."""
    weight_fwhm: NonNegative = 1.0
    """Weight of a sharp image in the score."""
    weight_stars: NonNegative = 1.0
    """Weight of many stars matched in the score."""
    frame: str = ""
    """Name of the raw frame to use; default: the best score."""
    max_stars: Annotated[int, Meta(ge=3, le=2000)] = 150
    """Stars measured in every frame."""


class PhotometrySettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Apertures through which every star is measured."""

    radii_fwhm: tuple[Positive, ...] = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0)
    """Aperture radii, times the FWHM of the template."""
    radii: tuple[Positive, ...] = ()
    """Aperture radii, pixel; they replace radii_fwhm."""
    annulus_fwhm: tuple[Positive, Positive] = (4.0, 7.0)
    """Inner and outer radius of the sky annulus, times the FWHM of the template."""
    mode: Literal["fixed", "variable", "optimal"] = "fixed"
    """``fixed``: the same radii all night. ``variable``: radii and annulus follow the FWHM of each frame, for
    nights whose seeing or focus changes. ``optimal``: fixed radii, pixels weighted by the Moffat profile
    of the frame (Horne 1986, Naylor 1998) for every star that gains by it, which are faint ones."""
    sky: Literal["median", "mean", "mode"] = "median"
    """Estimate of the sky in the annulus after clipping at 3 sigma; ``mode``, 3 median - 2 mean, is for
    crowded fields, and twice as noisy as the median."""
    recentre: bool = True
    """Let stars of good signal find their own centre in each frame."""
    forced: tuple[int, ...] = ()
    """Star numbers of the template that are measured where the template puts them; stars near to the target
    and faint ones are so in any case."""


class CalibrationSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Comparison stars, aperture, detrending and the transit fit."""

    radius: Positive | None = None
    """Aperture radius, pixel; default: the one with the least point-to-point scatter."""
    comparison: tuple[int, ...] = ()
    """Star numbers of the template to use; default: chosen by their own scatter."""
    exclude: tuple[int, ...] = ()
    """Star numbers that must not be comparison stars."""
    max_comparison: Annotated[int, Meta(ge=2)] = 120
    """Most comparison stars in the ensemble."""
    detrend: (
        tuple[Literal["airmass", "time", "x", "y", "fwhm", "sky", "total", "flip"], ...] | Literal["auto"]
    ) = "auto"
    """Terms among airmass, time, x, y, fwhm, sky, total (logarithm of the light of the comparison stars),
    flip; ``auto`` keeps a term only if BIC asks for it."""
    max_detrend: Annotated[int, Meta(ge=0, le=4)] = 2
    """Most terms that ``auto`` may use."""
    limb_darkening: Literal["power-2", "quadratic"] = "power-2"
    """Law of the limb darkening that is fitted, its first coefficient with a prior by the host's temperature
    and gravity, its second one held. ``quadratic`` is the law nearest to the power-2 law: for comparison
    with other programs."""
    sampling: bool = False
    """Sample the posterior of the transit fit too, half a minute for each light curve: medians and intervals
    beside the errors of generalised least squares, for those who want them. It needs ``accretor[fit]``."""
    sampling_steps: Annotated[int, Meta(ge=100)] = 2500
    """Steps of each walker; the default is about a hundred autocorrelation times, fifty are needed."""
    sampling_walkers: Annotated[int, Meta(ge=12)] = 32
    """Walkers: at least twice the number of parameters of the transit."""
    sampling_seed: Annotated[int, Meta(ge=0)] = 1
    """Seed of the random numbers: the same one gives the same samples."""
    scintillation: Positive = 1.56
    """Coefficient C_Y of Osborn et al. (2015), m^(2/3) s^(1/2); the default is the median of their sites."""
    intervals: tuple[tuple[float, float], ...] | str = ()
    """Intervals (pairs of BJD_TDB day) whose frames every rms is taken of, or the name of a CSV table of
    them beside this file, with the columns init_time and final_time; default: all frames. Intervals that
    hold no frame of an observation are those of other nights."""

    exclude_frames: tuple[str, ...] = ()
    """Names of raw frames that the light curve shall leave out, without their folder; ``*`` and ``?`` stand
    for anything. Best in the [observation.calibration] of one night. Nothing is measured again."""
    exclude_times: tuple[tuple[float | str, float | str], ...] = ()
    """Intervals whose frames, by the middle of their exposure, it shall leave out: pairs of numbers (BJD_TDB
    day), or of texts (UTC, ``"2025-03-04T21:30:00"``)."""
    max_fwhm: Positive | None = None
    """FWHM above which a frame is left out, pixel; default: no limit, for its larger errors are enough."""
    max_sky: Positive | None = None
    """Sky at the target above which a frame is left out, electron per pixel; default: no limit."""
    min_transparency: Fraction | None = None
    """Part of the night's best transparency below which a frame is left out; default: 0.25, for
    thicker clouds are not even over the field."""

    @property
    def rms_intervals(self) -> tuple[tuple[float, float], ...]:
        """The intervals; those of a table are here once the file is read."""
        return () if isinstance(self.intervals, str) else self.intervals

    def chosen(self, comparison: tuple[int, ...] | None, radius: float | None) -> CalibrationSettings:
        """Return these settings with other comparison stars and another radius, where they are given."""
        changed: dict[str, Any] = {} if comparison is None else {"comparison": comparison, "exclude": ()}
        return replace(self, **changed, **({} if radius is None else {"radius": radius}))


class EnsembleSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Choices that the measurement of every frame depends on."""

    policy: Literal["keep", "best"] = "keep"
    """``keep``: template and self-dark stay as first chosen; ``best``: they are chosen again from all frames
    each time, and where another is chosen, every frame is measured again."""
