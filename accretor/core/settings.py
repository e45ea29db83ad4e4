"""Every setting of ``workspace.toml``: its unit, its default, and why that default.

The classes stand here, and not beside the functions that they steer, because
``doit list`` reads them and must not import numpy to do so.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, convert, field, to_builtins
from msgspec.structs import replace

Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
SECTION = r"^$|^\s*\[\s*\d+\s*:\s*\d+\s*,\s*\d+\s*:\s*\d+\s*\]\s*$"
"""Nothing, or a section as FITS headers write it."""
Fraction = Annotated[float, Meta(ge=0, le=1)]
HeaderWord = Literal[
    "start",
    "middle",
    "end",
    "exposure",
    "filter",
    "object",
    "kind",
    "temperature",
    "gain",
    "read_noise",
    "saturation",
    "pixel_scale",
    "ra",
    "dec",
    "altitude",
    "latitude",
    "longitude",
    "height",
    "mode",
]
"""What a card may be said to hold in ``[[instrument]]``."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: fixed once read, and strict about its keys."""


class Ephemeris(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the transits of a candidate are due."""

    t0: float
    """Mid-transit time, BJD_TDB day."""
    period: NonNegative
    """Orbital period, day; 0 for a candidate of which one transit only was seen."""
    duration: Positive
    """Time from first to fourth contact, hour."""
    depth: Positive
    """Predicted depth, ppt."""
    t0_error: NonNegative = 0.0
    """Standard error of t0, day."""
    period_error: NonNegative = 0.0
    """Standard error of the period, day."""
    source: str = ""
    """Where the values are from; it is quoted in the notes."""


class PixelPosition(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the target is in one raw frame, for fields that nothing can solve."""

    frame: str
    """Name of the raw frame."""
    x: float
    """Column of the target's centre, pixel; the first pixel's centre is 0."""
    y: float
    """Row of the target's centre, pixel; the first pixel's centre is 0."""


class Target(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A planet candidate and its host star."""

    name: str
    """As in the products, with the planet's two digits: ``TOI-1234.01``."""
    tic: Annotated[int, Meta(gt=0)] = 0
    """Number of the host in the TESS Input Catalog; default: that of the name (``TIC 123``), or of ExoFOP, as
    ``doit fetch`` has kept it."""
    ra: str | float = ""
    """Right ascension, ICRS, epoch 2000: ``"hh:mm:ss.s"`` in hours, or decimal degrees; default: that of
    ExoFOP, with its proper motion, as ``doit fetch`` has kept it."""
    dec: str | float = ""
    """Declination, ICRS, epoch 2000: ``"dd:mm:ss.s"``, or decimal degrees; default: as for ``ra``."""
    aliases: tuple[str, ...] = ()
    """Other names that the OBJECT keyword may carry."""
    pm_ra: float = 0.0
    """Proper motion in right ascension times cos(dec), milliarcsec per year."""
    pm_dec: float = 0.0
    """Proper motion in declination, milliarcsec per year."""
    ephemeris: Ephemeris | None = None
    """Needed for the transit fit; default: that of ExoFOP, if ``doit fetch`` has kept one, and its source
    says so; with neither the light curve is made, the fit is not."""
    teff: Positive | None = None
    """Effective temperature of the host, K; it sets the limb darkening."""
    logg: float | None = None
    """Surface gravity of the host, log10(cm s-2)."""
    impact: Annotated[float, Meta(ge=0, le=1.5)] | None = None
    """Impact parameter, where it is known; else it is free."""
    a_rs: Positive | None = None
    """Semi-major axis in stellar radii, where it is known; else from the duration."""
    pixel: PixelPosition | None = None
    """Position of the target in one frame, where no plate solution can be had."""

    @property
    def planet(self) -> str:
        """Two digits of the planet: those of the name, else ``01``."""
        found = re.search(r"\.(\d\d)$", self.name)
        return found.group(1) if found else "01"

    @property
    def is_identified(self) -> bool:
        """Whether its number and its place on the sky are known."""
        return bool(self.tic) and self.ra != "" and self.dec != ""

    def with_values(self, **values: Any) -> Target:
        """Return the same target with other *values* of its settings."""
        return replace(self, **values)

    @property
    def designation(self) -> str:
        """As titles have it: ``TIC 123.01 (TOI-1234.01)``, the name left out where it is the same."""
        known = f"TIC {self.tic}.{self.planet}"
        plain = self.name.replace(" ", "").replace("-", "").upper()
        return known if plain in (f"TIC{self.tic}", known.replace(" ", "")) else f"{known} ({self.name})"


class InstrumentSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A telescope with its camera, as ExoFOP and the error budget must know it."""

    name: str
    """ExoFOP telescope token: letters, digits and hyphens."""
    dialect: str = "auto"
    """Name of a header declaration in ``accretor/instruments``; ``auto`` looks at the header."""
    camera: str = ""
    """ExoFOP camera name; default: the telescope token."""
    telescope_diameter: Positive | None = None
    """Clear aperture, m; sets the scintillation, and goes to ExoFOP."""
    gain: Positive | None = None
    """Electrons per ADU; default: the header's."""
    read_noise: NonNegative | None = None
    """Electrons; default: the header's."""
    dark_current: NonNegative = 0.0
    """Electrons per pixel and second."""
    saturation: Positive | None = None
    """ADU of the raw image at which pixels are full; default: the header's."""
    linear_fraction: Fraction = 0.92
    """Part of the saturation level above which a star is not believed."""
    pixel_scale: Positive | None = None
    """Arcsec per pixel, a hint for the plate solution; default: the header's."""
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    """Degree, north positive; default: the dialect's, else the header's."""
    longitude: Annotated[float, Meta(ge=-360, le=360)] | None = None
    """Degree, EAST positive."""
    height: float | None = None
    """Metre above the sea."""
    overscan: Annotated[str, Meta(pattern=SECTION)] = ""
    """``[first column:last column,first row:last row]``, from 1, of pixels that get no light: their mean is
    taken off each frame; default: the header's, where the dialect believes it."""
    trim: Annotated[str, Meta(pattern=SECTION)] = ""
    """Section of the pixels that are kept; default: the header's, where the dialect believes it."""
    nonlinearity: tuple[float, ...] = ()
    """Coefficients c0, c1, c2 ... of true = c0 + c1 x + c2 x^2 + ..., x in ADU above the bias; empty, for a
    detector that has not been measured is better left alone."""
    bad_pixels: str = ""
    """FITS image, below the workspace, that is not 0 where a pixel is bad; besides the hot and dead ones."""
    time_stamp: Literal["auto", "start", "middle", "end"] = "auto"
    """What the header's time is of an exposure; ``auto``: as the dialect or the card says, else the start,
    which is then remarked."""
    exposure_unit: Literal["auto", "s", "ms", "min"] = "auto"
    """Unit of the card with the exposure; ``auto``: as the dialect has it, and milliseconds where the header
    says so."""
    keywords: dict[HeaderWord, str] = field(default_factory=dict)
    """Cards that say something here, before those of the dialect, e.g. ``{exposure = "EXP", start =
    "DATE+TIME"}``; ``+`` joins a date and a time of day."""
    colour: Literal["auto", "green", "red", "blue", "superpixel", "none"] = "auto"
    """What to take of each 2 x 2 pixels of a colour camera: a colour (of green the mean of both), all four
    (``superpixel``), or the pixels as they are (``none``); ``auto``: green, if the header has a pattern."""
    bayer: Annotated[str, Meta(pattern=r"^(?:|[RGBrgb]{4})$")] = ""
    """Colours of the first two rows of the file, as ``RGGB``; default: BAYERPAT, XBAYROFF, YBAYROFF."""
    plane: Annotated[int, Meta(ge=0)] = 0
    """Plane of a cube that is the image, from 1; 0: cubes are left out."""
    filters: dict[str, str] = field(default_factory=dict)
    """Names of the FILTER keyword and what they mean to ExoFOP, e.g. ``{"SDSS g" = "gp"}``."""
    match: dict[str, str] = field(default_factory=dict)
    """Header cards by which frames of this instrument are known; needed with several instruments."""


class PreprocessSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Detector calibration: bias, dark, flat, and the clock."""

    self_dark: Literal["auto", "never"] = "auto"
    """Make a dark pattern from the drifting science frames when there are no darks."""
    self_dark_frames: tuple[str, ...] = ()
    """Names of the raw frames of the self-dark; default: spread over the night, and kept once chosen."""
    save_calibrated: bool = False
    """Write ``calibrated/*.fits`` for work in AstroImageJ; off, for it doubles the disk."""
    exposure_tolerance: NonNegative = 0.02
    """Relative difference of exposure up to which an unscaled dark fits."""
    temperature_tolerance: NonNegative = 2.0
    """Kelvin between a dark and a frame."""
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
    """Detection limit, times the noise of the sky."""
    max_stars: Annotated[int, Meta(ge=20, le=2000)] = 200
    """Brightest stars kept in a frame's list."""
    min_stars: Annotated[int, Meta(ge=3)] = 8
    """Frames with fewer stars are poor."""


class TemplateSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Choosing the reference frame and its star list."""

    weight_sky: float = 1.0
    """Weight of a dark sky in the score."""
    weight_fwhm: float = 1.0
    """Weight of a sharp image in the score."""
    weight_stars: float = 1.0
    """Weight of many stars matched in the score."""
    frame: str = ""
    """Name of the raw frame to use; default: the best score."""
    max_stars: Annotated[int, Meta(ge=3, le=2000)] = 150
    """Stars measured in every frame."""


class PlateSolutionSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Finding where on the sky the template looks."""

    scale_range: Annotated[float, Meta(gt=0, le=0.5)] = 0.2
    """Relative error of the pixel scale of header or [instrument] that is survived."""
    solve_field: bool = True
    """Ask ``solve-field`` (astrometry.net) where it is installed, if no catalogue helps."""
    index_folder: str = ""
    """Folder of its index files, from the workspace's; default: those of its own configuration."""
    nova: bool = False
    """Ask nova.astrometry.net if nothing else helps; off, for it sends positions of stars to others."""
    nova_url: str = ""
    """Another server of the same kind than the public one."""
    nova_deadline: Positive = 300.0
    """Seconds to wait for it in one run; the next one asks for the same submission."""


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
    nights whose seeing or focus changes. ``optimal``: fixed radii, pixels weighted by a Moffat profile of the
    frame's FWHM (Naylor 1998), for faint stars; with crowded or trailed stars it is worse."""
    sky: Literal["median", "mean", "mode"] = "median"
    """What is taken of the annulus after clipping at 3 sigma; ``mode``, 3 median - 2 mean, is for crowded
    fields, and twice as noisy as the median."""
    recentre: bool = True
    """Let stars of good signal find their own centre in each frame."""
    forced: tuple[int, ...] = ()
    """Star numbers of the template that are measured where the template puts them; stars near to the target
    and faint ones are so in any case."""


class ForcedPosition(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[forced.position]]``: a place on the sky at which every frame is measured."""

    name: str
    """What it is called in the dump."""
    ra: str | float
    """Right ascension, ICRS, at the time of the night: ``"hh:mm:ss.s"``, or decimal degrees."""
    dec: str | float
    """Declination, likewise: ``"dd:mm:ss.s"``, or decimal degrees."""


class ForcedSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fluxes at given places, star or no star: the target's neighbours, and places of yours."""

    position: tuple[ForcedPosition, ...] = ()
    """Further places."""
    radius: Positive = 150.0
    """Arcsec around the target within which all stars of the catalogue are measured; SG1 wants 150."""
    radii_fwhm: tuple[Positive, ...] = (0.75, 1.0, 1.5, 2.0)
    """Aperture radii, times the template's FWHM; the nearest of [photometry] are taken."""
    always: bool = False
    """Measure target and limits also where there are no other places; off, for it reads all pixels."""
    significance: Positive = 5.0
    """Times its error that a flux must have; what has less is a limit."""
    blank: Annotated[int, Meta(ge=0, le=10000)] = 300
    """Blank apertures in a frame, whose scatter gives the limit; 0 for none. 300 give it to 7 %."""
    blank_draws: Annotated[int, Meta(ge=1, le=1000)] = 20
    """Places tried for each of them."""
    blank_edge: Annotated[int, Meta(ge=0)] = 25
    """Distance that they keep from the rim of the frame, pixel."""
    blank_dilate: Annotated[int, Meta(ge=0)] = 5
    """Distance that they keep from light of stars, pixel."""
    blank_scatter: Literal["mad", "std"] = "mad"
    """``mad``: 1.4826 times the median absolute deviation, which stray light does not move."""
    blank_seed: Annotated[int, Meta(ge=0)] = 0
    """Of the places; the same seed gives the same places."""


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
    """Coefficient C_Y of Osborn et al. (2015); their median of the sites."""
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
    """FWHM beyond which a frame is left out, pixel; default: none is, for its errors are larger, and that is
    enough."""
    max_sky: Positive | None = None
    """Sky at the target beyond which a frame is left out, electron per pixel; default: none is."""
    min_transparency: Fraction | None = None
    """Part of the night's best transparency below which a frame is left out; default: 0.1, at which clouds
    are hardly even."""

    @property
    def rms_intervals(self) -> tuple[tuple[float, float], ...]:
        """The intervals; those of a table are here once the file is read."""
        return () if isinstance(self.intervals, str) else self.intervals

    def chosen(self, comparison: tuple[int, ...] | None, radius: float | None) -> CalibrationSettings:
        """Return these settings with other comparison stars and another radius, where they are given."""
        changed: dict[str, Any] = {} if comparison is None else {"comparison": comparison, "exclude": ()}
        return replace(self, **changed, **({} if radius is None else {"radius": radius}))


class NebSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether one of the neighbours is the eclipsing binary that TESS saw."""

    cadence: Positive = 180.0
    """Second to which curves are binned for their RMS, as SG1 does."""
    margin: NonNegative = 0.5
    """Magnitudes below the faintest that could cause the depth, up to which stars are in SG1's table."""


class MagnitudesSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Zero points, and standard magnitudes of all stars."""

    catalog: str = ""
    """Name of the catalogue to tie to; default: the best that there is for the filter."""
    system: Literal["catalogue", "AB", "Vega"] = "catalogue"
    """System of the magnitudes; default: that of the catalogue's band, so that nothing is added to it."""
    color_term: Literal["auto", "never"] = "auto"
    """Fit the colour term of the camera, if at least 8 stars show one."""
    min_stars: Annotated[int, Meta(ge=2)] = 5
    """Fewest stars of a zero point: fewer cannot show that one of them is wrong."""
    clip: Positive = 3.0
    """Standard deviations beyond which a star is left out of a zero point."""
    exclude: tuple[str, ...] = ()
    """Stars that shall tell no zero point, by their names in the catalogue (column ``identifier`` of
    magnitudes.ecsv); their own magnitudes are made all the same."""
    radius: Positive | None = None
    """Aperture radius of the tables, pixel; default: the one through which the stars scatter least."""


class ExportSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tables for other programs: ``doit export``."""

    formats: tuple[Literal["csv", "ecsv", "json", "parquet", "aavso", "gcn", "ds9"], ...] = (
        *("csv", "ecsv", "json", "aavso", "gcn", "ds9"),
    )
    """What is written; parquet needs the extra of that name."""
    aavso_code: str = ""
    """Your observer code; without one no file for the AAVSO is written."""
    aavso_name: str = ""
    """Name of the star in the AAVSO's index; default: TIC and its number."""


class PlottingSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures."""

    title: str = ""
    """First line of the light curve; default: TIC, TOI and date."""
    bin_minutes: Positive = 5.0
    """Width of the binned points, minute."""


class PackagingSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The folder that SG1 asks for."""

    n_comparison: Annotated[int, Meta(ge=2, le=60)] = 12
    """Comparison stars in the AstroImageJ table, those with the most weight."""
    observers: str = ""
    """Names in the notes; default: the observer."""
    radii: tuple[Positive, ...] = ()
    """Further apertures with tables of their own (``_4px_measurements.tbl``), pixel; below that of the light
    curve, for the SG1 upload tool takes the widest table for that of the result."""
    goal: str = ""
    """Why the observation was made, for the notes; default: to see whether the transit is on this star."""
    weather: str = ""
    """What the frames cannot tell of the night, for the notes."""
    aavso_code: str = ""
    """Observer code of the AAVSO, for the report that goes there."""
    neb_stars: bool = False
    """Write measurement tables and a .radec file with the neighbours as T2, T3 ... too, among the exports:
    what AstroImageJ's NEB macro takes. Off, for they are large, and NEB-table.txt is made anyway."""
    comments: str = ""
    """Earlier comments on the candidate (of the TTF, say), copied into the notes."""


class UploadFilterSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values of the ExoFOP form of one filter, in the place of those that follow from the data."""

    coverage: Literal["Full", "Ingress", "Egress", "Out of Transit"] | None = None
    """Part of the transit that was observed; default: by the ephemeris."""
    psf: Positive | None = None
    """FWHM, arcsec; default: the median of the frames."""
    delta_mag: float | None = None
    """Faintest neighbour cleared, magnitudes; default: that of [upload]."""
    pixel_scale: Positive | None = None
    """Arcsec per pixel; default: that of the plate solution."""
    aperture_radius: Positive | None = None
    """Pixel; default: the median of the measurement table."""
    duration: Annotated[int, Meta(gt=0)] | None = None
    """Minutes from the start of the first exposure to the end of the last; default: by the table."""
    n_observation: Annotated[int, Meta(gt=0)] | None = None
    """Number of exposures; default: rows of the measurement table."""


class UploadSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the ExoFOP form asks for and the data cannot say, or say otherwise."""

    username: str = ""
    """ExoFOP user; part of the tag. The password is never in a file of the workspace."""
    url: str = ""
    """Another ExoFOP than the public one: its staging server, or one on this machine."""
    camera: str = ""
    """Camera; default: that of the instrument."""
    telescope_size: Positive | None = None
    """Clear aperture, m; default: that of the instrument."""
    coverage: Literal["Full", "Ingress", "Egress", "Out of Transit"] | None = None
    """Part of the transit that was observed, for all filters; default: by the ephemeris."""
    psf: Positive | None = None
    """FWHM, arcsec, for all filters; default: the median of the frames."""
    delta_mag: float | None = None
    """Faintest neighbour cleared, magnitudes, for all filters; default: that of the NEB check, else blank."""
    filter: dict[str, UploadFilterSettings] = field(default_factory=dict)
    """``[upload.filter.ip]``: values for one filter, which go before the others."""
    proprietary: bool = True
    """Keep the files to the group for twelve months; the forms are public at once all the same."""
    settle: NonNegative = 120.0
    """Seconds that ExoFOP is given to finish a post that it did not answer, before its lists are believed;
    10 at least, but for a server on this machine."""
    public_note: str = ""
    """Public at once on ExoFOP: no results in it."""
    group: str = "tfopwg"
    """ExoFOP group that may read the files."""


class EnsembleSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Choices that the measurement of every frame depends on."""

    policy: Literal["keep", "best"] = "keep"
    """``keep`` the template and self-dark once made; ``best`` makes them again from all frames."""


class BatchSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the jobs of a batch system ask for; each job is one worker on one core."""

    account: str = ""
    """Who pays; default: the batch system's."""
    walltime: Annotated[str, Meta(pattern=r"^(\d+-)?\d+:\d\d:\d\d$")] = "02:00:00"
    """``[days-]hours:minutes:seconds`` of one job; workers leave before it, and are replaced."""
    directives: tuple[str, ...] = ()
    """Further lines of the job's head, as the batch system spells them, without its ``#`` mark."""
    logs: str = "logs/jobs"
    """Folder of what the jobs print, from the workspace."""


class SlurmSettings(BatchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jobs of SLURM."""

    partition: str = ""
    """Default: SLURM's."""


class PbsSettings(BatchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jobs of PBS."""

    queue: str = ""
    """Default: PBS's."""


class HtcondorSettings(BatchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jobs of HTCondor; a directive is ``"name = value"``."""

    disk: str = "1GB"
    """Scratch disk of one job, which HTCondor wants to know."""


class ComputeSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the work is done; it never changes a result, and nothing is made again for it."""

    executor: Literal["auto", "serial", "processes", "dask", "slurm", "pbs", "htcondor"] = "auto"
    """``auto``: in this process, and in several as soon as there is enough to do for them."""
    workers: Annotated[int, Meta(ge=0)] = 0
    """Processes or jobs; 0 means one for each core that memory allows, or 8 jobs."""
    memory: Annotated[str, Meta(pattern=r"^\d+(\.\d+)?(MB|GB|TB)$")] = "2GB"
    """Of one worker. A 4096x4096 frame with all its masters needs 1.6 GB."""
    scratch: Annotated[str, Meta(pattern=r"^\d+(\.\d+)?(MB|GB|TB)$")] = "4GB"
    """Disk for compressed frames of one observation that are unpacked once, for the stages of one run; those
    beyond it are unpacked by each stage. A 4096x4096 frame takes 34 MB."""
    address: str = ""
    """Of a dask scheduler that is there already, ``tcp://host:8786``; only with ``executor = "dask"``."""
    slurm: SlurmSettings = SlurmSettings()
    pbs: PbsSettings = PbsSettings()
    htcondor: HtcondorSettings = HtcondorSettings()

    def __post_init__(self) -> None:
        """Refuse an address that would not be used."""
        if self.address and self.executor != "dask":
            raise ValueError('address is the one of a dask scheduler; set executor = "dask"')


class ObservationSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of some observations, in the place of those of the whole workspace.

    Star numbers and names of frames mean something in one observation only; so they are
    pinned here: ``[observation.calibration]`` with ``comparison = [2, 5]``.
    """

    name: str
    """As in ``doit list --all``, whole or its beginning: ``TOI-1234.01/20250304/Hilltop-0m5/ip``."""
    preprocess: dict[str, Any] = field(default_factory=dict)
    """Keys of [preprocess]."""
    registration: dict[str, Any] = field(default_factory=dict)
    """Keys of [registration]."""
    template: dict[str, Any] = field(default_factory=dict)
    """Keys of [template]."""
    photometry: dict[str, Any] = field(default_factory=dict)
    """Keys of [photometry]."""
    forced: dict[str, Any] = field(default_factory=dict)
    """Keys of [forced]."""
    calibration: dict[str, Any] = field(default_factory=dict)
    """Keys of [calibration]."""
    neb: dict[str, Any] = field(default_factory=dict)
    """Keys of [neb]."""
    plotting: dict[str, Any] = field(default_factory=dict)
    """Keys of [plotting]."""

    def is_for(self, slug: str) -> bool:
        """Return whether an observation is meant."""
        return f"{slug}/".startswith(f"{self.name.rstrip('/')}/")

    def sections(self) -> dict[str, dict[str, Any]]:
        """Return the sections with keys, by their names."""
        found = {name: getattr(self, name) for name in self.__struct_fields__ if name != "name"}
        return {name: section for name, section in found.items() if section}


class CatalogFileSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[catalogs.file]]``: a catalogue in a file of your own; it goes before a fetched one of its name."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    """Short name, such as ``apass_dr10``; rules for a catalogue go by it."""
    path: str
    """CSV, ECSV, VOTable or FITS; from the workspace's folder."""
    columns: dict[str, str] = field(default_factory=dict)
    """The file's columns for ours: ``{ra = "RAJ2000", dec = "DEJ2000", V = "Vmag", V_error = "e_Vmag"}``;
    not needed for a file that accretor has kept."""
    epoch: Annotated[float, Meta(ge=1900, le=2100)] = 2000.0
    """Julian year of the positions."""
    system: dict[str, Literal["AB", "Vega"]] = field(default_factory=dict)
    """Of bands whose names do not tell; ``g r i z`` are AB, ``B V G BP RP`` Vega."""


class CatalogsSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Catalogues of stars: which, how far around the target, and from where."""

    offline: bool = False
    """Forbid ``doit fetch`` the network; no other command needs it for catalogues."""
    names: tuple[
        Literal[
            "gaia_dr3",
            "tic",
            "refcat2",
            "gaia_synthetic",
            "apass_dr9",
            "ps1",
            "skymapper_dr4",
            "tycho2",
        ],
        ...,
    ] = ()
    """Catalogues to fetch; default: all that cover the field, Tycho-2 only if it is wide."""
    radius: Annotated[float, Meta(gt=0, le=10)] | None = None
    """Degree around the target; default: what the frames show of the sky, or 0.35 before there are any,
    which holds the fields of most telescopes of SG1."""
    faintest: float | None = None
    """Magnitude (G, Tmag, r ... of each catalogue) beyond which stars are not fetched; default: all are."""
    max_stars: Annotated[int, Meta(ge=1000)] = 400_000
    """Most stars of one catalogue: what an old laptop reads in some seconds."""
    server: dict[str, str] = field(default_factory=dict)
    """Other servers to ask, such as a mirror of your institute: ``{"gea.esac.esa.int" = "https://..."}``."""
    file: tuple[CatalogFileSettings, ...] = ()
    """Catalogues in files of your own."""


class WorkspaceSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of ``workspace.toml``."""

    config_version: Literal[1] = 1
    """Of this file; raised when a key changes its meaning."""
    observer: str
    """Who observed; in the notes."""
    raw: Annotated[str, Meta(min_length=1)] = "raw"
    """Folder of the raw frames, from the workspace or absolute; it is only read."""
    target: tuple[Target, ...]
    instrument: tuple[InstrumentSettings, ...] = ()
    preprocess: PreprocessSettings = PreprocessSettings()
    registration: RegistrationSettings = RegistrationSettings()
    template: TemplateSettings = TemplateSettings()
    plate_solution: PlateSolutionSettings = PlateSolutionSettings()
    photometry: PhotometrySettings = PhotometrySettings()
    forced: ForcedSettings = ForcedSettings()
    neb: NebSettings = NebSettings()
    magnitudes: MagnitudesSettings = MagnitudesSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    export: ExportSettings = ExportSettings()
    plotting: PlottingSettings = PlottingSettings()
    packaging: PackagingSettings = PackagingSettings()
    upload: UploadSettings = UploadSettings()
    ensemble: EnsembleSettings = EnsembleSettings()
    compute: ComputeSettings = ComputeSettings()
    catalogs: CatalogsSettings = CatalogsSettings()
    observation: tuple[ObservationSettings, ...] = ()

    def of(self, slug: str) -> WorkspaceSettings:
        """Return the settings that hold for one observation; of two that name it, the later has its way."""
        changed: dict[str, Any] = {}
        for special in self.observation:
            if special.is_for(slug):
                for name, keys in special.sections().items():
                    base = changed.get(name, getattr(self, name))
                    changed[name] = convert({**to_builtins(base), **keys}, type(base))
        return replace(self, observation=(), **changed)

    def with_targets(self, targets: tuple[Target, ...]) -> WorkspaceSettings:
        """Return the same settings with other targets."""
        return replace(self, target=targets)
