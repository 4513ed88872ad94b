"""The installation's one secret, and the keys that follow from it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from zoetrope.errors import UserError

NAME = "secrets.key"
_LENGTH = 32


def read_secret(home: Path) -> bytes:
    """What `secrets.key` holds; made at the first call, readable by its owner alone."""
    path = home / NAME
    try:
        _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read or made ({error.strerror}): the studio needs it to sign logins."
        ) from error
    if len(secret) < _LENGTH:
        raise UserError(f"{path} is damaged: put it back from a copy, or remove it, and every login begins again.")
    return secret


def _make(path: Path) -> None:
    """Two processes that start at once agree on whichever came first."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = path.with_name(f".{NAME}.{os.getpid()}.tmp")
    handle = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_LENGTH))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def derived(secret: bytes, purpose: str) -> str:
    """A key for one purpose; it tells nothing about the others."""
    return hmac.new(secret, purpose.encode(), hashlib.sha256).hexdigest()
