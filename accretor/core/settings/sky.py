"""Sections of places and magnitudes on the sky, and of the catalogues."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from accretor.core.settings.base import NonNegative, Positive, Settings


class PlateSolutionSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Finding where on the sky the template looks."""

    scale_range: Annotated[float, Meta(gt=0, le=0.5)] = 0.2
    """Largest relative error of the pixel scale of header or [[instrument]] that a match allows for."""
    solve_field: bool = True
    """Ask ``solve-field`` (astrometry.net) where it is installed, if no catalogue helps."""
    index_folder: str = ""
    """Folder of its index files, path from the workspace; default: by its own configuration."""
    nova: bool = False
    """Ask nova.astrometry.net if nothing else helps; off, for it sends positions of stars to others."""
    nova_url: str = ""
    """Address of another server of its kind; default: the public one."""
    nova_deadline: Positive = 300.0
    """Seconds to wait for its answer in one run; the next run asks for the same submission again."""


class ForcedPosition(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place on the sky at which every frame is measured."""

    name: str
    """Its name in the tables."""
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
    """Least flux of a detection, times its error; what has less is an upper limit."""
    blank: Annotated[int, Meta(ge=0, le=10000)] = 300
    """Blank apertures in a frame, whose scatter gives the limit; 0 for none. 300 give it to 7 %."""
    blank_draws: Annotated[int, Meta(ge=1, le=1000)] = 20
    """Random places tried for each blank aperture until one is free of stars."""
    blank_edge: Annotated[int, Meta(ge=0)] = 25
    """Distance of blank apertures from the edge of the frame, pixel."""
    blank_dilate: Annotated[int, Meta(ge=0)] = 5
    """Distance of blank apertures from the light of stars, pixel."""
    blank_scatter: Literal["mad", "std"] = "mad"
    """Scatter of the blank apertures: ``mad``, 1.4826 times the median absolute deviation, which stray light
    does not move, or ``std``, the standard deviation."""
    blank_seed: Annotated[int, Meta(ge=0)] = 0
    """Seed of the random places; the same seed gives the same places."""


class NebSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether one of the neighbours is the eclipsing binary that TESS saw."""

    cadence: Positive = 180.0
    """Seconds to which curves are binned for their RMS; 180 as SG1 does."""
    margin: NonNegative = 0.5
    """Magnitudes beyond the faintest star that could cause the depth, down to which stars are in SG1's
    table."""


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
    """Stars not used for the zero point, by their names in the catalogue (column ``identifier`` of
    magnitudes.ecsv); their own magnitudes are made all the same."""
    radius: Positive | None = None
    """Aperture radius of the tables, pixel; default: the one through which the stars scatter least."""


class CatalogFileSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A catalogue in a file of your own; it goes before a fetched one of its name."""

    name: Annotated[
        str, Meta(pattern=r"^[a-z][a-z0-9_]*$", description="small letters, digits and _, from a letter on")
    ]
    """Short name, such as ``apass_dr10``; rules for a catalogue go by it."""
    path: str
    """CSV, ECSV, VOTable or FITS file; path from the workspace."""
    columns: dict[str, str] = field(default_factory=dict)
    """The file's columns for ours: ``{ra = "RAJ2000", dec = "DEJ2000", V = "Vmag", V_error = "e_Vmag"}``;
    not needed for a file that accretor has kept."""
    epoch: Annotated[float, Meta(ge=1900, le=2100)] = 2000.0
    """Julian year of the positions."""
    system: dict[str, Literal["AB", "Vega"]] = field(default_factory=dict)
    """Magnitude system of bands whose names do not tell; ``g r i z`` are AB, ``B V G BP RP`` Vega."""


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
