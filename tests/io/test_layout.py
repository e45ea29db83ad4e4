from __future__ import annotations

import inspect
from pathlib import Path, PurePosixPath

from accretor.core.observation import Observation
from accretor.io import layout
from accretor.io.layout import Layout

ROOT = Path("space")
ONE = Observation("TOI-1234.01", "20250304", "Hilltop-0m5", "ip")
OTHER = Observation("TOI-1234.01", "20250304", "Hilltop-0m5", "gp")


def paths(owner):
    """Return every path that *owner* names, by its name."""
    found = {
        name: getattr(owner, name)
        for name, member in inspect.getmembers(type(owner))
        if isinstance(member, property)
    }
    return {name: path for name, path in found.items() if isinstance(path, Path)}


def test_raw_frames_and_settings_are_where_the_user_put_them():
    assert Layout(ROOT).config == ROOT / "workspace.toml"
    assert Layout(ROOT).raw == ROOT / "raw"


def test_dumps_are_in_the_folder_of_their_observation_and_tables_for_others_in_that_of_its_night():
    found = paths(Layout(ROOT).observation(ONE))
    tables = found.pop("tables")

    assert all(path.is_relative_to(ROOT / "work" / PurePosixPath(ONE.slug)) for path in found.values())
    assert tables.parents[1] == Layout(ROOT).visit(ONE.visit).folder


def test_the_filters_of_a_night_share_a_package_but_no_plot_and_no_dump():
    one, other = (Layout(ROOT).observation(observation) for observation in (ONE, OTHER))

    assert not {*paths(one).values(), one.plots, one.folder} & {
        *paths(other).values(),
        other.plots,
        other.folder,
    }
    assert Layout(ROOT).visit(ONE.visit).package == Layout(ROOT).visit(OTHER.visit).package
    assert one.plots.parents[1] == Layout(ROOT).visit(ONE.visit).folder


def test_every_path_is_named_once():
    workspace = Layout(ROOT)
    found = [
        *paths(workspace).values(),
        *paths(workspace.observation(ONE)).values(),
        *paths(workspace.visit(ONE.visit)).values(),
    ]

    assert len(set(found)) == len(found)


def test_every_path_is_inside_the_workspace():
    workspace = Layout(ROOT)
    owners = (workspace, workspace.observation(ONE), workspace.visit(ONE.visit))

    assert all(path.is_relative_to(ROOT) for owner in owners for path in paths(owner).values())


def test_what_is_written_is_in_folders_beside_the_raw_frames():
    tops = {path.relative_to(ROOT).parts[0] for path in paths(Layout(ROOT)).values()}

    assert tops - {"workspace.toml", "raw"} == {
        *("archive", "logs", "products", "uploads", "work", "organized"),
        *("aij", "notes.txt.j2"),
    }


def test_every_path_says_what_is_there():
    for owner in (layout.Layout, layout.ObservationPaths, layout.VisitPaths):
        properties = [member for _, member in inspect.getmembers(owner) if isinstance(member, property)]
        assert all(member.__doc__ for member in properties)


def test_a_master_is_named_by_its_kind():
    assert Layout(ROOT).observation(ONE).master("flat").parts[-2:] == ("masters", "flat.fits")
