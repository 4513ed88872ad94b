"""Words in double braces that stand for something else: `{{prompt}}`, `{{parent_seed}}`, a run's own."""

import re
from collections.abc import Iterable, Mapping

from zoetrope.errors import UserError

# Blanks are taken off by us: beside `[^{}]*` they could be shared out in so many ways that a search takes hours.
_NAMED = re.compile(r"\{\{([^{}]*)\}\}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
PROMPT = "prompt"
FILLED = {
    "trigger": "the word that calls the persona",
    "run_name": "what the run is called",
    "timestamp": "when the picture is asked for, in seconds",
    "timestamp_ms": "the same in milliseconds",
    "random": "a number by chance",
    "auto_seed": "a seed of its own for each picture",
    "parent_seed": "the seed of the picture before",
    "parent_prompt": "the prompt of the picture before",
    "parent_image_path": "the file of the picture before",
    "job_id": "the number of the picture's job",
    "lora_path": "the file of the persona's primary LoRA",
    "lora_weight": "how strongly the persona draws with it",
}
"""What Zoetrope itself fills in, and what each is."""
OF_PARENT = frozenset(name for name in FILLED if name.startswith("parent_"))


def named(text: str) -> list[str]:
    """The variables in a text, each once, as they come."""
    return list(dict.fromkeys(found.strip() for found in _NAMED.findall(text)))


def checked(texts: Iterable[str], first: bool) -> list[str]:
    """The variables of a step that its run has to say; a sentence where one cannot be."""
    found = list(dict.fromkeys(name for text in texts for name in named(text)))
    for name in found:
        if not NAME.fullmatch(name):
            raise UserError(f"{{{{{name:.40}}}}} is no variable: a name has small letters, digits and underscores.")
        if first and name in OF_PARENT:
            raise UserError(f"{{{{{name}}}}} cannot be used in the first step: there is no picture before it.")
    return [name for name in found if name not in FILLED]


def value_of(text: str, values: Mapping[str, object]) -> object:
    """The same, but of a text that is nothing but a variable its value as it is: a number stays one."""
    whole = _NAMED.fullmatch(text)
    name = whole.group(1).strip() if whole else ""
    return values[name] if name in values else filled(text, values)


def filled(text: str, values: Mapping[str, object]) -> str:
    """The text with each variable's value; one that is not known is a mistake that is named."""

    def value(found: "re.Match[str]") -> str:
        name = found.group(1).strip()
        if name not in values:
            raise UserError(f"{{{{{name}}}}} stands for nothing in this run: give it a value.")
        return str(values[name])

    return _NAMED.sub(value, text)
