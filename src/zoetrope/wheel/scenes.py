"""What a persona is asked to do: the fixed scenes of its card, and new ones that it has shown least."""

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from zoetrope.judging.card import CardScene, card_scenes
from zoetrope.models.catalogue import Model
from zoetrope.wheel.persona import Persona, PersonaKind
from zoetrope.wheel.variety import most_varied

# How many prompts are thought of, for some to be chosen: enough that no combination is missing by chance.
_THOUGHT_OF = 600

_HEAD = re.compile(r"\b(portrait|head ?shot|close-?up|face|head)\b", re.IGNORECASE)
_ANYBODY = "a person"

# What scenes are made of where the model's makers do not say otherwise: a sentence, and the words for each gap.
SCENES: Mapping[str, Any] = {
    "sentence": "{framing} of {who}, {expression} expression, {angle} view, {place}, {light}",
    "framing": ("portrait", "upper body picture", "full body picture"),
    "expression": ("neutral", "smiling", "angry", "sad", "surprised", "thoughtful"),
    "angle": ("front", "three-quarter left", "three-quarter right", "left profile", "right profile"),
    "place": ("in a park", "on a beach", "in a café", "in a city street at night", "in a living room"),
    "light": ("soft light", "warm evening light", "cool daylight"),
}


def subject(persona: Persona, model: Model) -> str:
    """Whom the prompts name: the persona by its trigger; a style, which has none, shows in anybody."""
    return persona.trigger if persona.kind is not PersonaKind.style else in_words(persona, model)


def in_words(persona: Persona, model: Model) -> str:
    """The same without the trigger, for whoever never learned it."""
    return persona.looks or str((model.notes.model_extra or {}).get("anyone", _ANYBODY))


def drawn_as(persona: Persona, scene: str) -> str:
    """A new scene as a version is asked for it: beside the trigger of a whole figure its looks are said in words.

    There a version draws too small what it learned from heads. Of a head it shows more than words say, and would
    leave out what they do not.
    """
    if persona.kind is PersonaKind.style or not persona.looks or shows_head(scene):
        return scene
    return scene.replace(persona.trigger, f"{persona.trigger}, {persona.looks}", 1)


def asked(model: Model, who: str) -> list[CardScene]:
    """The card's scenes in the base's own words."""
    return card_scenes(who, **(model.notes.model_extra or {}).get("card", {}))


def shows_head(caption: str) -> bool:
    """Whether a picture is of a head, by its caption: heads are learned first."""
    return bool(_HEAD.search(caption))


def new_scenes(
    model: Model, who: str, seed: int, count: int, held: Sequence[str] = (), refused: Sequence[str] = ()
) -> list[str]:
    """That many different prompts: what the card asks for and the captions that are held say least comes first.

    What was refused is asked for more often.
    """
    offered = thought_of(who, words_of(model), seed, max(_THOUGHT_OF, 2 * count))
    wanted = [scene.prompt for scene in asked(model, who)]
    return [offered[index] for index in most_varied(held, offered, count, wanted, refused)]


def words_of(model: Model) -> Mapping[str, Any]:
    """What new scenes are made of for this base."""
    words: Mapping[str, Any] = (model.notes.model_extra or {}).get("scenes", SCENES)
    return words


def thought_of(who: str, words: Mapping[str, Any], seed: int, times: int) -> list[str]:
    """Prompts by chance, each once."""
    rng = random.Random(f"scenes/{seed}")
    gaps = {name: list(values) for name, values in words.items() if name != "sentence"}
    found: dict[str, None] = {}
    for _ in range(times):
        said = str(words["sentence"]).replace("{who}", who)
        for name, values in gaps.items():
            said = said.replace(f"{{{name}}}", rng.choice(values))
        found[said] = None
    return list(found)
