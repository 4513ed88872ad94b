"""Copies that no event names: noted before they are made, put aside when a crash left them. None is ever deleted."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from zoetrope.media.files import write_json_atomic
from zoetrope.media.hashing import hash_file
from zoetrope.wheel.events import PICTURES, SOURCES, Added
from zoetrope.wheel.workspace import Workspace

STRAYS = "strays"
_NOTE = ".adding.json"
_BESIDE = (".txt", ".json")


@contextmanager
def noted(folder: Path, copies: Mapping[str, str]) -> Iterator[None]:
    """Say which file will hold which bytes while they are copied: after a kill the note proves where they came from."""
    write_json_atomic(folder / _NOTE, dict(copies))
    yield
    forget(folder)


def forget(folder: Path) -> None:
    """Nothing is being copied any more."""
    (folder / _NOTE).unlink(missing_ok=True)


def find_strays(workspace: Workspace) -> list[Path]:
    """Pictures among the sources and the made ones that no event, not even one taken back, names."""
    named = {event.file for event in workspace.log.read() if isinstance(event, Added)}
    folders = (workspace.folder / SOURCES, workspace.folder / PICTURES)
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    pictures = [path for path in files if path.suffix not in _BESIDE and not path.name.startswith(".")]
    return [path for path in pictures if path.relative_to(workspace.folder).as_posix() not in named]


def put_aside(workspace: Workspace) -> list[tuple[Path, Path]]:
    """Move what an interrupted command left to `strays/`; from where to where. Call it with the lock held.

    A file that a person put there is no such thing and stays: only what the note names, or what is called by the hash
    of its own bytes, was certainly put there by Zoetrope.
    """
    copies = _read_note(workspace.folder)
    ours = [path for path in find_strays(workspace) if _certain(path, workspace.folder, copies)]
    moved = [(path, _move(path, workspace.folder / STRAYS)) for path in ours]
    forget(workspace.folder)
    return moved


def _read_note(folder: Path) -> dict[str, str]:
    try:
        said = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _certain(path: Path, folder: Path, copies: Mapping[str, str]) -> bool:
    relative = path.relative_to(folder)
    expected = path.stem if relative.parts[0] == PICTURES else copies.get(relative.as_posix())
    return hash_file(path) == expected


def _move(path: Path, folder: Path) -> Path:
    """A picture and what is written beside it; nothing that lies there already is replaced."""
    folder.mkdir(exist_ok=True)
    stem, number = path.stem, 1
    while any(folder.glob(f"{stem}.*")):
        number += 1
        stem = f"{path.stem}-{number}"
    # The picture last: were this killed too, the next one would find it again.
    for each in (*(path.with_suffix(suffix) for suffix in _BESIDE), path):
        if each.is_file():
            os.replace(each, folder / f"{stem}{each.suffix}")
    return folder / f"{stem}{path.suffix}"
