from __future__ import annotations

from accretor.core import errors
from tests import errors_doc


def test_the_page_of_errors_is_that_of_the_code():
    written = errors_doc.PAGE.read_text(encoding="utf-8")

    assert written == errors_doc.page(), "run: python -m tests.errors_doc"


def test_every_class_of_errors_says_what_happens_and_what_to_do():
    kinds = set(errors_doc.classes())

    assert {"ConfigError", "Unusable", "UploadError"} < kinds
    assert kinds == set(errors_doc.EFFECT) == set(errors_doc.DO)
    assert all(getattr(errors, kind).__doc__ for kind in kinds)


def test_a_message_that_is_raised_is_on_the_page(tmp_path):
    import pytest

    from accretor.config import workspace

    path = tmp_path / "workspace.toml"
    path.write_text('observer = "A"\n', encoding="utf-8")
    with pytest.raises(errors.ConfigError) as raised:
        workspace.load(path)

    assert raised.value.reason == "is missing"
    assert raised.value.reason in errors_doc.page().split("## HeaderError")[0]
