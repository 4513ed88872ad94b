"""What was dropped on the page becomes sources, checked like everything that comes into a workspace."""

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from django.core.files.uploadedfile import UploadedFile

from zoetrope.errors import UserError
from zoetrope.media.kinds import PICTURE_SUFFIXES
from zoetrope.wheel.intake import MOST_BYTES, MOST_FILES, Found, Intake, read_pictures, take_in
from zoetrope.wheel.workspace import Workspace

# File systems take 255 bytes.
_LONGEST_NAME = 200
TAKEN = (*PICTURE_SUFFIXES, ".txt", ".zip")


def take(workspace: Workspace, files: "Sequence[UploadedFile[bytes]]") -> Intake:
    """Pictures, captions with the same stem, ZIP archives: all of them or none."""
    return take_in(workspace, received(files))


def received(files: "Sequence[UploadedFile[bytes]]") -> list[Found]:
    """What was sent, each picture checked."""
    if not files:
        raise UserError("Nothing was sent: choose pictures, or drop them on the page.")
    if len(files) > MOST_FILES or sum(file.size or 0 for file in files) > MOST_BYTES:
        raise UserError(
            f"That is too much at once: {MOST_FILES} files and {MOST_BYTES >> 30} GB are taken. Nothing was."
        )
    with tempfile.TemporaryDirectory() as temporary:
        _write(Path(temporary), files)
        return _found(Path(temporary))


def _write(folder: Path, files: "Sequence[UploadedFile[bytes]]") -> None:
    """The second file of one name goes into a second folder, and so does the caption that was sent with it."""
    sent: Counter[str] = Counter()
    for file in files:
        name = _name(file)
        # On a Mac and on Windows, Ada.png and ada.png are one file.
        path = folder / f"{sent[name.casefold()]:04}" / name
        sent[name.casefold()] += 1
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as to:
            for chunk in file.chunks():
                to.write(chunk)


def _name(file: "UploadedFile[bytes]") -> str:
    """Only the last part of a sent name counts, so that it cannot choose its folder."""
    path = PurePosixPath(str(file.name).replace("\\", "/"))
    if path.suffix.lower() not in TAKEN:
        raise UserError(f"{path.name} is no picture: PNG, JPEG and WebP are taken, captions as .txt, and ZIP archives.")
    if len(path.name.encode()) > _LONGEST_NAME:
        raise UserError(f"The name {path.name[:40]}… is too long: {_LONGEST_NAME} bytes are taken. Nothing was added.")
    return path.stem + path.suffix.lower()


def _found(folder: Path) -> list[Found]:
    for text in sorted(folder.rglob("*.txt")):
        if not any(text.with_suffix(suffix).is_file() for suffix in PICTURE_SUFFIXES):
            raise UserError(
                f"{text.name} is a caption without its picture: send both together, or write the words among the "
                "captions of a picture that is there already. Nothing was added."
            )
    try:
        found = [picture for path in (folder, *sorted(folder.rglob("*.zip"))) for picture in read_pictures(path)]
    except UserError as error:
        # Where it lay on its way in is nobody's business.
        told = re.sub(rf"{re.escape(str(folder))}[\\/](\d{{4}}[\\/])?", "", str(error))
        raise UserError(told) from error
    if not found:
        raise UserError("There is no picture in what was sent: PNG, JPEG and WebP are taken. Nothing was added.")
    return found
