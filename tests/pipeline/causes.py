"""The table of causes and effects: what a change of a workspace makes run again, and what it does not.

``python -m tests.pipeline.causes`` prints it as Markdown.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.harness import Run

NIGHT = "work/TOI-9999.01/20250304/Demo-0m4/ip"
VISIT = "products/TOI-9999.01/20250304/Demo-0m4"
LIGHTS = "raw/TOI-9999.01"
MEASURING = ("preprocess", "registration", "photometry", "forced")
"""Stages whose dumps have a row per frame."""

SAME, FRESH, OTHER = "same", "fresh", "other"
"""What the files are afterwards: as before; as those of a new workspace with the same content; neither."""

NOTE = (
    "In a workspace of one night with 12 frames, of which registration finds one poor, and with a "
    "`[[forced.position]]`; without such, and without a catalogue, forced measures none. "
    "\\* Deleted, cut short, or edited by hand."
)

Change = Callable[[Path, Path], object]
"""Changes the workspace, given a shelf of further frames."""


@dataclass(frozen=True)
class Cause:
    """One cause, and what follows from it."""

    text: str
    """What happens, for people."""
    runs: str
    """The stages that run, in their order; those that measure frames with how many."""
    changes: tuple[Change, ...]
    """Each is tried, one after the other; they must have the same effect."""
    files: str = FRESH
    before: Change | None = None
    """Change that is made, and dealt with, before the cause."""
    raised: tuple[str, ...] = ()
    """Stages whose version is raised."""
    names: str = ""
    """What the summaries of the stages must name."""


def describe(run: Run) -> str:
    """Return what ran, in the words of the table."""
    parts = [f"{stage} ({run.measured(stage)})" if stage in MEASURING else stage for stage in run.stages]
    return ", ".join(parts) or "nothing"


def markdown() -> str:
    """Return the table as Markdown."""
    lines = ["| cause | what runs (frames that are measured) |", "| --- | --- |"]
    lines += [f"| {cause.text} | {cause.runs} |" for cause in CAUSES]
    return "\n".join([*lines, "", NOTE])


def copy(name: str, to: str) -> Change:
    """Put a file of the shelf into the workspace."""

    def change(workspace: Path, shelf: Path) -> None:
        (workspace / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(shelf / name, workspace / to)

    return change


def folder(name: str, to: str, toml: str = "") -> Change:
    """Put a folder of the shelf into the workspace, and append to its settings."""

    def change(workspace: Path, shelf: Path) -> None:
        shutil.copytree(shelf / name, workspace / to)
        append(toml)(workspace, shelf)

    return change


def delete(name: str) -> Change:
    return lambda workspace, shelf: (workspace / name).unlink()


def touch(name: str) -> Change:
    return lambda workspace, shelf: os.utime(workspace / name, ns=(10**18, 10**18))


def move(name: str, to: str) -> Change:
    def change(workspace: Path, shelf: Path) -> None:
        (workspace / to).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).rename(workspace / to)

    return change


def cut(name: str) -> Change:
    """Leave the first half of a file."""
    return lambda workspace, shelf: os.truncate(workspace / name, (workspace / name).stat().st_size // 2)


def edit(name: str) -> Change:
    """Change one digit (of a FITS file: one byte of data) and not the size."""

    def change(workspace: Path, shelf: Path) -> None:
        content = bytearray((workspace / name).read_bytes())
        # The last blocks of a FITS file are filled up with zeros; what is before them is data.
        digits = b"123456789" if not name.endswith((".fits", ".png")) else bytes(range(1, 256))
        at = max(i for i in range(len(content) * 3 // 4) if content[i] in digits)
        content[at] = ord("1") if content[at] == ord("2") else ord("2")
        (workspace / name).write_bytes(content)

    return change


def append(toml: str) -> Change:
    """Append to the settings."""

    def change(workspace: Path, shelf: Path) -> None:
        with (workspace / "workspace.toml").open("a", encoding="utf-8") as file:
            file.write(toml)

    return change


def put(section: str, line: str) -> Change:
    """Put one setting into a section, which may be there already."""

    def change(workspace: Path, shelf: Path) -> None:
        path = workspace / "workspace.toml"
        before = path.read_text(encoding="utf-8")
        head, _, tail = before.partition(f"\n[{section}]\n")
        own, mark, others = tail.partition("\n[")
        own = re.sub(rf"(?m)^{line.split()[0]} *=.*\n?", "", own)
        path.write_text(f"{head}\n[{section}]\n{line}\n{own}{mark}{others}", encoding="utf-8")

    return change


def setting(old: str, new: str) -> Change:
    """Replace settings."""

    def change(workspace: Path, shelf: Path) -> None:
        path = workspace / "workspace.toml"
        before = path.read_text(encoding="utf-8")
        assert old in before
        path.write_text(before.replace(old, new, 1), encoding="utf-8")

    return change


def damage(name: str) -> tuple[Change, ...]:
    """Delete a file, cut it short, edit it by hand."""
    return delete(name), cut(name), edit(name)


def send(workspace: Path, shelf: Path) -> None:
    """Note that a file of the package was sent, as an upload does."""
    from accretor.sending.ledger import Item, Ledger, State

    ledger = Ledger(workspace / "uploads" / VISIT.partition("/")[2] / "ledger.jsonl")
    name = next((workspace / VISIT / "package").glob("*.tbl")).name
    ledger.add(
        "0123456789ab", Item("https://127.0.0.1/", "file", "ip", name), "0" * 64, State.CONFIRMED, 1.8e9
    )


def leave(workspace: Path, shelf: Path) -> None:
    """Do nothing."""


def give_radec(workspace: Path, shelf: Path) -> None:
    """Give AstroImageJ's file of apertures of the package back, without its last comparison stars."""
    own = next((workspace / VISIT / "package").glob("*.radec")).read_text(encoding="ascii")
    (workspace / "aij/TOI-9999.01").mkdir(parents=True)
    kept = "".join(own.splitlines(keepends=True)[:-2])
    (workspace / "aij/TOI-9999.01/edited.radec").write_text(kept, encoding="ascii")


def give_apertures(workspace: Path, shelf: Path) -> None:
    """Give the stars of the package with other radii."""
    from accretor.aij import apertures, radec

    places = [
        apertures.Place(0.0, 0.0, star.is_comparison, star.ra, star.dec)
        for star in radec.read(next((workspace / VISIT / "package").glob("*.radec")))
    ]
    (workspace / f"aij/{NIGHT[5:]}").mkdir(parents=True)
    (workspace / f"aij/{NIGHT[5:]}/edited.apertures").write_bytes(
        apertures.write(apertures.Apertures(5.55, 12.0, 20.0, tuple(places)))
    )


SECOND_TARGET = """
[[target]]
name = "TOI-8888.01"
tic = 888888888
ra = 215.5
dec = -3.25
"""


def rest(n_frame: int) -> str:
    """Return what follows from another list of stars, with *n_frame* frames to be measured."""
    return f"photometry ({n_frame}), zeropoint, calibration, forced ({n_frame}), neb, {ENDS}"


def new(n_frame: int) -> str:
    """Return what follows from *n_frame* new frames."""
    return f"preprocess ({n_frame}), registration ({n_frame}), template, {rest(n_frame)}, index"


ENDS = "plotting, packaging, report"
LATE = f"calibration, neb, {ENDS}, index"
"""What follows from another light curve of the same measurements; the index shows its numbers."""
REST = rest(11)
KEPT = rest(0)
ONE = new(1)
ALL = f"preprocess (0), registration (12), template, {REST}, index"
"""What follows from other masters."""

CAUSES = (
    Cause("nothing; the workspace is moved", "nothing", (leave,), SAME),
    # Raw files.
    Cause("a frame is added at the end", ONE, (copy("ip/0016.fits", f"{LIGHTS}/TOI-9999.01-0016.fits"),)),
    Cause("a frame is added in the middle", ONE, (copy("ip/0009.fits", f"{LIGHTS}/TOI-9999.01-0009.fits"),)),
    Cause(
        "a frame is added before the first", ONE, (copy("ip/0001.fits", f"{LIGHTS}/TOI-9999.01-0001.fits"),)
    ),
    Cause(
        "a frame is replaced by another under its name",
        ONE,
        (copy("other/0008.fits", f"{LIGHTS}/TOI-9999.01-0008.fits"),),
    ),
    Cause(
        "a frame gets a new time stamp, not new bytes",
        "preprocess (1)",
        (touch(f"{LIGHTS}/TOI-9999.01-0008.fits"),),
        SAME,
    ),
    Cause(
        "a frame is moved to another folder below raw/",
        "preprocess (0), registration (0), template, photometry (0), zeropoint, calibration, forced (0), "
        "plotting, packaging",
        (move(f"{LIGHTS}/TOI-9999.01-0008.fits", "raw/later/TOI-9999.01-0008.fits"),),
    ),
    Cause(
        "a frame is deleted",
        f"preprocess (0), registration (0), template, {KEPT}, index",
        (delete(f"{LIGHTS}/TOI-9999.01-0008.fits"),),
    ),
    Cause(
        "a file that is no frame is added; a copy of a frame is added",
        "index",
        (copy("notes.txt", "raw/notes.txt"), copy("ip/0008.fits", "raw/copies/TOI-9999.01-0008.fits")),
    ),
    Cause(
        "a frame without stars is added",
        f"preprocess (1), registration (1), template, {KEPT}, index",
        (copy("dark/0009.fits", f"{LIGHTS}/TOI-9999.01-0009.fits"),),
    ),
    Cause(
        "a frame of another, denser field is added (it is left out)",
        ONE,
        (copy("stray/0009.fits", f"{LIGHTS}/TOI-9999.01-0009.fits"),),
    ),
    Cause(
        "a new night (of 8 frames)",
        new(8),
        (folder("night", "raw/night"),),
    ),
    Cause(
        "a new filter in a known night",
        new(8),
        (folder("gp", "raw/gp"),),
    ),
    Cause(
        "a new target",
        new(8),
        (folder("target", "raw/target", SECOND_TARGET),),
    ),
    # Calibration frames.
    Cause("a dark is added", ALL, (copy("dark-006.fits", "raw/dark/dark-006.fits"),)),
    Cause(
        "a flat is replaced by another under its name",
        ALL,
        (copy("flat-006.fits", "raw/flat/flat-001.fits"),),
    ),
    Cause("a bias is deleted", ALL, (delete("raw/bias/bias-001.fits"),)),
    Cause(
        "a dark gets a new time stamp, not new bytes",
        "preprocess (0)",
        (touch("raw/dark/dark-001.fits"),),
        SAME,
    ),
    # Settings.
    Cause("[preprocess]", "preprocess (0), report", (put("preprocess", "temperature_tolerance = 1.5"),)),
    Cause("[preprocess] median3", ALL, (put("preprocess", "median3 = true"),)),
    Cause(
        "[registration]",
        f"registration (12), template, {REST}",
        (put("registration", "threshold = 6.0"),),
    ),
    Cause(
        "[template], and the same frame with the same stars is chosen",
        f"template, {KEPT}",
        (put("template", "weight_sky = 0.9"),),
    ),
    Cause(
        "[template] frame: another one",
        f"template, {REST}, index",
        (put("template", 'frame = "TOI-9999.01-0003.fits"'),),
    ),
    Cause(
        "[photometry]",
        f"{REST}, index",
        (put("photometry", "radii_fwhm = [1.0, 1.5]"),),
    ),
    Cause("[magnitudes]", "zeropoint, report", (put("magnitudes", "min_stars = 6"),)),
    Cause("[magnitudes] exclude", "zeropoint, report", (put("magnitudes", 'exclude = ["5"]'),)),
    Cause("[export]", "nothing", (put("export", 'aavso_name = "XYZ"'),), SAME),
    Cause(
        "[plate_solution], and the same one is found",
        f"template, {KEPT}",
        (put("plate_solution", "scale_range = 0.1"),),
    ),
    Cause(
        "a catalogue of the field is added, which agrees with the plate solution",
        f"template, photometry (0), zeropoint, calibration, forced (11), neb, {ENDS}, index",
        (copy("gaia_dr3.ecsv", "archive/TOI-9999.01/catalogs/gaia_dr3.ecsv"),),
    ),
    Cause("[forced]", "forced (11), neb, report", (put("forced", "radii_fwhm = [1.0]"),)),
    Cause("[neb]", "neb, report", (put("neb", "cadence = 300"),)),
    Cause("[calibration] comparison", LATE, (put("calibration", "comparison = [1, 2, 3, 4]"),)),
    Cause(
        "[[observation]] with [observation.calibration] comparison",
        LATE,
        (
            append(
                '\n[[observation]]\nname = "TOI-9999.01"\n[observation.calibration]\ncomparison = [1, 2, 3]\n'
            ),
        ),
    ),
    Cause("[calibration] intervals", LATE, (put("calibration", "intervals = [[2460739.3, 2460739.43]]"),)),
    Cause("[calibration] exclude_frames", LATE, (put("calibration", 'exclude_frames = ["*-0011.fits"]'),)),
    Cause(
        "[calibration] exclude_times",
        LATE,
        (put("calibration", 'exclude_times = [["2025-03-04T22:40:00", "2025-03-04T22:50:00"]]'),),
    ),
    Cause("[calibration] max_fwhm", LATE, (put("calibration", "max_fwhm = 4.1"),)),
    Cause("[calibration] detrend", LATE, (put("calibration", 'detrend = ["airmass"]'),)),
    Cause("[plotting]", ENDS, (put("plotting", 'title = "A title"'),)),
    Cause("[packaging] n_comparison", f"calibration, neb, {ENDS}", (put("packaging", "n_comparison = 4"),)),
    Cause("a file of stars (`.radec`) is put into aij/: other comparison stars", LATE, (give_radec,)),
    Cause(
        "apertures (`.apertures`) are put into aij/: another radius",
        f"{REST}, index",
        (give_apertures,),
    ),
    Cause(
        "a file in aij/ gets a new time stamp, not new bytes",
        "nothing",
        (touch("aij/TOI-9999.01/edited.radec"),),
        SAME,
        before=give_radec,
    ),
    Cause(
        "a file is removed from aij/",
        LATE,
        (delete("aij/TOI-9999.01/edited.radec"),),
        before=give_radec,
    ),
    Cause(
        "the layout of the notes is changed",
        "packaging, report",
        (lambda workspace, shelf: (workspace / "notes.txt.j2").write_text("TIC 999999999 {{ subject }}\n"),),
    ),
    Cause("[packaging] radii", "packaging, report", (put("packaging", "radii = [3.0]"),)),
    Cause("[packaging] observers", "packaging, report", (put("packaging", 'observers = "B. Observer"'),)),
    Cause("observer", "packaging, report", (setting("A. Observer", "C. Observer"),)),
    Cause("[upload]", "report", (put("upload", 'username = "someone"'),)),
    Cause("[compute]", "nothing", (setting('executor = "serial"', "workers = 1"),), SAME),
    Cause(
        "[ensemble] policy, and nothing better is there",
        "preprocess (0), template, report",
        (put("ensemble", 'policy = "best"'),),
    ),
    Cause("[instrument] gain", ALL, (setting("# gain = 1.5", "gain = 1.6"),)),
    Cause(
        "[instrument] telescope_diameter",
        f"preprocess (0), registration (0), template, {KEPT}, index",
        (setting("telescope_diameter = 0.4", "telescope_diameter = 0.5"),),
    ),
    Cause(
        "[target.ephemeris]",
        f"preprocess (0), template, {LATE}",
        (setting("t0 = 2460697.307011", "t0 = 2460697.308"),),
    ),
    # Versions of the method.
    Cause(
        "a new version of preprocess",
        "preprocess (12), registration (0), template, photometry (0), zeropoint, calibration, forced (0), "
        "plotting, packaging",
        (leave,),
        raised=("preprocess",),
    ),
    Cause(
        "a new version of the masters with the same pixels",
        "preprocess (0), registration (0), template, photometry (0), calibration, forced (0), report",
        (leave,),
        raised=("masters",),
    ),
    Cause(
        "a new version of registration",
        f"registration (12), template, {REST}",
        (leave,),
        raised=("registration",),
    ),
    Cause(
        "a new version of template that makes the same choice",
        "template, photometry (0), zeropoint, calibration, forced (0), neb, plotting, packaging",
        (leave,),
        raised=("template",),
    ),
    Cause(
        "a new version of photometry",
        f"photometry (11), zeropoint, calibration, neb, {ENDS}",
        (leave,),
        raised=("photometry",),
    ),
    Cause(
        "a new version of zeropoint that finds the same", "zeropoint", (leave,), SAME, raised=("zero_point",)
    ),
    Cause(
        "a new version of calibration that finds the same",
        "calibration",
        (leave,),
        SAME,
        raised=("calibration",),
    ),
    Cause("a new version of forced", "forced (11), neb", (leave,), raised=("forced",)),
    Cause("a new version of neb that finds the same", "neb", (leave,), SAME, raised=("neb",)),
    Cause("a new version of plotting that draws the same", "plotting", (leave,), SAME, raised=("plotting",)),
    Cause(
        "a new version of packaging that packs the same", "packaging", (leave,), SAME, raised=("packaging",)
    ),
    # Choices.
    Cause(
        "a better frame is added, policy keep",
        ONE,
        (copy("ip/0004.fits", f"{LIGHTS}/TOI-9999.01-0004.fits"),),
        OTHER,
        names="TOI-9999.01-0004.fits would now score",
    ),
    Cause(
        "a better frame is added, policy best",
        f"preprocess (1), registration (1), template, {rest(12)}, index",
        (copy("ip/0004.fits", f"{LIGHTS}/TOI-9999.01-0004.fits"),),
        before=put("ensemble", 'policy = "best"'),
    ),
    Cause(
        "the frame that is the template is deleted",
        f"preprocess (0), registration (0), template, {rest(10)}, index",
        (lambda workspace, shelf: (workspace / LIGHTS / template_of(workspace)).unlink(),),
    ),
    # Dumps that are deleted, cut short, edited by hand.
    Cause("`frames.ecsv` is damaged\\*", "preprocess (12)", damage(f"{NIGHT}/frames.ecsv"), SAME),
    Cause("`masters.ecsv` is damaged\\*", "preprocess (0)", damage(f"{NIGHT}/masters.ecsv"), SAME),
    Cause("a master is damaged\\*", "preprocess (0)", damage(f"{NIGHT}/masters/dark.fits"), SAME),
    Cause("`image_info.ecsv` is damaged\\*", "registration (0)", damage(f"{NIGHT}/image_info.ecsv"), SAME),
    Cause("`stars.fits` is damaged\\*", "registration (12)", damage(f"{NIGHT}/stars.fits"), SAME),
    Cause("`template.ecsv` is damaged\\*", "template", damage(f"{NIGHT}/template.ecsv"), SAME),
    Cause("`template_stars.ecsv` is damaged\\*", "template", damage(f"{NIGHT}/template_stars.ecsv"), SAME),
    Cause("`plate_solution.ecsv` is damaged\\*", "template", damage(f"{NIGHT}/plate_solution.ecsv"), SAME),
    Cause("`template.fits` is damaged\\*", "template", damage(f"{NIGHT}/template.fits"), SAME),
    Cause("`photometry.fits` is damaged\\*", "photometry (11)", damage(f"{NIGHT}/photometry.fits"), SAME),
    Cause("`photometry.ecsv` is damaged\\*", "photometry (0)", damage(f"{NIGHT}/photometry.ecsv"), SAME),
    Cause("`growth.ecsv` is damaged\\*", "photometry (0)", damage(f"{NIGHT}/growth.ecsv"), SAME),
    Cause("`zeropoints.ecsv` is damaged\\*", "zeropoint", damage(f"{NIGHT}/zeropoints.ecsv"), SAME),
    Cause("`magnitudes.ecsv` is damaged\\*", "zeropoint", damage(f"{NIGHT}/magnitudes.ecsv"), SAME),
    Cause("`magnitudes.fits` is damaged\\*", "zeropoint", damage(f"{NIGHT}/magnitudes.fits"), SAME),
    Cause("`frame_wcs.ecsv` is damaged\\*", "photometry (0)", damage(f"{NIGHT}/frame_wcs.ecsv"), SAME),
    Cause("`forced.fits` is damaged\\*", "forced (11)", damage(f"{NIGHT}/forced.fits"), SAME),
    Cause("`forced.ecsv` is damaged\\*", "forced (0)", damage(f"{NIGHT}/forced.ecsv"), SAME),
    Cause(
        "`forced_positions.ecsv` is damaged\\*", "forced (0)", damage(f"{NIGHT}/forced_positions.ecsv"), SAME
    ),
    Cause("`limits.ecsv` is damaged\\*", "forced (0)", damage(f"{NIGHT}/limits.ecsv"), SAME),
    Cause("`neighbours.ecsv` is damaged\\*", "neb", damage(f"{NIGHT}/neighbours.ecsv"), SAME),
    Cause("`lightcurve.ecsv` is damaged\\*", "calibration", damage(f"{NIGHT}/lightcurve.ecsv"), SAME),
    Cause("`comparison.ecsv` is damaged\\*", "calibration", damage(f"{NIGHT}/comparison.ecsv"), SAME),
    Cause("`apertures.ecsv` is damaged\\*", "calibration", damage(f"{NIGHT}/apertures.ecsv"), SAME),
    Cause("`results.json` is damaged\\*", "calibration", damage(f"{NIGHT}/results.json"), SAME),
    # Products.
    Cause("a figure is damaged\\*", "plotting", damage(f"{VISIT}/plots/ip/field.png"), SAME),
    Cause(
        "a file of the package is damaged\\*",
        "packaging",
        damage(f"{VISIT}/package/TIC999999999-01_20250304_Demo-0m4_ip_measurements.tbl"),
        SAME,
    ),
    Cause("`manifest.json` is damaged\\*", "packaging", damage(f"{VISIT}/manifest.json"), SAME),
    Cause(
        "`report.html` or `history.json` is damaged\\*",
        "report",
        (*damage(f"{VISIT}/report.html"), delete(f"{VISIT}/history.json"), cut(f"{VISIT}/history.json")),
        SAME,
    ),
    Cause("`index.html` is damaged\\*", "index", damage("products/index.html"), SAME),
    Cause("something was sent to ExoFOP", "report", (send,), OTHER),
    # The folder.
    Cause(
        "`doit.sqlite` is deleted",
        f"preprocess (0), registration (0), template, {KEPT}, index",
        (delete("work/doit.sqlite"),),
        SAME,
    ),
    Cause(
        "`inventory.ecsv` or `digests.jsonl` is deleted",
        "nothing",
        (delete("work/inventory.ecsv"), delete("work/digests.jsonl")),
        SAME,
    ),
)


def template_of(workspace: Path) -> str:
    """Return the name of the frame that is the template."""
    from accretor.io import dump

    return str(dump.read_meta(workspace / NIGHT / "template_stars.ecsv")["frame"])


if __name__ == "__main__":
    print(markdown())
