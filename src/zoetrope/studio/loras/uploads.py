"""An uploaded LoRA on its way into the library."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from django.core.files.uploadedfile import UploadedFile

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.decode import open_picture
from zoetrope.studio.loras.library import LARGEST, read_sheet, take, take_card
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.spaces.models import Space

File: TypeAlias = "UploadedFile[bytes]"


def take_upload(space: Space, lora: "File", sheet: "File | None", card: "File | None", said: Mapping[str, Any]) -> Lora:
    """Check and keep what was sent; what was filled in goes before what the sheet says."""
    if (lora.size or 0) > LARGEST:
        raise UserError(f"This file is larger than {LARGEST >> 30} GB: no LoRA is.")
    folder = home() / "loras"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".upload-", dir=folder) as temporary:
        # Names of our own: a sent one chooses nothing but what is told of it.
        source = _written(lora, Path(temporary) / f"lora{_suffix(lora)}")
        told = _told(sheet, Path(temporary) / "sheet.json") if sheet else {}
        shown = _picture(card, Path(temporary) / "card.picture") if card else None
        with _called(lora, source):
            row = take(space, source, {"name": _stem(lora), **told, **said}, Origin.upload)
        if shown:
            take_card(row, shown)
    return row


def _told(sent: File, path: Path) -> dict[str, Any]:
    with _called(sent, path):
        return read_sheet(_written(sent, path))


def _picture(sent: File, path: Path) -> Path:
    """The card, looked at before anything is kept."""
    with _called(sent, path):
        open_picture(_written(sent, path))
    return path


@contextmanager
def _called(sent: File, path: Path) -> Iterator[None]:
    """The sender knows a file by its own name, and where it lies here is nobody's business."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace(str(path), path.name).replace(path.name, _name(sent))) from error


def _written(sent: File, path: Path) -> Path:
    with path.open("wb") as file:
        for chunk in sent.chunks():
            file.write(chunk)
    return path


def _name(sent: File) -> str:
    return Path(str(sent.name).replace("\\", "/")).name


def _stem(sent: File) -> str:
    return Path(_name(sent)).stem[:80]


def _suffix(sent: File) -> str:
    return Path(_name(sent)).suffix.lower()[:20]
