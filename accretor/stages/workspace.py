"""A workspace as it is now: its settings, its raw frames, and the observations that follow from them."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from accretor.config import lacking
from accretor.config import workspace as config
from accretor.core import versions
from accretor.core.dumps import INVENTORY
from accretor.core.errors import Blocked, ConfigError, DumpError
from accretor.core.observation import Observation, Visit
from accretor.core.settings import InstrumentSettings, Target, WorkspaceSettings
from accretor.core.slug import slug
from accretor.instruments import DIALECTS
from accretor.io import aijfiles, calibrations, dump, inventory
from accretor.io.aijfiles import AijFiles
from accretor.io.calibrations import CalibrationPlan
from accretor.io.dump import Row
from accretor.io.inventory import Assignment, RawFile
from accretor.io.layout import Layout, ObservationPaths
from accretor.stages import identification
from accretor.stages.rows import fingerprint

DEFAULT_READ_NOISE = 10.0
"""Electron, where neither header nor settings tell nor biases show it; said in the remarks."""
FULL = 65535.0
"""Saturation level in ADU, where neither header nor settings tell nor frames show it; said in the remarks."""


@dataclass(frozen=True)
class Detector:
    """What the measurement must know of the camera, from the settings or else the headers."""

    gain: float
    """Electron per ADU."""
    read_noise: float
    """Electron."""
    saturation: float
    """ADU."""
    remarks: tuple[str, ...] = ()
    """What had to be assumed."""

    @property
    def is_whole(self) -> bool:
        """Whether gain and read noise are known."""
        return self.gain > 0 and not math.isnan(self.read_noise)


@dataclass(frozen=True)
class ObservationPlan:
    """One observation with the files that it is made from."""

    observation: Observation
    target: Target
    instrument: InstrumentSettings
    frames: tuple[RawFile, ...]
    """In order of time."""
    calibrations: CalibrationPlan
    paths: ObservationPaths
    settings: WorkspaceSettings
    """Those that hold for this observation."""
    aij: AijFiles = AijFiles()  # noqa: RUF009  # frozen
    """Files of AstroImageJ that the user gave for it."""

    @property
    def is_table(self) -> bool:
        """Whether there are no raw frames: it begins with AstroImageJ's measurement table."""
        return not self.frames

    @property
    def calibrated(self) -> str:
        """Letters of bias, dark, flat that some program applied to the frames before."""
        exposure = self.frames[0].exposure
        assert exposure is not None
        return exposure.calibrated

    @property
    def is_saturation_told(self) -> bool:
        """Whether settings or headers tell the saturation level."""
        exposure = self.frames[0].exposure
        assert exposure is not None
        return exposure.saturation > 0

    @property
    def declared(self) -> Detector:
        """What settings or headers tell of the camera: NaN for a gain or read noise that they do not.

        Where they do not tell the saturation it is that of 16 bits: what the frames show is in `detector`.
        """
        exposure = self.frames[0].exposure
        assert exposure is not None
        saturation = exposure.saturation if self.is_saturation_told else FULL
        # The settings are in them already, and so is what a colour camera makes of the gain.
        gain = exposure.gain if exposure.gain > 0 else math.nan
        return Detector(gain, exposure.read_noise, saturation)

    @property
    def detector(self) -> Detector:
        """Gain, read noise and saturation of these frames: declared, or else measured by preprocess.

        Raises
        ------
        Blocked
            If nothing tells the gain: errors and saturation would be invented.
        """
        if self.is_table:
            told = dump.read_meta(self.paths.frames).get("detector")
            if not told:
                raise Blocked(f"{self.observation.slug}: its table has not been read; run doit aij")
            return Detector(told["gain"], told["read_noise"], told["saturation"])
        declared = self.declared
        measured = {} if declared.is_whole and self.is_saturation_told else self._measured()
        gain = declared.gain if declared.gain > 0 else measured.get("gain", math.nan)
        if not gain > 0:
            raise Blocked(
                f"{self.observation.slug}: no header tells the gain"
                f"{', and it cannot be measured: ' + measured['why'] if 'why' in measured else ''}; "
                "add gain = ... (electron/ADU) to [[instrument]]"
            )
        read_noise = declared.read_noise
        remarks: tuple[str, ...] = ()
        if math.isnan(read_noise):
            read_noise = measured.get("read_noise", math.nan)
        if math.isnan(read_noise):
            read_noise = DEFAULT_READ_NOISE
            remarks = (*remarks, f"read noise not known: {read_noise:g} electron assumed")
        saturation = declared.saturation
        if not self.is_saturation_told:
            saturation = measured.get("saturation", saturation)
            how = "estimated" if measured.get("is_saturation_seen") else "assumed"
            remarks = (*remarks, f"saturation level not known: {saturation:g} ADU {how}")
        return Detector(gain, float(read_noise), saturation, remarks)

    def _measured(self) -> Row:
        """Return what preprocess measured of the camera."""
        try:
            found: Row = dump.read_meta(self.paths.masters).get("detector", {})
        except (FileNotFoundError, DumpError):
            return {}
        return found

    @property
    def site(self) -> tuple[float, float, float]:
        """Latitude, longitude (degree, east positive) and height (m) of the telescope.

        Raises
        ------
        Blocked
            If neither the headers nor the settings tell where it stands.
        """
        if (
            self.is_table
        ):  # the table has the times and the airmass: only the scintillation asks for the height
            own = self.instrument
            return (
                math.nan if own.latitude is None else own.latitude,
                math.nan if own.longitude is None else own.longitude,
                own.height or 0.0,
            )
        exposure = self.frames[0].exposure
        assert exposure is not None
        latitude, longitude = exposure.latitude, exposure.longitude
        if math.isnan(latitude) or math.isnan(longitude):
            raise Blocked(
                f"{self.observation.slug}: no header tells the site; "
                "add latitude, longitude (degree, east positive) and height (m) to [[instrument]]"
            )
        return latitude, longitude, 0.0 if math.isnan(exposure.elevation) else exposure.elevation


@dataclass(frozen=True)
class Workspace:
    """Everything that is known before any work is done."""

    layout: Layout
    settings: WorkspaceSettings
    assignments: tuple[Assignment, ...]
    observations: tuple[ObservationPlan, ...]

    @property
    def visits(self) -> dict[Visit, tuple[ObservationPlan, ...]]:
        """The observations of each visit."""
        found: dict[Visit, list[ObservationPlan]] = defaultdict(list)
        for plan in self.observations:
            found[plan.observation.visit].append(plan)
        return {visit: tuple(plans) for visit, plans in sorted(found.items())}

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Raw files that no stage uses, each with the reason."""
        return tuple((item.file.path, item.reason) for item in self.assignments if item.reason)


def layout_of(root: Path) -> Layout:
    """Return where things are in the workspace at *root*, without a look at its frames.

    Raises
    ------
    ConfigError
        If ``workspace.toml`` is missing or wrong.
    """
    return Layout(root, _settings(root).raw)


def _settings(root: Path) -> WorkspaceSettings:
    path = Layout(root).config
    if not path.is_file():
        raise ConfigError(path, "", "is missing; `doit init` writes one from your frames")
    return config.load(path)


def open_workspace(
    root: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    is_recorded: bool = True,
    ask: Callable[[Target, Layout, WorkspaceSettings], list[str]] | None = None,
) -> Workspace:
    """Read the settings of *root*, look at its raw frames, and write down what each is.

    Only the headers of files that are new or changed are read.

    Parameters
    ----------
    is_recorded
        Whether to write the inventory, which only the run that holds the workspace may.
    ask
        Fetches what ExoFOP knows of a target that nothing here tells the place of, and returns what went
        wrong; only a command that is there to fetch has it.

    Raises
    ------
    ConfigError
        If ``workspace.toml`` is missing or wrong.
    """
    settings = _settings(root)
    layout = Layout(root, settings.raw)
    settings = settings.with_targets(_identified(layout, settings, ask))
    tables = _tables(layout, settings)
    if not layout.raw.is_dir() and not tables:
        raise ConfigError(
            layout.raw,
            "",
            'there is no such folder (is the disk there?); put the raw frames there, or set raw = "PATH"',
        )
    instruments = fingerprint(
        [repr(instrument) for instrument in settings.instrument], repr(DIALECTS), versions.HEADERS
    )
    stored = _stored(layout, instruments)
    known = [inventory.from_row(row) for row in stored]
    files = (
        inventory.refresh(layout.raw, known, settings.instrument, apart=layout.own, progress=progress)
        if layout.raw.is_dir()
        else []
    )
    assignments = inventory.assign(files, settings.target, layout.raw)
    observations = _observations(layout, settings, files, assignments)
    taken = {plan.observation for plan in observations}
    observations += tuple(
        _plan(layout, settings, observation, []) for observation in tables if observation not in taken
    )
    if len(observations) > 1 and (settings.calibration.comparison or settings.calibration.exclude):
        reason = (
            "comparison and exclude are star numbers of one template, and this workspace has "
            f"{len(observations)} observations; put them below [[observation]] with its name"
        )
        raise ConfigError(layout.config, "calibration", reason)
    used = {file.path for plan in observations for file in _calibration_files(plan.calibrations)}
    assignments = [_unused(item, used, observations) for item in assignments]
    if is_recorded and not _is_same(stored, known, assignments):
        dump.write(
            layout.inventory,
            INVENTORY,
            [_row(item) for item in assignments],
            {"instruments": instruments, "left_out": sum(bool(item.reason) for item in assignments)},
        )
    return Workspace(layout, settings, tuple(assignments), observations)


def _identified(
    layout: Layout,
    settings: WorkspaceSettings,
    ask: Callable[[Target, Layout, WorkspaceSettings], list[str]] | None,
) -> tuple[Target, ...]:
    """Return the targets with what is kept of them here; what `doit fetch` has kept is a file like any other.

    Raises
    ------
    ConfigError
        If the number or the place on the sky of one is not known then: with all that is to be written.
    """
    targets = [identification.completed(given, layout) for given in settings.target]
    wanted: list[str] = []
    troubles: list[str] = []
    for number, given in enumerate(settings.target):
        if not targets[number].is_identified and ask is not None and not settings.catalogs.offline:
            troubles += ask(given, layout, settings)
            targets[number] = identification.completed(given, layout)
        target = targets[number]
        if not target.is_identified:
            missing = ["tic"] * (not target.tic) + ["ra", "dec"] * (target.ra == "")
            wanted.append(
                f"{', '.join(missing)} of [[target]] {target.name}, or let doit fetch:{slug(target.name)} "
                "ask ExoFOP"
            )
    if not wanted:
        return tuple(targets)
    # Who has the file open should write all that will be asked for.
    later = lacking.for_exofop(settings, settings.instrument)
    reason = f"to be filled in: {'; '.join(wanted)}"
    if later:
        reason += f"; and for the notes and ExoFOP: {', '.join(later)}"
    raise ConfigError(layout.config, "", "; ".join([reason, *troubles]))


def _stored(layout: Layout, instruments: str) -> list[Row]:
    """Return the rows of an earlier look, if the headers would be read in the same way."""
    try:
        stored = dump.read(layout.inventory, INVENTORY)
    except (FileNotFoundError, DumpError):
        return []
    return stored.rows if stored.meta.get("instruments") == instruments else []


def _is_same(stored: list[Row], known: list[RawFile], assignments: list[Assignment]) -> bool:
    """Return whether the inventory of these *assignments* is the *stored* one, whose files are *known*."""
    return len(stored) == len(assignments) and all(
        item.file is file and _verdict(item).items() <= row.items()
        for row, file, item in zip(stored, known, assignments, strict=True)
    )


def _row(item: Assignment) -> Row:
    return {**inventory.to_row(item.file), **_verdict(item)}


def _verdict(item: Assignment) -> dict[str, str]:
    return {
        "observation": item.observation.slug if item.observation else "",
        "reason": item.reason,
        "assignment": item.remark,
    }


def _observations(
    layout: Layout, settings: WorkspaceSettings, files: list[RawFile], assignments: list[Assignment]
) -> tuple[ObservationPlan, ...]:
    frames: dict[Observation, list[RawFile]] = defaultdict(list)
    for item in assignments:
        if item.observation and not item.reason:
            frames[item.observation].append(item.file)
    calibration_files = [file for file in files if file.exposure and file.exposure.kind != "light"]
    return tuple(
        _plan(layout, settings, observation, members, calibration_files)
        for observation, members in sorted(frames.items())
    )


def _plan(
    layout: Layout,
    settings: WorkspaceSettings,
    observation: Observation,
    members: list[RawFile],
    calibration_files: Sequence[RawFile] = (),
) -> ObservationPlan:
    targets = {slug(target.name): target for target in settings.target}
    instruments = {slug(instrument.name): instrument for instrument in settings.instrument}
    exposures = [file.exposure for file in members if file.exposure]
    own = settings.of(observation.slug)
    return ObservationPlan(
        observation=observation,
        target=targets[observation.target],
        instrument=instruments.get(observation.telescope, InstrumentSettings(name=observation.telescope)),
        frames=tuple(
            sorted(members, key=lambda file: (file.exposure.mid if file.exposure else "", file.path))
        ),
        calibrations=calibrations.choose(calibration_files, exposures, own.preprocess)
        if members
        else CalibrationPlan([], [], [], []),
        paths=layout.observation(observation),
        settings=own,
        aij=aijfiles.find(layout.aij, observation),
    )


def _tables(layout: Layout, settings: WorkspaceSettings) -> list[Observation]:
    """Return what is observed by the tables of AstroImageJ.

    Raises
    ------
    ConfigError
        If a folder is of no target, or its name is not that of a night.
    """
    known = [slug(target.name) for target in settings.target]
    for name in aijfiles.targets(layout.aij):
        if name not in known:
            raise ConfigError(
                layout.aij / name, "", f"is not a target; a folder here must be one of {', '.join(known)}"
            )
    found = list(aijfiles.nights(layout.aij))
    for observation in found:
        if not re.fullmatch(r"\d{8}", observation.night):
            raise ConfigError(
                layout.aij / observation.target / observation.night,
                "",
                "is not the name of a night: YYYYMMDD, the date of the local evening",
            )
    return found


def _calibration_files(plan: CalibrationPlan) -> list[RawFile]:
    return [*plan.bias, *plan.dark, *plan.flat]


def _unused(item: Assignment, used: set[str], plans: tuple[ObservationPlan, ...]) -> Assignment:
    """Give a calibration frame that fits no observation the reason for it."""
    is_calibration = item.file.exposure is not None and item.file.exposure.kind != "light"
    if item.reason or not is_calibration or item.file.path in used:
        return item
    reasons = {file.path: reason for plan in plans for file, reason in plan.calibrations.left_out}
    return Assignment(item.file, None, reasons.get(item.file.path, "no observation needs it"))
