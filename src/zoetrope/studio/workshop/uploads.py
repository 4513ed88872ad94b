"""What was dropped on the page becomes sources, checked like everything that comes into a workspace."""

import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from django.core.files.uploadedfile import UploadedFile

from zoetrope.errors import UserError
from zoetrope.wheel.intake import MOST_BYTES, MOST_FILES, Intake, add_sources
from zoetrope.wheel.workspace import Workspace

# File systems take 255 bytes; a name may yet be numbered.
_LONGEST_NAME = 200
TAKEN = (".png", ".jpg", ".jpeg", ".webp", ".txt", ".zip")


def take(workspace: Workspace, files: "Sequence[UploadedFile[bytes]]") -> Intake:
    """Pictures, captions with the same stem, ZIP archives: all of them or none."""
    if not files:
        raise UserError("Nothing was sent: choose pictures, or drop them on the page.")
    if len(files) > MOST_FILES or sum(file.size or 0 for file in files) > MOST_BYTES:
        raise UserError(
            f"That is too much at once: {MOST_FILES} files and {MOST_BYTES >> 30} GB are taken. Nothing was."
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number, file in enumerate(files):
            _write(folder, number, file)
        archives = sorted(folder.glob("*.zip"))
        loose = [folder] if any(path.suffix.lower() != ".zip" for path in folder.iterdir()) else []
        return add_sources(workspace, [*loose, *archives])


def _write(folder: Path, number: int, file: "UploadedFile[bytes]") -> None:
    """Only the last part of a sent name counts, so that it cannot choose its folder."""
    name = PurePosixPath(str(file.name).replace("\\", "/")).name
    if Path(name).suffix.lower() not in TAKEN:
        raise UserError(f"{name} is no picture: PNG, JPEG and WebP are taken, captions as .txt, and ZIP archives.")
    if len(name.encode()) > _LONGEST_NAME:
        raise UserError(f"The name {name[:40]}… is too long: {_LONGEST_NAME} bytes are taken. Nothing was added.")
    path = folder / name
    if path.exists():
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    with path.open("wb") as to:
        for chunk in file.chunks():
            to.write(chunk)
