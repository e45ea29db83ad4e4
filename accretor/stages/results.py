"""The numbers of an observation, in words; it is read on every `doit list`, so it imports nothing heavy."""

from __future__ import annotations

import json
from pathlib import Path

from accretor.core.dumps import RESULTS
from accretor.core.errors import DumpError
from accretor.io.dump import Row


def read(path: Path) -> Row:
    """Return the content of ``results.json``.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DumpError
        If it was cut short or edited to something else.
    """
    try:
        found: Row = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DumpError(path, "is damaged") from None
    if not isinstance(found, dict) or not {key.name for key in RESULTS} <= found.keys():
        raise DumpError(path, "does not hold the results")
    return found


def said(results: Row) -> str:
    """Return the results in one line."""
    line = (
        f"{results['n_frame_good']} points, r = {results['aperture_radius_px']:.1f} px, "
        f"{results['n_comparison']} stars, {number(results['rms_per_point_ppt'], '.2f')} ppt"
    )
    if results["predicted_rms_ppt"]:
        line += f" (predicted {results['predicted_rms_ppt']:.2f})"
    if results["rp_rs"] is None:
        return f"{line}; no fit: {results['fit_reason']}"
    return f"{line}; Rp/R* {number(results['rp_rs'], '.4f')} ± {number(results['rp_rs_error'], '.4f')}"


def number(value: float | None, form: str) -> str:
    """Return *value* as *form* has it, or that it is unknown: any result may be null."""
    return "unknown" if value is None else f"{value:{form}}"


def said_of_zero_point(head: Row) -> str:
    """Return one line for people from the header of the dumps."""
    if head["reason"]:
        return f"no zero point: {head['reason']}"
    term = f", colour term {head['color_term']:+.3f}" if head["color_term"] else ""
    return (
        f"zero point {head['zero_point']:.3f} ± {head['zero_point_error']:.3f} mag in {head['band']} "
        f"({head['system']}) by {head['n_star']} stars of {head['catalog']}{term}"
    )
