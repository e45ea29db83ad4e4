"""Keeping an executor busy without handing it everything at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

Numbered = Sequence[tuple[int, Any]]
"""Items with the index by which their results are known."""


def spread(
    submit: Callable[[Any], Future[Any]],
    items: Numbered,
    width: Callable[[], int],
    *,
    look: Callable[[], None] | None = None,
) -> Iterator[tuple[int, Future[Any]]]:
    """Yield ``(index, future)`` as items are finished, in any order.

    Parameters
    ----------
    submit
        Starts the work on one item.
    width
        Returns how many items may be handed over and not finished. It bounds the
        memory, and what is lost by a kill.
    look
        Called every few seconds while nothing is finished; it may raise.
    """
    waiting = iter(items)
    running: dict[Future[Any], int] = {}
    try:
        while True:
            while len(running) < width():
                following = next(waiting, None)
                if following is None:
                    break
                running[submit(following[1])] = following[0]
            if not running:
                return
            finished, _ = wait(running, timeout=2.0 if look else None, return_when=FIRST_COMPLETED)
            if look and not finished:
                look()
            for future in finished:
                yield running.pop(future), future
    finally:
        for future in running:
            future.cancel()
