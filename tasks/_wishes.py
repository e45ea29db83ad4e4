"""What a user can ask for in one run: ``redo=STAGE`` and ``renew=TARGET``."""

from __future__ import annotations

import difflib

import doit
from doit import doit_cmd

from accretor.core.slug import slug
from tasks import _workspace

STAGES = (
    *("preprocess", "registration", "template", "photometry", "calibration"),
    *("forced", "neb", "plotting", "packaging"),
)
CHOOSING = ("preprocess", "template", "fetch")
"""Stages that make choices which are kept, and the command that keeps what others have."""


VARIABLES = (
    "workspace",
    "redo",
    "renew",
    "confirm",
    "files",
    "observation",
    "after",
    "before",
    "frames",
    "online",
)
"""Every ``name=value`` that the command line may have."""


def check_names() -> None:
    """Refuse a ``name=value`` that nothing reads: it would be ignored in silence."""
    for name in doit_cmd._CMDLINE_VARS or ():  # doit tells only of names that are asked for
        if name not in VARIABLES:
            near = difflib.get_close_matches(name, VARIABLES, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]}=?" if near else f"known are {', '.join(VARIABLES)}"
            raise SystemExit(f"accretor: {name}=: there is no such variable; {meant}")


def check() -> None:
    """Refuse a stage or target that does not exist."""
    wanted = doit.get_var("redo", None)
    if wanted is not None and wanted not in STAGES:
        raise SystemExit(f"accretor: redo={wanted}: there is no such stage; one of {', '.join(STAGES)}")
    wanted = doit.get_var("renew", None)
    known = [target.name for target in _workspace.current().settings.target]
    if wanted not in (None, "all") and slug(wanted) not in map(slug, known):
        raise SystemExit(
            f"accretor: renew={wanted}: there is no such target; all or one of {', '.join(known)}"
        )


def is_redone(stage: str) -> bool:
    """Return whether the stage is to be done again from nothing (``redo=photometry``)."""
    return bool(doit.get_var("redo", None) == stage)


def is_renewed(stage: str, name: str) -> bool:
    """Return whether its choices are to be made again (``renew=TOI-1234.01`` or ``renew=all``)."""
    wanted = doit.get_var("renew", None)
    if wanted is None or stage not in CHOOSING:
        return False
    return bool(wanted == "all" or slug(wanted) == name.partition("/")[0])
