"""The layout of ``notes.txt``: a Jinja2 template, ours or the user's."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accretor.core.errors import ConfigError
from accretor.core.scrub import without_controls

NAME = "notes.txt.j2"
"""Of the user's own template, beside ``workspace.toml``."""
OURS = Path(__file__).with_name(NAME)
WIDTH = 100
"""Characters in a line."""


def render(words: Mapping[str, Any], own: Path | None = None) -> str:
    """Return the text of the notes.

    Parameters
    ----------
    words : mapping
        What the template may use; see docs/package.md.
    own : Path, optional
        The user's template; default: ours.

    Raises
    ------
    ConfigError
        If the template is wrong, or uses a word that there is not: file, line and reason.
    """
    # Jinja2 takes a tenth of a second to import.
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    path = own or OURS
    environment = SandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # a plain text
    )
    environment.filters["wrap"] = wrap
    try:
        source = path.read_text(encoding="utf-8-sig")
        return without_controls(environment.from_string(source).render(**words))
    except UnicodeDecodeError:
        raise ConfigError(path, "", "is no text in UTF-8") from None
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None) or _line_of(error)
        raise ConfigError(path, f"line {line}" if line else "", " ".join(str(error).split())) from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        line = _line_of(error)
        raise ConfigError(path, f"line {line}" if line else "", f"{type(error).__name__}: {error}") from None


def wrap(text: Any, indent: int = 0, hanging: int | None = None) -> str:
    """Return *text* in lines of `WIDTH`, the first indented by *indent*, the others by *hanging*."""
    further = indent if hanging is None else hanging
    fill = functools.partial(
        textwrap.wrap,
        width=WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(line for part in str(text).splitlines() for line in fill(part) or [""])


def _line_of(error: BaseException) -> int | None:
    """Return the line of the template in which *error* arose."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
