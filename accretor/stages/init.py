"""A first ``workspace.toml`` from the headers of a folder of frames: nothing is asked, nothing is moved."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from accretor import instruments
from accretor.config import draft
from accretor.core import readout
from accretor.core.dumps import TOIS
from accretor.core.errors import AccretorError, HeaderError
from accretor.core.frame import Exposure
from accretor.core.slug import slug
from accretor.exofop import identifiers
from accretor.exofop.server import server
from accretor.instruments import origin
from accretor.io import atomic, dump, header, inventory
from accretor.io.inventory import RawFile
from accretor.io.layout import Layout
from accretor.science import angles

NEAR = 0.25
"""Degree from where a telescope pointed within which a lone TOI is taken for its target."""

LEAST = 5
"""Light frames of a name from which it is taken for a target, and not for a test or a pointing exposure."""

NO_TIME = "no card tells a time, so it is no frame of a night"
MOST_REMARKS = 6
"""Kinds of remarks that are quoted; the inventory has all."""

_NUMBER = re.compile(r"\d+(\.\d+)?")
_TOI = re.compile(r"(?<![A-Za-z0-9])TOI[-_ ]*(\d{2,6})(?:[-._ ]?(\d\d)(?!\d))?", re.IGNORECASE)
_TIC = re.compile(r"(?<![A-Za-z0-9])TIC[-_ ]*(\d{4,12})", re.IGNORECASE)

_DISTINGUISHING = ("TELESCOP", "INSTRUME", "OBSERVAT", "TELID", "DETECTOR", "CAMERA", "SITEID", "ORIGIN")
"""Cards that may tell one instrument from another."""

_DIAMETER = ("APTDIA", "APERTURE", "TELDIAM")
"""Cards with the clear aperture, millimetre (or metre, if below 30: but not of APERTURE, which is a name to
Seestar and others)."""


@dataclass(frozen=True)
class Draft:
    """What was found, and the file that says it."""

    text: str
    n_file: int
    n_frame: int
    """Files that are frames."""
    lacking: tuple[str, ...]
    """What the user must fill in."""
    left_out: tuple[str, ...] = ()
    """Why files are no frames, each reason with their number and one of them."""


def frames_of(root: Path, named: str) -> str:
    """Return the folder of the frames, as ``workspace.toml`` is to have it.

    That is the one which was *named*, or ``raw``, or the workspace itself where it holds FITS files.
    """
    if named:
        folder = Path(named).expanduser()
        if folder.is_absolute() and folder.is_relative_to(root.absolute()):
            return folder.relative_to(root.absolute()).as_posix()
        return folder.as_posix()
    return "raw" if (root / "raw").is_dir() else "."


def survey(layout: Layout) -> Draft:
    """Look at all frames of a workspace that has no settings yet, and write its settings.

    Raises
    ------
    OSError
        If the folder of the frames cannot be listed.
    """
    files = inventory.refresh(layout.raw, [], (), apart=layout.own)
    usable = [file for file in files if file.exposure]
    frames = of_nights(usable)
    known = _known(layout)
    telescopes = _telescopes(frames, layout.raw)
    targets = _targets(frames, known)
    if len(targets) == 1 and math.isnan(sum(targets[0].pointing)):  # a plate solution beside them may tell
        pointing = _pointing([file.exposure for file in usable if file.exposure])
        targets = [replace(targets[0], pointing=pointing)]
    lacking = [
        "observer, for the notes",
        *(item for target in targets for item in target.lacking),
        *(item for telescope in telescopes for item in telescope.lacking),
    ]
    text = draft.workspace(layout.frames, targets, telescopes)
    return Draft(text, len(files), len(frames), tuple(lacking), left_out(files))


def left_out(files: Sequence[RawFile]) -> tuple[str, ...]:
    """Return why files are no frames, the most frequent reason first, each with one of the files."""
    usable = [file for file in files if file.exposure]
    of_night = {file.path for file in of_nights(usable)}
    reasons = [(file.path, file.reason) for file in files if file.reason]
    reasons += [(file.path, NO_TIME) for file in usable if file.path not in of_night]
    kinds = Counter(_NUMBER.sub("#", reason) for _, reason in reasons)
    example = {_NUMBER.sub("#", reason): (path, reason) for path, reason in reversed(reasons)}
    return tuple(
        f"{example[kind][1]} ({example[kind][0]}{f' and {n - 1} more' if n > 1 else ''})"
        for kind, n in kinds.most_common(MOST_REMARKS)
    )


def of_nights(files: Sequence[RawFile]) -> list[RawFile]:
    """Return the frames without those of an instrument none of which has a time: pictures, plate solutions.

    If there are no others, all are kept: then the time is what a person must tell.
    """

    def is_timed(file: RawFile) -> bool:
        assert file.exposure is not None
        return bool(file.exposure.mid) or file.exposure.kind != "light"

    timed = {file.exposure.instrument for file in files if file.exposure and is_timed(file)}
    found = [file for file in files if file.exposure and file.exposure.instrument in timed]
    return found or list(files)


def fetch_table(layout: Layout, address: str = "") -> str:
    """Fetch ExoFOP's table of TOIs into the workspace, and say how it went.

    Parameters
    ----------
    address : str
        Of another server of the same pages on this machine; default: the public one.
    """
    try:
        where = server(address)
        with where.client() as client:
            rows = identifiers.refresh(layout.tois, client, where.base.rstrip("/"))
    except AccretorError as error:
        return f"no table of TOIs: {error}"
    return f"{len(rows)} TOIs of ExoFOP kept in {layout.tois}"


def write(layout: Layout, found: Draft) -> bool:
    """Write the settings; False, and nothing is done, where there are some already."""
    if layout.config.exists():
        return False
    return atomic.write_text(layout.config, found.text)


def _known(layout: Layout) -> list[dump.Row]:
    """Return the table of TOIs that is kept in the workspace; nothing if there is none that can be read."""
    try:
        return dump.read(layout.tois, TOIS).rows
    except (OSError, AccretorError):
        return []


def _telescopes(frames: Sequence[RawFile], raw: Path) -> list[draft.Telescope]:
    groups: dict[str, list[RawFile]] = defaultdict(list)
    for file in frames:
        assert file.exposure is not None
        groups[file.exposure.instrument].append(file)
    headers = {name: _header(_example(files), raw) for name, files in groups.items()}
    return [
        _telescope(
            name,
            files,
            headers[name],
            _match(name, headers) if len(groups) > 1 else {},
            is_alone=len(groups) == 1,
        )
        for name, files in sorted(groups.items())
    ]


def _example(files: Sequence[RawFile]) -> RawFile:
    """Return a light frame of the usual size and exposure, if there are any: calibration frames say less."""
    lights = [file for file in files if file.exposure and file.exposure.kind == "light"]
    kinds = Counter(_sort(file) for file in lights)
    return next((file for file in lights if _sort(file) == kinds.most_common(1)[0][0]), files[0])


def _sort(file: RawFile) -> tuple[int, int, float]:
    assert file.exposure is not None
    return file.exposure.width, file.exposure.height, file.exposure.exposure


def _header(file: RawFile, raw: Path) -> Mapping[str, header.Value]:
    try:
        return header.read(raw / file.path)
    except (HeaderError, OSError):
        return {}


def _telescope(
    name: str,
    files: Sequence[RawFile],
    cards: Mapping[str, header.Value],
    match: dict[str, str],
    *,
    is_alone: bool,
) -> draft.Telescope:
    example = _example(files)
    assert example.exposure is not None
    dialect = instruments.detect(cards)
    sources = origin.sources(example.exposure, cards, dialect)
    exposures = [file.exposure for file in files if file.exposure]
    filters = Counter(item.filter for item in exposures if item.kind == "light")
    return draft.Telescope(
        name=name,
        dialect=dialect.name,
        n_frame=Counter(item.kind for item in exposures),
        example=example.path,
        exposure=example.exposure,
        sources=sources,
        filters=dict(sorted(filters.items())),
        diameter=_diameter(cards),
        match=match,
        remarks=_remarks(exposures),
        sections=_sections(example.exposure, cards),
        strange=origin.strange(cards, dialect),
        is_alone=is_alone,
    )


def _sections(exposure: Exposure, cards: Mapping[str, header.Value]) -> dict[str, tuple[str, str]]:
    """Return the sections that the header tells and that are not used, with their cards."""
    found = {}
    for key, card in (("overscan", "BIASSEC"), ("trim", "TRIMSEC")):
        try:
            section = readout.parse(str(cards.get(card, "")))
        except ValueError:
            continue
        is_whole = (section.width, section.height) == (exposure.width, exposure.height)
        if not getattr(exposure, key) and not is_whole and section.is_in(exposure.width, exposure.height):
            found[key] = str(section), card
    return found


def _diameter(cards: Mapping[str, header.Value]) -> tuple[float, str]:
    """Return the clear aperture in metre and its card; NaN and "" where no card tells it."""
    for keyword in _DIAMETER:
        value = cards.get(keyword)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            if keyword == "APERTURE" and value < 30:
                continue
            metre = float(value) / 1000 if value >= 30 else float(value)
            if 0.03 <= metre <= 12:
                return round(metre, 4), keyword
    return math.nan, ""


def _match(name: str, headers: Mapping[str, Mapping[str, header.Value]]) -> dict[str, str]:
    """Return the card that the headers of this instrument have and those of the others have not."""
    for keyword in _DISTINGUISHING:
        values = {other: str(cards.get(keyword, "")).strip() for other, cards in headers.items()}
        own = values[name]
        if own and all(
            own.casefold() not in value.casefold() for other, value in values.items() if other != name
        ):
            return {keyword: re.sub(r"([*?\[])", r"[\1]", own)}
    return {}


def _remarks(exposures: Iterable[Exposure]) -> list[str]:
    """Return what the headers made us assume, the most frequent first."""
    return alike([part for item in exposures for part in item.remark.split("; ") if part])


def alike(remarks: Sequence[str]) -> list[str]:
    """Return each kind of remark once, those that differ by a number being alike, with how many there are."""
    kinds = Counter(_NUMBER.sub("#", remark) for remark in remarks)  # alike but for their numbers
    example = {_NUMBER.sub("#", remark): remark for remark in reversed(remarks)}
    many = {kind: f"{n} such frame{'s' if n > 1 else ''}" for kind, n in kinds.most_common(MOST_REMARKS)}
    return [f"{example[kind]} ({said})" for kind, said in many.items()]


def _targets(frames: Sequence[RawFile], known: Sequence[dump.Row]) -> list[draft.Candidate]:
    lights = [file for file in frames if file.exposure and file.exposure.kind == "light"]
    groups: dict[tuple[str, str], list[RawFile]] = defaultdict(list)
    for file in lights:
        groups[_identity(file)].append(file)
    return [
        _candidate(kind, value, files, known)
        for (kind, value), files in sorted(groups.items())
        if len(files) >= min(LEAST, len(lights))
    ]


def _identity(file: RawFile) -> tuple[str, str]:
    """Return by what a frame says which star it is of: ``toi``, ``tic`` or ``object``, and its value.

    OBJECT goes before the name of the file, and that before the names of its folders.
    """
    assert file.exposure is not None
    path = PurePosixPath(file.path)
    for text in (file.exposure.object, path.name, *reversed(path.parts[:-1])):
        if found := _TOI.search(text):
            return "toi", f"TOI-{int(found[1])}" + (f".{found[2]}" if found[2] else "")
        if found := _TIC.search(text):
            return "tic", found[1]
    return "object", file.exposure.object.strip()


def _candidate(kind: str, value: str, files: Sequence[RawFile], known: Sequence[dump.Row]) -> draft.Candidate:
    exposures = [file.exposure for file in files if file.exposure]
    pointing = _pointing(exposures)
    rows = [row for row in known if _is_called(row, kind, value)]
    is_by_place = kind == "object" and not rows
    if is_by_place:
        rows = _alone_near(pointing, known)
    row = min(rows, key=lambda row: identifiers.toi(row["toi"])) if rows else None
    names = {"toi": value if "." in value else f"{value}.01", "tic": f"TIC{value}.01"}
    name = row["toi"] if row else names.get(kind) or slug(value or "target")
    return draft.Candidate(
        name=name,
        tic=row["tic"] if row else int(value) if kind == "tic" else 0,
        aliases=tuple(sorted({item.object for item in exposures if item.object and item.object != name})),
        n_frame=len(files),
        pointing=pointing,
        known=row,
        is_by_place=is_by_place and row is not None,
        others=tuple(sorted(other["toi"] for other in rows if other is not row)),
    )


def _is_called(row: dump.Row, kind: str, value: str) -> bool:
    if kind == "tic":
        return bool(row["tic"] == int(value))
    return kind == "toi" and value in (row["toi"], row["toi"].partition(".")[0])


def _pointing(exposures: Sequence[Exposure]) -> tuple[float, float]:
    """Return the middle one of the pointings, degree; NaN if no header tells one."""
    found = sorted((item.ra, item.dec) for item in exposures if math.isfinite(item.ra + item.dec))
    return found[len(found) // 2] if found else (math.nan, math.nan)


def _alone_near(pointing: tuple[float, float], known: Sequence[dump.Row]) -> list[dump.Row]:
    """Return the TOIs near a pointing, if they are all of one star."""
    if not math.isfinite(sum(pointing)):
        return []
    near = [row for row in known if angles.separation(*pointing, row["ra"], row["dec"]) < NEAR]
    return near if len({row["tic"] for row in near}) == 1 else []
