"""The command ``accretor``: doit with this project's graph, from any folder."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run doit on the graph that is installed with the package, or else that of the checkout."""
    from doit.doit_cmd import DoitMain

    installed = Path(__file__).parent / "_console"
    home = installed if installed.is_dir() else Path(__file__).parents[1]
    DoitMain.BIN_NAME = "accretor"
    # A stranger's pyproject.toml in the current folder must not configure this program.
    status = DoitMain(config_filenames=()).run(["-f", str(home / "dodo.py"), *sys.argv[1:]])
    return int(status or 0)  # clean, forget and the like return None


if __name__ == "__main__":
    sys.exit(main())
