"""What dodo.py imports before anything slow is loaded: from here on a signal ends the run in one line."""

from __future__ import annotations

from tasks import _signals

_signals.attend()
