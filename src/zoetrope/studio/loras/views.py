"""The library's pages, and the page that draws with any of it."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.models.catalogue import Catalogue
from zoetrope.studio.jobs.seam import Job
from zoetrope.studio.loras import forms
from zoetrope.studio.loras.handing import handed
from zoetrope.studio.loras.library import card_of, restore, retire
from zoetrope.studio.loras.models import KINDS, Lora, Worn, called
from zoetrope.studio.loras.trying import beginning, try_out
from zoetrope.studio.loras.uploads import take_upload
from zoetrope.studio.loras.wearing import take_off, wear
from zoetrope.studio.making.models import Made, Order
from zoetrope.studio.making.orders import job_of, jobs_of
from zoetrope.studio.making.pictures import sent
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_A_PAGE = 24
# More names than that nobody looks through: the library is searched instead.
_OFFERED = 200
_TRIED = 6
_DRAWN = 12
# Of a training's settings, as people call them.
_TOLD = {"steps": "Steps", "lr": "Learning rate", "resolutions": "Resolution"}


def _loras(place: Place) -> "QuerySet[Lora]":
    return Lora.objects.filter(space=place.space, retired=None)


def _offered(rows: "QuerySet[Lora]") -> list[tuple[str, str]]:
    """The newest of them to choose from: their keys and what they are called."""
    named = rows.values_list("pk", "name", "version", "base")[:_OFFERED]
    return [(str(key), f"{called(name, version)} ({base})") for key, name, version, base in named]


def _models() -> list[str]:
    return [model.name for model in Catalogue().models()]


@require_GET
@in_space()
def library(request: HttpRequest, place: Place) -> HttpResponse:
    """Every LoRA of the space; words and type narrow it down."""
    words, kind = request.GET.get("q", "").strip()[:80], request.GET.get("kind", "")
    aside = request.GET.get("retired") == "1"
    retired = Lora.objects.filter(space=place.space).exclude(retired=None)
    rows = (
        (retired if aside else _loras(place))
        .defer("sheet")
        .prefetch_related(Prefetch("worn", Worn.objects.select_related("persona")))
    )
    for word in words.split():
        rows = rows.filter(Q(name__icontains=word) | Q(trigger__icontains=word) | Q(base__icontains=word))
    if kind in dict(KINDS):
        rows = rows.filter(kind=kind)
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    said = {"page": page, "words": words, "kind": kind, "kinds": KINDS, "aside": aside, "retired": retired.count()}
    return render(request, "loras/library.html", said)


@in_space(Role.owner)
def add(request: HttpRequest, place: Place) -> HttpResponse:
    """Upload a LoRA."""
    form = forms.Upload(request.POST or None, request.FILES or None, bases=_models())
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            lora = take_upload(place.space, given["lora"], given["sheet"], given["card"], form.said())
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{lora} is in the library.")
            return redirect("lora", place.space.slug, lora.pk)
    return render(request, "loras/add.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@in_space()
def one(request: HttpRequest, place: Place, lora: int) -> HttpResponse:
    """A LoRA: what it is, who wears it, what was drawn with it."""
    found = get_object_or_404(Lora.objects.select_related("persona"), pk=lora, space=place.space)
    drawn = Made.objects.filter(space=place.space, loras__sha256=found.sha256)[:_DRAWN]
    said: dict[str, Any] = {"lora": found, "drawn": drawn}
    said |= {"worn": list(found.worn.select_related("persona")), "personas": list(place.space.personas.all())}
    return render(request, "loras/one.html", said | {"settings": list(_trained(found.sheet.get("settings")))})


def _trained(settings: object) -> Iterator[tuple[str, object]]:
    """How it was trained, of whatever a sheet says."""
    told = settings if isinstance(settings, dict) else {}
    for name, words in _TOLD.items():
        if name in told:
            yield words, ", ".join(map(str, told[name])) if isinstance(told[name], list) else told[name]


@require_POST
@in_space(Role.owner)
def act(request: HttpRequest, place: Place, lora: int) -> HttpResponse:
    """Put it on a persona, take it off one, retire it, bring it back."""
    found = get_object_or_404(Lora, pk=lora, space=place.space)
    do = request.POST.get("do", "")
    if do == "retire":
        retire(found)
        messages.info(request, f"{found} has left the library; what was drawn with it stays. It can be brought back.")
    elif do == "restore":
        restore(found)
        messages.success(request, f"{found} is in the library again.")
    else:
        _dress(request, get_object_or_404(Persona, space=place.space, name=request.POST.get("persona", "")), found, do)
    return redirect("lora", place.space.slug, found.pk)


def _dress(request: HttpRequest, persona: Persona, lora: Lora, do: str) -> None:
    form = forms.Wear(request.POST)
    if do == "off":
        take_off(persona, lora)
        messages.info(request, f"{persona} draws without {lora} now.")
    elif do == "wear" and form.is_valid():
        worn = wear(persona, lora, form.cleaned_data["weight"], form.cleaned_data["primary"])
        messages.success(request, f"{persona} draws with {worn} now.")
    else:
        raise UserError("A LoRA is put on with a weight, taken off, retired or brought back; nothing was changed.")


@require_GET
@in_space()
def card(request: HttpRequest, place: Place, lora: int, sha256: str, side: int) -> HttpResponseBase:
    """The picture that came with it."""
    found = get_object_or_404(Lora, pk=lora, space=place.space, card=sha256)
    return sent(request, card_of(found), sha256, side)


@require_GET
@in_space()
def file(request: HttpRequest, place: Place, lora: int, kind: str) -> HttpResponseBase:
    """The file itself, to use elsewhere."""
    return handed(get_object_or_404(Lora, pk=lora, space=place.space), kind)


@in_space()
def worn(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """What a persona draws with."""
    found = persona_of(place, persona)
    if request.method == "POST":
        place.ask(Role.owner)
        chosen = get_object_or_404(Lora, pk=_number(request.POST.get("lora")), space=place.space)
        _dress(request, found, chosen, request.POST.get("do", ""))
        return redirect("persona-loras", place.space.slug, found.name)
    dressed = list(found.worn.select_related("lora").defer("lora__sheet"))
    others = _loras(place).exclude(pk__in=[each.lora_id for each in dressed]).filter(base=found.base)
    said = {"persona": found, "worn": dressed, "others": forms.Pairs(_offered(others)).options}
    return render(request, "loras/worn.html", said)


def _number(text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > 18:
        raise Http404("There is no such LoRA.")
    return int(text)


@in_space()
def try_space(request: HttpRequest, place: Place) -> HttpResponse:
    """Draw with any LoRAs of the space."""
    wanted = request.GET.get("lora")
    lora = _loras(place).filter(pk=_number(wanted)).first() if wanted else None
    initial = {"lora_0": str(lora.pk), "weight_0": 1.0, "model": lora.base, "prompt": lora.trigger} if lora else {}
    return _try(request, place, None, initial)


@in_space()
def try_persona(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """The same, beginning with what a persona wears."""
    found = persona_of(place, persona)
    return _try(request, place, found, beginning(found, _models()))


def _try(request: HttpRequest, place: Place, persona: Persona | None, initial: dict[str, Any]) -> HttpResponse:
    form = forms.Try(
        request.POST or None,
        initial=initial,
        models=_models(),
        loras=_offered(_loras(place)),
    )
    if request.method == "POST":
        place.ask(Role.reviewer)
        if form.is_valid():
            try:
                try_out(place.space, member(request), form.cleaned_data, form.stack(), persona)
            except UserError as error:
                form.add_error(None, str(error))
    said = {"form": form, "persona": persona, "orders": _orders(place, persona)}
    if request.headers.get("HX-Request"):
        return render(request, "loras/try_now.html", said)
    if request.method == "POST" and not form.errors:
        return redirect(request.path)
    return render(request, "loras/try.html", said, status=422 if form.errors else 200)


def _orders(place: Place, persona: Persona | None) -> list[dict[str, Any]]:
    rows = Order.objects.filter(space=place.space, tried=True).prefetch_related("made")
    if persona:
        rows = rows.filter(persona=persona)
    shown = rows[:_TRIED]
    jobs = jobs_of(shown)
    return [_told(order, jobs.get(order.key)) for order in shown]


def _told(order: Order, job: Job | None) -> dict[str, Any]:
    made = sorted(order.made.all(), key=lambda each: each.number)
    going = job is not None and job.state not in ("done", "failed", "cancelled")
    return {"order": order, "job": job, "made": made, "going": going, "missing": range(order.count - len(made))}


@require_GET
@in_space()
def tried(request: HttpRequest, place: Place, order: int) -> HttpResponse:
    """One order as it stands now."""
    found = get_object_or_404(Order.objects.prefetch_related("made"), pk=order, space=place.space)
    return render(request, "loras/order.html", {"each": _told(found, job_of(found))})
