"""What the results of a target rest on: papers and programs as BibTeX, and the words they ask for.

Only what was used is named, and the dumps say what that is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accretor import __version__
from accretor.core import versions
from accretor.core.dumps import PLATE_SOLUTION
from accretor.core.errors import Blocked
from accretor.io import dump
from accretor.stages import results as results_of

if TYPE_CHECKING:
    from accretor.stages.workspace import ObservationPlan

BIBLIOGRAPHY = Path(__file__).with_name("references.bib")

CATALOGUES = {
    "gaia_dr3": ("gaia2016", "gaiadr3"),
    "tic": ("stassun2019", "paegert2021"),
    "refcat2": ("refcat2",),
    "gaia_synthetic": ("gaia2016", "gaiadr3", "gaiasynthetic"),
    "apass_dr9": ("apass",),
    "ps1": ("panstarrs",),
    "skymapper_dr4": ("skymapper",),
    "tycho2": ("tycho2",),
}
"""What to cite for each of our catalogues; one of the user's own is named in a remark."""


@dataclass(frozen=True)
class Use:
    """What the dumps of the observations of a target say was used."""

    ways: frozenset[str]
    """To the plate solutions."""
    catalogues: frozenset[str]
    has_frames: bool
    """Whether pixels were measured; else the nights began with tables."""
    has_fit: bool
    has_samples: bool
    """Of the posterior of a fit."""
    has_neighbours: bool
    is_lco: bool


@dataclass(frozen=True)
class Citation:
    """A paper or program that was used, and what for."""

    key: str
    reason: str


_RULES: tuple[tuple[str, str, Callable[[Use], bool]], ...] = (
    ("accretor", "the reduction", lambda _: True),
    *((f"astropy{year}", "files, tables, coordinates", lambda _: True) for year in (2013, 2018, 2022)),
    ("numpy", "arrays", lambda _: True),
    ("scipy", "fits and statistics", lambda _: True),
    ("matplotlib", "figures", lambda _: True),
    ("photutils", "apertures and star finding", lambda use: use.has_frames),
    ("erfa", "times and the place of the Earth", lambda _: True),
    ("astroimagej", "formulas and columns of the measurement table", lambda _: True),
    ("eastman2010", "BJD_TDB", lambda _: True),
    ("merline1995", "errors: photons, sky and read-out", lambda use: use.has_frames),
    ("osborn2015", "errors: scintillation", lambda _: True),
    ("honeycutt1992", "the ensemble of comparison stars", lambda _: True),
    ("pont2006", "correlated noise", lambda _: True),
    ("winn2008", "the red-noise factor beta", lambda _: True),
    ("kipping2010", "the transit averaged over the exposure", lambda use: use.has_fit),
    ("claret2022", "limb darkening", lambda use: use.has_fit),
    ("kass1995", "choice of detrending terms by BIC", lambda use: use.has_fit),
    ("patterson1971", "restricted likelihood of the noise models", lambda use: use.has_fit),
    ("emcee", "samples of the posterior", lambda use: use.has_samples),
    ("terbraak2008", "moves of the sampler", lambda use: use.has_samples),
    ("astrometrynet", "plate solution", lambda use: bool(use.ways & {"solve-field", "nova"})),
    ("stassun2019", "magnitudes of neighbours for TESS", lambda use: use.has_neighbours),
    ("tess", "the candidate", lambda _: True),
    ("exofop", "what is known of the candidate, and the archive", lambda _: True),
    ("lco", "the telescope", lambda use: use.is_lco),
)


def use_of(plans: Sequence[ObservationPlan]) -> Use:
    """Return what the dumps say was used for the observations *plans*.

    Raises
    ------
    Blocked
        If none of them has a light curve yet.
    """
    reduced = [plan for plan in plans if plan.paths.results.is_file()]
    if not reduced:
        raise Blocked(f"{plans[0].target.name}: there is no light curve yet; run doit calibration")
    ways: set[str] = set()
    catalogues: set[str] = set()
    fits, samples, neighbours = False, False, False
    for plan in reduced:
        paths = plan.paths
        results = results_of.read(paths.results)
        fits |= bool(results["has_fit"])
        samples |= bool(results["posterior_median"])
        if paths.plate_solution.is_file():
            for row in dump.read(paths.plate_solution, PLATE_SOLUTION).rows:
                if row["is_chosen"]:
                    ways.add(row["way"])
                    catalogues.add(row["catalog"] or "")
        if paths.zero_points.is_file():
            head = dump.read_meta(paths.zero_points)
            catalogues.add("" if head["reason"] else head["catalog"])
        if paths.neighbours.is_file():
            head = dump.read_meta(paths.neighbours)
            neighbours |= head.get("n_neighbour", 0) > 0  # nobody counted them without a catalogue
            catalogues.update(head["catalogue"])
    return Use(
        ways=frozenset(ways),
        catalogues=frozenset(catalogues - {""}),
        has_frames=any(not plan.is_table for plan in reduced),
        has_fit=fits,
        has_samples=samples,
        has_neighbours=neighbours,
        is_lco=any(
            plan.instrument.dialect == "lco" or plan.observation.telescope.upper().startswith("LCO")
            for plan in reduced
        ),
    )


def citations(use: Use) -> list[Citation]:
    """Return what is to be cited, each once."""
    found = {key: Citation(key, reason) for key, reason, holds in _RULES if holds(use)}
    for name in sorted(use.catalogues):
        for key in CATALOGUES.get(name, ()):
            found.setdefault(key, Citation(key, f"the catalogue {name}"))
    return list(found.values())


def acknowledgements(use: Use) -> list[str]:
    """Return the words that those who gave data and telescopes ask for."""
    said = [
        "This paper includes data collected by the TESS mission. Funding for the TESS mission is provided by "
        "NASA's Science Mission Directorate.",
        "This research has made use of the Exoplanet Follow-up Observation Program (ExoFOP; "
        "DOI: 10.26134/ExoFOP5) website, which is operated by the California Institute of Technology, "
        "under contract with the National Aeronautics and Space Administration under the Exoplanet "
        "Exploration Program.",
    ]
    if use.catalogues & {"gaia_dr3", "gaia_synthetic"}:
        said.append(
            "This work has made use of data from the European Space Agency (ESA) mission Gaia "
            "(https://www.cosmos.esa.int/gaia), processed by the Gaia Data Processing and Analysis "
            "Consortium (DPAC, https://www.cosmos.esa.int/web/gaia/dpac/consortium). Funding for the DPAC "
            "has been provided by national institutions, in particular the institutions participating in the "
            "Gaia Multilateral Agreement."
        )
    if use.is_lco:
        said.append(
            "This work makes use of observations from the Las Cumbres Observatory global telescope network."
        )
    return said


def bibtex(use: Use) -> str:
    """Return the entries of `citations`, each under a comment that says what for."""
    entries = _entries()
    parts = [f"% {found.reason}\n{entries[found.key]}" for found in citations(use)]
    own = sorted(use.catalogues - set(CATALOGUES))
    remark = f"% Of your own, and not here: the catalogue {', '.join(own)}.\n\n" if own else ""
    text = "\n\n".join(parts)
    return f"{remark}{text}\n"


def _entries() -> dict[str, str]:
    """Return the entries of the bibliography by their keys, a field to a line."""
    text = BIBLIOGRAPHY.read_text(encoding="utf-8")
    text = text.replace("{VERSION}", f"{{{__version__}}}").replace("SCIENCE", str(versions.SCIENCE))
    found = {}
    for line in filter(None, text.splitlines()):
        key = line[line.index("{") + 1 : line.index(",")]
        found[key] = re.sub(r", (?=\w+ = \{)", ",\n  ", line.removesuffix("}")) + "\n}"
    return found
