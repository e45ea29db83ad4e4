"""`doit cite`: what was used, and nothing else."""

from __future__ import annotations

import dataclasses
import re

import pytest

from accretor.catalogs.registry import SOURCES
from accretor.stages import citing
from accretor.stages.citing import Use
from tests.harness import make, results, run, tree

PLAIN = Use(
    ways=frozenset(), catalogues=frozenset(), has_frames=True, has_fit=False,
    has_samples=False,
    has_neighbours=False, is_lco=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("cite"))
    assert run(folder, "calibration").status == 0
    return folder


def keys(text):
    return re.findall(r"^@\w+\{([\w-]+),", text, re.MULTILINE)


def cited(**changes):
    return set(keys(citing.bibtex(dataclasses.replace(PLAIN, **changes))))


def test_a_night_has_a_bibliography_of_what_made_it(workspace):
    before = results(workspace)
    done = run(workspace, "cite")
    text = (workspace / "products/TOI-9999.01/references.bib").read_text(encoding="utf-8")

    assert done.status == 0, done.out + done.err
    assert {"accretor", "photutils", "astroimagej", "eastman2010", "kipping2010"} <= set(keys(text))
    assert not {"astrometrynet", "gaiadr3", "lco"} & set(keys(text))
    assert "TESS mission" in done.out
    assert "Las Cumbres" not in done.out
    assert {name: digest for name, digest in results(workspace).items() if "references" not in name} == before


def test_the_same_results_have_the_same_bibliography(workspace):
    run(workspace, "cite")
    first = tree(workspace / "products")
    run(workspace, "cite:TOI-9999.01")

    assert tree(workspace / "products") == first


def test_without_a_light_curve_it_says_what_makes_one(tmp_path):
    done = run(make(tmp_path, lights=range(3)), "cite")

    assert done.status != 0
    assert "run doit calibration" in done.out
    assert not (tmp_path / "products/TOI-9999.01/references.bib").exists()


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"ways": frozenset({"nova"})}, {"astrometrynet"}),
        ({"ways": frozenset({"solve-field"})}, {"astrometrynet"}),
        ({"ways": frozenset({"catalogue"})}, set()),
        ({"has_fit": True}, {"kipping2010", "claret2022", "kass1995", "patterson1971"}),
        ({"has_samples": True}, {"emcee", "terbraak2008"}),
        ({"has_neighbours": True}, {"stassun2019"}),
        ({"catalogues": frozenset({"tic"})}, {"stassun2019", "paegert2021"}),
        ({"is_lco": True}, {"lco"}),
    ],
    ids=["nova", "solve-field", "catalogue", "fit", "samples", "neighbours", "tic", "lco"],
)
def test_each_use_brings_its_own_papers_and_no_others(change, more):
    assert cited(**change) - cited() == more


def test_a_night_that_began_with_a_table_used_no_photometry_of_ours():
    assert cited() - cited(has_frames=False) == {"photutils", "merline1995"}


def test_every_catalogue_that_is_fetched_can_be_cited_and_a_strange_one_is_named():
    assert set(SOURCES) == set(citing.CATALOGUES)
    for name in SOURCES:
        assert cited(catalogues=frozenset({name})) > cited()
    assert "my_stars" in citing.bibtex(dataclasses.replace(PLAIN, catalogues=frozenset({"my_stars"})))


def test_every_entry_is_whole_and_can_be_reached():
    everything = dataclasses.replace(
        PLAIN, ways=frozenset({"nova"}), catalogues=frozenset(SOURCES), has_fit=True,
        has_samples=True, has_neighbours=True,
        is_lco=True,
    )  # fmt: skip
    text = citing.bibtex(everything)
    written = citing.BIBLIOGRAPHY.read_text(encoding="utf-8")

    assert sorted(keys(text)) == sorted(set(keys(written)))
    for entry in re.split(r"^% ", text, flags=re.MULTILINE)[1:]:
        assert entry.count("{") == entry.count("}"), entry
        assert re.search(r"^  title = \{", entry, re.MULTILINE), entry
        assert re.search(r"^  (doi|eprint|howpublished|journal|url|note) = \{", entry, re.MULTILINE), entry
    assert "VERSION" not in text
    assert "SCIENCE" not in text


def test_the_words_of_gaia_and_las_cumbres_come_with_their_data_only():
    plain = " ".join(citing.acknowledgements(PLAIN))
    more = " ".join(
        citing.acknowledgements(dataclasses.replace(PLAIN, is_lco=True, catalogues=frozenset({"gaia_dr3"})))
    )

    assert "Gaia" not in plain
    assert "Gaia" in more
    assert "Las Cumbres" in more


def test_a_night_whose_neighbours_nobody_counted_for_want_of_a_catalogue_is_cited_all_the_same(workspace):
    assert run(workspace, "neb").status == 0
    assert (workspace / "work/TOI-9999.01/20250304/Demo-0m4/ip/neighbours.ecsv").is_file()

    done = run(workspace, "cite")

    assert done.status == 0, done.out + done.err
    assert "BROKE" not in done.out
