"""Catalogues of stars: one module each, a file of the user's, and the form in which they are kept."""

from accretor.catalogs.files import local
from accretor.catalogs.store import about, read, write

__all__ = ["about", "local", "read", "write"]
