"""What a user can ask for in one run: ``redo=STAGE`` and ``renew=TARGET``."""

from __future__ import annotations

import doit

STAGES = ("preprocess", "registration", "template", "photometry", "calibration", "plotting", "packaging")
CHOOSING = ("preprocess", "template")
"""Stages that make the choices which are kept."""


def check() -> None:
    """Refuse a stage that does not exist."""
    wanted = doit.get_var("redo", None)
    if wanted is not None and wanted not in STAGES:
        raise SystemExit(f"accretor: redo={wanted}: there is no such stage; one of {', '.join(STAGES)}")


def is_redone(stage: str) -> bool:
    """Return whether the stage is to be done again from nothing (``redo=photometry``)."""
    return bool(doit.get_var("redo", None) == stage)


def is_renewed(stage: str, name: str) -> bool:
    """Return whether its choices are to be made again (``renew=TOI-1234.01`` or ``renew=all``)."""
    wanted = doit.get_var("renew", None)
    return stage in CHOOSING and wanted in ("all", name.partition("/")[0])
