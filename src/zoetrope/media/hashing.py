"""Content hashes: what a file holds, whatever it is called and wherever it lies."""

import functools
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from zoetrope.media.errors import MediaError


def hash_bytes(data: bytes) -> str:
    """The sha256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def hash_file(path: Path) -> str:
    """The sha256 of a file, in hex, read in small pieces."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MediaError(f"{path} could not be read ({error.strerror}).") from error


def hash_folder(path: Path, patterns: Sequence[str] = ("**/*",)) -> str:
    """One sha256 for the files of a folder that match: their relative names and what they hold."""
    entries = sorted((name, _remembered_hash(file)) for name, file in _matching(path, patterns))
    if not entries:
        raise MediaError(f"{path} holds no file matching {', '.join(patterns)}, so it cannot be identified.")
    # JSON keeps a name with spaces or line breaks from passing for another list of names.
    return hash_bytes(json.dumps(entries, ensure_ascii=True).encode("ascii"))


def _matching(folder: Path, patterns: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The files that match any pattern, once each, with names spelled the same on every system."""
    found = {file for pattern in patterns for file in folder.glob(pattern) if os.path.isfile(file)}
    for file in found:
        relative = file.relative_to(folder)
        # Downloaders keep time stamps in dot folders; with those two copies of one model would differ.
        if not any(part.startswith(".") for part in relative.parts):
            yield relative.as_posix(), file


def _remembered_hash(path: Path) -> str:
    try:
        stat = path.stat()
        return _hash_version(path.resolve(), stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise MediaError(f"{path} could not be read ({error.strerror}).") from error


@functools.lru_cache(maxsize=4096)
def _hash_version(path: Path, size: int, mtime_ns: int) -> str:
    """The hash of one version of a file; a changed size or time is another version and is read again."""
    return hash_file(path)
