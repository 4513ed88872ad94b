"""A file that one process holds; the system lets go of it whatever way that process ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Held(Exception):
    """Another process holds the file; its words are what it wrote there."""


@contextmanager
def alone(path: Path, words: str = "") -> Iterator[None]:
    """Hold a file, with words in it for whoever comes second; raises Held for those, OSError where it cannot lie."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Held(file.read().strip()) from error
        file.truncate(0)
        file.write(words)
        file.flush()
        yield
