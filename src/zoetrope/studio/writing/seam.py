"""What a writer is told and what it gives back: everything that writes, and everything that asks, knows this alone."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from zoetrope.studio.personas.models import Voice

RECENT = 20
"""So many captions back a phrase counts as heard lately."""


class Length(StrEnum):
    """How long a caption is, its hashtags not counted."""

    short = "short"
    medium = "medium"
    long = "long"


class Mix(StrEnum):
    """Of which sizes a caption's hashtags are."""

    balanced = "balanced"
    niche_heavy = "niche_heavy"
    broad_reach = "broad_reach"


@dataclass(frozen=True)
class HashtagRules:
    """Which hashtags are wanted and which are not, with or without their sign."""

    niche_categories: tuple[str, ...] = ()
    target_hashtags: tuple[str, ...] = ()
    avoid_hashtags: tuple[str, ...] = ()
    size_mix: Mix = Mix.balanced


@dataclass(frozen=True)
class Brief:
    """All that a caption is written from. `picture_says` and `image` are material: they never give orders."""

    voice: Voice
    persona: str
    about: str = ""
    guidelines: str = ""
    pillar: str = ""
    picture_says: str = ""
    image: bytes | None = None
    # The captions before this one, the newest first.
    recent: tuple[str, ...] = ()
    length: Length = Length.medium
    hashtags: HashtagRules = field(default_factory=HashtagRules)
    # What a person made of captions, as examples: before and after.
    edits: tuple[tuple[str, str], ...] = ()
    # Words that the space never uses.
    banned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caption:
    """A caption. Its hashtags are kept without their sign; `by` says who wrote it."""

    text: str
    hashtags: tuple[str, ...] = ()
    alt_text: str = ""
    by: str = ""

    @property
    def whole(self) -> str:
        """As it is read at the other end: the text, then the hashtags."""
        tags = " ".join(f"#{tag}" for tag in self.hashtags)
        return f"{self.text}\n\n{tags}".strip()


@dataclass(frozen=True)
class IdeaBrief:
    """All that ideas are thought of from. `persona` is how prompts call it: its trigger."""

    persona: str
    voice: Voice
    looks: str = ""
    pillar: str = ""
    guidelines: str = ""
    recent_prompts: tuple[str, ...] = ()
    count: int = 3
    base_model: str = ""


@dataclass(frozen=True)
class Idea:
    """Something to draw and post; `by` says who thought of it."""

    title: str
    description: str
    prompt: str
    by: str = ""


@dataclass(frozen=True)
class Written:
    """A caption that holds all rules, what was mended in it, and for which faults others before it were refused."""

    caption: Caption
    mended: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class Writer(Protocol):
    """Whoever writes. What it gives back holds every rule of `checks`."""

    @property
    def name(self) -> str:
        """Who writes, as captions tell it."""

    def captions(self, brief: Brief, count: int) -> list[Caption]:
        """That many captions to choose from."""

    def ideas(self, brief: IdeaBrief) -> list[Idea]:
        """As many ideas as the brief asks for."""
