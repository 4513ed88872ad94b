"""Files that are either the old version or the new one, never half of it."""

import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoetrope.media.errors import MediaError


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all; its folder is made when missing.

    Files that can be made again need not be `durable`: thousands are written faster without waiting for the disk.
    """
    write_together({path: data}, durable=durable)


def write_together(files: Mapping[Path, bytes], *, durable: bool = True) -> None:
    """Write files that belong together: where one finds no room, none is changed."""
    # The temporary files lie beside their targets, as a rename is atomic only within one file system.
    temporary = {path: path.with_name(f".{secrets.token_hex(8)}.tmp") for path in files}
    path = next(iter(files))
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(temporary[path], data, durable)
        for path, written in temporary.items():
            os.replace(written, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MediaError(
            f"{path} could not be written ({reason}); what was there before is unchanged. "
            "Check the folder's permissions and free space."
        ) from error
    finally:
        # Whatever happened, Ctrl-C too, there is no litter.
        for written in temporary.values():
            _remove(written)


def _write(path: Path, data: bytes, durable: bool) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        if durable:
            # Without this a power cut may leave the new name on an empty file.
            os.fsync(file.fileno())


def _remove(path: Path) -> None:
    # Also where a part of the path is a file.
    with contextlib.suppress(OSError):
        path.unlink()


def write_text_atomic(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MediaError(f"{path} was not written: its text is not valid Unicode.") from error
    write_atomic(path, data)


def write_json_atomic(path: Path, value: Any) -> None:
    """Write a readable JSON file whole or not at all."""
    write_text_atomic(path, json_text(path, value))


def json_text(path: Path, value: Any) -> str:
    """What a readable JSON file holds; `path` is for the sentence where it cannot be said."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise MediaError(f"{path} was not written: its content cannot be said in JSON.") from error


def read_limited(path: Path, max_bytes: int) -> bytes:
    """A file's bytes, unless it holds more than `max_bytes`."""
    if not os.path.isfile(path):  # unlike Path.is_file this never raises
        # A pipe or a device would be read without end.
        raise MediaError(f"{path} is not a file.")
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise MediaError(f"{path} could not be read ({error.strerror}).") from error
    if len(data) > max_bytes:
        raise MediaError(f"{path} is larger than the {max_bytes:,} bytes allowed.")
    return data
