"""Catalogues of a target's field: those that are kept, and the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core.slug import slug

if TYPE_CHECKING:
    from accretor.core.arrays import Floats
    from accretor.core.catalog import Catalog
    from accretor.core.settings import Target, WorkspaceSettings
    from accretor.io.layout import Layout


def files(layout: Layout, settings: WorkspaceSettings, target: Target) -> dict[str, Path]:
    """Return the file of each catalogue of a target that is there; nothing is opened.

    A file of the user's goes before a kept catalogue of the same name, and is listed
    also if it is missing: that is for `stored` to say.
    """
    own = {item.name: layout.root / item.path for item in settings.catalogs.file}
    folder = layout.catalog(slug(target.name), "x").parent
    kept = {path.stem: path for path in sorted(folder.glob("*.ecsv"))}
    return {**kept, **own}


def stored(layout: Layout, settings: WorkspaceSettings, target: Target) -> dict[str, Catalog]:
    """Return all catalogues of a target by their names; no network is touched.

    Those that `doit fetch` has kept come in the order of their names, those of ``[[catalogs.file]]`` after
    them, and instead of one of the same name.

    Raises
    ------
    DumpError
        If a kept catalogue is damaged.
    Unusable
        If a file of the user's is missing, or is not what the settings say.
    """
    from accretor import catalogs

    own = {item.name: item for item in settings.catalogs.file}
    found = {}
    for name, path in files(layout, settings, target).items():
        if item := own.get(name):
            found[name] = catalogs.local(path, name, item.columns, epoch=item.epoch, system=item.system)
        else:
            found[name] = catalogs.read(path)
    return found


def positions(catalog: Catalog, epoch: float) -> tuple[Floats, Floats]:
    """Return right ascension and declination (degree, ICRS) of its stars at *epoch*, a Julian year.

    A star whose proper motion is not known stays where it is.
    """
    from accretor.science import motion

    return motion.moved(catalog.ra, catalog.dec, catalog.pm_ra, catalog.pm_dec, epoch - catalog.epoch)
