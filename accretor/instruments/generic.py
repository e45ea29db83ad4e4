"""The FITS standard, and what common programs write: MaxIm DL, N.I.N.A., ACP, AstroImageJ."""

from __future__ import annotations

from accretor.instruments.dialect import Dialect

GENERIC = Dialect(name="generic")
