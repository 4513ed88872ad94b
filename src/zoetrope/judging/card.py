"""The model card: the same 23 scenes for every version, so that versions can be compared."""

from collections.abc import Iterator
from dataclasses import dataclass

ANGLES = ("profile_left", "three_quarter_left", "front", "three_quarter_right", "profile_right")
EXPRESSIONS = ("neutral", "smiling", "angry", "sad")
POSES = ("tpose", "standing", "sitting")

# How a scene is said where the model's makers do not say otherwise.
HEAD = "portrait of {who}, {expression} expression, {angle} view, plain studio background, soft light"
BODY = "full body picture of {who}, {pose} pose, plain studio background, soft light"
_SPOKEN = {"tpose": "T-pose"}


@dataclass(frozen=True)
class CardScene:
    """One of the 23 pictures."""

    name: str
    label: str
    prompt: str


def card_scenes(who: str, head: str = HEAD, body: str = BODY) -> list[CardScene]:
    """Five angles × four expressions, and three of the whole figure; `who` is the trigger."""
    return [*_heads(who, head), *_bodies(who, body)]


def _heads(who: str, template: str) -> Iterator[CardScene]:
    for expression in EXPRESSIONS:
        for angle in ANGLES:
            label = f"{angle.replace('_', ' ')}, {expression}"
            yield CardScene(f"{angle}-{expression}", label, _said(template, who, expression=expression, angle=angle))


def _bodies(who: str, template: str) -> Iterator[CardScene]:
    for pose in POSES:
        yield CardScene(pose, _SPOKEN.get(pose, pose), _said(template, who, pose=pose))


def _said(template: str, who: str, **words: str) -> str:
    """Filled in one by one: a stray brace in a template or a name is only a brace."""
    for name, word in {"who": who, **words}.items():
        template = template.replace(f"{{{name}}}", word)
    return template
