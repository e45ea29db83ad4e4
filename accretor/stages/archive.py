"""Archive: what others have observed of a target, fetched from ExoFOP, read, and drawn with ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accretor.core.dumps import LIGHT_CURVE
from accretor.core.errors import DumpError, ServiceError, Unusable
from accretor.core.slug import slug
from accretor.io import atomic, dump

if TYPE_CHECKING:
    from accretor.core.settings import Target, WorkspaceSettings
    from accretor.exofop.server import Server
    from accretor.exofop.standard import Standard
    from accretor.io.http import Client
    from accretor.io.layout import ArchivePaths, Layout
    from accretor.plots.phased import Curve
    from accretor.science.times import Direction
    from accretor.stages.workspace import ObservationPlan

KINDS = ("time_series",)
"""Tables whose files are fetched unless others are asked for."""


@dataclass(frozen=True)
class Fetched:
    """What came of a download."""

    said: str
    failures: tuple[str, ...]
    """What could not be had or read, each in a sentence."""


def download(
    target: Target,
    plans: Sequence[ObservationPlan],
    layout: Layout,
    settings: WorkspaceSettings,
    *,
    kinds: Sequence[str] = KINDS,
    say: Callable[[str], None] = lambda line: None,
) -> Fetched:
    """Fetch what ExoFOP has of a target and is not here yet; then read and draw all that is here.

    Parameters
    ----------
    plans
        Our own observations of the target.
    kinds
        Among time_series, imaging and spectroscopy: those whose files are fetched.
    say
        Is told what a user may want to know of meanwhile.

    Returns
    -------
    Fetched
        Without a network: what is here, and that as a failure.
    """
    from accretor.exofop import archive, standard

    if unknown := [kind for kind in kinds if kind not in archive.WITH_FILES]:
        raise Unusable(f"files={','.join(unknown)}: ExoFOP has files of {', '.join(archive.WITH_FILES)}")
    paths = layout.archive(slug(target.name))
    counts, failures = _fetched(target, layout, paths, settings, kinds, say)
    rows = _table(paths, "time_series")
    observations = standard.build(paths, rows, _direction(target))
    pages = _draw(target, plans, observations, paths, settings)
    readable = sum(bool(item.curve) for item in observations)
    said = ", ".join(
        [*counts, f"{readable} of {len(observations)} tables read", f"{pages} page{'s' * (pages != 1)} drawn"]
    )
    unread = [f"{item.row['path']}: {item.row['reason']}" for item in observations if not item.curve]
    for line in unread:
        say(f"left out: {_plain(line)}")
    return Fetched(said, tuple(map(_plain, failures)))


def state(layout: Layout, target: str) -> str:
    """Return in one line what is here of a target (its folder name)."""
    from accretor.core.dumps import ARCHIVE_OBSERVATIONS

    try:
        rows = dump.read(layout.archive(target).observations, ARCHIVE_OBSERVATIONS).rows
    except (FileNotFoundError, DumpError):
        return "nothing fetched"
    n_table = sum(bool(row["standard"]) for row in rows)
    return f"{len({row['tag'] for row in rows})} observations, {n_table} tables"


def _fetched(
    target: Target,
    layout: Layout,
    paths: ArchivePaths,
    settings: WorkspaceSettings,
    kinds: Sequence[str],
    say: Callable[[str], None],
) -> tuple[list[str], list[str]]:
    """Fetch what is new; return what came of it, and what could not be had."""
    from accretor.exofop import archive
    from accretor.exofop.server import server
    from accretor.io.http import NotSent

    where = server(settings.upload.url)
    counts: list[str] = []
    failures: list[str] = []
    try:
        with where.client() as client:
            failures += _log_in(client, where, settings, say)
            cookies = client.cookies()

            def visitor() -> Client:
                visitor_client = where.client()
                visitor_client.take(cookies)
                return visitor_client

            failures += archive.fetch_tables(client, where, target.name, target.tic, paths)
            failures += _name_trouble(client, where, layout, target)
        for kind in kinds:
            wanted = archive.tags(_table(paths, kind))
            found = archive.fetch_files(kind, wanted, paths, where, visitor)
            counts.append(
                f"{kind.replace('_', ' ')}: {len(found.new)} fetched, {len(found.kept)} here before"
            )
            failures += found.failures
    except NotSent as error:
        failures.append(f"offline: {error.reason}; what is here was kept")
    return counts, failures


def _log_in(
    client: Client, where: Server, settings: WorkspaceSettings, say: Callable[[str], None]
) -> list[str]:
    """Log in if there are credentials; else only what is public can be had, which is said.

    Returns
    -------
    list of str
        Why a login with credentials failed; the client is a visitor then, as without them.

    Raises
    ------
    NotSent
        Without a network.
    """
    from accretor.exofop.session import Session, account
    from accretor.io.http import NotSent
    from accretor.sending import cookies, credentials
    from accretor.sending.credentials import NoCredentials

    username = settings.upload.username
    try:
        Session(
            client,
            where,
            lambda: credentials.find(account(where), username),
            username=username,
            folder=cookies.folder() if username else None,
        ).open()
    except NoCredentials as error:
        say(f"not logged in, so only public files: {error}")
    except NotSent:
        raise
    except ServiceError as error:
        client.take(())
        return [f"not logged in, so only public files: {error}"]
    return []


def _name_trouble(client: Client, where: Server, layout: Layout, target: Target) -> list[str]:
    """Return in a sentence how ExoFOP contradicts that the target's names are of one star."""
    from accretor.exofop import identifiers

    if not identifiers.is_toi(target.name):
        return []
    table = identifiers.usable(layout.tois)
    if identifiers.disagreement(target.name, target.tic, table):
        # Not there, or another star: the table that is kept may be old.
        try:
            table = identifiers.refresh(layout.tois, client, where.base.rstrip("/"))
        except ServiceError as error:
            return [error.reason]
    trouble = identifiers.disagreement(target.name, target.tic, table)
    return [trouble] if trouble else []


def _table(paths: ArchivePaths, kind: str) -> list[dict[str, str]]:
    """Return the rows of a table that is here; one that cannot be trusted is set aside."""
    from accretor.exofop import tables

    try:
        return tables.read(paths.table(kind), kind)
    except DumpError:
        dump.set_aside(paths.table(kind))
        return []


def _plain(text: str) -> str:
    """Return *text* without what would move a terminal: names in it are those of others."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _direction(target: Target) -> Direction:
    from accretor.science import angles
    from accretor.science.times import Direction

    return Direction(
        angles.right_ascension(target.ra), angles.declination(target.dec), target.pm_ra, target.pm_dec
    )


def _draw(
    target: Target,
    plans: Sequence[ObservationPlan],
    observations: Sequence[Standard],
    paths: ArchivePaths,
    settings: WorkspaceSettings,
) -> int:
    """Draw all observations, ours among them, in order of time; return the number of pages."""
    from accretor.plots import phased, style

    curves = [*map(_theirs, observations), *map(_ours, plans)]
    drawn = sorted((curve for curve in curves if curve is not None), key=lambda curve: float(curve.time[0]))
    groups = [drawn[i : i + phased.PER_PAGE] for i in range(0, len(drawn), phased.PER_PAGE)]
    if target.ephemeris is None:
        groups = []
    for number, group in enumerate(groups, start=1):
        assert target.ephemeris is not None
        figure = phased.phased(
            group,
            target.ephemeris,
            title=f"TIC {target.tic} ({target.name}): all observations",
            subtitle=f"{len(drawn)} light curves"
            + (f", page {number} of {len(groups)}" if len(groups) > 1 else ""),
            bin_minutes=2 * settings.plotting.bin_minutes,
        )
        atomic.write_bytes(paths.phased(number), style.save(figure))
    number = len(groups) + 1
    while (stray := paths.phased(number)).is_file():
        stray.unlink()
        number += 1
    return len(groups)


def _theirs(item: Standard) -> Curve | None:
    import numpy as np

    from accretor.plots.phased import Curve

    rows = [row for row in item.curve if math.isfinite(row["bjd_tdb"])]
    if not rows:
        return None
    about = item.row
    return Curve(
        label=" ".join(part for part in (about["date"], about["telescope"]) if part)
        or Path(about["path"]).stem,
        filter=about["filter"],
        time=np.array(dump.column(rows, "bjd_tdb")),
        flux=np.array(dump.column(rows, "relative_flux")),
        error=np.array(dump.column(rows, "relative_flux_error")),
        origin=f"tag {about['tag']}",
    )


def _ours(plan: ObservationPlan) -> Curve | None:
    import numpy as np

    from accretor.plots.phased import Curve

    try:
        rows = [row for row in dump.read(plan.paths.light_curve, LIGHT_CURVE).rows if row["is_used"]]
    except (FileNotFoundError, DumpError):
        return None
    if not rows:
        return None
    observation = plan.observation
    return Curve(
        label=f"{observation.night} {observation.telescope}",
        filter=observation.filter,
        time=np.array(dump.column(rows, "bjd_tdb")),
        flux=np.array(dump.column(rows, "detrended_flux")),
        error=np.array(dump.column(rows, "relative_flux_error")),
        origin="ours",
        is_ours=True,
    )
