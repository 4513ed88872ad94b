"""The library, for programs."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Field, File, Form, Query, Router, Schema, Status
from ninja.files import UploadedFile

from zoetrope.media.kinds import MediaKind
from zoetrope.studio.library import chain
from zoetrope.studio.library.keeping import collect, put_aside, take_out
from zoetrope.studio.library.models import Kept
from zoetrope.studio.library.uploading import take
from zoetrope.studio.library.views import Asked, alike_to, found, kept_of, sent_file
from zoetrope.studio.personas.api import SaidInForm
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.spaces.api import Said, asked_place, sends
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role

router = Router(tags=["library"])
_A_PAGE = 100


class KeptOut(Schema):
    """A kept picture or clip; its recipe makes it again, where it was made here."""

    id: int
    media: MediaKind
    sha256: str
    width: int
    height: int
    # Of a clip: how long it is.
    seconds: float | None
    recipe: dict[str, Any] | None
    title: str
    run: int | None
    aside: bool
    created: datetime


class ChoiceOut(Schema):
    """A step at which it, or what it grew from, was chosen."""

    step: str
    candidate: int
    sha256: str
    votes: int
    rivals: int
    score: str


class LearnedOut(Schema):
    """A LoRA that drew it, and the pictures that this learned from."""

    name: str
    sha256: str
    weight: float
    dataset: str
    pictures: int


class WholeKeptOut(KeptOut):
    """The same with the chain of what made it."""

    choices: list[ChoiceOut]
    learned: list[LearnedOut]
    collections: list[str]
    # Kept pictures that look much the same, the nearest first.
    alike: list[int]


class UploadedOut(Schema):
    """What came in, what was there already, and how many of the new ones look like another."""

    added: list[KeptOut]
    known: list[KeptOut]
    alike: int


class UploadIn(SaidInForm):
    """Whom the pictures show."""

    persona: str = ""


class AsideIn(Said):
    """Out of the library or back into it."""

    do: Literal["aside", "back"]


class CollectionIn(Said):
    """The collection to put it into."""

    name: str = Field(min_length=1, max_length=60)


def _kept_out(kept: Kept) -> dict[str, Any]:
    told = {name: getattr(kept.made, name) for name in ("media", "sha256", "width", "height", "seconds", "recipe")}
    told |= {"id": kept.pk, "title": kept.title, "run": kept.run_id, "aside": kept.aside is not None}
    return told | {"created": kept.created}


def _whole(kept: Kept) -> WholeKeptOut:
    chosen = [
        ChoiceOut(
            step=each.candidate.step.name,
            candidate=each.candidate.pk,
            sha256=each.candidate.made.sha256 if each.candidate.made else "",
            votes=each.votes,
            rivals=each.rivals,
            score=each.candidate.score,
        )
        for each in chain.choices(kept)
    ]
    learned = [
        LearnedOut(name=each.name, sha256=each.sha256, weight=each.weight, dataset=each.dataset, pictures=each.count)
        for each in chain.learned(kept)
    ]
    names = [each.name for each in kept.collections.all()]
    alike = [each.pk for each in alike_to(kept)]
    return WholeKeptOut(**_kept_out(kept), choices=chosen, learned=learned, collections=names, alike=alike)


@router.get("/spaces/{space}/library", response=list[KeptOut])
def list_kept(
    request: HttpRequest,
    space: str,
    words: str = Query("", max_length=80),  # type: ignore[type-arg]
    persona: str = Query("", max_length=48),  # type: ignore[type-arg]
    collection: str = Query("", max_length=60),  # type: ignore[type-arg]
    pipeline: str = Query("", max_length=18),  # type: ignore[type-arg]
    lora: str = Query("", max_length=64),  # type: ignore[type-arg]
    since: str = Query("", max_length=10),  # type: ignore[type-arg]
    until: str = Query("", max_length=10),  # type: ignore[type-arg]
    clips: bool = False,
    alike: bool = False,
    aside: bool = False,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """Kept pictures, the newest first, a hundred at a time; `after` is how many to leave out, days are 2026-11-22."""
    marks = ["1" if each else "" for each in (clips, alike, aside)]
    rows = found(asked_place(request, space), Asked(words, persona, collection, pipeline, lora, since, until, *marks))
    return [_kept_out(each) for each in rows[after : after + _A_PAGE]]


@router.post("/spaces/{space}/library", response={201: UploadedOut})
def upload_pictures(
    request: HttpRequest, space: str, said: Form[UploadIn], files: File[list[UploadedFile]]
) -> Status[dict[str, Any]]:
    """Keep pictures and clips from elsewhere, with captions of the same stem, or ZIP archives: all or none."""
    place = asked_place(request, space, Role.reviewer)
    of = persona_of(place, said.persona) if said.persona else None
    taken = take(place.space, of, member(request), files)
    told = {"added": [*map(_kept_out, taken.added)], "known": [*map(_kept_out, taken.known)], "alike": taken.alike}
    return Status(201, told)


@router.get("/spaces/{space}/library/{kept}", response=WholeKeptOut)
def one_kept(request: HttpRequest, space: str, kept: int) -> WholeKeptOut:
    """One picture with its chain."""
    return _whole(kept_of(asked_place(request, space), kept))


@router.get("/spaces/{space}/library/{kept}/file/{form}", openapi_extra=sends("image/png", "video/mp4"))
def kept_file(request: HttpRequest, space: str, kept: int, form: Literal["whole", "bare"]) -> HttpResponseBase:
    """The picture with its recipe inside, or without any word; a clip, which never has one."""
    return sent_file(kept_of(asked_place(request, space), kept), form)


@router.post("/spaces/{space}/library/{kept}", response=WholeKeptOut)
def act_on_kept(request: HttpRequest, space: str, kept: int, said: AsideIn) -> WholeKeptOut:
    """Put it aside, or bring it back."""
    picture = kept_of(asked_place(request, space, Role.reviewer), kept)
    put_aside(picture, back=said.do == "back")
    return _whole(picture)


@router.post("/spaces/{space}/library/{kept}/collections", response=WholeKeptOut)
def collect_kept(request: HttpRequest, space: str, kept: int, said: CollectionIn) -> WholeKeptOut:
    """Put it into a collection."""
    picture = kept_of(asked_place(request, space, Role.reviewer), kept)
    collect(picture, said.name)
    return _whole(picture)


@router.delete("/spaces/{space}/library/{kept}/collections/{collection}", response=WholeKeptOut)
def uncollect_kept(request: HttpRequest, space: str, kept: int, collection: str) -> WholeKeptOut:
    """Take it out of a collection."""
    picture = kept_of(asked_place(request, space, Role.reviewer), kept)
    take_out(picture, collection)
    return _whole(picture)
