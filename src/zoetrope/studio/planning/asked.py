"""What forms of these pages name by its number."""

from django.http import HttpRequest

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.clusters import MOST_AT_ONCE
from zoetrope.studio.planning.models import Pillar

_DIGITS = 18


def number(text: str) -> int:
    """Zero for what is no number of a row."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0


def key(request: HttpRequest, name: str) -> int:
    """The number of that name, which has to be there."""
    found = number(request.POST.get(name, ""))
    if not found:
        raise UserError(f"It was not said which {name} is meant; nothing was changed.")
    return found


def key_or_none(request: HttpRequest, name: str) -> int | None:
    """The same where it may be left out."""
    return key(request, name) if request.POST.get(name) else None


def keys(request: HttpRequest, name: str) -> list[int]:
    """All numbers of that name, and one more than may be."""
    return [number(text) for text in request.POST.getlist(name)[: MOST_AT_ONCE + 1]]


def pillars_said(request: HttpRequest, persona: Persona) -> list[Pillar]:
    """The persona's pillars that were ticked."""
    return list(Pillar.objects.filter(persona=persona, pk__in=keys(request, "pillars")))
