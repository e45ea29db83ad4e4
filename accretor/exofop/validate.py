"""Everything that is wrong with a package, said at once and without a network.

The rules of names and presence are those of the SG1 upload tool; that the files
also hold what their names say is checked in `accretor.exofop.content`, and that they
agree with one another in `accretor.exofop.agreement`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from accretor.core.errors import Unusable
from accretor.exofop import agreement, content, naming
from accretor.exofop.findings import Finding, Rule
from accretor.exofop.naming import FileName


def problems(folder: Path, *, tic: int, planet: str) -> list[str]:
    """Return one sentence for each thing that is wrong with a package; see `findings`."""
    return [str(finding) for finding in findings(folder, tic=tic, planet=planet)]


def findings(folder: Path, *, tic: int | None = None, planet: str | None = None) -> list[Finding]:
    """Return everything that is wrong with a package.

    Parameters
    ----------
    folder : Path
        The package: one telescope's night on one planet candidate, all filters.
    tic : int, optional
        Number of the host in the TESS Input Catalog; default: that of most files.
    planet : str, optional
        Two digits; default: those of most files.

    Returns
    -------
    list of Finding
        Always in the same order; empty if the package is sound.
    """
    if not folder.is_dir():
        return [Finding("missing", f"{folder.name} is not a folder")]
    found: list[Finding] = []
    names: dict[str, FileName] = {}
    for path in sorted(folder.iterdir()):
        if naming.is_of_the_system(path.name):
            continue
        if not path.is_file():
            found.append(Finding("name", "a package is one folder without folders in it", path.name))
            continue
        try:
            names[path.name] = naming.parse(path.name)
        except Unusable as error:
            found.append(Finding(_rule_of_name(path.name), error.reason, path.name))
    if not names:
        return [*found, Finding("missing", f"{folder.name} has no file that belongs to a package")]
    usual_tic, usual_planet = usual(names)
    found += _strangers(names, usual_tic if tic is None else tic, planet or usual_planet)
    found += _disagreements(names)
    found += _missing(names)
    held = content.read(folder, names)
    found += held.findings
    found += agreement.findings(names, held)
    return found


def usual(names: Mapping[str, FileName]) -> tuple[int, str]:
    """Return TIC number and planet of most files."""
    return Counter((parts.tic, parts.planet) for parts in names.values()).most_common(1)[0][0]


def _rule_of_name(name: str) -> Rule:
    if naming.is_forbidden(name):
        return "forbidden"
    return "tail" if naming.has_shape(name) else "name"


def _strangers(names: Mapping[str, FileName], tic: int, planet: str) -> Iterator[Finding]:
    for name, parts in names.items():
        if (parts.tic, parts.planet) != (tic, planet):
            text = f"is of TIC{parts.tic}-{parts.planet}, this package is of TIC{tic}-{planet}"
            yield Finding("planet", text, name)


def _disagreements(names: Mapping[str, FileName]) -> Iterator[Finding]:
    """Yield the files that are not of the one date and observatory of most others."""
    kinds: tuple[tuple[Rule, dict[str, str]], ...] = (
        ("date", {name: parts.date for name, parts in names.items()}),
        ("observatory", {name: parts.observatory for name, parts in names.items()}),
    )
    for what, values in kinds:
        most = Counter(values.values()).most_common(1)[0][0]
        for name, value in values.items():
            if value != most:
                yield Finding(what, f"its {what} is {value}, the other files have {most}", name)


def _missing(names: Mapping[str, FileName]) -> Iterator[Finding]:
    tails: dict[str, set[str]] = {}
    for parts in names.values():
        tails.setdefault(parts.filter, set()).add(parts.tail)
    shared = {tail.name for tail in naming.TAILS if tail.is_global}
    real = {token for token, present in tails.items() if present - shared}
    for token in sorted(real):
        for tail in naming.TAILS:
            if tail.is_required and not tail.is_global and tail.name not in tails[token]:
                yield Finding("missing", f"filter {token}: {tail.name} is missing")
    for tail_name in sorted(shared):
        carriers = [name for name, parts in names.items() if parts.tail == tail_name]
        if len(carriers) != 1:
            listed = f": {', '.join(carriers)}" if carriers else ""
            yield Finding("notes", f"a package has one {tail_name}, this one has {len(carriers)}{listed}")
        known = ", ".join(sorted(real))
        for name in carriers:
            if names[name].filter not in real:
                text = f"its filter {names[name].filter!r} has no other file; take one of {known}"
                yield Finding("notes", text, name)
