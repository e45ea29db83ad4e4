"""``python -m accretor`` is the command ``accretor``."""

from __future__ import annotations

import sys

from accretor.cli import main

sys.exit(main())
