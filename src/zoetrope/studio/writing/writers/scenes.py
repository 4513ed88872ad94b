"""Picture prompts in the words that a base model was taught, or in plain English."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from zoetrope.errors import UserError
from zoetrope.studio.writing.seam import IdeaBrief
from zoetrope.studio.writing.words import clean, folded
from zoetrope.wheel.scenes import SCENES, shows_head, thought_of
from zoetrope.wheel.variety import most_varied

_THOUGHT_OF, _SPARE = 300, 4
_ANYBODY = "a person"
# From here on a sentence says what is not wanted; what it wants after that is left out too, which does less harm.
_NOT = re.compile(r"\b(?:no|never|not|without|avoid|don'?t)\b.*")
_PARTS = re.compile(r"[.;\n]|\bbut\b")
# What stands in the words of many pictures and says nothing of this one.
_COMMON = re.compile("an?|at|in|of|on|the|and|left|right|three|quarter|view|light|picture|expression")
_SHORTEST = 4


def prompts(brief: IdeaBrief, seed: int) -> Iterator[str]:
    """Prompts unlike each other and unlike those of late, as the guidelines have it; more than asked for."""
    words = vocabulary(brief.base_model)
    held = [" ".join(clean(each).split()) for each in brief.recent_prompts]
    lately = {folded(each) for each in held}
    # What the guidelines name first; where that was all drawn lately, anything.
    for known in (named(words, f"{brief.pillar}. {brief.guidelines}"), words):
        offered = [_with_looks(brief, each) for each in thought_of(_who(brief), known, seed, _THOUGHT_OF)]
        fresh = [each for each in offered if folded(each) not in lately]
        chosen = [fresh[index] for index in most_varied(held, fresh, min(len(fresh), _SPARE * brief.count))]
        yield from chosen
        lately |= {folded(each) for each in chosen}


def named(words: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """Of each gap's words those that a text names, and never those that it forbids; of which it says nothing, all."""
    parts = _PARTS.split(folded(text))
    told, refused = _said(_NOT.sub(" ", each) for each in parts), _said(" ".join(_NOT.findall(each)) for each in parts)

    def kept(values: Sequence[str]) -> list[str]:
        allowed = [each for each in values if not _names(refused, each)] or list(values)
        return [each for each in allowed if _names(told, each)] or allowed

    return {name: values if name == "sentence" else kept(values) for name, values in words.items()}


def _said(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in re.findall(r"\w+", text.replace("_", " ")))


def _names(said: frozenset[str], value: str) -> bool:
    """Whether one of its own words is said, in whatever form: `smiles` names smiling, `beaches` a beach."""
    own = [each.removesuffix("ing") for each in _said([folded(value)]) if not _COMMON.fullmatch(each)]
    return any(word == each or (len(each) >= _SHORTEST and word.startswith(each)) for each in own for word in said)


def vocabulary(base: str) -> Mapping[str, Any]:
    """What prompts for this base are made of: its makers' words, or plain English."""
    model = _model(base)
    return SCENES if model is None else (model.notes.model_extra or {}).get("scenes", SCENES)


def speaks(brief: IdeaBrief) -> Callable[[str], bool] | None:
    """Whether a prompt is in the base's own grammar; none where any English will do."""
    words = vocabulary(brief.base_model)
    if words is SCENES:
        return None
    pattern = re.escape(str(words["sentence"]))
    for name in (name for name in words if name != "sentence"):
        told = "|".join(re.escape(each) for each in dict.fromkeys(words[name]))
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?:{told})")
    who, looks = re.escape(_who(brief)), re.escape(_looks(brief))
    whole = re.compile(pattern.replace(re.escape("{who}"), f"{who}(?:, {looks})?" if looks else who))
    return lambda prompt: bool(whole.fullmatch(prompt))


def grammar(brief: IdeaBrief) -> str:
    """The same as it is told to a model that writes; empty where any English will do."""
    words = vocabulary(brief.base_model)
    if words is SCENES:
        return ""
    sentence = str(words["sentence"]).replace("{who}", _who(brief))
    gaps = (f"{{{name}}} is one of: {', '.join(dict.fromkeys(words[name]))}" for name in words if name != "sentence")
    return f"Each prompt is exactly: {sentence} where {'; '.join(gaps)}."


def shows(prompt: str) -> list[str]:
    """What a prompt says beside who it is of."""
    parts = [each.strip().replace("_", " ") for each in prompt.split(", ")]
    return parts[-4:] if len(parts) > 4 else parts[1:] or parts


def _who(brief: IdeaBrief) -> str:
    return " ".join(clean(brief.persona).split()) or _looks(brief) or _ANYBODY


def _looks(brief: IdeaBrief) -> str:
    return " ".join(clean(brief.looks).split())


def _with_looks(brief: IdeaBrief, prompt: str) -> str:
    """As the wheel asks for it: a whole figure's looks are said beside the trigger."""
    who, looks = _who(brief), _looks(brief)
    return prompt if not looks or who == looks or shows_head(prompt) else prompt.replace(who, f"{who}, {looks}", 1)


def _model(base: str) -> Any:
    # The catalogue knows every family of models: it is asked only here.
    from zoetrope.models.catalogue import Catalogue

    try:
        return Catalogue().find(base)
    except UserError:
        return None
