"""Sections of what is made of the results: figures, packages, tables, uploads."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from accretor.core.settings.base import NonNegative, Positive, Settings

ExportFormat = Literal["csv", "ecsv", "json", "parquet", "aavso", "gcn", "ds9"]
"""A form of tables; `accretor.stages.export.FORMATS` writes each."""


class ExportSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tables for other programs: ``doit export``."""

    formats: tuple[ExportFormat, ...] = ("csv", "ecsv", "json", "aavso", "gcn", "ds9")
    """Formats that are written; ``parquet`` needs ``accretor[parquet]``, ``aavso`` needs [packaging]
    aavso_code."""
    aavso_name: str = ""
    """Name of the star in the AAVSO's index; default: TIC and its number."""


class PlottingSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures."""

    title: str = ""
    """First line of the light curve; default: TIC, TOI and date."""
    bin_minutes: Positive = 5.0
    """Width of the binned points, minute; several times that where frames come too slowly for two in each."""


class PackagingSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The folder that SG1 asks for."""

    n_comparison: Annotated[int, Meta(ge=2, le=60)] = 12
    """Comparison stars in the AstroImageJ table, those with the most weight."""
    observers: str = ""
    """Names of all observers, for the notes; default: `observer`."""
    radii: tuple[Positive, ...] = ()
    """Further apertures with tables of their own (``_4px_measurements.tbl``), pixel; below that of the light
    curve, for the SG1 upload tool takes the widest table for that of the result."""
    goal: str = ""
    """Why the observation was made, for the notes; default: to see whether the transit is on this star."""
    weather: str = ""
    """What the frames cannot tell of the night, for the notes."""
    aavso_code: str = ""
    """Your AAVSO observer code, for the reports that go there; without it `doit export` writes none."""
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
    """Faintest neighbour cleared, magnitudes fainter than the target; default: that of [upload]."""
    pixel_scale: Positive | None = None
    """Arcsec per pixel; default: that of the plate solution."""
    aperture_radius: Positive | None = None
    """Aperture radius, pixel; default: the median of the measurement table."""
    duration: Annotated[int, Meta(gt=0)] | None = None
    """Minutes from the start of the first exposure to the end of the last; default: by the table."""
    n_observation: Annotated[int, Meta(gt=0)] | None = None
    """Number of exposures; default: rows of the measurement table."""


class UploadSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the ExoFOP form asks for and the data cannot say, or say otherwise."""

    username: str = ""
    """ExoFOP user; part of the tag. The password is never in a file of the workspace."""
    url: str = ""
    """Address of another ExoFOP than the public one: its staging server, or one on this machine."""
    camera: str = ""
    """Camera name; default: that of [[instrument]]."""
    telescope_size: Positive | None = None
    """Clear aperture, m; default: telescope_diameter of [[instrument]]."""
    coverage: Literal["Full", "Ingress", "Egress", "Out of Transit"] | None = None
    """Part of the transit that was observed, for all filters; default: by the ephemeris."""
    psf: Positive | None = None
    """FWHM, arcsec, for all filters; default: the median of the frames."""
    delta_mag: float | None = None
    """Faintest neighbour cleared, magnitudes fainter than the target, for all filters; default: by the NEB
    check, else blank."""
    filter: dict[str, UploadFilterSettings] = field(default_factory=dict)
    """``[upload.filter.ip]``: values for one filter, which go before the others."""
    proprietary: bool = True
    """Keep the files to the group for twelve months; the forms are public at once all the same."""
    settle: NonNegative = 120.0
    """Seconds to wait after a file or form that ExoFOP did not answer for, before its lists are believed; at
    least 10, except for a server on this machine."""
    public_note: str = ""
    """Note of the form, public at once on ExoFOP: so no results in it."""
    group: str = "tfopwg"
    """ExoFOP group that may read the files."""
