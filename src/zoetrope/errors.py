"""The one family of errors a person may see."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(Exception):
    """A user's mistake or a limit reached: one clear sentence, no traceback, exit code 2."""


def first_fault(error: "ValidationError", whole: str = "This") -> str:
    """The first thing that a model of pydantic's refused, as a sentence; whole is what the fault is in otherwise."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or whole
    # A surrogate or a line break in what was typed must not reach a terminal raw.
    return f"{where} cannot be {fault['input']!a:.60}: {fault['msg'].lower()}."
