"""Files that are either the old version or the new one, never half of it."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from zoetrope.media.errors import MediaError


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all; its folder is made when missing.

    Files that can be made again need not be `durable`: thousands are written faster without waiting for the disk.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The temporary file lies beside the target, as a rename is atomic only within one file system.
        _write_then_rename(path.with_name(f".{secrets.token_hex(8)}.tmp"), path, data, durable)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MediaError(
            f"{path} could not be written ({reason}); what was there before is unchanged. "
            "Check the folder's permissions and free space."
        ) from error


def _write_then_rename(temporary: Path, path: Path, data: bytes, durable: bool) -> None:
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            if durable:
                # Without this a power cut may leave the new name on an empty file.
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        # BaseException: Ctrl-C must not leave litter either.
        temporary.unlink(missing_ok=True)
        raise


def write_text_atomic(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MediaError(f"{path} was not written: its text is not valid Unicode.") from error
    write_atomic(path, data)


def write_json_atomic(path: Path, value: Any) -> None:
    """Write a readable JSON file whole or not at all."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise MediaError(f"{path} was not written: its content cannot be said in JSON.") from error
    write_text_atomic(path, text + "\n")


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
