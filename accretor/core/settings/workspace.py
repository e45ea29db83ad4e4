"""The whole of ``workspace.toml``, and what may differ between observations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, convert, field, to_builtins
from msgspec.structs import replace

from accretor.core.settings.base import Settings
from accretor.core.settings.compute import ComputeSettings
from accretor.core.settings.instrument import InstrumentSettings
from accretor.core.settings.products import (
    ExportSettings,
    PackagingSettings,
    PlottingSettings,
    UploadSettings,
)
from accretor.core.settings.reduction import (
    CalibrationSettings,
    EnsembleSettings,
    PhotometrySettings,
    PreprocessSettings,
    RegistrationSettings,
    TemplateSettings,
)
from accretor.core.settings.sky import (
    CatalogsSettings,
    ForcedSettings,
    MagnitudesSettings,
    NebSettings,
    PlateSolutionSettings,
)
from accretor.core.settings.target import Target


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


class WorkspaceSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of ``workspace.toml``."""

    config_version: Literal[1] = 1
    """Version of this file's keys; raised when one changes its meaning."""
    observer: str
    """Name of the observer, for the notes."""
    raw: Annotated[str, Meta(min_length=1)] = "raw"
    """Folder of the raw frames, path from the workspace or absolute; it is only read."""
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
