"""JSON as it comes in."""

import json
from typing import Annotated, Any

from django.http import HttpRequest
from pydantic import Field

KEPT = r"^[^\x00]*$"
"""What text has to be like that a database is to keep it."""
MOST_KEY = 2**63 - 1
Key = Annotated[int, Field(ge=1, le=MOST_KEY)]
"""The number of a row."""
DEEPEST = 100
"""So deep JSON may be: what can just be read here would not be written where there is less room left."""


def body_of(request: HttpRequest) -> Any:
    """A request's JSON; ValueError if it is none that can be kept."""
    return plain(request.body)


def plain(text: bytes) -> Any:
    """What JSON says; ValueError if it is none, or holds what cannot be kept: half characters, endless numbers."""
    try:
        said = json.loads(text)
        json.dumps(said, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _depth(said) > DEEPEST:
        raise ValueError("nested too deeply")
    return said


def _depth(said: Any) -> int:
    """How many lists and objects lie within each other."""
    depth, level = 0, [said]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth
