"""Make a tree of links to your frames, by target, night, telescope and filter, and count them.

    doit organize

The tree is organized/ in the workspace; organized/images.ecsv has the counts. The raw
frames stay where they are, and no other task reads the links: the tree is for you, and
for programs that want one folder for each target.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from accretor.stages import organize
from tasks import _trouble, _workspace
from tasks._graph import Doc


def tasks() -> Iterator[Task]:
    """Yield the one task."""
    task = Task("organize", [run], uptodate=[False], verbosity=2, meta={"is_command": True})
    task.doc = Doc(__doc__ or "", lambda: "makes a tree of links to the frames, by what they are")
    yield task


def run() -> TaskFailed | None:
    """Make the links, and say how many frames are where."""
    workspace = _workspace.current()
    try:
        found = organize.run(workspace)
    except AccretorError as error:
        return TaskFailed(str(error))
    except OSError as error:
        return TaskFailed(_trouble.in_words(error))
    for row in found.counts:
        sys.stdout.write(f"{row['n_frame']:6d} frames  {row['exposure'] / 60:8.1f} min  {row['folder']}\n")
    sys.stdout.write(
        f"{_workspace.shown(workspace.layout.organized)}: {found.n_new} new links, {found.n_kept} kept, "
        f"{found.n_removed} removed\n"
    )
    return None
