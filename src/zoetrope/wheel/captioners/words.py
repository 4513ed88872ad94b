"""What a model is asked for, and what of its answer becomes a caption."""

import re

from zoetrope.wheel.persona import Persona, PersonaKind

SCENE = (
    "Describe the scene of this picture as one line of short phrases between commas, in this order: the framing "
    "(portrait, upper body, standing, sitting, T-pose), the expression (neutral, smiling, angry, sad), the angle of "
    "the head as the viewer sees it (front, three-quarter left, three-quarter right, left profile, right profile, "
    "back), what is being done, the place, the light. Never say who it is, and leave out sex, age, hair, eyes, skin, "
    "face, body, clothes and anything else that stays the same from picture to picture. Answer with that line alone."
)
"""Only what changes: what a caption names, the trigger does not learn."""
CONTENT = (
    "Describe what this picture shows as one line of short phrases between commas: who or what is in it, what happens, "
    "the place, the light. Never say how it is made: no medium, technique, style, colours or mood. "
    "Answer with that line alone."
)
"""For a style, which is to be learned as all that no caption says."""

_LONGEST = 1000
_THOUGHT = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
_OPENING = re.compile(r"^(here is [^:]*|caption|description|answer)\s*:\s*", re.IGNORECASE)
# How a model begins when it does not want to look: no caption for anybody.
_REFUSALS = (
    "i'm sorry",
    "i’m sorry",
    "sorry,",
    "i can't",
    "i can’t",
    "i cannot",
    "i am unable",
    "i'm unable",
    "as an ai",
)


class NoCaption(Exception):
    """A model said nothing that could be one."""


def instruction_for(persona: Persona) -> str:
    """What to ask for where nobody asked otherwise."""
    return CONTENT if persona.kind is PersonaKind.style else SCENE


def caption_of(reply: str, persona: Persona) -> str:
    """One line with the trigger in it; `NoCaption` where the model said nothing that could be one."""
    words = _plain(reply)
    if not words or words.lower().startswith(_REFUSALS):
        raise NoCaption(f"the model said {words[:60]!r}" if words else "the model said nothing")
    if persona.kind is PersonaKind.style or persona.trigger.lower() in words.lower():
        return words
    return f"{persona.trigger}, {words}"


def _plain(reply: str) -> str:
    """Without thoughts, quotes, line breaks and announcements."""
    # Half of a character, which JSON can say, no file can hold.
    whole = reply.encode("utf-8", "ignore").decode()
    line = " ".join(_THOUGHT.sub(" ", whole).replace("\0", " ").split())
    line = _OPENING.sub("", line.strip("\"'`*“” ")).strip("\"'`*“” ")
    return _shortened(line).rstrip(" .,;")


def _shortened(line: str) -> str:
    """A model that does not come to an end is cut at a phrase's."""
    if len(line) <= _LONGEST:
        return line
    return line[:_LONGEST].rpartition(",")[0] or line[:_LONGEST]
