"""A space's personas, and each one's home."""

from collections.abc import Callable
from math import inf
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.files import Handed
from zoetrope.studio.personas import forms
from zoetrope.studio.personas.models import Persona, Voice, checked
from zoetrope.studio.personas.panels import PANELS, Need, Step, most_needed
from zoetrope.studio.personas.workspaces import (
    adopt,
    begin,
    consent_document,
    drawing_of,
    forget,
    is_there,
    mirror,
    short_name,
    strays,
    told_persona,
    workspace_of,
)
from zoetrope.studio.spaces.here import Place, in_space
from zoetrope.studio.spaces.models import Role


@require_GET
@in_space()
def space(request: HttpRequest, place: Place) -> HttpResponse:
    """The space's personas."""
    personas = list(place.space.personas.all())
    said = {"personas": personas, "gone": {persona for persona in personas if not is_there(persona)}}
    return render(request, "personas/space.html", said | {"strays": strays() if place.owns else []})


@in_space(Role.owner)
def new(request: HttpRequest, place: Place) -> HttpResponse:
    """Begin a persona."""
    form = forms.NewPersona(request.POST or None, request.FILES or None, bases=_bases())
    if request.method == "POST" and form.is_valid():
        try:
            persona = _begun(place, form)
        except UserError as error:
            form.add_error(None, str(error))
        else:
            return redirect("persona", place.space.slug, persona.name)
    return render(request, "personas/new.html", {"form": form}, status=422 if form.errors else 200)


def _begun(place: Place, form: forms.NewPersona) -> Persona:
    said = form.cleaned_data
    name = said["name"] or short_name(place.space, said["title"])
    told = told_persona(name, said["kind"], said["trigger"], said["base"], said["consent"], said["looks"])
    return begin(place.space, told, said["title"], said["document"])


def _bases() -> list[str]:
    from zoetrope.models.catalogue import Catalogue

    return [model.name for model in Catalogue().models()]


@require_POST
@in_space(Role.owner)
def take_in(request: HttpRequest, place: Place) -> HttpResponse:
    """Adopt a workspace that the command line began."""
    persona = adopt(place.space, request.POST.get("folder", ""))
    messages.info(request, f"{persona} belongs to {place.space} now.")
    return redirect("persona", place.space.slug, persona.name)


def persona_of(place: Place, name: str) -> Persona:
    """A persona of this space by its name, as its workspace tells it now."""
    return mirror(get_object_or_404(Persona, space=place.space, name=name))


@require_GET
@in_space()
def home(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """A persona's home: where it stands on the way from a gap to what came of its post, and what it has."""
    found = persona_of(place, persona)
    panels = [(panel.template, panel.fill(request, place, found)) for panel in PANELS]
    steps = sorted((step for _, said in panels for step in _steps(said)), key=lambda step: step.stop)
    # Before a first version there is nothing to plan with: what makes one comes first then, and last later on.
    learned = bool(workspace_of(found).state().versions)
    panels.sort(key=lambda panel: _first(_steps(panel[1]), learned))
    # What only could be done waits for that too.
    needed = most_needed(step for step in steps if learned or step.need > Need.CAN)
    said = {"persona": found, "panels": panels, "steps": steps, "needed": needed}
    return render(request, "personas/home.html", said)


def _steps(filled: dict[str, Any]) -> list[Step]:
    """What a panel adds to the way."""
    found: list[Step] = filled.get("steps", [])
    return found


def _first(steps: list[Step], learned: bool) -> float:
    """Where a panel comes: as its first step does; one without any after all, or before them."""
    return min((float(step.stop) for step in steps), default=inf if learned else -inf)


@in_space(Role.owner)
def settings(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """How it is called, how it speaks, what its pictures are made with."""
    found = persona_of(place, persona)
    posted = request.POST.get("form")
    about = forms.About(request.POST if posted == "about" else None, instance=found)
    voice = forms.VoiceForm(request.POST if posted == "voice" else None, initial=found.said_voice.model_dump())
    drawing = forms.DrawingForm(request.POST if posted == "drawing" else None, initial=found.said_drawing.model_dump())
    save: dict[str, tuple[forms.About | forms.VoiceForm | forms.DrawingForm, Callable[[], None]]] = {
        "about": (about, lambda: None),
        "voice": (voice, lambda: setattr(found, "voice", checked(Voice, voice.cleaned_data))),
        "drawing": (drawing, lambda: setattr(found, "drawing", drawing_of(found, drawing.cleaned_data))),
    }
    form, change = save.get(posted or "", (None, None))
    if form and change and form.is_valid():
        try:
            change()
        except UserError as error:
            form.add_error(None, str(error))
        else:
            found.save()
            messages.success(request, "Saved.")
            return redirect("persona-settings", place.space.slug, found.name)
    said = {"persona": found, "about": about, "voice": voice, "drawing": drawing}
    return render(request, "personas/settings.html", said, status=422 if form and form.errors else 200)


@in_space(Role.owner)
def take_out(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Take a persona out of the space, also one whose folder is gone; no file is deleted."""
    found = get_object_or_404(Persona, space=place.space, name=persona)
    there = is_there(found)
    if request.method != "POST":
        return render(request, "personas/take_out.html", {"persona": found, "there": there})
    folder = forget(found)
    kept = f"Its files stay in the data folder, in personas/{folder}, and can be taken in again." if there else ""
    messages.info(request, f"{found} has left {place.space}. {kept}".strip())
    return redirect("space", place.space.slug)


@require_GET
@in_space(Role.owner)
def consent(request: HttpRequest, place: Place, persona: str) -> HttpResponseBase:
    """The document of a granted consent."""
    path = consent_document(persona_of(place, persona))
    return Handed(path.open("rb"), as_attachment=True, filename=path.name)
