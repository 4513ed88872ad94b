"""A persona's own slots: weekdays and local times at which it posts; without any, those that its rhythm makes.

And the next of them on a day.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing.calendar import bounds
from zoetrope.studio.publishing.models import Post, SlotRow
from zoetrope.studio.publishing.times import next_time, slots_of

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST = 42
"""Slots of a week: twice as many as there are posts at most."""


def own(persona: Persona) -> tuple[Slot, ...]:
    """Those that somebody set, in the order of the week."""
    return tuple(Slot(weekday, clock) for weekday, clock in persona.slots.values_list("weekday", "clock"))


def week(rhythm: Rhythm) -> tuple[Slot, ...]:
    """When posts go out if nobody says when: its own slots, or else the defaults."""
    return own(rhythm.persona) or slots_of(rhythm)


def slot_on(persona: Persona, day: date, rhythm: Rhythm, besides: Collection[datetime] = ()) -> datetime:
    """The next time of a day that no post has, and that is not among some others."""
    zone = ZoneInfo(rhythm.zone)
    opens, closes = bounds(day, date.fromordinal(day.toordinal() + 1), zone)
    rows = Post.objects.filter(persona=persona, due__gte=opens, due__lt=closes).exclude(state=Post.State.FAILED)
    taken = list(rows.values_list("due", flat=True))
    return next_time(day, week(rhythm), [*besides, *(at for at in taken if at)], zone, timezone.now())


def add(persona: Persona, slot: Slot) -> None:
    """One more."""
    slot, there = _checked(slot), own(persona)
    if slot in there:
        raise UserError(f"{name_of(slot)} is a slot already; nothing was changed.")
    put(persona, (*there, slot))


def remove(persona: Persona, slot: Slot) -> None:
    """It is none any more; with the last of them gone the defaults hold again."""
    if not SlotRow.objects.filter(persona=persona, weekday=slot.weekday, clock=slot.clock).delete()[0]:
        raise UserError(f"{name_of(slot)} is no slot by now; nothing was changed.")


def put(persona: Persona, slots: Sequence[Slot]) -> None:
    """These and no others."""
    wanted = sorted({_checked(each) for each in slots})
    if len(wanted) > MOST:
        raise UserError(f"A week has at most {MOST} slots; nothing was changed.")
    with transaction.atomic():
        Persona.objects.select_for_update().get(pk=persona.pk)
        persona.slots.all().delete()
        SlotRow.objects.bulk_create(SlotRow(persona=persona, weekday=at.weekday, clock=at.clock) for at in wanted)


def name_of(slot: Slot) -> str:
    """As people say it."""
    return f"{WEEKDAYS[slot.weekday]} {slot.clock:%H:%M}"


def _checked(slot: Slot) -> Slot:
    """A slot is a whole minute of a day of the week."""
    if not 0 <= slot.weekday < len(WEEKDAYS):
        raise UserError("A slot's weekday is 0, for Monday, to 6; nothing was changed.")
    return Slot(slot.weekday, time(slot.clock.hour, slot.clock.minute))
