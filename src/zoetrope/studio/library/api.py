"""The library, for programs."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from zoetrope.studio.library import chain
from zoetrope.studio.library.keeping import collect, take_out
from zoetrope.studio.library.models import Kept
from zoetrope.studio.library.views import Asked, found, kept_of, sent_file
from zoetrope.studio.spaces.api import Said, asked_place, sends
from zoetrope.studio.spaces.models import Role

router = Router(tags=["library"])
_A_PAGE = 100


class KeptOut(Schema):
    """A kept picture; its recipe makes it again."""

    id: int
    sha256: str
    width: int
    height: int
    recipe: dict[str, Any]
    run: int | None
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


class CollectionIn(Said):
    """The collection to put it into."""

    name: str = Field(min_length=1, max_length=60)


def _kept_out(kept: Kept) -> dict[str, Any]:
    told = {name: getattr(kept.made, name) for name in ("sha256", "width", "height", "recipe")}
    return told | {"id": kept.pk, "run": kept.run_id, "created": kept.created}


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
    return WholeKeptOut(**_kept_out(kept), choices=chosen, learned=learned, collections=names)


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
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """Kept pictures, the newest first, a hundred at a time; `after` is how many to leave out, days are 2026-11-22."""
    rows = found(asked_place(request, space), Asked(words, persona, collection, pipeline, lora, since, until))
    return [_kept_out(each) for each in rows[after : after + _A_PAGE]]


@router.get("/spaces/{space}/library/{kept}", response=WholeKeptOut)
def one_kept(request: HttpRequest, space: str, kept: int) -> WholeKeptOut:
    """One picture with its chain."""
    return _whole(kept_of(asked_place(request, space), kept))


@router.get("/spaces/{space}/library/{kept}/file/{form}", openapi_extra=sends("image/png"))
def kept_file(request: HttpRequest, space: str, kept: int, form: Literal["whole", "bare"]) -> HttpResponse:
    """The picture with its recipe inside, or without any word."""
    return sent_file(kept_of(asked_place(request, space), kept), form)


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
