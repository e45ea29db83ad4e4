"""The rules by which the SG1 upload tool reads a package, written down a second time for comparison.

From its observed behaviour: plain text and arithmetic, and nothing of accretor.
"""

from __future__ import annotations

import csv
import re
import statistics

REQUIRED = (
    *("measurements.tbl", "measurements.plotcfg", "measurements.radec", "compstar-lightcurves.png"),
    *("field.png", "field-zoom.png", "seeing-profile.png", "WCS.fits"),
)
OPTIONAL = (
    *("lightcurve.png", "measurements_NEB-table.txt", "measurements_NEBcheck.zip"),
    *("measurements_dmagRMS-plot.png", "subset.csv"),
)
NAME = re.compile(
    r"^(TIC\d+-\d{2})_(\d{8})_([A-Za-z0-9-]+)_([A-Za-z0-9+-]+?)(?:_(\d+)px)?_"
    rf"({'|'.join(map(re.escape, (*REQUIRED, *OPTIONAL, 'notes.txt')))})$"
)


class RefusalError(Exception):
    """The tool stops."""


def read(folder, tic, planet):
    """Return what the tool makes of a folder: filters, rejected files, missing files, form values."""
    rejected, files = [], {}
    for path in sorted(folder.iterdir()):
        if path.name.endswith("seeing-profile.gif") or "bjd-flux-err" in path.name:
            raise RefusalError(f"disallowed {path.name}")
        found = NAME.match(path.name)
        if not found or found[1] != f"TIC{tic}-{planet}":
            rejected.append(path.name)
        else:
            files[path.name] = found
    if not files or len({(found[2], found[3]) for found in files.values()}) != 1:
        raise RefusalError("one date and one observatory")
    if sum(found[6] == "notes.txt" for found in files.values()) != 1:
        raise RefusalError("exactly one notes.txt")
    forms = {}
    for token in sorted({found[4] for found in files.values()}):
        own = {name: found for name, found in files.items() if found[4] == token}
        tables = [name for name, found in own.items() if found[6] == "measurements.tbl"]
        if not tables:
            raise RefusalError(f"no measurement table for {token}")
        primary = max(tables, key=lambda name: _rank(folder / name, int(own[name][5] or -1), name))
        tails = {found[6] for found in own.values()}
        forms[token] = {
            **_values(_rows(folder / primary)),
            "missing": [tail for tail in REQUIRED if tail not in tails],
            "absent": [tail for tail in OPTIONAL if tail not in tails],
        }
    return rejected, forms


def _rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _radii(rows):
    return [float(row["Source_Radius"]) for row in rows]


def _rank(path, n_pixel, name):
    radii = _radii(_rows(path))
    return statistics.median(radii), max(radii) == min(radii), n_pixel, name


def _values(rows):
    first, last = rows[0], rows[-1]
    days = float(last["JD_UTC"]) - float(first["JD_UTC"])
    minutes = 1440 * days + (float(first["EXPTIME"]) + float(last["EXPTIME"])) / 120
    radii = _radii(rows)
    return {
        "obsdur": str(round(minutes)),
        "obsnum": str(len(rows)),
        "photaprad": str(round(statistics.median(radii), 1)),
        "is_variable": max(radii) > min(radii),
    }
