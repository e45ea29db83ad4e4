"""The command ``accretor``: doit with this project's graph, from any folder."""

from __future__ import annotations

import ast
import contextlib
import re
import sys
from pathlib import Path

from accretor import __version__
from accretor.io.listing import Listing


def main() -> int:
    """Run doit on the graph that is installed with the package, or else that of the checkout."""
    from doit.doit_cmd import DoitMain

    installed = Path(__file__).parent / "_console"
    home = installed if installed.is_dir() else Path(__file__).parents[1]
    dodo = home / "dodo.py"
    DoitMain.BIN_NAME = "accretor"
    # A stranger's pyproject.toml in the current folder must not configure this program.
    program = DoitMain(config_filenames=())
    with contextlib.redirect_stdout(Listing(sys.stdout)):
        if sys.argv[1:] in (["--version"], ["-V"]):
            return _tell(f"accretor {__version__}\n")
        if sys.argv[1:] in (["help"], ["--help"], ["-h"]):
            commands = ", ".join(sorted(program.get_cmds()))
            return _tell(f"{_summary(dodo)}\nOf doit (`accretor help NAME`): {commands}\n")
        status = program.run(["-f", str(dodo), *sys.argv[1:]])
    return int(status or 0)  # clean, forget and the like return None


def _tell(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _summary(dodo: Path) -> str:
    """Return what the file of the graph says of itself, with the name of this command."""
    text = ast.get_docstring(ast.parse(dodo.read_text(encoding="utf-8"))) or ""
    lines = [re.fullmatch(r"doit(.*?)(?:  +(.*))", line) or line for line in text.splitlines()]
    return "".join(
        f"{line}\n" if isinstance(line, str) else f"{'accretor' + line[1]:<34}  {line[2]}\n" for line in lines
    )


if __name__ == "__main__":
    sys.exit(main())
