"""The id by which a person agrees to a plan: with the task, a group of it, or as a doit variable."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import doit
from doit.task import Task

PARAM = {"name": "confirm", "long": "confirm", "default": "", "help": "id of the plan to send"}
"""Of each task that sends something."""


def given(tasks: Sequence[Task]) -> str:
    """Return the id that was given, as the doit variable or with the name of one of *tasks*; "" for none."""
    found = [(task.options or {}).get(str(PARAM["name"]), "") for task in tasks]
    return next(filter(None, found), "") or str(doit.get_var(str(PARAM["name"]), None) or "")


def say(line: str) -> None:
    """Tell of a post while it is made."""
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()
