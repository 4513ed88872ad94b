"""A persona's pillars: added, changed, retired; together they weigh a hundred at most."""

from dataclasses import asdict, dataclass
from datetime import date
from math import isfinite

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import LONGEST_NAME, Pillar
from zoetrope.studio.planning.rhythm import MOST_A_WEEK

WHOLE, PRIORITIES, MOST_PILLARS = 100, 5, 40
_LONGEST = 2000


@dataclass(frozen=True)
class Wanted:
    """A pillar as people say it."""

    name: str
    weight: int = 25
    priority: int = 3
    starts: date | None = None
    ends: date | None = None
    guidelines: str = ""
    posts_per_week: float | None = None


def current(persona: Persona, day: date) -> list[Pillar]:
    """Those that are posted about on that day."""
    return [each for each in active(persona) if each.current(day)]


def active(persona: Persona) -> list[Pillar]:
    """Those that are not retired, also before and after their dates."""
    return list(Pillar.objects.filter(persona=persona, retired=None))


def add(persona: Persona, said: Wanted) -> Pillar:
    """Another subject to post about."""
    said = _checked(said)
    with transaction.atomic():
        _fits(persona, said.name, said.weight, None)
        return Pillar.objects.create(space=persona.space, persona=persona, **asdict(said))


def change(pillar: Pillar, said: Wanted) -> Pillar:
    """Say it otherwise; what is retired may say anything that it could be brought back with."""
    said = _checked(said)
    with transaction.atomic():
        if pillar.retired is None:
            _fits(pillar.persona, said.name, said.weight, pillar)
        for name, value in asdict(said).items():
            setattr(pillar, name, value)
        pillar.save()
    return pillar


def retire(pillar: Pillar) -> None:
    """Nothing more is planned for it; its posts and clusters stay."""
    pillar.retired = timezone.now()
    pillar.save(update_fields=["retired"])


def restore(pillar: Pillar) -> None:
    """Plan for it again, where the others leave room for its weight."""
    with transaction.atomic():
        _fits(pillar.persona, pillar.name, pillar.weight, pillar)
        pillar.retired = None
        pillar.save(update_fields=["retired"])


def _checked(said: Wanted) -> Wanted:
    name = said.name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise UserError(f"A pillar needs a name of 1 to {LONGEST_NAME} characters.")
    if not 0 <= said.weight <= WHOLE:
        raise UserError(f"A pillar weighs 0 to {WHOLE}, not {said.weight}.")
    if not 1 <= said.priority <= PRIORITIES:
        raise UserError(f"A priority is 1 to {PRIORITIES}, and 1 matters most.")
    if said.starts and said.ends and said.ends < said.starts:
        raise UserError("A pillar cannot end before it begins.")
    if len(said.guidelines) > _LONGEST:
        raise UserError(f"Guidelines have at most {_LONGEST} characters.")
    each_week = said.posts_per_week
    if each_week is not None and not (isfinite(each_week) and 0 < each_week <= MOST_A_WEEK):
        raise UserError(f"A pillar has more than 0 and at most {MOST_A_WEEK:g} posts a week, or none of its own.")
    return Wanted(**asdict(said) | {"name": name, "guidelines": said.guidelines.strip()})


def _fits(persona: Persona, name: str, weight: int, own: Pillar | None) -> None:
    """Refuse what the persona's other pillars leave no room for; nobody else changes them meanwhile."""
    Persona.objects.select_for_update().get(pk=persona.pk)
    others = Pillar.objects.filter(persona=persona, retired=None).exclude(pk=own.pk if own else 0)
    if others.filter(name=name).exists():
        raise UserError(f"{persona} has a pillar called {name} already; nothing was changed.")
    if others.count() >= MOST_PILLARS:
        raise UserError(f"A persona has at most {MOST_PILLARS} pillars: retire one first.")
    taken = int(others.aggregate(sum=Sum("weight"))["sum"] or 0)
    if taken + weight > WHOLE:
        left = f"{WHOLE - taken} are left" if taken < WHOLE else "nothing is left"
        raise UserError(
            f"Pillars weigh {WHOLE} together and the others take {taken}: {left} for {name}. "
            "Lower another one first; nothing was changed."
        )
