"""Fetch: everything that a target needs of others, kept for places without a network."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.core.errors import DumpError, ServiceError, Unusable
from accretor.core.slug import slug
from accretor.io import dump
from accretor.stages import identification

if TYPE_CHECKING:
    from accretor.catalogs.service import Found as Stars
    from accretor.catalogs.source import Source
    from accretor.catalogs.validate import Field
    from accretor.core.settings import Target, WorkspaceSettings
    from accretor.io.layout import Layout
    from accretor.stages.workspace import ObservationPlan

USUAL_RADIUS = 0.35
"""Degree, where nothing tells the field of view."""
MARGIN = 1.1
"""Times the field of view: frames drift, and pointing differs from night to night."""
OFFLINE = "[catalogs] offline = true forbids the network"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Fetched:
    """What came of it."""

    new: tuple[str, ...]
    """What was fetched, each in a few words."""
    kept: tuple[str, ...]
    """What was here before, and was not asked for again."""
    failures: tuple[str, ...]
    """What could not be had, each in a sentence."""

    @property
    def said(self) -> str:
        """The same in one line."""
        parts = [f"fetched {', '.join(self.new)}"] if self.new else []
        parts += [f"here before: {', '.join(self.kept)}"] if self.kept else []
        return "; ".join(parts) or "nothing fetched"


def fetch(
    target: Target,
    plans: Sequence[ObservationPlan],
    layout: Layout,
    settings: WorkspaceSettings,
    *,
    is_renewed: bool = False,
    say: Say = lambda line: None,
) -> Fetched:
    """Fetch what is not here yet: what ExoFOP knows of the target, and the catalogues of its field.

    Parameters
    ----------
    plans
        The observations of the target; their frames tell how far around it stars are needed.
    is_renewed
        Fetch also what is here; it is replaced only by an answer that is whole.
    say
        Is told what a user may want to know of meanwhile.

    Returns
    -------
    Fetched
        What succeeded is kept, whatever else did not.
    """
    new: list[str] = []
    kept: list[str] = []
    failures: list[str] = []
    path = layout.archive(slug(target.name)).target
    if not is_renewed and identification.is_kept(path):
        kept.append("identification")
    elif settings.catalogs.offline:
        failures.append(f"identification: {OFFLINE}")
    else:
        troubles = identification.fetch(target, layout, settings, say)
        new += [] if troubles else ["identification"]
        failures += troubles
    for line in identification.differences(path, target):
        say(line)
    if target.ephemeris is None and identification.completed(target, layout).ephemeris is not None:
        say("ephemeris: workspace.toml has none, so that of ExoFOP is used from now on")
    _catalogs(target, plans, layout, settings, is_renewed, say, (new, kept, failures))
    return Fetched(tuple(new), tuple(kept), tuple(failures))


def state(layout: Layout, target: str) -> str:
    """Return in one line what is here of a target (its folder name); nothing but names is looked at."""
    paths = layout.archive(target)
    names = sorted(path.stem for path in layout.catalog(target, "x").parent.glob("*.ecsv"))
    parts = ["identification"] if paths.target.is_file() else []
    return ", ".join(parts + names) or "nothing fetched"


def radius(target: Target, plans: Sequence[ObservationPlan], settings: WorkspaceSettings) -> float:
    """Return how far around the target stars are needed, degree.

    It is what the settings say, else what reaches from the target to the farthest corner of any frame,
    with a margin, to 0.01 degree: by the template's plate solution the diagonal, before there is one by the
    size, scale and pointing of the headers.
    """
    from accretor.science import angles

    if settings.catalogs.radius is not None:
        return settings.catalogs.radius
    ra, dec = angles.right_ascension(target.ra), angles.declination(target.dec)
    reached = [0.0]
    for plan in plans:
        solved = _solved(plan.paths.template_stars)
        if (scale := float(solved.get("pixel_scale") or math.nan)) > 0:
            reached.append(2 * math.hypot(*solved["shape"]) * scale / 7200)
            continue
        for file in plan.frames:
            exposure = file.exposure
            assert exposure is not None
            scale = exposure.pixel_scale
            if not scale > 0:
                continue
            half = math.hypot(exposure.width, exposure.height) * scale / 7200
            off = angles.separation(ra, dec, exposure.ra, exposure.dec)
            # The target is on the frame, whatever the header says of the pointing.
            reached.append(half + (min(off, half) if math.isfinite(off) else 0.0))
    return math.ceil(max(reached) * MARGIN * 100) / 100 or USUAL_RADIUS


def _solved(path: Path) -> dict[str, Any]:
    try:
        return dump.read_meta(path)
    except DumpError:
        return {}  # its own stage deals with it


def _catalogs(
    target: Target,
    plans: Sequence[ObservationPlan],
    layout: Layout,
    settings: WorkspaceSettings,
    is_renewed: bool,
    say: Say,
    results: tuple[list[str], list[str], list[str]],
) -> None:
    from accretor.catalogs.registry import SOURCES, chosen

    new, kept, failures = results
    field = _field(target, radius(target, plans, settings), layout)
    own = {item.name for item in settings.catalogs.file}
    unreachable: set[str] = set()
    for name in chosen(settings.catalogs.names, field.radius):
        source = SOURCES[name]
        path = layout.catalog(slug(target.name), name)
        low, high = source.declination
        if name in own:
            kept.append(f"{name} (your file)")
        elif not low <= field.dec <= high:
            say(f"{name}: does not cover declination {field.dec:+.1f}")
        elif not is_renewed and (said := _kept(path, field)):
            kept.append(said)
        elif settings.catalogs.offline:
            failures.append(f"{name}: {OFFLINE}")
        else:
            try:
                new.append(_one(source, field, path, settings, say, unreachable))
            except (ServiceError, Unusable) as error:
                failures.append(str(error))


def _field(target: Target, reach: float, layout: Layout) -> Field:
    from accretor.catalogs.validate import Field
    from accretor.science import angles

    known = identification.known(layout.archive(slug(target.name)).target)
    return Field(
        ra=angles.right_ascension(target.ra),
        dec=angles.declination(target.dec),
        radius=reach,
        pm_ra=target.pm_ra or _finite(known.get("pm_ra")),
        pm_dec=target.pm_dec or _finite(known.get("pm_dec")),
        tic=target.tic,
        tmag=known.get("tmag", math.nan),
    )


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else 0.0


def _kept(path: Path, field: Field) -> str:
    """Return what is to be said of a catalogue that is here; "" if there is none that can be trusted."""
    from accretor import catalogs

    try:
        about = catalogs.about(path)
        if not about:
            return ""
        catalogs.read(path)
    except DumpError:
        dump.set_aside(path)
        return ""
    within = float(about.get("radius", math.inf))
    if within < field.radius:
        return f"{path.stem} (within {within:g} degrees, {field.radius:g} are needed: renew=)"
    return str(path.stem)


def _one(
    source: Source, field: Field, path: Path, settings: WorkspaceSettings, say: Say, unreachable: set[str]
) -> str:
    """Fetch one catalogue and keep it; return what is to be said of it."""
    from accretor import catalogs
    from accretor.catalogs import service

    own = settings.catalogs
    say(f"{source.name}: asking for the stars within {field.radius:g} degrees ...")
    found: Stars = service.fetch(
        source,
        field,
        faintest=own.faintest,
        most=own.max_stars,
        servers=own.server,
        unreachable=unreachable,
    )
    for line in found.failures:
        say(f"{source.name}: {line}; the next one was asked")
    catalogs.write(
        path,
        found.catalog,
        {
            "title": source.title,
            "passbands": source.passbands,
            "service": found.address,
            "query": found.query,
            "n_query": found.n_query,
            "date": _today(),
            "ra": field.ra,
            "dec": field.dec,
            "radius": field.radius,
            "faintest": own.faintest,
            "bright": source.bright,
            "complete": source.faint,
            "n_star": len(found.catalog),
        },
    )
    return f"{source.name} ({len(found.catalog)} stars)"


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
