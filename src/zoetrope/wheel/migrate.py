"""Numbered migrations of a workspace's files: each counts once, and may run again after a crash."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.errors import UserError
from zoetrope.media.files import write_json_atomic

if TYPE_CHECKING:
    from zoetrope.wheel.workspace import Workspace

RECORD = "migrations.json"
"""Apart from the events: a migration may concern the events themselves, so what was applied is read without them."""


@dataclass(frozen=True)
class Migrated:
    """What was done now, and what had been done before."""

    applied: tuple[str, ...]
    known: tuple[str, ...]


def manifests_say_repeats(folder: Path) -> None:
    """A manifest says how often an epoch showed each picture; before it did, each was shown once."""
    _complete_manifests(folder, "repeats", 1)


def _complete_manifests(folder: Path, field: str, value: Any) -> None:
    """Say of each picture what was true of it before manifests said it."""
    for path in sorted(folder.glob("rounds/*/manifest.json")):
        manifest = _read(path)
        pictures = manifest.get("pictures", [])
        if not isinstance(pictures, list) or not all(isinstance(picture, dict) for picture in pictures):
            raise _strange(path)
        bare = [picture for picture in pictures if field not in picture]
        for picture in bare:
            picture[field] = value
        if bare:
            write_json_atomic(path, manifest)


MIGRATIONS: dict[str, Callable[[Path], None]] = {
    "0001_manifests_say_repeats": manifests_say_repeats,
}
"""In order; each leaves alone what is already in its new form, and writes every file whole."""


def migrate(workspace: "Workspace") -> Migrated:
    """Bring an older workspace's files to the form that is written today, one migration after the other."""
    with workspace.locked(), workspace.training():
        known = check_known(workspace.folder)
        fresh = [name for name in MIGRATIONS if name not in known]
        for number, name in enumerate(fresh, start=1):
            MIGRATIONS[name](workspace.folder)
            _write(workspace.folder, [*known, *fresh[:number]])
    return Migrated(tuple(fresh), tuple(known))


def mark_new(folder: Path) -> None:
    """A workspace that begins now has nothing to be migrated."""
    _write(folder, list(MIGRATIONS))


def check_known(folder: Path) -> list[str]:
    """What was applied to a workspace; one that a newer program migrated is refused."""
    path = folder / RECORD
    said = _read(path).get("applied", []) if path.is_file() else []
    if not isinstance(said, list):
        raise _strange(path)
    known = [str(name) for name in said]
    newer = [name for name in known if name not in MIGRATIONS]
    if newer:
        raise UserError(f"{folder} was written by a newer Zoetrope ({newer[0]}); update Zoetrope to open it.")
    return known


def check_current(folder: Path) -> None:
    """Refuse a workspace whose files are not in the form that is read and written today."""
    if len(check_known(folder)) < len(MIGRATIONS):
        raise UserError(
            f"{folder} was written by an older Zoetrope and nothing was changed: "
            f"bring it up to date with `zoetrope persona migrate {folder.name}`."
        )


def _write(folder: Path, applied: list[str]) -> None:
    write_json_atomic(folder / RECORD, {"schema_version": 1, "applied": applied})


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} could not be read; it was kept as it is, repair or restore it.") from error
    if not isinstance(said, dict):
        raise _strange(path)
    return said


def _strange(path: Path) -> UserError:
    return UserError(f"{path} is not what Zoetrope wrote; it was kept as it is, repair or restore it.")
