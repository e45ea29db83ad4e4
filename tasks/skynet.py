"""Fetch the frames of a Skynet observation into raw/skynet/.

    doit skynet observation=12345678
    doit skynet observation=12345678 after=2025-03-04 before=2025-03-05T12:00    (UTC)

Needs your token of Skynet: in the environment's SKYNET_API_TOKEN, or as the password
for api.skynet.unc.edu in the keyring or ~/.netrc.

Frames that are there are left alone; a frame appears whole or not at all. This is the
only command that puts anything into raw/.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import doit
from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from accretor.stages import skynet
from tasks import _trouble, _workspace
from tasks._graph import Doc
from tasks._stage import Progress

log = logging.getLogger("accretor")


def tasks() -> Iterator[Task]:
    """Yield the one task."""
    task = Task("skynet", [run], uptodate=[False], verbosity=2, meta={"is_command": True})
    task.doc = Doc(__doc__ or "", lambda: "fetches frames of a Skynet observation")
    yield task


def run() -> Any:
    """Fetch the frames of the observation that was asked for."""
    observation = str(doit.get_var("observation", None) or "")
    label = f"skynet:{observation}"
    try:
        found = skynet.fetch(
            observation,
            _workspace.current().layout,
            after=str(doit.get_var("after", None) or ""),
            before=str(doit.get_var("before", None) or ""),
            progress=Progress(label),
        )
    except (AccretorError, OSError) as error:
        reason = _trouble.in_words(error) if isinstance(error, OSError) else str(error)
        log.info("%s failed: %s", label, reason)
        return TaskFailed(reason)
    log.info("%s: %s", label, found.said)
    sys.stdout.write(f"{'skynet':<12} {observation}  {found.said}\n")
    return TaskFailed("; ".join(found.failures)) if found.failures else {"said": found.said}
