"""Every setting of ``workspace.toml``: its unit, its default, and why that default.

The classes stand here, and not beside the functions that they steer, because
``doit list`` reads them and must not import numpy to do so.
"""

from __future__ import annotations

from accretor.core.settings.base import Fraction, NonNegative, Positive, Settings
from accretor.core.settings.compute import (
    BatchSettings,
    ComputeSettings,
    HtcondorSettings,
    PbsSettings,
    SlurmSettings,
)
from accretor.core.settings.instrument import HeaderWord, InstrumentSettings
from accretor.core.settings.products import (
    ExportFormat,
    ExportSettings,
    PackagingSettings,
    PlottingSettings,
    UploadFilterSettings,
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
    CatalogFileSettings,
    CatalogsSettings,
    ForcedPosition,
    ForcedSettings,
    MagnitudesSettings,
    NebSettings,
    PlateSolutionSettings,
)
from accretor.core.settings.target import Ephemeris, PixelPosition, Target
from accretor.core.settings.workspace import ObservationSettings, WorkspaceSettings

__all__ = [
    "BatchSettings",
    "CalibrationSettings",
    "CatalogFileSettings",
    "CatalogsSettings",
    "ComputeSettings",
    "EnsembleSettings",
    "Ephemeris",
    "ExportFormat",
    "ExportSettings",
    "ForcedPosition",
    "ForcedSettings",
    "Fraction",
    "HeaderWord",
    "HtcondorSettings",
    "InstrumentSettings",
    "MagnitudesSettings",
    "NebSettings",
    "NonNegative",
    "ObservationSettings",
    "PackagingSettings",
    "PbsSettings",
    "PhotometrySettings",
    "PixelPosition",
    "PlateSolutionSettings",
    "PlottingSettings",
    "Positive",
    "PreprocessSettings",
    "RegistrationSettings",
    "Settings",
    "SlurmSettings",
    "Target",
    "TemplateSettings",
    "UploadFilterSettings",
    "UploadSettings",
    "WorkspaceSettings",
]
