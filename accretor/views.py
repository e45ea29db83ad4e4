"""A workspace to look into from a notebook or a script; nothing here writes.

>>> import accretor
>>> night = accretor.view("my-workspace")["TOI-1234.01/20250304"]  # doctest: +SKIP
>>> curve = night.light_curve                                      # doctest: +SKIP
>>> night.results["rp_rs"]                                         # doctest: +SKIP
>>> night.figure("light_curve").savefig("curve.pdf")               # doctest: +SKIP
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accretor.core.dumps import SCHEMAS
from accretor.core.slug import slug
from accretor.io.layout import ObservationPaths
from accretor.stages import results as results_of
from accretor.stages.workspace import ObservationPlan, Workspace, open_workspace

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ObservationView:
    """One observation: its dumps as tables, its numbers, its figures."""

    plan: ObservationPlan
    """The frames, the target, the instrument and the settings."""

    @property
    def name(self) -> str:
        """Target, night, telescope and filter."""
        return self.plan.observation.slug

    @property
    def tables(self) -> list[str]:
        """Names of the tables that are there."""
        names = sorted(
            name for name, member in vars(ObservationPaths).items() if isinstance(member, property)
        )
        return [name for name in names if _is_table(self._path(name)) and self._path(name).is_file()]

    def table(self, name: str) -> Table:
        """Read a dump, with the units of its columns; data_layout.md has every column.

        Parameters
        ----------
        name : str
            ``light_curve``, ``comparison``, ``frames``, ``photometry`` ...: see `tables`.

        Returns
        -------
        astropy.table.Table
            What the dump's header says is in its ``meta``.

        Raises
        ------
        KeyError
            If there is no such table.
        FileNotFoundError
            If it has not been made yet.
        """
        from astropy.table import Table

        path = self._path(name)
        if not _is_table(path):
            raise KeyError(f"{name}: it is not a table; there are {', '.join(self.tables)}")
        if not path.is_file():
            raise FileNotFoundError(f"{path} has not been made yet; run doit")
        if path.suffix == ".fits":
            return _of_fits(path)
        return Table.read(path, format="ascii.ecsv", encoding="utf-8")

    @property
    def light_curve(self) -> Table:
        """The light curve: times (BJD_TDB), relative flux, its error, trend, model, and which frames count.

        Raises
        ------
        FileNotFoundError
            If it has not been made yet.
        """
        return self.table("light_curve")

    @property
    def figures(self) -> list[str]:
        """Names of the figures that can be drawn of an observation."""
        from accretor.plots.registry import DIAGNOSTICS, FIGURES

        return [entry.name for entry in (*FIGURES, *DIAGNOSTICS)]

    def figure(self, name: str) -> Figure:
        """Draw a figure anew from the dumps, to be changed or saved; nothing is written.

        Parameters
        ----------
        name : str
            ``light_curve``, ``field``, ``rms_magnitude`` ...: see `figures`.

        Returns
        -------
        matplotlib.figure.Figure
            It belongs to no window and not to pyplot. What cannot be drawn says why in it.

        Raises
        ------
        KeyError
            If there is no such figure.
        FileNotFoundError
            If what it is drawn from has not been made yet.
        """
        if name not in self.figures:
            raise KeyError(f"{name}: there is no such figure; there are {', '.join(self.figures)}")
        from accretor.stages import figures

        return figures.draw(self.plan, name)

    @property
    def results(self) -> dict[str, Any]:
        """The numbers of the light curve and the fit, by the keys of data_layout.md.

        Raises
        ------
        FileNotFoundError
            If they have not been made yet.
        """
        return results_of.read(self.plan.paths.results)

    def _path(self, name: str) -> Path:
        found = getattr(self.plan.paths, name, None)
        return found if isinstance(found, Path) else Path()


@dataclass(frozen=True)
class WorkspaceView(Mapping[str, ObservationView]):
    """The observations of a workspace by their names, or by the beginning of a name that is of one alone."""

    workspace: Workspace

    def __getitem__(self, name: str) -> ObservationView:
        """Return an observation; a name as in the workspace file does as well as its folder.

        Raises
        ------
        KeyError
            If none or several have a name that begins so.
        """
        start = "/".join(slug(part) for part in name.rstrip("/").split("/"))
        found = [
            plan
            for plan in self.workspace.observations
            if f"{plan.observation.slug}/".startswith(f"{start}/")
        ]
        if len(found) != 1:
            among = ", ".join(plan.observation.slug for plan in found or self.workspace.observations)
            raise KeyError(f"{name!r} names {len(found)} observations; there are {among}")
        return ObservationView(found[0])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return (plan.observation.slug for plan in self.workspace.observations)

    def __len__(self) -> int:
        """Return the number of observations."""
        return len(self.workspace.observations)


def view(folder: str | Path) -> WorkspaceView:
    """Open the workspace in *folder*.

    Raises
    ------
    accretor.core.errors.ConfigError
        If ``workspace.toml`` is missing or wrong.
    """
    return WorkspaceView(open_workspace(Path(folder), is_recorded=False))


def _of_fits(path: Path) -> Table:
    """Read a binary dump like a readable one: texts, units and meanings of columns, what its head says."""
    from astropy.table import Table

    table = Table.read(path, hdu=1, character_as_bytes=False)
    schema = next(schema for schema in SCHEMAS if schema.name == table.meta["ACC_NAME"])
    for column in schema.all_columns:
        table[column.name].unit = column.unit or None
        table[column.name].description = column.meaning
    said = json.loads(table.meta["ACC_META"])
    table.meta = {"schema": schema.name, "version": table.meta["ACC_VERS"], **said}
    return table


def _is_table(path: Path) -> bool:
    return path.suffix == ".ecsv" or path.name in {
        "stars.fits",
        "photometry.fits",
        "forced.fits",
        "magnitudes.fits",
    }
