"""How clearly pictures show the expression that was asked for, as the base itself reads them."""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from zoetrope.judging.adherence import BaseModelAdherence
from zoetrope.models.catalogue import Model
from zoetrope.wheel.persona import Persona
from zoetrope.wheel.scenes import in_words, shows_head, words_of

if TYPE_CHECKING:
    from PIL.Image import Image

# Below this share of what is usual among a persona's sources an expression is faint.
_FAINT = 0.5


def others(model: Model, caption: str) -> list[str]:
    """The same caption with each other expression; none if it says no expression, or more than one."""
    words = sorted(set(words_of(model).get("expression", ())), key=len, reverse=True)
    any_of_them = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")
    said = any_of_them.findall(caption) if words else []
    return [any_of_them.sub(word, caption) for word in words if word != said[0]] if len(said) == 1 else []


def clarity(persona: Persona, model: Model, pictures: "Sequence[Image]", captions: Sequence[str]) -> list[float | None]:
    """By how much its own caption suits each picture better than the best with another expression.

    At 0 the base cannot tell which was asked for, below it reads another. Only heads are large enough to tell.
    """
    rows = [[caption, *(others(model, caption) if shows_head(caption) else [])] for caption in captions]
    asked = [index for index, row in enumerate(rows) if len(row) > 1]
    if not asked:
        return [None] * len(rows)
    # The base never learned the trigger.
    said = [[text.replace(persona.trigger, in_words(persona, model)) for text in rows[index]] for index in asked]
    ends = np.cumsum([0, *map(len, said)])
    pairs = [
        (place, int(number)) for place, (first, last) in enumerate(pairwise(ends)) for number in range(first, last)
    ]
    learner = model.family.learner(model.folder, model.plan())
    suits = BaseModelAdherence(learner).suits(
        [pictures[index] for index in asked], [text for row in said for text in row], pairs
    )
    learner.release_all()
    found: list[float | None] = [None] * len(rows)
    for index, (first, last) in zip(asked, pairwise(ends), strict=True):
        found[index] = float(suits[first] - suits[first + 1 : last].max())
    return found


def enough(usual: Sequence[float | None]) -> float | None:
    """What is clear enough beside what is usual; None if the base does not read expressions there."""
    known = [value for value in usual if value is not None]
    middle = median(known) if known else 0.0
    return _FAINT * middle if middle > 0 else None
