"""JSON as it comes in."""

import json
from typing import Any

from django.http import HttpRequest


def body_of(request: HttpRequest) -> Any:
    """A request's JSON; ValueError if it is none that can be kept."""
    return plain(request.body)


def plain(text: bytes) -> Any:
    """What JSON says; ValueError if it is none, or holds what no file keeps: half characters, endless numbers."""
    try:
        said = json.loads(text)
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return said
