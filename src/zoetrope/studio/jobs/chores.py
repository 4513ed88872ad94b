"""What apps want looked at now and then, in each worker between its beats."""

import time
from collections.abc import Callable, Iterator

Chore = Callable[[], None]

_chores: list[tuple[float, Chore]] = []


def every(seconds: float, chore: Chore) -> None:
    """Have something looked at every so many seconds; call it from an app's `ready()`.

    A look is quick, and may happen in several workers at once: what takes longer it hands in as a job.
    """
    if (seconds, chore) not in _chores:
        _chores.append((seconds, chore))


class Clock:
    """When a worker did each chore last."""

    def __init__(self) -> None:
        self._next: dict[Chore, float] = {}

    def due(self) -> Iterator[Chore]:
        """The chores whose time has come."""
        now = time.monotonic()
        for seconds, chore in _chores:
            if now >= self._next.get(chore, 0.0):
                self._next[chore] = now + seconds
                yield chore
