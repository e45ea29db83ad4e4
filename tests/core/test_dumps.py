from __future__ import annotations

import pytest

from accretor.core.dumps import INVENTORY, PHOTOMETRY, RESULTS, ROW_STATE, SCHEMAS, Schema

ECSV_TYPES = {"string", "int64", "float64", "bool"}
EVERY = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)


@EVERY
def test_every_column_says_what_it_means(schema):
    assert all(column.meaning.strip() for column in schema.all_columns)


@EVERY
def test_columns_have_names_of_their_own_that_need_no_quotes(schema):
    names = [column.name for column in schema.all_columns]

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.isascii() for name in names)


@EVERY
def test_the_first_column_of_a_readable_dump_identifies_the_row(schema):
    names = {"path", "kind", "image_name", "star", "radius", "toi", "jd", "folder", "identifier", "quantity"}
    names |= {"bjd_tdb", "tc", "position", "neighbour", "observation", "way", "night"}
    assert schema.scalars[0].name in names


@EVERY
def test_columns_are_of_kinds_that_ecsv_knows(schema):
    assert {column.kind for column in schema.all_columns} <= ECSV_TYPES


@EVERY
def test_only_floats_are_rounded_or_have_further_axes(schema):
    assert all(
        column.kind == "float64" for column in schema.all_columns if column.digits is not None or column.shape
    )


@EVERY
def test_every_unit_is_one_that_astropy_reads(schema):
    from astropy.units import Unit

    for column in schema.all_columns:
        # AstroImageJ's and our own "ppt" is not a unit of astropy, which keeps it as text.
        if column.unit not in ("", "ppt"):
            Unit(column.unit)


def test_dumps_have_names_of_their_own():
    assert len({schema.name for schema in SCHEMAS}) == len(SCHEMAS)


def test_a_keyed_dump_says_of_each_row_what_it_was_made_from_and_with():
    keyed = [schema for schema in SCHEMAS if schema.keyed]

    assert {schema.name for schema in keyed} == {"frames", "image_info", "photometry", "forced"}
    assert all(schema.all_columns[-4:] == ROW_STATE for schema in keyed)
    assert INVENTORY.all_columns == INVENTORY.columns


def test_scalars_and_arrays_are_all_columns():
    assert {*PHOTOMETRY.scalars, *PHOTOMETRY.arrays} == set(PHOTOMETRY.all_columns)
    assert not {*PHOTOMETRY.scalars} & {*PHOTOMETRY.arrays}
    assert [column.shape for column in PHOTOMETRY.arrays[:3]] == [
        ("star", "radius"),
        ("star", "radius"),
        ("star",),
    ]


def test_the_numbers_of_an_observation_have_names_of_their_own():
    assert Schema("results", 1, RESULTS).scalars == RESULTS
    assert len({column.name for column in RESULTS}) == len(RESULTS)
