"""Writing, for programs."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema

from zoetrope.studio.bodies import KEPT
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.spaces.api import Said, Text, asked_place
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.writing import keeping
from zoetrope.studio.writing.hashtags import guess
from zoetrope.studio.writing.models import WriterSettings
from zoetrope.studio.writing.seam import Length, Written

router = Router(tags=["writing"])
_MOST = 5


class WriterOut(Schema):
    """How a space's writer is set. Its key is never told: only whether there is one."""

    kind: str
    url: str
    model: str
    has_key: bool
    sees: bool
    enabled: bool
    banned: list[str]


class WriterIn(Said):
    """How it is to be. An empty address is the usual one; an empty key leaves the one that is kept."""

    kind: Literal["template", "openai", "ollama", "gemini"]
    url: str = Field("", max_length=200)
    model: str = Field("", max_length=100, pattern=KEPT)
    key: str = Field("", max_length=500)
    forget: bool = False
    sees: bool = True
    enabled: bool = True
    banned: list[str] = Field([], max_length=keeping.MOST_BANNED)


class WordsIn(Said):
    """What captions are wanted of."""

    says: Text = ""
    guidelines: Text = ""
    pillar: str = Field("", max_length=80)
    length: Literal["short", "medium", "long"] = "medium"
    count: int = Field(1, ge=1, le=_MOST)


class TagOut(Schema):
    """A hashtag without its sign. Nobody counted how large it is: the size is a guess, and from what."""

    tag: str
    guessed_size: str
    guessed_from: str


class CaptionOut(Schema):
    """A caption, who wrote it, what was mended in it, and why others before it were refused."""

    text: str
    hashtags: list[TagOut]
    alt_text: str
    by: str
    mended: list[str]
    refused: list[str]


def _writer_out(row: WriterSettings) -> WriterOut:
    plain = {name: getattr(row, name) for name in ("kind", "model", "sees", "enabled", "banned")}
    return WriterOut(**plain, url=keeping.address_of(row), has_key=bool(row.key))


def _caption_out(written: Written) -> CaptionOut:
    caption = written.caption
    guesses = (guess(tag) for tag in caption.hashtags)
    tags = [TagOut(tag=each.tag, guessed_size=each.size, guessed_from=each.guessed_from) for each in guesses]
    told: dict[str, Any] = {"text": caption.text, "alt_text": caption.alt_text, "by": caption.by}
    return CaptionOut(**told, hashtags=tags, mended=list(written.mended), refused=list(written.refused))


@router.get("/spaces/{space}/writer", response=WriterOut)
def one_writer(request: HttpRequest, space: str) -> WriterOut:
    """Who writes for a space."""
    return _writer_out(keeping.settings_of(asked_place(request, space).space))


@router.put("/spaces/{space}/writer", response=WriterOut)
def set_writer(request: HttpRequest, space: str, said: WriterIn) -> WriterOut:
    """Set who writes for it."""
    place = asked_place(request, space, Role.owner)
    told = keeping.Said(**{**said.model_dump(), "banned": tuple(said.banned)})
    return _writer_out(keeping.change(place.space, told, member(request)))


@router.post("/spaces/{space}/personas/{persona}/writing", response=list[CaptionOut])
def write_captions(request: HttpRequest, space: str, persona: str, said: WordsIn) -> list[CaptionOut]:
    """Captions for a persona, to choose from; nothing is kept."""
    place = asked_place(request, space, Role.reviewer)
    found = persona_of(place, persona)
    told = {"picture_says": said.says, "guidelines": said.guidelines, "pillar": said.pillar}
    brief = keeping.brief_for(found, **told, length=Length(said.length))
    return [_caption_out(each) for each in keeping.writer_of(place.space).written(brief, said.count)]
