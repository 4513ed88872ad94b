"""Picture prompts in the words that a base model was taught, or in plain English."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from zoetrope.errors import UserError
from zoetrope.studio.writing.seam import IdeaBrief
from zoetrope.studio.writing.words import clean, folded
from zoetrope.wheel.scenes import SCENES, shows_head, thought_of
from zoetrope.wheel.variety import most_varied

_THOUGHT_OF, _SPARE = 300, 4
_ANYBODY = "a person"


def prompts(brief: IdeaBrief, seed: int) -> Iterator[str]:
    """Prompts unlike each other and unlike those of late, the rarest first; more than asked for."""
    offered = thought_of(_who(brief), vocabulary(brief.base_model), seed, _THOUGHT_OF)
    held = [" ".join(clean(each).split()) for each in brief.recent_prompts]
    lately = {folded(each) for each in held}
    fresh = [each for each in (_with_looks(brief, prompt) for prompt in offered) if folded(each) not in lately]
    chosen = most_varied(held, fresh, min(len(fresh), _SPARE * brief.count))
    return (fresh[index] for index in chosen)


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
