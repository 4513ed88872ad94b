"""The page of a persona's slots."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from zoetrope.errors import UserError
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.planning.asked import number
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import slotting
from zoetrope.studio.publishing.calendar import read_time
from zoetrope.studio.publishing.forms import SlotForm
from zoetrope.studio.publishing.times import slots_of
from zoetrope.studio.spaces.here import Place, in_space
from zoetrope.studio.spaces.models import Role


@in_space()
def slots(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """When posts go out if nobody says when; one is added."""
    found = persona_of(place, persona)
    form = SlotForm(request.POST or None)
    if request.method == "POST":
        place.ask(Role.owner)
        if form.is_valid():
            try:
                slotting.add(found, form.said())
            except UserError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{slotting.name_of(form.said())} is a slot now.")
                return redirect("slots", place.space.slug, found.name)
    rhythm, own = rhythm_of(found), slotting.own(found)
    said: dict[str, Any] = {"persona": found, "form": form, "zone": rhythm.zone, "days": _by_day(own)}
    said["usual"] = [slotting.name_of(each) for each in slots_of(rhythm)]
    return render(request, "publishing/slots.html", said, status=422 if form.errors else 200)


def _by_day(slots: tuple[Slot, ...]) -> list[tuple[str, list[Slot]]]:
    days = [(name, [each for each in slots if each.weekday == day]) for day, name in enumerate(slotting.WEEKDAYS)]
    return [(name, there) for name, there in days if there]


@require_POST
@in_space(Role.owner)
def act(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Take one out, or begin with the defaults as slots of one's own."""
    found, do = persona_of(place, persona), request.POST.get("do", "")
    if do == "own":
        slotting.put(found, slots_of(rhythm_of(found)))
        messages.success(request, "The defaults are its own slots now: add to them, or take some out.")
    elif do:
        slot = _named(do)
        slotting.remove(found, slot)
        messages.info(request, f"{slotting.name_of(slot)} is no slot any more.")
    else:
        raise UserError("It was not said which slot is meant; nothing was changed.")
    return redirect("slots", place.space.slug, found.name)


def _named(text: str) -> Slot:
    """A slot as its button names it: a weekday's number and a time."""
    day, _, clock = text.partition(" ")
    weekday = number(day)
    if weekday >= len(slotting.WEEKDAYS):
        raise UserError("There is no such weekday; nothing was changed.")
    return Slot(weekday, read_time(clock))
