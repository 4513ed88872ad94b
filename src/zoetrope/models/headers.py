"""The header of a safetensors file: names and shapes, read without touching a weight."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from zoetrope.errors import UserError

# The format's own library draws the line at 100 MB; no model or LoRA in use comes near a third of it.
HEADER_LIMIT = 32 * 2**20
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32}
_BITS |= {"F64": 64, "I64": 64, "U64": 64, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4}


@dataclass(frozen=True)
class Header:
    """What a safetensors file says about itself."""

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]

    @property
    def parameters(self) -> int:
        return sum(math.prod(shape) for shape in self.shapes.values())


def read_header(path: Path) -> Header:
    """The names and shapes in a safetensors file; anything else, whatever its ending, is refused."""
    try:
        raw, data_bytes = _read(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        said = json.loads(raw)
        return _header(said, data_bytes)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is not a safetensors file, and no other format is opened.") from error


def _read(path: Path) -> tuple[bytes, int]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(HEADER_LIMIT, size - 8):
            return b"", 0
        return file.read(length), size - 8 - length


def _header(said: Any, data_bytes: int) -> Header:
    metadata = said.pop("__metadata__", {})
    if not all(isinstance(part, str) for pair in metadata.items() for part in pair):
        raise ValueError("metadata is text")
    shapes = {name: _shape(entry, data_bytes) for name, entry in said.items()}
    return Header(MappingProxyType(shapes), MappingProxyType(metadata))


def _shape(entry: Any, data_bytes: int) -> tuple[int, ...]:
    shape = tuple(_whole(side) for side in entry["shape"])
    start, end = map(_whole, entry["data_offsets"])
    if min(shape, default=0) < 0 or not 0 <= start <= end <= data_bytes:
        raise ValueError("a tensor lies outside the file")
    if (end - start) * 8 != math.prod(shape) * _BITS[entry["dtype"]]:
        raise ValueError("a tensor's size is not its shape's")
    return shape


def _whole(number: Any) -> int:
    """JSON knows sides of 1.5 and of 1e400 too."""
    if type(number) is not int:
        raise ValueError("a size is a whole number")
    return number
