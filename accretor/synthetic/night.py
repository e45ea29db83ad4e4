"""What is known of a simulated night: the numbers it is made from, and the truth that follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Site:
    """Where the telescope stands."""

    latitude: float = 28.3
    """Degree, north positive."""
    longitude: float = -16.5
    """Degree, east positive."""
    height: float = 2390.0
    """Metre above the sea."""


@dataclass(frozen=True)
class Transit:
    """A planet on a circular orbit before a limb-darkened star."""

    t0: float = 2460697.308400
    """One mid-transit time, BJD_TDB day; the night sees the transit nearest to its middle."""
    period: float = 3.5123456
    """Day."""
    rp_rs: float = 0.105
    """Radius of the planet in stellar radii; 0 for a star without a planet."""
    a_rs: float = 12.9
    """Semi-major axis in stellar radii."""
    impact: float = 0.3
    """Impact parameter in stellar radii."""
    limb_darkening: tuple[float, float] = (0.68, 0.60)
    """Power-2 law, I(mu) = 1 - c (1 - mu^alpha), as (c, alpha); c = 0 is a uniform disc."""


@dataclass(frozen=True)
class Cloud:
    """A cloud over the whole field: a Gaussian dip of the transparency."""

    depth: float = 0.4
    """Part of the light that it takes at its thickest."""
    hour: float = 2.4
    """When it is thickest, hour after the start of the first exposure."""
    sigma: float = 8.0
    """Standard deviation in time, minute."""


@dataclass(frozen=True)
class BadFrame:
    """One frame that must not be believed."""

    index: int
    """Number of the frame, from 0."""
    fault: Literal["trailed", "shutter"] = "trailed"
    """``trailed``: the telescope slipped by 24 pixels; ``shutter``: it stayed closed."""


@dataclass(frozen=True)
class Companion:
    """A further star at a chosen place near the target: a neighbour, or a blend."""

    offset: tuple[float, float]
    """From the target in x and y, pixel."""
    magnitude: float
    """Relative to the target."""
    eclipse: float = 0.0
    """Part of its light that it loses when the target has its transit: a nearby eclipsing binary."""


@dataclass(frozen=True)
class Variable:
    """A star of the field that varies like a sine."""

    rank: int = 0
    """Of its brightness among the stars that are not the target; 0 is the brightest."""
    amplitude: float = 0.02
    """Half of the range, magnitude."""
    period: float = 2.7
    """Hour."""


@dataclass(frozen=True)
class Hit:
    """One cosmic ray, where a test wants it."""

    frame: int
    """Number of the light frame, from 0."""
    star: int
    """The star that it falls on; 0 is the target."""
    offset: tuple[float, float] = (1.0, 1.0)
    """From the star's centre, pixel."""
    electrons: float = 20_000.0


@dataclass(frozen=True)
class Night:
    """Every number that a simulated night is made from; equal nights give equal bytes.

    The defaults are a quiet field at a 0.4 m telescope with all calibration
    frames. A scenario is `dataclasses.replace` of what shall differ.
    """

    seed: int = 1
    """Each frame has a random stream of its own, from this seed, its kind and its number."""

    target: str = "TOI-9999.01"
    """OBJECT of the light frames, and their folder."""
    ra: float = 105.3475
    """Right ascension of the target, ICRS degree."""
    dec: float = 24.81
    """Declination of the target, ICRS degree."""
    pointing_offset: tuple[float, float] = (24.0, -15.0)
    """Centre of the field minus target, arcsec east and north."""
    transit: Transit = field(default_factory=Transit)
    site: Site = field(default_factory=Site)

    start: str = "2025-03-04T21:00:00.000"
    """UTC at which the first exposure starts."""
    n_frame: int = 56
    exposure: float = 180.0
    """Second."""
    cadence: float = 240.0
    """Second from start to start."""
    bad_frame: BadFrame | None = None
    flip: int | None = None
    """Number of the first frame after a meridian flip, which turns the field by 180 degrees."""

    telescope: str = "Demo-0m4"
    camera: str = "Demo camera"
    filter: str = "ip"
    """As the header writes it."""
    diameter: float = 0.4
    """Clear aperture, m; only scintillation depends on it."""
    size: tuple[int, int] = (320, 240)
    """Width and height, pixel."""
    pixel_scale: float = 1.2
    """Arcsec per pixel."""
    rotation: float = 3.0
    """Position angle of the camera, degree."""
    has_wcs: bool = True
    """Write the exact plate solution to the light frames."""

    n_star: int = 45
    """Stars in the field, the target among them as number 0."""
    flux: float = 240_000.0
    """Target at airmass 1 and clear sky, out of transit, electron per exposure."""
    magnitudes: tuple[float, float] = (-1.0, 3.2)
    """Brightest and faintest other star, relative to the target."""
    colour_scatter: float = 0.4
    """Standard deviation of the colours of the other stars, the target's being 0, magnitude."""
    isolation: float = 12.0
    """Distance that all other stars keep from the target, pixel; half as much from each other."""
    fwhm: float = 3.5
    """Of the Moffat profile at airmass 1, pixel; it grows with airmass^0.6."""
    beta: float = 3.0
    """Exponent of the Moffat profile."""
    seeing_scatter: float = 0.03
    """Relative change of the FWHM from frame to frame, standard deviation."""
    drift: tuple[float, float] = (10.0, 6.5)
    """Motion of the field in x and y from the first frame to the last, pixel."""
    jitter: float = 0.15
    """Guiding error of each frame in x and in y, standard deviation, pixel."""

    extinction: float = 0.10
    """Magnitude per airmass."""
    colour_extinction: float = 0.0
    """Second-order extinction, magnitude per airmass and magnitude of colour."""
    cloud: Cloud | None = None
    scintillation: float = 1.56
    """Coefficient C_Y of Osborn et al. (2015); 0 for none."""
    sky: float = 0.8
    """Electron per pixel and second."""
    twilight: float = 0.0
    """Sky at the start over that of the night, minus 1; it fades with `twilight_fade`."""
    twilight_fade: float = 12.0
    """Minute in which the twilight loses a factor e."""
    sky_gradient: float = 0.0
    """Relative difference of the sky between the left and the right edge."""
    satellites: tuple[int, ...] = ()
    """Numbers of the frames that a satellite crosses, from edge to edge through the middle third."""
    satellite_flux: float = 3_000.0
    """Electron per pixel of the length of its trail."""
    cosmic_rays: float = 0.0
    """Mean number of cosmic rays on a light frame, anywhere."""
    hits: tuple[Hit, ...] = ()
    """Cosmic rays besides these."""
    companions: tuple[Companion, ...] = ()
    """Stars besides the `n_star`; they have the last numbers."""
    variable: Variable | None = None
    filters: tuple[str, ...] = ()
    """Filters used in turn, frame by frame; empty: `filter` alone."""
    defocus: float = 0.0
    """Diameter of the pupil's image, with which the profile is convolved, pixel; 0 is in focus."""
    obstruction: float = 0.35
    """Diameter of the hole in the pupil's image over its own."""

    gain: float = 1.5
    """Electron per ADU."""
    read_noise: float = 8.0
    """Electron."""
    saturation: float = 60_000.0
    """ADU at which the raw pixels are cut off."""
    temperature: float = -20.0
    """Of the detector, degree Celsius."""
    nonlinearity: float = 0.0
    """Part of the signal that is lost at the saturation level; it grows in proportion to the signal."""
    bias: float = 1000.0
    """Mean level, ADU; columns and rows differ by a few."""
    bias_drift: float = 0.0
    """Change of the level from the first light frame to the last, ADU."""
    overscan: int = 0
    """Columns at the right that get no light; header and frames then are that much wider."""
    dark_current: float = 0.05
    """Electron per pixel and second."""
    hot_fraction: float = 0.001
    """Part of the pixels that are hot."""
    hot_current: float = 5.0
    """Mean dark current of the hot pixels, electron per second."""
    vignetting: float = 0.12
    """Light lost in the corners."""
    n_dust: int = 3
    """Dust rings, 3 % deep."""
    pixel_response: float = 0.008
    """Relative response of the pixels, standard deviation."""
    n_bias: int = 5
    n_dark: int = 5
    """Darks are exposed as long as the light frames."""
    n_flat: int = 5
    flat_exposure: float = 4.0
    """Second."""


@dataclass(frozen=True)
class Truth:
    """What a reduction of the night should find; only numbers, names and lists of them.

    The values of frames are in the order of time, those of stars in the order of
    their numbers, the target being 0.
    """

    rp_rs: float
    tc: float
    """Mid-transit in this night, BJD_TDB."""
    duration: float
    """First to fourth contact, hour."""
    depth: float
    """rp_rs squared, ppt."""
    dip: float
    """Greatest loss of light with the limb darkening, for an instant, ppt."""

    frame: tuple[str, ...]
    """Names of the light frames."""
    bjd: tuple[float, ...]
    """Mid-exposure, BJD_TDB, for the target."""
    altitude: tuple[float, ...]
    """Of the target at mid-exposure, without refraction, degree."""
    airmass: tuple[float, ...]
    transparency: tuple[float, ...]
    """Part of the light that the cloud lets through."""
    transit: tuple[float, ...]
    """Flux of the target over its flux out of transit, mean of the exposure."""
    dx: tuple[float, ...]
    """Position in the frame minus nominal position (see `flip`), pixel."""
    dy: tuple[float, ...]
    flip: tuple[int, ...]
    """1; -1 where the field is turned by 180 degrees about the middle of the frame before it is shifted."""
    fwhm: tuple[float, ...]
    """Pixel."""
    bad_frame: str
    """Name of the frame that must not be believed, or empty."""
    cloud: tuple[float, float] | None
    """Start and end of the cloud, BJD_TDB: two standard deviations from its middle."""

    x: tuple[float, ...]
    """Nominal position of the stars, pixel; the first pixel's centre is 0."""
    y: tuple[float, ...]
    ra: tuple[float, ...]
    """ICRS degree."""
    dec: tuple[float, ...]
    flux: tuple[float, ...]
    """At airmass 1 and clear sky, out of transit, where the flat is 1, electron per exposure."""
    colour: tuple[float, ...]
    """Magnitude, relative to the target."""
