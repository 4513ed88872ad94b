"""The page of a space's writer."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.writing import forms, keeping
from zoetrope.studio.writing.hashtags import Guess, guess
from zoetrope.studio.writing.models import WriterSettings
from zoetrope.studio.writing.seam import Length, Written

# A page waits for it.
PATIENCE = 25.0


@dataclass(frozen=True)
class Tried:
    """One caption as the page shows it."""

    persona: Persona
    written: Written
    tags: list[Guess]


@in_space()
def writer(request: HttpRequest, place: Place) -> HttpResponse:
    """Who writes for this space, and a try."""
    row = keeping.settings_of(place.space)
    form = forms.WriterForm(request.POST) if request.method == "POST" else forms.WriterForm.of(row)
    if request.method == "POST":
        place.ask(Role.owner)
        if form.is_valid():
            try:
                keeping.change(place.space, form.said(), member(request))
            except UserError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, "Saved.")
                return redirect("writer", place.space.slug)
    return _page(request, row, form, forms.TryForm(space=place.space), 422 if form.errors else 200)


@require_POST
@in_space(Role.reviewer)
def try_it(request: HttpRequest, place: Place) -> HttpResponse:
    """One caption, with who wrote it, what was mended and what was refused on the way. Nothing is kept."""
    row = keeping.settings_of(place.space)
    trial = forms.TryForm(request.POST, space=place.space)
    tried = None
    if trial.is_valid():
        said = trial.cleaned_data
        persona = persona_of(place, said["persona"])
        try:
            tried = _tried(place, persona, said["says"], Length(said["length"]))
        except UserError as error:
            trial.add_error(None, str(error))
    return _page(request, row, forms.WriterForm.of(row), trial, 422 if trial.errors else 200, tried)


def _tried(place: Place, persona: Persona, says: str, length: Length) -> Tried:
    brief = keeping.brief_for(persona, picture_says=says, length=length)
    written = keeping.writer_of(place.space, PATIENCE).written(brief, 1)[0]
    return Tried(persona, written, [guess(tag) for tag in written.caption.hashtags])


def _page(
    request: HttpRequest,
    row: WriterSettings,
    form: forms.WriterForm,
    trial: forms.TryForm,
    status: int,
    tried: Tried | None = None,
) -> HttpResponse:
    said = {"form": form, "trial": trial, "tried": tried, "writer": row, "address": keeping.address_of(row)}
    return render(request, "writing/writer.html", said, status=status)
