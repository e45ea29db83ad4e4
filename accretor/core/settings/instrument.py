"""``[[instrument]]``: the telescope with its camera."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from accretor.core.settings.base import Fraction, NonNegative, Positive, Settings

SECTION = r"^$|^\s*\[\s*\d+\s*:\s*\d+\s*,\s*\d+\s*:\s*\d+\s*\]\s*$"
"""Nothing, or a section as FITS headers write it."""
Section = Annotated[str, Meta(pattern=SECTION, description="a section such as [1:2048,1:2048]")]

BAYER = r"^$|^(?=.*[Rr])(?=.*[Bb])(?=.*[Gg].*[Gg])[RGBrgb]{4}$"
"""Nothing, or one red, one blue and two green pixels."""
Bayer = Annotated[str, Meta(pattern=BAYER, description="R, B and two G in some order, as RGGB")]

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


class InstrumentSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A telescope with its camera, as ExoFOP and the error budget must know it."""

    name: str
    """ExoFOP telescope token: letters, digits and hyphens."""
    dialect: str = "auto"
    """Name of a header declaration in ``accretor/instruments``; ``auto`` looks at the header."""
    camera: str = ""
    """ExoFOP camera name; default: the telescope token."""
    telescope_diameter: Annotated[float, Meta(gt=0, le=50)] | None = None
    """Clear aperture, m; it sets the scintillation, which is not in the errors without it, and goes to
    ExoFOP."""
    gain: Positive | None = None
    """Electrons per ADU; default: the header's, else it is measured from flats or frames."""
    read_noise: NonNegative | None = None
    """Electrons; default: the header's, else it is measured from biases, else 10 is assumed."""
    dark_current: NonNegative = 0.0
    """Electrons per pixel and second; it adds to the noise."""
    saturation: Positive | None = None
    """ADU of the raw image at which pixels are full; default: the header's, else it is estimated from the
    frames."""
    linear_fraction: Fraction = 0.92
    """Part of the saturation level above which a star counts as saturated."""
    pixel_scale: Positive | None = None
    """Arcsec per pixel, a hint for the plate solution; default: the header's."""
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    """Degree, north positive; default: the dialect's, else the header's."""
    longitude: Annotated[float, Meta(ge=-360, le=360)] | None = None
    """Degree, EAST positive; default: as for `latitude`."""
    height: Annotated[float, Meta(ge=-500, le=9000)] | None = None
    """Metre above the sea; default: as for `latitude`, else 0."""
    overscan: Section = ""
    """``[first column:last column,first row:last row]``, from 1, of pixels that get no light: their mean is
    taken off each frame; default: the header's, where the dialect believes it."""
    trim: Section = ""
    """Section of the pixels that are kept; default: the header's, where the dialect believes it."""
    nonlinearity: tuple[float, ...] = ()
    """Coefficients c0, c1, c2 ... of true = c0 + c1 x + c2 x^2 + ..., x in ADU above the bias, with c1
    near 1; empty, for a detector that has not been measured is better left alone."""
    bad_pixels: str = ""
    """FITS image, path from the workspace, that is not 0 where a pixel is bad; hot and dead ones are found
    anyway."""
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
    bayer: Bayer = ""
    """Colours of the first two rows of the file, as ``RGGB``; default: BAYERPAT, XBAYROFF, YBAYROFF."""
    plane: Annotated[int, Meta(ge=0)] = 0
    """Plane of a cube that is the image, from 1; 0: cubes are left out."""
    filters: dict[str, str] = field(default_factory=dict)
    """Names of the FILTER keyword and what they mean to ExoFOP, e.g. ``{"SDSS g" = "gp"}``; ``""`` is a
    header without a filter."""
    match: dict[str, str] = field(default_factory=dict)
    """Header cards by which frames of this instrument are known, e.g. ``{TELESCOP = "Hilltop*"}``: ``*`` is
    any text, ``?`` one character, ``[*]`` a star itself, and case does not count; needed with several
    instruments."""
