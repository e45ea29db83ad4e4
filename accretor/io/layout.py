"""Where everything is in a workspace; `data_layout.md` says what it means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from accretor.core.observation import Observation, Visit

CONFIG = "workspace.toml"


@dataclass(frozen=True)
class ObservationPaths:
    """The dumps of one observation."""

    folder: Path
    plots: Path

    @property
    def frames(self) -> Path:
        """Dump of preprocess."""
        return self.folder / "frames.ecsv"

    @property
    def masters(self) -> Path:
        """Which masters there are, and from which frames."""
        return self.folder / "masters.ecsv"

    def master(self, kind: str) -> Path:
        """Return the file of one master: bias, dark, flat or selfdark."""
        return self.folder / "masters" / f"{kind}.fits"

    @property
    def calibrated(self) -> Path:
        """Folder of the calibrated frames, where they are asked for."""
        return self.folder / "calibrated"

    @property
    def image_info(self) -> Path:
        """Dump of registration, to read; stars.fits holds the same and the star lists."""
        return self.folder / "image_info.ecsv"

    @property
    def stars(self) -> Path:
        """Dump of registration with the star list of each frame."""
        return self.folder / "stars.fits"

    @property
    def template(self) -> Path:
        """Score of every frame."""
        return self.folder / "template.ecsv"

    @property
    def template_stars(self) -> Path:
        """The choice: the frame, its star list with roles, the plate solution."""
        return self.folder / "template_stars.ecsv"

    @property
    def template_image(self) -> Path:
        """The template, calibrated, with its plate solution."""
        return self.folder / "template.fits"

    @property
    def photometry(self) -> Path:
        """Dump of photometry."""
        return self.folder / "photometry.fits"

    @property
    def photometry_info(self) -> Path:
        """Dump of photometry without the fluxes, to read."""
        return self.folder / "photometry.ecsv"

    @property
    def light_curve(self) -> Path:
        """The light curve, one row per frame."""
        return self.folder / "lightcurve.ecsv"

    @property
    def comparison(self) -> Path:
        """Every star with its part in the ensemble."""
        return self.folder / "comparison.ecsv"

    @property
    def apertures(self) -> Path:
        """The aperture radii and the scatter through each."""
        return self.folder / "apertures.ecsv"

    @property
    def results(self) -> Path:
        """The numbers."""
        return self.folder / "results.json"


@dataclass(frozen=True)
class VisitPaths:
    """The products of one visit."""

    folder: Path

    @property
    def package(self) -> Path:
        """The flat folder that goes to ExoFOP."""
        return self.folder / "package"

    @property
    def manifest(self) -> Path:
        """Size and sha256 of every file of the package."""
        return self.folder / "manifest.json"


@dataclass(frozen=True)
class Layout:
    """The paths of a workspace."""

    root: Path

    @property
    def config(self) -> Path:
        """The user's settings."""
        return self.root / CONFIG

    @property
    def raw(self) -> Path:
        """The user's frames; never written."""
        return self.root / "raw"

    @property
    def work(self) -> Path:
        """Dumps and masters."""
        return self.root / "work"

    @property
    def products(self) -> Path:
        """Plots and packages."""
        return self.root / "products"

    @property
    def inventory(self) -> Path:
        """Every file below raw/, and what it is or why it is left out."""
        return self.work / "inventory.ecsv"

    @property
    def digests(self) -> Path:
        """Digests of raw files, by name, size and time; a cache."""
        return self.work / "digests.jsonl"

    @property
    def state(self) -> Path:
        """The task runner's own state; it may be deleted."""
        return self.work / "doit.sqlite"

    @property
    def lock(self) -> Path:
        """Held by the one run that may write; empty."""
        return self.work / ".lock"

    @property
    def log(self) -> Path:
        """What was done and when."""
        return self.root / "logs" / "accretor.log"

    def observation(self, observation: Observation) -> ObservationPaths:
        """Return the paths of *observation*."""
        return ObservationPaths(
            folder=self.work / observation.slug,
            plots=self.products / observation.visit.slug / "plots" / observation.filter,
        )

    def visit(self, visit: Visit) -> VisitPaths:
        """Return the paths of *visit*."""
        return VisitPaths(self.products / visit.slug)
