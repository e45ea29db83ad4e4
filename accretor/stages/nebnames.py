"""What the files of the check for eclipsing binaries nearby are called."""

from __future__ import annotations

TABLE, PLOTS, SCATTER = "NEB-table.txt", "NEBcheck.zip", "dmagRMS-plot.png"
"""In the folder of the figures; in the package their names begin with ``measurements_``."""
FILES = (TABLE, PLOTS, SCATTER)
