"""Where everything is in a workspace; `data_layout.md` says what it means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from accretor.core.errors import Blocked
from accretor.core.observation import Observation, Visit

CONFIG = "workspace.toml"


@dataclass(frozen=True)
class ObservationPaths:
    """The dumps of one observation."""

    folder: Path
    plots: Path
    exports: Path
    """Folder of the light curve in the forms of other archives."""

    @property
    def tables(self) -> Path:
        """Folder of tables for other programs."""
        return self.plots.parent.parent / "tables" / self.plots.name

    @property
    def frames(self) -> Path:
        """Dump of preprocess."""
        return self.folder / "frames.ecsv"

    @property
    def masters(self) -> Path:
        """Which masters there are, and from which frames."""
        return self.folder / "masters.ecsv"

    @property
    def calibrations(self) -> Path:
        """Every calibration frame, and what was made of it here."""
        return self.folder / "calibrations.ecsv"

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
    def plate_solution(self) -> Path:
        """The ways to a plate solution that were tried."""
        return self.folder / "plate_solution.ecsv"

    @property
    def nova(self) -> Path:
        """What nova.astrometry.net was sent, and what it answered."""
        return self.folder / "nova.json"

    @property
    def photometry(self) -> Path:
        """Dump of photometry."""
        return self.folder / "photometry.fits"

    @property
    def photometry_info(self) -> Path:
        """Dump of photometry without the fluxes, to read."""
        return self.folder / "photometry.ecsv"

    @property
    def growth(self) -> Path:
        """Curve of growth: light through each aperture over that through the largest."""
        return self.folder / "growth.ecsv"

    @property
    def forced(self) -> Path:
        """Dump of forced photometry."""
        return self.folder / "forced.fits"

    @property
    def forced_info(self) -> Path:
        """Dump of forced photometry without the fluxes, to read."""
        return self.folder / "forced.ecsv"

    @property
    def forced_positions(self) -> Path:
        """The places of forced photometry: the target, its neighbours, and those of the settings."""
        return self.folder / "forced_positions.ecsv"

    @property
    def limits(self) -> Path:
        """The limiting magnitude of each frame, through each aperture."""
        return self.folder / "limits.ecsv"

    @property
    def neighbours(self) -> Path:
        """What the check for eclipsing binaries nearby finds, one row per neighbour."""
        return self.folder / "neighbours.ecsv"

    @property
    def frame_wcs(self) -> Path:
        """The plate solution of each frame."""
        return self.folder / "frame_wcs.ecsv"

    @property
    def zero_points(self) -> Path:
        """The zero point of each frame."""
        return self.folder / "zeropoints.ecsv"

    @property
    def magnitudes(self) -> Path:
        """The mean standard magnitude of each star."""
        return self.folder / "magnitudes.ecsv"

    @property
    def magnitude_frames(self) -> Path:
        """Standard magnitudes of all stars in all frames, and zero points through all apertures."""
        return self.folder / "magnitudes.fits"

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
    def fit_points(self) -> Path:
        """What the transit fit was given: points, terms of the trend, priors, noise models."""
        return self.folder / "fit_points.ecsv"

    @property
    def posterior(self) -> Path:
        """Samples of the transit's parameters, where they are asked for."""
        return self.folder / "posterior.ecsv"

    @property
    def results(self) -> Path:
        """The numbers."""
        return self.folder / "results.json"

    @property
    def figures(self) -> Path:
        """What each figure was drawn from; it only saves time."""
        return self.folder / "figures.json"


@dataclass(frozen=True)
class VisitPaths:
    """The products of one visit, and what was sent of them."""

    folder: Path
    sent: Path
    """Folder of what is known of the upload; no task removes anything from it."""

    @property
    def plots(self) -> Path:
        """Folder of the figures: of each filter in a folder of its own, of all filters beside these."""
        return self.folder / "plots"

    @property
    def report(self) -> Path:
        """The page that tells the whole visit."""
        return self.folder / "report.html"

    @property
    def record(self) -> Path:
        """Numbers of the last reductions, for the comparison in the report."""
        return self.folder / "history.json"

    @property
    def package(self) -> Path:
        """The flat folder that goes to ExoFOP."""
        return self.folder / "package"

    @property
    def changed(self) -> Path:
        """Folder of what someone changed in or added to the package, before it was made again."""
        return self.folder / "changed"

    @property
    def manifest(self) -> Path:
        """Size and sha256 of every file of the package."""
        return self.folder / "manifest.json"

    @property
    def check(self) -> Path:
        """What `doit check` found."""
        return self.folder / "check.json"

    @property
    def ledger(self) -> Path:
        """What was sent to ExoFOP, and what is proven to be there."""
        return self.sent / "ledger.jsonl"

    @property
    def answers(self) -> Path:
        """Folder of the answers of ExoFOP that were not as expected."""
        return self.sent / "answers"


@dataclass(frozen=True)
class ArchivePaths:
    """What others have observed of one target, from ExoFOP; no run of a stage changes it."""

    folder: Path

    def table(self, name: str) -> Path:
        """Return a table of ExoFOP: time_series, imaging and so on."""
        return self.folder / "tables" / f"{name}.ecsv"

    @property
    def target(self) -> Path:
        """What ExoFOP knows of the target and its host, beside the user's values."""
        return self.folder / "target.ecsv"

    @property
    def tags(self) -> Path:
        """Size and sha256 of every file of every tag that is here."""
        return self.folder / "tags.json"

    @property
    def time_series(self) -> Path:
        """Folder with a folder for each tag."""
        return self.folder / "time_series"

    @property
    def standard(self) -> Path:
        """Folder of all observations in our columns."""
        return self.folder / "standard"

    @property
    def observations(self) -> Path:
        """Every table, and what was made of it."""
        return self.folder / "observations.ecsv"

    def phased(self, page: int) -> Path:
        """Return a page of the picture of all observations on the ephemeris."""
        return self.folder / f"phased-{page:02d}.png"


@dataclass(frozen=True)
class Layout:
    """The paths of a workspace."""

    root: Path
    frames: str = "raw"
    """Folder of the raw frames, from the root; the settings may name another."""

    @property
    def config(self) -> Path:
        """The user's settings."""
        return self.root / CONFIG

    @property
    def aij(self) -> Path:
        """Files of AstroImageJ that the user put there; never written."""
        return self.root / "aij"

    @property
    def notes_template(self) -> Path:
        """The user's own layout of the notes; it need not be there."""
        return self.root / "notes.txt.j2"

    @property
    def raw(self) -> Path:
        """The user's frames; never written, but that frames are added below `skynet` when asked for."""
        return self.root / self.frames

    @property
    def own(self) -> tuple[Path, ...]:
        """What is ours, also where the frames are in the same folder."""
        folders = self.work, self.products, self.uploads, self.archives, self.organized, self.log.parent
        return self.config, self.aij, *folders

    @property
    def work(self) -> Path:
        """Dumps and masters."""
        return self.root / "work"

    @property
    def products(self) -> Path:
        """Plots and packages."""
        return self.root / "products"

    @property
    def index(self) -> Path:
        """The page of all visits."""
        return self.products / "index.html"

    def o_c(self, target: str) -> Path:
        """Return the figure of the mid-transits of a target (its folder name)."""
        return self.products / target / "o-c.png"

    def references(self, target: str) -> Path:
        """Return the bibliography of a target (its folder name)."""
        return self.products / target / "references.bib"

    @property
    def uploads(self) -> Path:
        """What was sent; never removed."""
        return self.root / "uploads"

    @property
    def inventory(self) -> Path:
        """Every file below raw/, and what it is or why it is left out."""
        return self.work / "inventory.ecsv"

    @property
    def checks(self) -> Path:
        """Folder of what was found of packages that others made."""
        return self.work / "checks"

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

    @property
    def organized(self) -> Path:
        """Links to the raw frames, by what they are."""
        return self.root / "organized"

    @property
    def doctor(self) -> Path:
        """What `doit doctor` found the last time."""
        return self.log.with_name("doctor.txt")

    def refuse_links(self, *folders: Path) -> None:
        """Make sure that what is written in *folders*, below work/ or products/, ends there.

        These two themselves may be links, to another disk for example.

        Raises
        ------
        Blocked
            If a folder on the way is a link: what is written or removed would be someone else's.
        """
        for folder in folders:
            for path in (folder, *folder.parents):
                if path in (self.work, self.products):
                    break
                if path.is_symlink():
                    raise Blocked(f"{path} is a link; put a folder in its place, or remove it, and run again")

    @property
    def archives(self) -> Path:
        """What came from other archives; no run of a stage changes it."""
        return self.root / "archive"

    @property
    def tois(self) -> Path:
        """Which TOI is of which star; a cache of ExoFOP's table."""
        return self.archives / "tois.ecsv"

    def archive(self, target: str) -> ArchivePaths:
        """Return the paths of what ExoFOP has of a target (its folder name)."""
        return ArchivePaths(self.archives / target)

    def catalog(self, target: str, name: str) -> Path:
        """Return the kept catalogue *name* of the field of a target (its folder name)."""
        return self.archive(target).folder / "catalogs" / f"{name}.ecsv"

    def skynet(self, observation: int) -> Path:
        """Return the folder of the frames of a Skynet observation."""
        return self.raw / "skynet" / str(observation)

    def skynet_record(self, observation: int) -> Path:
        """Return the file with size and sha256 of the frames that came from Skynet."""
        return self.archives / "skynet" / f"{observation}.json"

    def observation(self, observation: Observation) -> ObservationPaths:
        """Return the paths of *observation*."""
        return ObservationPaths(
            folder=self.work / observation.slug,
            plots=self.products / observation.visit.slug / "plots" / observation.filter,
            exports=self.products / observation.visit.slug / "exports" / observation.filter,
        )

    def transits(self, target: str) -> Path:
        """Return the mid-times of a target (its folder name), with observed minus computed."""
        return self.products / target / "ephemeris.ecsv"

    def ephemeris(self, target: str) -> Path:
        """Return the linear ephemeris of a target (its folder name)."""
        return self.products / target / "ephemeris.json"

    def visit(self, visit: Visit) -> VisitPaths:
        """Return the paths of *visit*."""
        return VisitPaths(self.products / visit.slug, self.uploads / visit.slug)
