"""The text of a first ``workspace.toml``: each value with where it is from, each gap with what to do."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accretor.core.frame import Exposure

FILL_IN = "FILL IN"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

TABLE = "kept table of TOIs"

_STAR = (
    ("pm_ra", "milliarcsec per year, times cos(dec)"),
    ("pm_dec", "milliarcsec per year"),
    ("teff", "K"),
    ("logg", "log10(cm s-2)"),
)
_LEVELS = (
    ("gain", "electron/ADU"),
    ("read_noise", "electron"),
    ("saturation", "ADU at which pixels are full"),
    ("pixel_scale", "arcsec per pixel"),
)
_SITE = (
    ("latitude", "latitude", "degree, north positive"),
    ("longitude", "longitude", "degree, EAST positive"),
    ("height", "elevation", "m above the sea"),
)


@dataclass(frozen=True)
class Candidate:
    """A star that was observed, as far as headers and the kept table of TOIs tell."""

    name: str
    tic: int
    """0 if not known."""
    aliases: tuple[str, ...]
    n_frame: int
    pointing: tuple[float, float]
    """Where the telescope pointed, degree."""
    known: Mapping[str, Any] | None
    """Row of the table of TOIs."""
    is_by_place: bool = False
    """It was found by where the telescope pointed, and not by a name."""
    others: tuple[str, ...] = ()
    """Further candidates of the same star."""

    @property
    def lacking(self) -> list[str]:
        """What the user must fill in."""
        missing = [] if self.tic else [f"tic of {self.name}"]
        return missing if self.position else [*missing, f"ra and dec of {self.name}"]

    @property
    def position(self) -> tuple[float, float] | None:
        """Right ascension and declination of the table, degree."""
        found = (self.known["ra"], self.known["dec"]) if self.known else (math.nan, math.nan)
        return found if math.isfinite(sum(found)) else None


@dataclass(frozen=True)
class Telescope:
    """An instrument, as its headers tell it."""

    name: str
    dialect: str
    n_frame: Mapping[str, int]
    """By kind: light, bias, dark, flat."""
    example: str
    """A frame of it, below the folder of the frames."""
    exposure: Exposure
    sources: Mapping[str, str]
    filters: Mapping[str, int]
    """Light frames by filter."""
    diameter: tuple[float, str]
    match: Mapping[str, str]
    remarks: Sequence[str]
    sections: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    """Section of the frame, and the card that tells it, by the key that would use it: of those that no
    dialect believes."""
    strange: Mapping[str, str | int | float | bool] = dataclasses.field(default_factory=dict)
    """Cards that the dialect does not know."""
    is_alone: bool = True
    """There is no other instrument that its frames must be told from."""

    @property
    def lacking(self) -> list[str]:
        """What the user must fill in."""
        exposure = self.exposure
        missing = [] if self.match or self.is_alone else [f"match of {self.name}"]
        if math.isnan(exposure.exposure):
            missing.append(f"exposure of {self.name}")
        if not self.sources["mid"]:
            missing.append(f"time of {self.name}")
        if not math.isfinite(exposure.gain):
            missing.append(f"gain of {self.name}, if you know it; else it is measured")
        if not math.isfinite(self.diameter[0]):
            missing.append(f"telescope_diameter of {self.name}")
        if math.isnan(exposure.latitude + exposure.longitude):
            missing.append(f"latitude and longitude of {self.name}")
        if "" in self.filters:
            missing.append(f"filter of {self.name}")
        return missing

    @property
    def unnamed(self) -> list[str]:
        """Words of ``keywords`` for which no card was found, though there may be one."""
        exposure = self.exposure
        found = {
            "exposure": math.isfinite(exposure.exposure),
            "start": bool(self.sources["mid"]),
            "filter": "" not in self.filters,
            "gain": math.isfinite(exposure.gain),
            "latitude": math.isfinite(exposure.latitude),
            "longitude": math.isfinite(exposure.longitude),
        }
        return [word for word, is_there in found.items() if not is_there]


def workspace(frames: str, targets: Sequence[Candidate], telescopes: Sequence[Telescope]) -> str:
    """Return the text of ``workspace.toml``."""
    lines = [*_head(frames), *_targets(targets), *_telescopes(telescopes), *_tail()]
    # What stands in comments is from strangers' headers and file names.
    return "\n".join(_CONTROL.sub("?", line) for line in lines) + "\n"


def _head(frames: str) -> Iterator[str]:
    yield "# A workspace of accretor. Lines with FILL IN need you; all else was read from the frames."
    yield "# `doit help preprocess` and so on explain the settings of each stage."
    yield ""
    yield f'observer = ""                  # {FILL_IN}: who observed; it is printed in the notes'
    if frames != "raw":
        yield f"raw = {_text(frames)}    # folder of the frames; it is only read"


def _targets(targets: Sequence[Candidate]) -> Iterator[str]:
    if not targets:
        yield ""
        yield f"# {FILL_IN}: no light frame of a star was found; this is what a target looks like."
        targets = [Candidate("TOI-1234.01", 0, (), 0, (math.nan, math.nan), None)]
    for target in targets:
        yield ""
        yield "[[target]]"
        yield f"name = {_text(target.name)}    # {target.n_frame} light frames; as ExoFOP knows the candidate"
        if target.others:
            yield f"# Of the same star: {', '.join(target.others)}."
        if target.aliases:
            yield f"aliases = {_list(target.aliases)}    # what the OBJECT cards say"
        tic = str(target.tic) if target.tic else "0"
        source = TABLE if target.known else "name in the frames"
        if target.is_by_place:
            yield "# CHECK: no name tells it; it is the only TOI near where the telescope pointed."
        yield f"tic = {tic}    # " + (
            source if target.tic else f"{FILL_IN}: number in the TESS Input Catalog"
        )
        yield from _position(target)
        yield from _ephemeris(target.known)


def _position(target: Candidate) -> Iterator[str]:
    if target.position and target.known:
        ra, dec = target.position
        yield f"ra = {ra!r}    # degree, ICRS; {TABLE}"
        yield f"dec = {dec!r}    # degree"
        for name, unit in _STAR:
            if math.isfinite(value := target.known[name]):
                yield f"{name} = {value!r}    # {unit}"
        return
    ra, dec = target.pointing
    pointed = f"; the telescope pointed near {ra:.4f} {dec:+.4f}" if math.isfinite(ra + dec) else ""
    yield f'ra = ""     # {FILL_IN}: "hh:mm:ss.ss" or degree, ICRS of the star{pointed}'
    yield f'dec = ""    # {FILL_IN}: "dd:mm:ss.s" or degree'


def _ephemeris(row: Mapping[str, Any] | None) -> Iterator[str]:
    if row and all(math.isfinite(row[name]) for name in ("t0", "period", "duration", "depth")):
        yield f"[target.ephemeris]    # {TABLE}"
        yield f"t0 = {row['t0']!r}    # BJD_TDB"
        yield f"period = {row['period']!r}    # day"
        yield f"duration = {row['duration']!r}    # hour"
        yield f"depth = {row['depth']!r}    # ppt"
        for name in ("t0_error", "period_error"):
            if math.isfinite(row[name]):
                yield f"{name} = {row[name]!r}    # day"
        yield 'source = "ExoFOP TOI table"'
        return
    yield "# teff = 5800.0         # K; of the limb darkening, else that of the Sun is taken"
    yield "# [target.ephemeris]    # without it there is a light curve, but no transit fit"
    yield "# t0 = 2459000.0        # BJD_TDB of a transit"
    yield "# period = 3.0          # day"
    yield "# duration = 2.0        # hour, first to fourth contact"
    yield "# depth = 5.0           # ppt"


def _telescopes(telescopes: Sequence[Telescope]) -> Iterator[str]:
    for telescope in telescopes:
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(telescope.n_frame.items()))
        yield ""
        yield f"[[instrument]]    # {counts}; the values are those of {telescope.example}"
        yield f"name = {_text(telescope.name)}    # ExoFOP telescope token: letters, digits, hyphens"
        yield f"dialect = {_text(telescope.dialect)}    # how the headers are read"
        if telescope.match:
            pairs = ", ".join(f"{key} = {_text(value)}" for key, value in telescope.match.items())
            yield f"match = {{{pairs}}}    # tells its frames from those of the others"
        elif not telescope.is_alone:
            yield f'# match = {{KEYWORD = "..."}}    # {FILL_IN}: a card that the others have not, or not so'
        diameter, card = telescope.diameter
        if math.isfinite(diameter):
            yield f"telescope_diameter = {diameter:g}    # m, from {card}"
        else:
            yield f"# telescope_diameter = 0.4    # {FILL_IN}: m; for the scintillation and for ExoFOP"
        yield from _levels(telescope)
        yield from _place(telescope)
        said = telescope.exposure.time_rule or telescope.sources["mid"]
        yield f"# time: {said or f'{FILL_IN}: no card tells it'}" + (
            '; say time_stamp = "start", "middle" or "end"' if said.endswith("assumed") else ""
        )
        yield from _filters(telescope)
        yield from _keywords(telescope)
        yield from (f"# said of the headers: {remark}" for remark in telescope.remarks)


def _levels(telescope: Telescope) -> Iterator[str]:
    for name, unit in _LEVELS:
        value, source = getattr(telescope.exposure, name), telescope.sources[name]
        if math.isfinite(value):
            yield f"# {name} = {value:g}    # {unit}, from {source or 'the header'}"
        else:
            gain = f"{FILL_IN} if you know it: {unit}; no card tells it, and it is measured from the frames"
            yield f"# {name} = ...    # {gain if name == 'gain' else f'{unit}; no card tells it'}"
    for name, (section, card) in telescope.sections.items():
        yield f"# {name} = {_text(section)}    # {card} says so; not used until you do: some programs copy it"


def _place(telescope: Telescope) -> Iterator[str]:
    for key, field, unit in _SITE:
        value, source = getattr(telescope.exposure, field), telescope.sources[field]
        if math.isfinite(value):
            yield f"# {key} = {value:.6g}    # {unit}, from {source or 'the header'}"
        else:
            # A height of 3 km is 10 microseconds of light.
            need = f"{FILL_IN}: {unit}; no card tells it"
            yield f"# {key} = ...    # {f'{unit}; no card tells it: 0 is taken' if key == 'height' else need}"


def _filters(telescope: Telescope) -> Iterator[str]:
    counts = ", ".join(f"{name} ({n})" for name, n in telescope.filters.items() if name)
    if nameless := telescope.filters.get("", 0):
        yield f'# filters = {{"" = "..."}}    # {FILL_IN}: no card of {nameless} light frames tells it'
    if counts:
        card = telescope.sources["filter"] or "no card"
        yield f'# filters: {counts}, from {card}; other names: filters = {{"name in header" = "gp"}}'


def _keywords(telescope: Telescope) -> Iterator[str]:
    """Yield what the settings would say of cards that are not known, and the cards that it may be."""
    if not set(telescope.unnamed) - {"gain"} or not telescope.strange:
        return  # a gain alone is measured
    pairs = ", ".join(f'{word} = "..."' for word in telescope.unnamed)
    yield f"# keywords = {{{pairs}}}    # the cards that tell them, if these do:"
    for card, value in telescope.strange.items():
        yield f"#     {card} = {_text(value) if isinstance(value, str) else value}"
    if {"start", "exposure"} & set(telescope.unnamed):
        yield '# time_stamp = "start"    # or "middle", "end": what that time is of an exposure'
        yield '# exposure_unit = "s"    # or "ms", "min"'


def _tail() -> Iterator[str]:
    yield ""
    yield "[upload]"
    yield '# username = ""    # ExoFOP user; the password is never in a file'


def _text(value: str) -> str:
    # A JSON string of ASCII letters is a TOML string too, but for what TOML has no number for.
    return json.dumps(_CONTROL.sub("?", value), ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"
