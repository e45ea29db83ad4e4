"""A SLURM of one node on this machine, its daemons started by hand in a folder of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "sinfo")

_CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=2
SchedulerParameters=sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why a SLURM cannot be had here, or nothing."""
    absent = [name for name in NEEDED if shutil.which(name, path=_path()) is None]
    if absent:
        return f"{', '.join(absent)} not installed (apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "the daemons of SLURM must be started by root"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Run a SLURM, and yield its configuration, which SLURM_CONF must name."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    config = folder / "slurm.conf"
    port, node_port = _free_port(), _free_port()
    config.write_text(
        _CONFIG.format(
            host=socket.gethostname().partition(".")[0],
            folder=folder,
            port=port,
            node_port=node_port,
            cores=len(os.sched_getaffinity(0)),
        )
    )
    munge = ["munged", "--foreground", "--force", f"--socket={folder}/munge.sock", f"--key-file={key}"]
    munge += [
        f"--pid-file={folder}/munge.pid",
        f"--seed-file={folder}/munge.seed",
        f"--log-file={folder}/munge.log",
    ]
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for command in (
            munge,
            ["slurmctld", "-D", "-i", "-f", str(config)],
            ["slurmd", "-D", "-f", str(config)],
        ):
            with (folder / f"{command[0]}.out").open("wb") as out:
                daemons.append(
                    subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "PATH": _path()})
                )
            time.sleep(0.5)
        _wait_until_idle(config, folder)
        yield config
    finally:
        _wait_for(lambda: not _said(config, "squeue", "-h"), seconds=20)
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _wait_until_idle(config: Path, folder: Path) -> None:
    if _wait_for(lambda: _said(config, "sinfo", "-h", "-o", "%t") == "idle", seconds=30):
        return
    logs = [path for path in sorted(folder.iterdir()) if path.suffix in (".log", ".out")]
    raise RuntimeError("\n".join(["SLURM does not come up", *(path.read_text()[-800:] for path in logs)]))


def _wait_for(is_so: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.3)
    return True


def _said(config: Path, *command: str) -> str:
    environment = {**os.environ, "SLURM_CONF": str(config)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.stdout.strip()


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
