"""The library's pages: all that was kept, and one picture with its chain."""

from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.media.strip import strip_metadata
from zoetrope.studio.library import chain
from zoetrope.studio.library.keeping import collect, take_out
from zoetrope.studio.library.models import Collection, Kept
from zoetrope.studio.loras.models import Lora, called
from zoetrope.studio.making import orders
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Pipeline
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_A_PAGE = 48
_MORE = 4
# More than that nobody looks through.
_OFFERED = 200
FORMS = ("whole", "bare")
"""A file with its recipe, and one with nothing but the picture."""


def kept_of(place: Place, kept: int) -> Kept:
    """One picture of the space's library."""
    rows = Kept.objects.select_related("made__persona", "run__version__pipeline", "run__persona", "space")
    return get_object_or_404(rows, pk=kept, space=place.space)


@dataclass(frozen=True)
class Asked:
    """What narrows the library down; empty is everything."""

    q: str = ""
    persona: str = ""
    collection: str = ""
    # A pipeline's number, a LoRA's hash, and days as 2026-11-22.
    pipeline: str = ""
    lora: str = ""
    since: str = ""
    until: str = ""


def found(place: Place, asked: Asked) -> "QuerySet[Kept]":
    """What was kept, the newest first; each word narrows it down."""
    rows = Kept.objects.filter(space=place.space).select_related("made").defer("words")
    for word in asked.q.split():
        rows = rows.filter(words__icontains=word)
    narrowed = {name: value for name, value in _filters(asked).items() if value not in ("", None)}
    return rows.filter(**narrowed)


def _filters(asked: Asked) -> dict[str, Any]:
    # Whatever is no number is no pipeline's.
    pipeline = int(asked.pipeline) if asked.pipeline.isdecimal() and len(asked.pipeline) < 19 else 0
    return {
        "made__persona__name": asked.persona,
        "collections__name": asked.collection,
        "run__version__pipeline": pipeline if asked.pipeline else "",
        "made__loras__sha256": asked.lora,
        "created__gte": _day(asked.since),
        "created__lt": _day(asked.until, after=1),
    }


def _day(text: str, after: int = 0) -> datetime | None:
    """When a day begins, or so many after it."""
    try:
        begins = date.fromisoformat(text) + timedelta(days=after) if text else None
        return timezone.make_aware(datetime.combine(begins, time.min)) if begins else None
    except (ValueError, OverflowError) as error:
        raise UserError(f"{text!a:.20} is no day: write it as {date.today():%Y-%m-%d}.") from error


@require_GET
@in_space()
def library(request: HttpRequest, place: Place) -> HttpResponse:
    """Every kept picture, or those that were asked for."""
    asked = Asked(**{each.name: request.GET.get(each.name, "").strip()[:80] for each in fields(Asked)})
    page = Paginator(found(place, asked), _A_PAGE).get_page(request.GET.get("page"))
    said: dict[str, Any] = {"page": page, "asked": asked, "narrowed": asked != Asked()}
    said |= {"personas": Persona.objects.filter(space=place.space).values_list("name", "title")}
    said |= {"collections": Collection.objects.filter(space=place.space).values_list("name", flat=True)}
    said |= {"pipelines": [(str(key), name) for key, name in _pipelines(place)], "loras": _loras(place)}
    return render(request, "library/library.html", said)


def _pipelines(place: Place) -> "QuerySet[Pipeline, tuple[int, str]]":
    """Put aside or not: what ran by them is there."""
    return Pipeline.objects.filter(space=place.space).values_list("pk", "name")[:_OFFERED]


def _loras(place: Place) -> list[tuple[str, str]]:
    rows = Lora.objects.filter(space=place.space).values_list("sha256", "name", "version")[:_OFFERED]
    return [(sha256, called(name, version)) for sha256, name, version in rows]


@require_GET
@in_space()
def one(request: HttpRequest, place: Place, kept: int) -> HttpResponse:
    """A picture and everything that made it."""
    picture = kept_of(place, kept)
    said: dict[str, Any] = {"kept": picture, "recipe": picture.made.said_recipe, "choices": chain.choices(picture)}
    said |= {"learned": chain.learned(picture), "collections": list(picture.collections.all())}
    said |= {"all_collections": Collection.objects.filter(space=place.space).values_list("name", flat=True)}
    return render(request, "library/one.html", said)


@require_POST
@in_space(Role.reviewer)
def act(request: HttpRequest, place: Place, kept: int) -> HttpResponse:
    """Draw it again, draw more like it, collect it."""
    picture = kept_of(place, kept)
    do, name = request.POST.get("do", ""), request.POST.get("collection", "")
    recipe = picture.made.said_recipe.model_copy(update={"batch_size": 1, "batch_index": 0})
    if do == "again":
        orders.place(place.space, recipe, 1, member(request), picture.made.persona)
        return _to_drawing(place, picture)
    if do == "more":
        others = orders.another(recipe, (recipe.seed + 1) % 2**62)
        orders.place(place.space, others, _MORE, member(request), picture.made.persona)
        return _to_drawing(place, picture)
    if do == "collect":
        messages.success(request, f"It lies in {collect(picture, name)} now.")
    elif do == "take-out":
        take_out(picture, name)
    else:
        raise UserError("A kept picture can be drawn again or collected; nothing was changed.")
    return redirect("kept", place.space.slug, picture.pk)


def _to_drawing(place: Place, kept: Kept) -> HttpResponse:
    """Where what was ordered appears."""
    persona = kept.made.persona
    return redirect("try-persona", place.space.slug, persona.name) if persona else redirect("try", place.space.slug)


@require_GET
@in_space()
def file(request: HttpRequest, place: Place, kept: int, form: str) -> HttpResponse:
    """The picture to use elsewhere, with its recipe inside or without any word."""
    return sent_file(kept_of(place, kept), form)


def sent_file(kept: Kept, form: str) -> HttpResponse:
    """Its bytes, under a name that says nothing of it."""
    if form not in FORMS:
        raise Http404("A picture is given whole or bare.")
    try:
        data = read_limited(path_of(kept.made.sha256), Limits().max_bytes)
        given = data if form == "whole" else strip_metadata(data)
    except (OSError, MediaError) as error:
        raise Http404("The picture's file cannot be read.") from error
    response = HttpResponse(given, content_type="image/png")
    response.headers["Content-Disposition"] = f'attachment; filename="{kept.made.sha256[:12]}-{form}.png"'
    return response
