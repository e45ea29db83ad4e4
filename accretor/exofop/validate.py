"""Everything that is wrong with a package, said at once and without a network.

The rules of names and presence are those of the SG1 upload tool; that the files
also hold what their names say is checked in `accretor.exofop.content`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from accretor.core.errors import Unusable
from accretor.exofop import content, naming
from accretor.exofop.naming import FileName


def problems(folder: Path, *, tic: int, planet: str) -> list[str]:
    """Return one sentence for each thing that is wrong with a package.

    Parameters
    ----------
    folder : Path
        The package: one telescope's night on one planet candidate, all filters.
    tic : int
        Number of the host in the TESS Input Catalog.
    planet : str
        Two digits.

    Returns
    -------
    list of str
        Always in the same order; empty if the package is sound.
    """
    if not folder.is_dir():
        return [f"{folder.name} is not a folder"]
    found: list[str] = []
    names: dict[str, FileName] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file():
            found.append(f"{path.name}: a package is one folder without folders in it")
            continue
        try:
            names[path.name] = naming.parse(path.name)
        except Unusable as error:
            found.append(f"{path.name}: {error.reason}")
    if not names:
        return [*found, f"{folder.name} has no file that belongs to a package"]
    found += _strangers(names, tic, planet)
    found += _disagreements(names)
    found += _missing(names)
    found += content.problems(folder, names)
    return found


def _strangers(names: Mapping[str, FileName], tic: int, planet: str) -> list[str]:
    return [
        f"{name}: is of TIC{parts.tic}-{parts.planet}, this package is of TIC{tic}-{planet}"
        for name, parts in names.items()
        if (parts.tic, parts.planet) != (tic, planet)
    ]


def _disagreements(names: Mapping[str, FileName]) -> list[str]:
    """Return the files that are not of the one date and observatory of most others."""
    found = []
    for what, values in (
        ("date", {name: parts.date for name, parts in names.items()}),
        ("observatory", {name: parts.observatory for name, parts in names.items()}),
    ):
        usual = Counter(values.values()).most_common(1)[0][0]
        found += [
            f"{name}: its {what} is {value}, the other files have {usual}"
            for name, value in values.items()
            if value != usual
        ]
    return found


def _missing(names: Mapping[str, FileName]) -> list[str]:
    tails: dict[str, set[str]] = {}
    for parts in names.values():
        tails.setdefault(parts.filter, set()).add(parts.tail)
    shared = {tail.name for tail in naming.TAILS if tail.is_global}
    real = {token for token, present in tails.items() if present - shared}
    found = [
        f"filter {token}: {tail.name} is missing"
        for token in sorted(real)
        for tail in naming.TAILS
        if tail.is_required and not tail.is_global and tail.name not in tails[token]
    ]
    for tail in sorted(shared):
        carriers = [name for name, parts in names.items() if parts.tail == tail]
        if len(carriers) != 1:
            listed = f": {', '.join(carriers)}" if carriers else ""
            found.append(f"a package has one {tail}, this one has {len(carriers)}{listed}")
        known = ", ".join(sorted(real))
        found += [
            f"{name}: its filter {names[name].filter!r} has no other file; take one of {known}"
            for name in carriers
            if names[name].filter not in real
        ]
    return found
