"""What must be so before anything is sent: a person agreed to exactly this, and the night is a real one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from accretor.core.errors import UploadError
from accretor.io.http import is_loopback

MADE_UP = "truth.json"
"""In a workspace whose night is simulated."""


def plan_id(everything: Any) -> str:
    """Return what a plan is agreed to by: 12 hexadecimal digits of the SHA-256 of all that would be sent.

    Parameters
    ----------
    everything : dict, list, str, number
        Server, fields and digests of files, as JSON may have them: another byte of it is another plan.
    """
    content = json.dumps(everything, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(content.encode("ascii")).hexdigest()[:12]


def check(confirmed: str, plan: str) -> None:
    """Refuse a plan that is not the one that a person agreed to.

    Raises
    ------
    UploadError
        If *confirmed* is not the id of the *plan*.
    """
    if confirmed != plan:
        raise UploadError(
            f"the plan is {plan} now, not {confirmed}; nothing was sent: look at it and confirm it"
        )


def refuse_simulated(workspace: Path, host: str, archive: str) -> None:
    """Refuse to send a simulated night anywhere but to a server on this machine.

    Raises
    ------
    UploadError
        If *workspace* is simulated, and *host* is another machine.
    """
    if (workspace / MADE_UP).is_file() and not is_loopback(host):
        raise UploadError(f"this night is simulated ({MADE_UP}): it is not for {archive}; nothing was sent")
