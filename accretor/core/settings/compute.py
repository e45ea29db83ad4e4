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
    """Account or project that the jobs are charged to (HTCondor: accounting group); default: the batch
    system's."""
    walltime: Annotated[
        str, Meta(pattern=r"^(\d+-)?\d+:\d\d:\d\d$", description="a time such as 02:00:00 or 1-12:00:00")
    ] = "02:00:00"
    """Longest time of one job, ``[days-]hours:minutes:seconds``; workers leave before it and are replaced, so
    a short one waits less in the queue and costs nothing. HTCondor is not told of it."""
    directives: tuple[str, ...] = ()
    """Further options of the job script, as the batch system spells them, without ``#SBATCH`` or ``#PBS``."""
    logs: str = "logs/jobs"
    """Folder of what the jobs print, relative to the workspace."""


class SlurmSettings(BatchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jobs of SLURM."""

    partition: str = ""
    """Partition of the jobs; default: SLURM's."""


class PbsSettings(BatchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jobs of PBS."""

    queue: str = ""
    """Queue of the jobs; default: PBS's."""


class HtcondorSettings(BatchSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jobs of HTCondor; a directive is ``"name = value"``."""

    disk: Size = "1GB"
    """Scratch disk of one job, with its unit (MB, GB, TB); HTCondor wants to know it, the jobs need hardly
    any."""


class ComputeSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the work is done; it never changes a result, and nothing is made again for it."""

    executor: Literal["auto", "serial", "processes", "dask", "slurm", "pbs", "htcondor"] = "auto"
    """Where frames are measured. ``auto``: in this process, or in several of this machine as soon as that is
    faster; ``serial``: in this process; ``processes``: in others of this machine; ``dask``: by a dask
    scheduler; ``slurm``, ``pbs``, ``htcondor``: in jobs of that batch system."""
    workers: Annotated[int, Meta(ge=0)] = 0
    """Number of processes or jobs; 0: one process for each core, as far as `memory` allows, or 8 jobs."""
    memory: Size = "2GB"
    """Memory of one worker, with its unit (MB, GB, TB). A 4096x4096 frame with all its masters needs 1.6
    GB."""
    scratch: Size = "4GB"
    """Disk, with its unit (MB, GB, TB), on which the compressed frames of one observation are unpacked once
    for all stages of a run; those beyond it are unpacked by each stage. A 4096x4096 frame takes 34 MB."""
    address: str = ""
    """Address of a dask scheduler that is running already, ``tcp://host:8786``; only with ``executor =
    "dask"``, which without it starts workers on this machine."""
    slurm: SlurmSettings = SlurmSettings()
    pbs: PbsSettings = PbsSettings()
    htcondor: HtcondorSettings = HtcondorSettings()

    def __post_init__(self) -> None:
        """Refuse an address that would not be used."""
        if self.address and self.executor != "dask":
            raise ValueError('address is that of a dask scheduler; set executor = "dask"')
