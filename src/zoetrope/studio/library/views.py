"""The library's pages: all that was kept, and one picture with its chain."""

from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.media.kinds import MediaKind
from zoetrope.media.strip import strip_metadata
from zoetrope.studio.files import Handed
from zoetrope.studio.library import chain
from zoetrope.studio.library.keeping import collect, put_aside, take_out
from zoetrope.studio.library.models import Alike, Collection, Kept
from zoetrope.studio.library.uploading import take
from zoetrope.studio.loras.models import Lora, called
from zoetrope.studio.making import orders
from zoetrope.studio.making.clips import TYPE
from zoetrope.studio.making.store import clip_of, path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Pipeline
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role, User

_A_PAGE = 48
_MORE = 4
# More than that nobody looks through.
_OFFERED = 200
FORMS = ("whole", "bare")
"""A file with its recipe, and one with nothing but the picture."""


def kept_of(place: Place, kept: int) -> Kept:
    """One picture of the space's library."""
    rows = Kept.objects.select_related("made__persona", "run__version__pipeline", "run__persona", "space", "by")
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
    # Anything in these: only clips, only near-duplicates, and what was put aside instead of what was not.
    clips: str = ""
    alike: str = ""
    aside: str = ""


def found(place: Place, asked: Asked) -> "QuerySet[Kept]":
    """What was kept, the newest first; each word narrows it down."""
    rows = Kept.objects.filter(space=place.space).select_related("made").defer("words")
    for word in asked.q.split():
        rows = rows.filter(words__icontains=word)
    narrowed = {name: value for name, value in _filters(asked).items() if value not in ("", None)}
    if asked.alike:
        rows = rows.filter(Exists(Alike.objects.filter(kept=OuterRef("pk"), other__aside=None)))
    return rows.filter(aside__isnull=not asked.aside, **narrowed)


def _filters(asked: Asked) -> dict[str, Any]:
    # Whatever is no number is no pipeline's.
    pipeline = int(asked.pipeline) if asked.pipeline.isdecimal() and len(asked.pipeline) < 19 else 0
    return {
        "made__persona__name": asked.persona,
        "collections__name": asked.collection,
        "run__version__pipeline": pipeline if asked.pipeline else "",
        "made__loras__sha256": asked.lora,
        "made__media": MediaKind.clip if asked.clips else "",
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


@in_space()
def library(request: HttpRequest, place: Place) -> HttpResponse:
    """Every kept picture, or those that were asked for; what is sent is kept too."""
    if request.method == "POST":
        place.ask(Role.reviewer)
        persona = Persona.objects.filter(space=place.space, name=request.POST.get("of", "")).first()
        taken = take(place.space, persona, member(request), request.FILES.getlist("files"))
        messages.success(request, taken.told())
        return redirect("library", place.space.slug)
    asked = Asked(**{each.name: request.GET.get(each.name, "").strip()[:80] for each in fields(Asked)})
    page = Paginator(found(place, asked), _A_PAGE).get_page(request.GET.get("page"))
    said: dict[str, Any] = {"page": page, "asked": asked, "narrowed": asked != Asked()}
    said |= {"aside": Kept.objects.filter(space=place.space, aside__isnull=False).exists()}
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
    recipe = picture.made.said_recipe if picture.made.recipe else None
    said: dict[str, Any] = {"kept": picture, "recipe": recipe, "choices": chain.choices(picture)}
    said |= {"alike": alike_to(picture)}
    said |= {"learned": chain.learned(picture), "collections": list(picture.collections.all())}
    said |= {"all_collections": Collection.objects.filter(space=place.space).values_list("name", flat=True)}
    return render(request, "library/one.html", said)


@require_POST
@in_space(Role.reviewer)
def act(request: HttpRequest, place: Place, kept: int) -> HttpResponse:
    """Draw it again, draw more like it, collect it."""
    picture = kept_of(place, kept)
    do, name = request.POST.get("do", ""), request.POST.get("collection", "")
    if do in ("again", "more"):
        _draw(picture, member(request), more=do == "more")
        messages.info(request, f"{_MORE} more like it appear here." if do == "more" else "It is drawn again, here.")
        return _to_drawing(place, picture)
    if do == "collect":
        messages.success(request, f"It lies in {collect(picture, name)} now.")
    elif do == "take-out":
        take_out(picture, name)
        messages.info(request, f"It lies in {name} no longer.")
    elif do in ("aside", "back"):
        put_aside(picture, back=do == "back")
        messages.info(request, "It is back in the library." if do == "back" else "It is put aside; bring it back here.")
    else:
        raise UserError("A kept picture can be drawn again, collected or put aside; nothing was changed.")
    return redirect("kept", place.space.slug, picture.pk)


def _draw(kept: Kept, by: User, *, more: bool) -> None:
    """The same once more, or others from other seeds."""
    if not kept.made.recipe:
        raise UserError("This picture was made elsewhere: there is no recipe to draw it by.")
    recipe = kept.made.said_recipe.model_copy(update={"batch_size": 1, "batch_index": 0})
    if more:
        recipe = orders.another(recipe, (recipe.seed + 1) % 2**62)
    orders.place(kept.space, recipe, _MORE if more else 1, by, kept.made.persona)


def alike_to(kept: Kept) -> "list[Kept]":
    """Those that look much like it, the nearest first."""
    rows = Alike.objects.filter(kept=kept, other__aside=None).select_related("other__made")
    return [each.other for each in rows]


def _to_drawing(place: Place, kept: Kept) -> HttpResponse:
    """Where what was ordered appears."""
    persona = kept.made.persona
    return redirect("try-persona", place.space.slug, persona.name) if persona else redirect("try", place.space.slug)


@require_GET
@in_space()
def file(request: HttpRequest, place: Place, kept: int, form: str) -> HttpResponseBase:
    """The picture to use elsewhere, with its recipe inside or without any word."""
    return sent_file(kept_of(place, kept), form)


def sent_file(kept: Kept, form: str) -> HttpResponseBase:
    """Its bytes, under a name that says nothing of it."""
    if form not in FORMS:
        raise Http404("A picture is given whole or bare.")
    if kept.made.moves:
        return _sent_clip(kept)
    try:
        data = read_limited(path_of(kept.made.sha256), Limits().max_bytes)
        given = data if form == "whole" else strip_metadata(data)
    except (OSError, MediaError) as error:
        raise Http404("The picture's file cannot be read.") from error
    response = HttpResponse(given, content_type="image/png")
    response.headers["Content-Disposition"] = f'attachment; filename="{kept.made.sha256[:12]}-{form}.png"'
    return response


def _sent_clip(kept: Kept) -> HttpResponseBase:
    """A clip lies in the store without a word already."""
    try:
        file = clip_of(kept.made.sha256).open("rb")
    except OSError as error:
        raise Http404("The clip's file cannot be read.") from error
    return Handed(file, as_attachment=True, filename=f"{kept.made.sha256[:12]}.mp4", content_type=TYPE)
