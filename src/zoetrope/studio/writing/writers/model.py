"""A model on a server writes: asked with typed answers, bounded in time and size, and held to every rule afterwards."""

import io
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from zoetrope.engines.comfyui.addresses import found
from zoetrope.errors import UserError
from zoetrope.studio.sealed import Secret
from zoetrope.studio.writing.checks import Checked, fit, fit_idea
from zoetrope.studio.writing.leaks import tells
from zoetrope.studio.writing.seam import Brief, Caption, Idea, IdeaBrief, Written
from zoetrope.studio.writing.words import words
from zoetrope.studio.writing.writers import scenes
from zoetrope.studio.writing.writers.asking import (
    CAPTION_RULES,
    IDEA_RULES,
    caption_message,
    idea_message,
    repeats,
)
from zoetrope.studio.writing.writers.template import TemplateWriter

PATIENCE = 60.0
"""So many seconds a writer takes at most, however often it asks."""
ROUNDS = 3
"""It is asked once, and twice more with the faults of what it wrote."""
MOST_AT_ONCE = 10
_SIDE = 768
_LEAST_SECONDS = 0.05
# What servers answer that take no pictures.
_NO_PICTURES = frozenset({400, 413, 415, 422, 500, 501})
_TOLD_TOO_MUCH = "It held the key of the server that wrote it, and was not read further."
_TOLD_THE_RULES = "It repeats what the writer was told to do."
_AGAIN = "It is the same as another of these captions."
T = TypeVar("T", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class CaptionOut(_Part):
    """A caption as a model answers it."""

    text: str = Field(max_length=5_000)
    hashtags: list[str] = Field(default=[], max_length=60)
    alt_text: str = Field(default="", max_length=2_000)


class CaptionsOut(_Part):
    """All captions of one answer."""

    captions: list[CaptionOut] = Field(max_length=2 * MOST_AT_ONCE)


class IdeaOut(_Part):
    """An idea as a model answers it."""

    title: str = Field(max_length=300)
    description: str = Field(max_length=2_000)
    prompt: str = Field(max_length=4_000)


class IdeasOut(_Part):
    """All ideas of one answer."""

    ideas: list[IdeaOut] = Field(max_length=2 * MOST_AT_ONCE)


@dataclass(frozen=True)
class Served:
    """Where a model is, and what opens its door."""

    kind: str
    url: str
    near: bool
    model: str
    key: Secret
    sees: bool = True


class Unwilling(UserError):
    """The server did not answer, or nothing that could be used: its own words are not repeated."""


class ModelWriter:
    """A model behind an OpenAI-compatible address. What it cannot do, the template writer does and signs."""

    def __init__(self, served: Served, instead: TemplateWriter | None = None, patience: float = PATIENCE) -> None:
        self._served, self._patience = served, patience
        self._instead = instead or TemplateWriter()

    @property
    def name(self) -> str:
        return f"{self._served.kind}: {self._served.model}"

    def captions(self, brief: Brief, count: int) -> list[Caption]:
        """That many captions, each signed by whoever wrote it."""
        return [each.caption for each in self.written(brief, count)]

    def written(self, brief: Brief, count: int) -> list[Written]:
        """The same, with what was mended and what was refused on the way."""
        until = self._deadline()
        taken: list[Written] = []
        refused: list[tuple[str, tuple[str, ...]]] = []
        faults: dict[str, None] = {}
        try:
            for _ in range(ROUNDS):
                if (missing := count - len(taken)) <= 0:
                    break
                message = caption_message(brief, min(missing, MOST_AT_ONCE), refused[-MOST_AT_ONCE:])
                refused = []
                for raw in self._captions(message, until, brief.image, faults)[:missing]:
                    checked = self._checked(raw, brief, taken)
                    if checked.caption:
                        taken.append(Written(checked.caption, checked.mended, tuple(faults)))
                    else:
                        refused.append((self._quotable(raw.text), checked.faults))
                        faults |= dict.fromkeys(checked.faults)
        except UserError as error:
            faults[str(error)] = None
        return [*taken, *self._replaced(brief, count - len(taken), tuple(faults))]

    def _captions(
        self, message: str, until: float, image: bytes | None, faults: dict[str, None]
    ) -> Sequence[CaptionOut]:
        """The captions of one answer; none where it cannot be read, and the next round asks anew."""
        try:
            return self._answer(CaptionsOut, CAPTION_RULES, message, until, image).captions
        except _Shapeless as error:
            faults[str(error)] = None
            return ()

    def _replaced(self, brief: Brief, count: int, faults: tuple[str, ...]) -> list[Written]:
        return [replace(each, refused=faults) for each in self._instead.written(brief, max(0, count))]

    def _checked(self, raw: CaptionOut, brief: Brief, taken: Iterable[Written]) -> Checked:
        """By all rules, and by those that only matter where a stranger wrote."""
        whole = "\n".join((raw.text, raw.alt_text, *raw.hashtags))
        if tells(whole, self._served.key.tell()):
            return Checked(None, (), (_TOLD_TOO_MUCH,))
        if repeats(whole, CAPTION_RULES):
            return Checked(None, (), (_TOLD_THE_RULES,))
        checked = fit(Caption(raw.text, tuple(raw.hashtags), raw.alt_text, self.name), brief)
        if checked.caption and any(words(each.caption.text) == words(checked.caption.text) for each in taken):
            return Checked(None, (), (_AGAIN,))
        return checked

    def _quotable(self, text: str) -> str:
        """A refused text goes back to its writer without what it must not say."""
        return "" if tells(text, self._served.key.tell()) else text

    def ideas(self, brief: IdeaBrief) -> list[Idea]:
        """As many ideas as asked for, each signed."""
        until = self._deadline()
        taken: list[Idea] = []
        faults: dict[str, None] = {}
        try:
            for _ in range(ROUNDS):
                if (missing := brief.count - len(taken)) <= 0:
                    break
                message = idea_message(_after(brief, taken), min(missing, MOST_AT_ONCE), faults)
                faults = {}
                for raw in self._ideas(message, until, faults)[:missing]:
                    idea, found = self._checked_idea(raw, _after(brief, taken))
                    taken += [idea] if idea else []
                    faults |= dict.fromkeys(found)
        except UserError:
            # Whoever asked for ideas gets them, signed by whoever had them.
            pass
        left = replace(_after(brief, taken), count=max(0, brief.count - len(taken)))
        return [*taken, *(self._instead.ideas(left) if left.count else [])]

    def _ideas(self, message: str, until: float, faults: dict[str, None]) -> Sequence[IdeaOut]:
        """The same of ideas."""
        try:
            return self._answer(IdeasOut, IDEA_RULES, message, until, None).ideas
        except _Shapeless as error:
            faults[str(error)] = None
            return ()

    def _deadline(self) -> float:
        """Until when to wait for the server; how long its libraries take to load is not its fault."""
        from zoetrope.studio.writing.writers import talking  # noqa: F401

        return time.monotonic() + self._patience

    def _checked_idea(self, raw: IdeaOut, brief: IdeaBrief) -> tuple[Idea | None, list[str]]:
        whole = "\n".join((raw.title, raw.description, raw.prompt))
        if tells(whole, self._served.key.tell()):
            return None, [_TOLD_TOO_MUCH]
        if repeats(whole, IDEA_RULES):
            return None, [_TOLD_THE_RULES]
        return fit_idea(Idea(raw.title, raw.description, raw.prompt, self.name), brief, scenes.speaks(brief))

    def _answer(self, kind: type[T], rules: str, message: str, until: float, image: bytes | None) -> T:
        """One answer, read as what was asked for. Who takes no pictures is asked again without."""
        picture = _small(image) if image and self._served.sees else None
        try:
            return self._asked(kind, rules, message, until, picture)
        except _NoPictures:
            return self._asked(kind, rules, message, until, None)

    def _asked(self, kind: type[T], rules: str, message: str, until: float, picture: bytes | None) -> T:
        """In a thread of its own, since whoever asks may be in a loop already."""
        from zoetrope.studio.writing.writers import talking

        left = until - time.monotonic()
        if left < _LEAST_SECONDS:
            raise Unwilling(f"{self.name} took longer than {self._patience:.0f} seconds.")
        seat = talking.Seat(found(self._served.url, self._served.near), self._served.model, self._served.key.tell())
        with ThreadPoolExecutor(1, "writer") as pool:
            told = pool.submit(talking.talk, seat, kind, rules, message, picture, left).result()
        if isinstance(told, talking.Trouble):
            blind = picture is not None and told.status in _NO_PICTURES
            raise (_NoPictures if blind else _Shapeless if told.shapeless else Unwilling)(
                f"{self.name} {told.sentence}"
            )
        return told


class _Shapeless(Unwilling):
    """It answered, but not in the form that was asked for."""


class _NoPictures(Unwilling):
    """The server refused, and there was a picture in what it was asked."""


def _after(brief: IdeaBrief, taken: Sequence[Idea]) -> IdeaBrief:
    return replace(brief, recent_prompts=(*brief.recent_prompts, *(each.prompt for each in taken)))


def _small(image: bytes) -> bytes | None:
    """A picture as a model needs it: small, and pixels only, so that nothing written into the file goes along."""
    from PIL import Image

    from zoetrope.media.decode import decode
    from zoetrope.media.errors import MediaError

    try:
        picture = decode(image).image
    except MediaError:
        return None
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
