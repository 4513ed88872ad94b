"""The library's pages: all that was kept, and one picture with its chain."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.media.strip import strip_metadata
from zoetrope.studio.library import chain
from zoetrope.studio.library.keeping import collect, take_out
from zoetrope.studio.library.models import Collection, Kept
from zoetrope.studio.making import orders
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_A_PAGE = 48
_MORE = 4
FORMS = ("whole", "bare")
"""A file with its recipe, and one with nothing but the picture."""


def kept_of(place: Place, kept: int) -> Kept:
    """One picture of the space's library."""
    rows = Kept.objects.select_related("made__persona", "run__version__pipeline", "run__persona", "space")
    return get_object_or_404(rows, pk=kept, space=place.space)


def found(place: Place, words: str, persona: str, collection: str) -> "QuerySet[Kept]":
    """What was kept, the newest first; each word narrows it down."""
    rows = Kept.objects.filter(space=place.space).select_related("made").defer("words")
    for word in words.split():
        rows = rows.filter(words__icontains=word)
    if persona:
        rows = rows.filter(made__persona__name=persona)
    return rows.filter(collections__name=collection) if collection else rows


@require_GET
@in_space()
def library(request: HttpRequest, place: Place) -> HttpResponse:
    """Every kept picture; words, persona and collection narrow it down."""
    asked = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "persona", "collection")}
    rows = found(place, asked["q"], asked["persona"], asked["collection"])
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    said: dict[str, Any] = {"page": page, "asked": asked, "narrowed": any(asked.values())}
    said |= {"personas": Persona.objects.filter(space=place.space).values_list("name", "title")}
    said |= {"collections": Collection.objects.filter(space=place.space).values_list("name", flat=True)}
    return render(request, "library/library.html", said)


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
