"""What every engine offers: a recipe in, made pictures out, step by step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe

if TYPE_CHECKING:
    from PIL.Image import Image


class Cancelled(Exception):
    """The caller asked to stop; what was made before is whole."""


class EngineLost(UserError):
    """The engine ended or fell silent before it answered: the same request may succeed when asked again."""


class EngineFault(UserError):
    """The engine failed in a way that nobody foresaw; its log holds the traceback."""


@dataclass(frozen=True)
class Made:
    """A picture and the recipe that makes it again."""

    image: "Image"
    recipe: Recipe


@dataclass(frozen=True)
class Step:
    """How far a recipe's batch has come."""

    done: int
    total: int


Progress = Callable[[Step], None]
Cancel = Callable[[], bool]


class Engine(Protocol):
    """A place where pictures are made."""

    def make(self, recipe: Recipe, progress: Progress | None = None, cancel: Cancel | None = None) -> list[Made]:
        """Every picture of the recipe's batch, in order; raises Cancelled within one step of being asked to."""
        ...
