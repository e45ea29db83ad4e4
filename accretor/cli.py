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
    out, err = (Listing(stream, _spoken) for stream in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if sys.argv[1:] in (["--version"], ["-V"]):
            return _tell(f"accretor {__version__}\n")
        if sys.argv[1:] in (["help"], ["--help"], ["-h"]):
            summary = ast.get_docstring(ast.parse(dodo.read_text(encoding="utf-8")))
            commands = ", ".join(sorted(program.get_cmds()))
            return _tell(f"{summary}\n\nFurther commands (`doit help NAME`): {commands}\n")
        try:
            status = program.run(["-f", str(dodo), *sys.argv[1:]])
        except SystemExit as stop:
            raise SystemExit(_spoken(stop.code) if isinstance(stop.code, str) else stop.code) from None
    return int(status or 0)  # clean, forget and the like return None


def _tell(text: str) -> int:
    sys.stdout.write(text)
    return 0


def _spoken(text: str) -> str:
    """Return *text* with the commands in it as they are typed here: the word doit, but not in a path."""
    return re.sub(r"(?<![\w/.\\-])doit(?![\w/.\\-]*[/\\])(?![\w-])(?! \d)", "accretor", text)


if __name__ == "__main__":
    sys.exit(main())
