"""Static files by the hash of their content: browsers keep them for ever, and see an upgrade whole."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.storage import FileSystemStorage

_LENGTH = 12


class Hashed(StaticFilesStorage):
    """What `{% static %}` writes: the name with the hash in it."""

    def url(self, name: str | None) -> str:
        return super().url(hashed(name) if name else name)


class HashedFinder(finders.BaseFinder):
    """Finds under its hashed name what the other finders find under its own; nothing has to be collected."""

    def find(self, path: str, find_all: bool = False, **rest: Any) -> Any:
        plain = _plain(path)
        found = _found(plain) if plain != path and hashed(plain) == path else None
        return ([found] if found else []) if find_all or rest.get("all") else found

    def list(self, ignore_patterns: Iterable[str] | None = None) -> Iterator[tuple[str, "_Under"]]:
        for finder in _others():
            for path, storage in finder.list(ignore_patterns):
                yield hashed(path), _Under(storage.path(path))


class _Under(FileSystemStorage):
    """One file, whatever name it is asked for by."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._file = file

    def path(self, name: str) -> str:
        return self._file


@lru_cache(maxsize=1024)
def hashed(name: str) -> str:
    """`studio/site.css` → `studio/site.0123456789ab.css`; a name that nothing lies under stays as it is."""
    file = _found(name)
    if file is None:
        return name
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:_LENGTH]
    path = PurePosixPath(name.replace("\\", "/"))
    return str(path.with_name(f"{path.stem}.{digest}{path.suffix}"))


def _plain(name: str) -> str:
    path = PurePosixPath(name)
    stem, dot, digest = path.stem.rpartition(".")
    return str(path.with_name(stem + path.suffix)) if dot and len(digest) == _LENGTH else name


def _found(name: str) -> str | None:
    for finder in _others():
        if path := finder.find(name):
            return str(path)
    return None


def _others() -> Iterator[Any]:
    return (finder for finder in finders.get_finders() if not isinstance(finder, HashedFinder))
