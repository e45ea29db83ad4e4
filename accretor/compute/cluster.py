"""Work on other machines through dask: a scheduler that is there, or jobs of a batch system.

A worker does one item at a time, in the folder of the workspace, which must have the
same path on all machines; and it must have the same libraries, or the last digits
would depend on where a frame was measured.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import logging
import os
import platform
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

from accretor.compute import local
from accretor.compute.spread import Numbered, spread
from accretor.core.errors import ComputeError, WorkerDied
from accretor.core.settings import BatchSettings, ComputeSettings

log = logging.getLogger("accretor")

JOBS = 8
"""Jobs of a batch system where the settings name no number."""

FAILURES = 1
"""Workers that an item may lose, besides the first, before it is suspect."""

PATIENCE = 60.0
"""Second without a worker after which that is said."""

_LIBRARIES = ("accretor", "numpy", "scipy", "astropy", "photutils")
_SUBMIT = {"slurm": "sbatch", "pbs": "qsub", "htcondor": "condor_submit"}

Versions = tuple[tuple[str, str], ...]


class Cluster:
    """Workers of a dask scheduler.

    Raises
    ------
    ComputeError
        If dask is not installed, the scheduler does not answer, or the batch system
        takes no jobs.
    """

    def __init__(self, settings: ComputeSettings) -> None:
        distributed = _imported("distributed")
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is told by ComputeError
        self._cluster: Any = None
        self._client: Any = None
        self._manned = time.monotonic()
        """When a worker was last seen by somebody who waited."""
        self._known = (0.0, 1)
        """When the workers were last counted, and how many they were."""
        try:
            # The threads and processes of dask must not see Ctrl-C: the run decides.
            dask = _imported("dask")
            with local.uninterrupted(), dask.config.set({"distributed.scheduler.allowed-failures": FAILURES}):
                if not settings.address:
                    self._cluster = _cluster(settings, distributed)
                self._client = distributed.Client(self._cluster or settings.address, timeout=20)
            self._wait(settings)
        except (OSError, TimeoutError) as error:
            self.close()
            raise ComputeError(
                f"no dask scheduler answers at {settings.address or 'this machine'}: {error}"
            ) from error
        except BaseException:
            self.close()
            raise

    def run(self, work: Callable[[Any], Any], items: Numbered) -> Iterator[tuple[int, Any]]:
        """Yield ``(index, work(item))`` as they are finished, in any order.

        What a lost worker had in hand is done by another. What was in hand whenever one
        of several was lost is done again alone.

        Raises
        ------
        WorkerDied
            After all other items, if there are some that end every worker.
        ComputeError
            If the scheduler is lost, or a worker has another environment.
        """
        suspects: list[int] = []
        yield from self._spread(work, items, suspects, self._width)
        left = dict(items)
        dead: list[int] = []
        for index in suspects:
            yield from self._spread(work, [(index, left[index])], dead, lambda: 1)
        if dead:
            raise WorkerDied(tuple(dead))

    def _spread(
        self, work: Callable[[Any], Any], items: Numbered, killers: list[int], width: Callable[[], int]
    ) -> Iterator[tuple[int, Any]]:
        distributed = importlib.import_module("distributed")
        folder, versions = str(Path.cwd()), _versions()

        def submit(item: Any) -> Future[Any]:
            return _signal_of(self._client.submit(_in_folder, work, item, folder, versions, pure=False))

        self._manned = time.monotonic()
        for index, signal in spread(submit, items, width, look=self._look):
            try:
                # Only here is it fetched: if it is lost on its way, dask has it made again.
                result = signal.result().result()
            except distributed.KilledWorker:
                killers.append(index)
            except (CancelledError, distributed.CancelledError, distributed.comm.CommClosedError):
                raise _lost() from None
            else:
                yield index, result

    def close(self, *, at_once: bool = False) -> None:
        """Leave the scheduler, and end the workers that were started for this run."""
        if at_once and self._cluster is not None:
            self._cluster.shutdown_on_close = False  # or dask would wait for it as Python ends
        for resource in (self._client, self._cluster):
            if resource is not None:
                # Workers that are not ended in time end themselves when they miss the scheduler.
                with contextlib.suppress(TimeoutError):
                    resource.close(timeout=0.7 if at_once else 20)
        self._client = self._cluster = None

    def _width(self) -> int:
        since, n_worker = self._known
        if time.monotonic() - since > 2:
            n_worker = max(1, len(self._client.ncores()))
            self._known = (time.monotonic(), n_worker)
        # One in hand and one on its way to each worker.
        return 2 * n_worker

    def _look(self) -> None:
        if self._client.status != "running":
            raise _lost()
        now = time.monotonic()
        if self._client.ncores():
            self._manned = now
        elif now - self._manned > PATIENCE:
            self._manned = now
            log.warning("all workers are gone for %.0f s; waiting for another, Ctrl-C gives up", PATIENCE)

    def _wait(self, settings: ComputeSettings) -> None:
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            log.warning(
                "no worker has come in %.0f s (%s): is the queue full? still waiting, Ctrl-C gives up",
                PATIENCE,
                settings.executor if settings.executor != "dask" else settings.address,
            )
            self._client.wait_for_workers(1)


def _signal_of(remote: Any) -> Future[Any]:
    """Return a future that is done, with *remote*, when *remote* is, and whose cancelling cancels it.

    dask has executors of its own, whose futures are never done if a result is lost with its worker.
    """
    signal: Future[Any] = Future()

    def arrived(_: Any) -> None:
        if signal.set_running_or_notify_cancel():
            signal.set_result(remote)

    def left(_: Future[Any]) -> None:
        if signal.cancelled():
            remote.cancel()

    signal.add_done_callback(left)
    remote.add_done_callback(arrived)
    return signal


def lifetime(walltime: str) -> tuple[int, int]:
    """Return how long a worker may live, and by how much at random it may be more or less, second.

    Workers leave before their jobs are killed, so that nothing is done twice, and not
    all at once.
    """
    days, _, clock = walltime.rpartition("-")
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    whole = int(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds
    margin = min(600, whole // 5)
    return whole - margin, margin // 2


def _without_days(walltime: str) -> str:
    """Return the same time in hours, minutes and seconds, for PBS knows no days."""
    days, _, clock = walltime.rpartition("-")
    hours, _, rest = clock.partition(":")
    return f"{24 * int(days or 0) + int(hours):02d}:{rest}"


def job_options(settings: ComputeSettings) -> dict[str, Any]:
    """Return what dask-jobqueue is to be told of the jobs."""
    kind = settings.executor
    batch: BatchSettings = getattr(settings, kind)
    life, stagger = lifetime(batch.walltime)
    options: dict[str, Any] = {
        "cores": 1,
        "processes": 1,
        "memory": settings.memory,
        "worker_extra_args": ["--lifetime", f"{life}s", "--lifetime-stagger", f"{stagger}s"],
        "log_directory": batch.logs,
        "job_extra_directives": list(batch.directives),
    }
    if kind == "htcondor":
        directives = dict(_assignment(line) for line in batch.directives)
        if batch.account:
            directives["accounting_group"] = batch.account
        return options | {"disk": settings.htcondor.disk, "job_extra_directives": directives}
    options["walltime"] = batch.walltime if kind == "slurm" else _without_days(batch.walltime)
    if batch.account:
        options["account"] = batch.account
    if queue := settings.slurm.partition if kind == "slurm" else settings.pbs.queue:
        options["queue"] = queue
    return options


def _cluster(settings: ComputeSettings, distributed: Any) -> Any:
    if settings.executor == "dask":
        n_worker = local.n_worker(settings.workers, settings.memory)
        cluster = distributed.LocalCluster(
            n_workers=n_worker,
            threads_per_worker=1,
            memory_limit=settings.memory,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
    else:
        n_worker = settings.workers or JOBS
        cluster = _jobs(settings, n_worker)
    # A worker that leaves, by its age or by a kill, is followed by another; dask alone gives
    # up one that is missing twice at an interval of 15 s.
    cluster.adapt(minimum=n_worker, maximum=n_worker)
    return cluster


def _jobs(settings: ComputeSettings, n_job: int) -> Any:
    """Return a cluster whose jobs the batch system has taken."""
    jobqueue = _imported("dask_jobqueue")
    command = _SUBMIT[settings.executor]
    if shutil.which(command) is None:
        raise ComputeError(
            f"[compute] executor = {settings.executor!r}: there is no {command} here; run on a "
            "machine where jobs can be submitted"
        )
    names = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "htcondor": "HTCondorCluster"}
    cluster = getattr(jobqueue, names[settings.executor])(
        **job_options(settings), scheduler_options={"dashboard_address": ":0"}, silence_logs=logging.CRITICAL
    )
    try:
        cluster.sync(_submit, cluster, n_job)
    except RuntimeError as error:
        cluster.shutdown_on_close = False
        with contextlib.suppress(AssertionError):  # dask's, about jobs that never were
            cluster.close(timeout=1)
        said = str(error).strip().splitlines()
        raise ComputeError(
            f"{command} refused the jobs: {said[-1] if said else 'it says nothing'}"
        ) from error
    return cluster


async def _submit(cluster: Any, n_job: int) -> None:
    """Submit the jobs, and unlike ``scale`` tell if that fails."""
    cluster.scale(n_job)
    await cluster


def _in_folder(work: Callable[[Any], Any], item: Any, folder: str, versions: Versions) -> Any:
    """Do *work* in *folder*, in a worker."""
    if _versions() != versions:
        other = ", ".join(f"{name} {version}" for name, version in set(_versions()) - set(versions))
        here = ", ".join(f"{name} {version}" for name, version in set(versions) - set(_versions()))
        raise ComputeError(
            f"the worker on {platform.node()} has {other}, the run has {here}; use one environment"
        )
    with _ONE_AT_A_TIME:
        try:
            os.chdir(folder)
        except OSError as error:
            raise ComputeError(
                f"{folder}: {error.strerror} on {platform.node()}; a workspace needs one path on all machines"
            ) from error
        return work(item)


_ONE_AT_A_TIME = threading.Lock()
"""The current folder is one for a whole process, and a worker may have more threads."""


@functools.cache
def _versions() -> Versions:
    """Return what the last digits of a result may depend on."""
    found = [("python", platform.python_version().rpartition(".")[0]), ("machine", platform.machine())]
    return (*found, *((name, importlib.metadata.version(name)) for name in _LIBRARIES))


def _assignment(line: str) -> tuple[str, str]:
    name, sign, value = line.partition("=")
    if not sign:
        raise ComputeError(f'[compute.htcondor] directives: {line!r} must be "name = value"')
    return name.strip(), value.strip()


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ComputeError(
            f"[compute] executor needs {name.replace('_', '-')}: pip install 'accretor[cluster]'"
        ) from None


def _lost() -> ComputeError:
    return ComputeError("the dask scheduler was lost; run again when it is back: what is done is kept")
