"""Write what to cite: programs, methods and catalogues that the results of a target rest on.

    doit cite:TOI-1234.01

Writes products/<target>/references.bib (BibTeX; a comment over each entry says what it was used
for) and prints the acknowledgements that TESS, ExoFOP and others ask for. Only what was used is
named. Nothing is measured again; a light curve must be there.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator

from doit.exceptions import TaskFailed
from doit.task import Task

from accretor.core.errors import AccretorError
from accretor.core.settings import Target
from accretor.core.slug import slug
from accretor.io import atomic
from tasks import _trouble, _workspace
from tasks._graph import Doc

SAID = "what to cite"


def tasks() -> Iterator[Task]:
    """Yield the group and one task for each target."""
    targets = _workspace.current().settings.target
    names = [f"cite:{slug(target.name)}" for target in targets]
    group = Task("cite", None, task_dep=names, has_subtask=True)
    group.doc = Doc(__doc__ or "", lambda: SAID)
    yield group
    for name, target in zip(names, targets, strict=True):
        task = Task(name, [(run, [target])], uptodate=[False], verbosity=2, meta={"is_command": True})
        task.subtask_of = "cite"
        task.doc = Doc(__doc__ or "", lambda: SAID)
        yield task


def run(target: Target) -> TaskFailed | None:
    """Write the bibliography of *target*, and print what to acknowledge."""
    from accretor.stages import citing

    workspace = _workspace.current()
    plans = [plan for plan in workspace.observations if plan.target.name == target.name]
    if not plans:
        return TaskFailed(f"{target.name}: there are no observations")
    path = workspace.layout.references(slug(target.name))
    try:
        use = citing.use_of(plans)
        atomic.write_text(path, citing.bibtex(use))
    except (AccretorError, OSError) as error:
        return TaskFailed(_trouble.in_words(error) if isinstance(error, OSError) else str(error))
    sys.stdout.write(f"{_workspace.shown(path)}: {len(citing.citations(use))} entries\n\n")
    for words in citing.acknowledgements(use):
        sys.stdout.write(textwrap.fill(words, 100, break_on_hyphens=False) + "\n\n")
    return None
