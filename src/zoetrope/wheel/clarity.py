"""How clearly pictures show the expression that was asked for, as the base itself reads them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median
from typing import TYPE_CHECKING

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


@dataclass(frozen=True)
class Reading:
    """How the base reads a picture's expression."""

    # By how much the caption suits better than with the likeliest other expression: below 0 the base reads that one.
    clear: float
    # The caption with that other expression.
    rival: str


def readings(
    persona: Persona, model: Model, pictures: "Sequence[Image]", captions: Sequence[str]
) -> list[Reading | None]:
    """One for each picture of a head whose caption says an expression: only heads are large enough to tell."""
    rows = [[caption, *(others(model, caption) if shows_head(caption) else [])] for caption in captions]
    asked = [index for index, row in enumerate(rows) if len(row) > 1]
    found: list[Reading | None] = [None] * len(rows)
    if not asked:
        return found
    # The base never learned the trigger.
    said = [[text.replace(persona.trigger, in_words(persona, model)) for text in rows[index]] for index in asked]
    ends = [0, *accumulate(map(len, said))]
    pairs = [
        (place, int(number)) for place, (first, last) in enumerate(pairwise(ends)) for number in range(first, last)
    ]
    learner = model.family.learner(model.folder, model.plan())
    suits = BaseModelAdherence(learner).suits(
        [pictures[index] for index in asked], [text for row in said for text in row], pairs
    )
    learner.release_all()
    for index, (first, last) in zip(asked, pairwise(ends), strict=True):
        others_suit = suits[first + 1 : last]
        clear = float(suits[first] - others_suit.max())
        found[index] = Reading(clear, rows[index][1 + int(others_suit.argmax())])
    return found


def enough(usual: Sequence[Reading | None]) -> float | None:
    """What is clear enough beside what is usual; None if the base does not read expressions there."""
    known = [reading.clear for reading in usual if reading is not None]
    middle = median(known) if known else 0.0
    return _FAINT * middle if middle > 0 else None
