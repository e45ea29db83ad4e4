"""The pages as HTML: templates with all text escaped, a strict policy, and nothing from elsewhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

TEMPLATES: Final = Path(__file__).parent / "templates"
LARGEST: Final = 5_000_000
"""Byte of a page, at most."""


def observation(content: Mapping[str, Any]) -> str:
    """Return the page of a visit."""
    return _render("report.html.j2", content)


def index(content: Mapping[str, Any]) -> str:
    """Return the page of a workspace."""
    return _render("index.html.j2", content)


def data_link(data: bytes, kind: str) -> str:
    """Return *data* as a link that holds it, such as ``data:image/png;base64,...``."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


@functools.cache
def _style() -> str:
    return (TEMPLATES / "style.css").read_text(encoding="utf-8").strip()


def _policy() -> str:
    """Return the content security policy: images that are in the page, this one style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _render(name: str, content: Mapping[str, Any]) -> str:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES, encoding="utf-8")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # The style is ours and is escaped nowhere: its digest is in the policy.
    from markupsafe import Markup

    fixed = {"style": Markup(_style()), "policy": _policy()}  # noqa: S704
    return environment.get_template(name).render({**content, **fixed})
