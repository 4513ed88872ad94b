"""An uploaded LoRA on its way into the library."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from django.core.files.uploadedfile import UploadedFile

from zoetrope.errors import UserError
from zoetrope.home import home
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
        told = read_sheet(_written(sheet, Path(temporary) / "sheet.json")) if sheet else {}
        try:
            row = take(space, source, {"name": _stem(lora), **told, **said}, Origin.upload)
        except UserError as error:
            # The sender knows the file by its own name, and where it lies here is nobody's business.
            raise UserError(str(error).replace(str(source), source.name).replace(source.name, _name(lora))) from error
        if card:
            take_card(row, _written(card, Path(temporary) / "card"))
    return row


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
