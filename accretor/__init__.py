"""accretor: from raw frames of a TESS planet candidate to a TFOP SG1 submission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accretor.views import view as view

__version__ = "0.1.0"

__all__ = ["__version__", "view"]


def __getattr__(name: str) -> Any:
    """Import what is public when it is asked for: the command line needs none of it."""
    if name == "view":
        from accretor.views import view

        return view
    raise AttributeError(f"module 'accretor' has no attribute {name!r}")
