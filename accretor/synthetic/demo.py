"""The night of the demo: small enough to be made in seconds, with a transit, a cloud and a bad frame."""

from __future__ import annotations

from pathlib import Path

from accretor.synthetic.night import BadFrame, Cloud, Night

DEMO = Night(
    seed=9999,
    n_frame=56,
    cadence=240.0,
    exposure=180.0,
    size=(320, 240),
    cloud=Cloud(depth=0.4, hour=2.15, sigma=8.0),
    bad_frame=BadFrame(index=9, fault="trailed"),
)

WORKSPACE = """\
# A workspace: one folder with this file, and the raw frames in raw/, in any order and depth.
# The night is simulated; truth.json tells what was put into it.

observer = "A. Observer"

[[target]]
name = "TOI-9999.01"           # as ExoFOP is to know it; this one is invented
aliases = ["TOI-9999"]         # other names that the OBJECT keyword may carry
tic = 999999999
ra = "07:01:23.400"            # ICRS, hours; decimal degrees are understood too
dec = "+24:48:36.00"           # ICRS, degrees
teff = 5600                    # K; sets the limb darkening
logg = 4.45

[target.ephemeris]             # what was predicted: the transit comes two minutes later
t0 = 2460697.307011            # BJD_TDB
t0_error = 0.0015              # day
period = 3.5123456             # day
period_error = 0.00001         # day
duration = 2.2                 # hour
depth = 11.0                   # ppt
source = "invented for the demo"

[[instrument]]
name = "Demo-0m4"              # the ExoFOP telescope token
dialect = "generic"            # how the headers are to be read
telescope_diameter = 0.4       # m
# Gain, read noise, saturation level and site are in the headers and need not be typed. If they were not:
# gain = 1.5                   # electron/ADU
# read_noise = 8.0             # electron
# saturation = 60000           # ADU
# latitude = 28.3              # degree
# longitude = -16.5            # degree, EAST positive
# height = 2390                # m

[upload]
username = "a_observer"        # ExoFOP user; the password is never in a file
"""

CATALOGUE = "catalogue.csv"
"""The stars of the simulated sky, with which the demo goes the whole line: plate, zero points, neighbours."""


def make(folder: Path) -> None:
    """Make the demo workspace in *folder*: raw frames, truth, catalogue, and at last ``workspace.toml``.

    Where ``workspace.toml`` is, all of the demo is. One that is there already is
    kept, for its settings may have been changed; frames that are missing are made again.

    Raises
    ------
    OSError
        If *folder* cannot be written.
    """
    import json
    from dataclasses import asdict

    from accretor.io.atomic import write_text
    from accretor.synthetic import catalogue
    from accretor.synthetic.frames import write

    truth = write(DEMO, folder)
    write_text(folder / "truth.json", json.dumps(asdict(truth), indent=1) + "\n")
    write_text(folder / CATALOGUE, catalogue.as_csv(DEMO, truth))
    workspace = folder / "workspace.toml"
    if not workspace.exists():
        write_text(workspace, f"{WORKSPACE}\n{catalogue.settings(CATALOGUE)}")
