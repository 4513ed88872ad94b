"""What a persona's home page shows: each app that has something to say adds a panel, and its tab."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.here import Place


@dataclass(frozen=True)
class Panel:
    """A part of the home page: a template, and what it is filled with."""

    template: str
    fill: Callable[[HttpRequest, Place, Persona], dict[str, Any]]


@dataclass(frozen=True)
class Tab:
    """A page of a persona: its words, and the name of its address."""

    label: str
    address: str


def around(request: HttpRequest) -> dict[str, Any]:
    """For every template: the tabs of a persona's pages."""
    return {"tabs": TABS}


PANELS: list[Panel] = []
TABS: list[Tab] = []
