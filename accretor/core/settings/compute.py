"""``[compute]``: where the work on single frames is done."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from accretor.core.settings.base import Settings

Size = Annotated[
    str, Meta(pattern=r"^\d+(\.\d+)?(MB|GB|TB)$", description="a number with MB, GB or TB, as 2GB")
]


class BatchSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the jobs of a batch system ask for; each job is one worker on one core."""

    account: str = ""
    """Who pays; default: the batch system's."""
    walltime: Annotated[
        str, Meta(pattern=r"^(\d+-)?\d+:\d\d:\d\d$", description="a time such as 02:00:00 or 1-12:00:00")
    ] = "02:00:00"
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

    disk: Size = "1GB"
    """Scratch disk of one job, which HTCondor wants to know."""


class ComputeSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the work is done; it never changes a result, and nothing is made again for it."""

    executor: Literal["auto", "serial", "processes", "dask", "slurm", "pbs", "htcondor"] = "auto"
    """``auto``: in this process, and in several as soon as there is enough to do for them."""
    workers: Annotated[int, Meta(ge=0)] = 0
    """Processes or jobs; 0 means one for each core that memory allows, or 8 jobs."""
    memory: Size = "2GB"
    """Of one worker. A 4096x4096 frame with all its masters needs 1.6 GB."""
    scratch: Size = "4GB"
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
