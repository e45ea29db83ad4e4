from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from accretor.core.errors import Unusable
from accretor.exofop import naming, plan
from accretor.exofop.summary import FilterForm, Form

FORM = Form(292152376, "01", "TOI-1234.01", 0.5, "QHY600", "observer")
FILTER = FilterForm(psf=2.3, coverage="Full")


def manifest(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def planned(folder, *filters, form=FORM):
    return plan.plan(folder, manifest(folder), form, dict.fromkeys(filters, FILTER))


def test_the_plan_has_each_filter_with_its_files_in_exofops_order(package, made):
    folder = package("ip", "gp")

    found = planned(folder, "gp", "ip")

    assert [series.filter for series in found.filters] == ["gp", "ip"]
    tails = [naming.parse(file.name).tail for file in found.filters[1].files]
    assert tails == [tail.name for tail in naming.TAILS]
    assert found.tag == "20250304_observer_tic292152376_01"
    file = found.filters[1].files[0]
    content = (folder / made.name("measurements.tbl")).read_bytes()
    assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert file.label == "AstroImageJ Photometry Measurement Table"


def test_the_primary_table_goes_first(package, made):
    from accretor.aij import table

    folder = package("ip")
    for n_pixel in (4, 8, 7):
        larger = table.write(made.columns(radius=float(n_pixel)))
        (folder / made.name("measurements.tbl", n_pixel=n_pixel)).write_bytes(larger)

    (series,) = planned(folder, "ip").filters

    assert [naming.parse(file.name).n_pixel for file in series.files[:4]] == [8, 4, 7, None]
    assert series.fields["photaprad"] == "8.0"


def test_the_same_package_has_the_same_plan_and_any_change_another(package, made):
    folder = package("ip")
    first = planned(folder, "ip")

    assert planned(folder, "ip") == first
    assert len(first.plan_id) == 12
    assert planned(folder, "ip", form=replace(FORM, public_note="x")).plan_id != first.plan_id
    (folder / made.name("notes.txt")).write_bytes(b"other\n")
    assert planned(folder, "ip").plan_id != first.plan_id


def test_a_package_that_is_not_what_was_packed_is_not_planned(package, made):
    folder = package("ip")
    packed = manifest(folder)
    (folder / made.name("notes.txt")).write_bytes(b"edited\n")
    (folder / made.name("field.png")).unlink()

    with pytest.raises(Unusable, match=r"_field\.png, .*_notes\.txt"):
        plan.plan(folder, packed, FORM, {"ip": FILTER})


def test_each_filter_needs_its_form(package):
    folder = package("gp", "ip")

    with pytest.raises(Unusable, match="is of gp, ip, the night of ip"):
        planned(folder, "ip")


def test_a_package_without_a_plate_solution_is_not_planned(package, made):
    folder = package("ip")
    (folder / made.name("WCS.fits")).write_bytes(b"x")

    with pytest.raises(Unusable, match="pixel scale is not known"):
        planned(folder, "ip")


def test_an_empty_folder_is_not_planned(tmp_path):
    with pytest.raises(Unusable, match="empty"):
        planned(tmp_path)


def test_the_description_names_every_field_and_file(package):
    found = planned(package("ip"), "ip")

    text = plan.describe(found)

    assert found.plan_id in text.splitlines()[0]
    for key, value in found.filters[0].fields.items():
        assert any(key in line and (value or "(blank)") in line for line in text.splitlines())
    for file in found.filters[0].files:
        assert any(file.name in line and file.label in line for line in text.splitlines())
    assert "nothing has been sent" in text


@pytest.mark.parametrize(
    ("note", "warns"), [("Observed a full transit.", False), ("A 12.1 ppt transit, 3 min late.", True)]
)
def test_the_plan_warns_of_a_public_note_that_tells_results(package, note, warns):
    found = planned(package("ip"), "ip")
    series = replace(found.filters[0], fields={**found.filters[0].fields, "notes": note})

    text = plan.describe(replace(found, filters=(series,)))

    assert ("the public note seems to tell a result, '12.1 ppt'" in text) == warns
