"""What an upload would send, written down before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from accretor.aij import table as aij_table
from accretor.core.errors import Unusable
from accretor.exofop import naming, notes, summary
from accretor.exofop.naming import FileName
from accretor.exofop.summary import FilterForm, Form
from accretor.io import fits as io_fits
from accretor.sending import consent

TABLE = naming.TAILS[0].name
PLATE = "WCS.fits"


@dataclass(frozen=True)
class PlannedFile:
    """One file to send."""

    name: str
    label: str
    size: int
    """Byte."""
    sha256: str


@dataclass(frozen=True)
class FilterPlan:
    """One time series: its form, then its files in order."""

    filter: str
    fields: Mapping[str, str]
    """The 18 fields of the form, in order."""
    files: tuple[PlannedFile, ...]


@dataclass(frozen=True)
class UploadPlan:
    """A package as it would be sent."""

    plan_id: str
    """First 12 hexadecimal digits of the SHA-256 of all that would be sent."""
    tag: str
    filters: tuple[FilterPlan, ...]
    server: str = ""
    """Address that it goes to."""
    is_proprietary: bool = True
    """Whether the files are for the group only, for twelve months."""


def plan(
    package: Path,
    manifest: Mapping[str, str],
    form: Form,
    filters: Mapping[str, FilterForm],
    *,
    server: str = "",
    is_proprietary: bool = True,
) -> UploadPlan:
    """Write down what an upload of a package would send; nothing is sent.

    Parameters
    ----------
    package : Path
        Folder that `accretor.exofop.validate.problems` finds nothing wrong with.
    manifest : mapping of file name to SHA-256
        Every file as it was packed.
    form : Form
    filters : mapping of filter token to FilterForm
        One for each filter of the package.
    server : str
        Address of ExoFOP.
    is_proprietary : bool
        Whether the files are for the group only, for twelve months.

    Returns
    -------
    UploadPlan
        Filters in alphabetical order; in each the primary table first, then the
        others in the order of `accretor.exofop.naming.TAILS`.

    Raises
    ------
    Unusable
        If the folder is not what was packed, or a field of a form has no value.
    """
    digests = _digests(package)
    _check(digests, manifest)
    names = {name: naming.parse(name) for name in digests}
    by_filter = {token: [name for name in names if names[name].filter == token] for token in _filters(names)}
    if set(by_filter) != set(filters):
        raise Unusable(
            f"the package is of {', '.join(sorted(by_filter))}, the night of "
            f"{', '.join(sorted(filters))}; run doit packaging"
        )
    series = []
    for token in sorted(by_filter):
        files = {name: names[name] for name in sorted(by_filter[token])}
        tables = {name: aij_table.read(package / name) for name in files if files[name].tail == TABLE}
        if not tables:
            raise Unusable(f"filter {token} has no measurement table")
        primary = summary.primary_table(tables)
        fields = summary.summary(
            form,
            filters[token],
            date=files[primary].date,
            observatory=files[primary].observatory,
            filter_name=token,
            pixel_scale=_pixel_scale(package, files),
            table=tables[primary],
        )
        order = sorted(files, key=lambda name: (files[name].order, name != primary, name))
        sent = (
            PlannedFile(name, names[name].label, (package / name).stat().st_size, digests[name])
            for name in order
        )
        series.append(FilterPlan(token, fields, tuple(sent)))
    return UploadPlan(
        _plan_id(series, server, is_proprietary),
        series[0].fields["tag"],
        tuple(series),
        server,
        is_proprietary,
    )


def describe(plan: UploadPlan) -> str:
    """Return *plan* as text for a person to read before agreeing to it."""
    n_file = sum(len(series.files) for series in plan.filters)
    total = sum(file.size for series in plan.filters for file in series.files)
    lines = [
        f"Upload plan {plan.plan_id}, tag {plan.tag}",
        f"{len(plan.filters)} time series and {n_file} files, {_size(total)}; nothing has been sent.",
        *([f"To {plan.server}"] if plan.server else []),
    ]
    for series in plan.filters:
        lines += ["", f"Filter {series.filter}"]
        lines += [f"  {key:<10} {value or '(blank)'}" for key, value in series.fields.items()]
        width = max(len(file.name) for file in series.files)
        lines += ["  files"]
        lines += [
            f"  {place:>3}. {file.name:<{width}}  {_size(file.size):>8}  {file.sha256[:12]}  {file.label}"
            for place, file in enumerate(series.files, start=1)
        ]
    group = plan.filters[0].fields["groupname"]
    files = f"for the group {group} only, for twelve months" if plan.is_proprietary else "public at once, too"
    lines += ["", f"The forms with their notes are public at once; the files are {files}."]
    lines += ["What is sent cannot be taken back."]
    for words in dict.fromkeys(notes.tells_results(series.fields["notes"]) for series in plan.filters):
        if words:
            lines += [f"Look: the public note seems to tell a result, {words!r} ([upload] public_note)."]
    return "".join(f"{line}\n" for line in lines)


def _digests(package: Path) -> dict[str, str]:
    return {
        path.name: io_fits.digest(path)
        for path in sorted(package.iterdir())
        if path.is_file() and not naming.is_of_the_system(path.name)
    }


def _check(digests: Mapping[str, str], manifest: Mapping[str, str]) -> None:
    if not digests:
        raise Unusable("the package is empty")
    differing = sorted(name for name in {*digests, *manifest} if digests.get(name) != manifest.get(name))
    if differing:
        raise Unusable(f"the package is not what was packed: {', '.join(differing)}; run doit packaging")


def _filters(names: Mapping[str, FileName]) -> set[str]:
    return {name.filter for name in names.values()}


def _pixel_scale(package: Path, files: Mapping[str, FileName]) -> float:
    reason = "there is no WCS.fits"
    for name in files:
        if files[name].tail == PLATE:
            try:
                return summary.pixel_scale(package / name)
            except Unusable as error:
                reason = f"{name} {error}"
    raise Unusable(f"the pixel scale is not known: {reason}")


def _plan_id(series: list[FilterPlan], server: str, is_proprietary: bool) -> str:
    return consent.plan_id([server, is_proprietary, [asdict(one) for one in series]])


def _size(size: int) -> str:
    return (
        f"{size / 1e6:.1f} MB"
        if size >= 1_000_000
        else f"{size / 1e3:.1f} kB"
        if size >= 1000
        else f"{size} B"
    )
