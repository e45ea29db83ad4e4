"""A catalogue as it is kept: ECSV, with where it is from in its header."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.catalogs import bands
from accretor.core.catalog import Catalog
from accretor.core.dumps import CATALOG, Column, Schema
from accretor.core.errors import DumpError
from accretor.io import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

_OWN = ("name", "epoch", "systems")


def read(path: Path) -> Catalog:
    """Return the catalogue that is kept in *path*.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DumpError
        If it is cut short, was edited, or is none of ours.
    """
    import numpy as np

    meta = dump.read_meta(path)
    systems = meta.get("systems")
    if not isinstance(systems, dict):
        if not meta:
            path.stat()  # which tells that there is none
        raise DumpError(path, "is not a catalogue that accretor has kept")
    schema = _schema(list(systems))
    names = [column.name for column in schema.columns]
    columns = dict(zip(names, dump.read_columns(path, schema, names), strict=True))
    # An empty list must not become an array of floats.
    texts = {name: np.array(columns[name], dtype=np.str_) for name in ("identifier", "flag")}
    numbers = {name: np.array(columns[name], dtype=np.float64) for name in names if name not in texts}
    return Catalog(
        name=str(meta["name"]),
        epoch=float(meta["epoch"]),
        identifier=texts["identifier"],
        **{name: numbers[name] for name in ("ra", "dec", "pm_ra", "pm_dec")},
        magnitude={band: numbers[band] for band in systems},
        magnitude_error={band: numbers[band + bands.ERROR] for band in systems},
        system=systems,
        flag=texts["flag"],
    )


def write(path: Path, catalog: Catalog, meta: Mapping[str, Any]) -> bool:
    """Keep *catalog* in *path*, whole or not at all; return False if it was there already.

    Parameters
    ----------
    meta
        Where it is from; JSON. `about` gives it back.
    """
    columns: dict[str, Any] = {
        name: getattr(catalog, name) for name in ("identifier", "ra", "dec", "pm_ra", "pm_dec")
    }
    for band in catalog.magnitude:
        columns[band] = catalog.magnitude[band]
        columns[band + bands.ERROR] = catalog.magnitude_error[band]
    columns["flag"] = catalog.flag
    schema = _schema(list(catalog.magnitude))
    names = [column.name for column in schema.columns]
    rows = [
        dict(zip(names, row, strict=True))
        for row in zip(*(columns[name].tolist() for name in names), strict=True)
    ]
    own = {"name": catalog.name, "epoch": catalog.epoch, "systems": dict(catalog.system)}
    if both := set(own).intersection(meta):
        raise ValueError(f"{', '.join(sorted(both))}: the catalogue itself tells")
    return dump.write(path, schema, rows, {**own, **meta})


def about(path: Path) -> dict[str, Any]:
    """Return where the catalogue in *path* is from, without reading its stars; {} if there is none.

    Raises
    ------
    DumpError
        If its header is damaged.
    """
    unsaid = {*_OWN, "schema", "version", "digest"}
    return {key: value for key, value in dump.read_meta(path).items() if key not in unsaid}


def _schema(names: Sequence[str]) -> Schema:
    *front, flag = CATALOG.columns
    for band in names:
        front += [
            Column(band, "float64", "magnitude", "mag", 5),
            Column(band + bands.ERROR, "float64", "its standard error", "mag", 5),
        ]
    return Schema(CATALOG.name, CATALOG.version, (*front, flag))
