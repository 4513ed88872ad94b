"""Clips from elsewhere: checked, and put into the store beside their first pictures."""

import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from zoetrope.errors import UserError
from zoetrope.media.errors import MediaError
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_file
from zoetrope.media.kinds import CLIP_SUFFIXES, MediaKind
from zoetrope.media.video import ClipLimits, bare_clip
from zoetrope.studio.library.likeness import look_of
from zoetrope.studio.making.store import keep_clip, path_of, workbench
from zoetrope.wheel.intake import MOST_BYTES, MOST_FILES
from zoetrope.wheel.words import read_caption

# File systems take 255 bytes.
_LONGEST_NAME = 200
_SHOWN = 40


@dataclass(frozen=True)
class Stored:
    """What lies in the store, as it was called and described."""

    name: str
    caption: str
    sha256: str
    look: bytes | None
    # What is to be known of one that is new.
    about: dict[str, Any] = field(default_factory=dict)


def parted(
    files: "Sequence[UploadedFile[bytes]]",
) -> "tuple[list[UploadedFile[bytes]], list[UploadedFile[bytes]]]":
    """Clips with their captions, and everything else."""
    stems = {_path(file).stem for file in files if moves(file)}
    clips = [file for file in files if moves(file) or (_says(file) and _path(file).stem in stems)]
    return clips, [file for file in files if file not in clips]


def _path(file: "UploadedFile[bytes]") -> PurePath:
    return PurePath(PurePath(str(file.name).replace("\\", "/")).name)


def _says(file: "UploadedFile[bytes]") -> bool:
    return _path(file).suffix.lower() == ".txt"


def moves(file: "UploadedFile[bytes]") -> bool:
    """Whether it is called as clips are."""
    return _path(file).suffix.lower() in CLIP_SUFFIXES


def ready_clips(files: "Sequence[UploadedFile[bytes]]") -> list[Stored]:
    """Clips with their captions: each checked and written without what it said of itself, beside its first picture."""
    if not files:
        return []
    _bounded(files)
    with workbench(f"clips-{secrets.token_hex(8)}") as bench:
        sent = [(_written(bench / str(place), file), moves(file)) for place, file in enumerate(files)]
        words = {path.stem: read_caption(path) for path, moving in sent if not moving}
        return [_ready_clip(path, words.get(path.stem) or "") for path, moving in sent if moving]


def _bounded(files: "Sequence[UploadedFile[bytes]]") -> None:
    """Asked before anything is copied: the disk that fills up is the one with the database."""
    most = ClipLimits().max_bytes
    large = next((file for file in files if (file.size or 0) > most), None)
    if large is not None:
        said = f"{_path(large).name[:_SHOWN]} has {large.size or 0:,} bytes; at most {most:,} are taken."
        raise UserError(f"{said} Nothing was added.")
    if len(files) > MOST_FILES or sum(file.size or 0 for file in files) > MOST_BYTES:
        said = f"That is too much at once: {MOST_FILES} files and {MOST_BYTES >> 30} GB are taken."
        raise UserError(f"{said} Nothing was added.")


def _written(folder: Path, file: "UploadedFile[bytes]") -> Path:
    """In a folder of its own, as two may be called the same."""
    path = folder / _path(file)
    if len(path.name.encode()) > _LONGEST_NAME:
        raise UserError(
            f"The name {path.name[:_SHOWN]}… is too long: {_LONGEST_NAME} bytes are taken. Nothing was added."
        )
    folder.mkdir()
    with path.open("xb") as to:
        for chunk in file.chunks():
            to.write(chunk)
    return path


def _ready_clip(path: Path, caption: str) -> Stored:
    bare = path.parent / "bare"
    try:
        clip = bare_clip(path, bare)
    except MediaError as error:
        raise UserError(f"{error} Nothing was added.") from error
    sha256 = hash_file(bare)
    buffer = io.BytesIO()
    clip.first.convert("RGB").save(buffer, "PNG", compress_level=6)
    write_atomic(path_of(sha256), buffer.getvalue())
    keep_clip(bare, sha256)
    about = {"media": MediaKind.clip, "width": clip.width, "height": clip.height}
    return Stored(path.stem, caption, sha256, look_of(sha256), about | {"seconds": clip.seconds, "frames": clip.frames})
