"""Numbers as AstroImageJ writes and reads them, to the byte.

AstroImageJ formats with Java's ``DecimalFormat``: up to 16 decimals, half-even,
trailing zeros dropped, and an exponent only for the tiniest and the greatest.
"""

from __future__ import annotations

import decimal
import math

TINY = 1e-16
HUGE = 999_999_999_999.0
_DECIMALS = decimal.Decimal(1).scaleb(-16)
_CONTEXT = decimal.Context(prec=40, rounding=decimal.ROUND_HALF_EVEN)


def write(value: float) -> str:
    """Return *value* as AstroImageJ writes it: ``28``, ``0.1``, ``NaN``; infinities are NaN too."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN"
    if value != 0 and not TINY <= abs(value) <= HUGE:
        return _exponent(value)
    text = repr(value)
    if "e" in text or len(text) - text.find(".") > 17:  # 16 decimals and the point
        text = format(decimal.Decimal(text).quantize(_DECIMALS, context=_CONTEXT), "f")
    return text.rstrip("0").rstrip(".")


def read(text: str) -> float:
    """Return the number in a cell, as AstroImageJ reads it.

    Parameters
    ----------
    text : str
        Empty cells and ``-`` are NaN; sexagesimal values such as ``-12:34:56.7``
        become decimal.

    Raises
    ------
    ValueError
        If the cell holds a text.
    """
    text = text.strip()
    if text in {"", "-"}:
        return math.nan
    if ":" in text:
        return _sexagesimal(text)
    if "_" in text:  # float() would take 1_000
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def _exponent(value: float) -> str:
    number = decimal.Decimal(repr(value))
    exponent = number.adjusted()
    mantissa = _mantissa(number, exponent)
    if abs(mantissa) >= 10:  # rounded up to the next power of ten
        exponent += 1
        mantissa = _mantissa(number, exponent)
    return f"{format(mantissa, 'f').rstrip('0').rstrip('.')}E{exponent}"


def _mantissa(number: decimal.Decimal, exponent: int) -> decimal.Decimal:
    return number.scaleb(-exponent, context=_CONTEXT).quantize(decimal.Decimal("0.001"), context=_CONTEXT)


def _sexagesimal(text: str) -> float:
    parts = text.lstrip("+-").split(":")
    if len(parts) > 3 or any(part.strip().startswith(("+", "-")) for part in parts):
        raise ValueError(f"{text!r} is not a number")
    value = sum(float(part) / 60.0**power for power, part in enumerate(parts))
    return -value if text.startswith("-") else value
