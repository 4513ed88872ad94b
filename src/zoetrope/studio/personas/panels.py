"""What a persona's home page shows: each app that has something to say adds a panel, its steps of the way, its tab."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import resolve, reverse

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.here import Place


@dataclass(frozen=True)
class Panel:
    """A part of the home page: a template, and what it is filled with; `steps` among it go into the strip above."""

    template: str
    fill: Callable[[HttpRequest, Place, Persona], dict[str, Any]]


class Stop(IntEnum):
    """The way from a gap to what came of the post that filled it."""

    GAPS = 1
    GENERATE = 2
    VOTE = 3
    SCHEDULE = 4
    UPCOMING = 5
    INSIGHTS = 6


class Need(IntEnum):
    """How much a step needs a person."""

    # It goes on by itself, or there is nothing.
    NONE = 0
    # Nothing waits for it.
    CAN = 1
    # Something waits.
    WAITS = 2
    # Something goes wrong otherwise.
    NOW = 3


@dataclass(frozen=True)
class Step:
    """How one stop of the way stands, in a few words, and where its work is."""

    stop: Stop
    told: str
    there: str
    need: Need = Need.NONE

    @property
    def name(self) -> str:
        """As people call it."""
        return self.stop.name.capitalize()


@dataclass(frozen=True)
class Tab:
    """A page of a persona: its words, and the name of its address."""

    label: str
    address: str


@dataclass(frozen=True)
class Part:
    """What an app above shows on a page: loaded from an address that takes the same number, or with its own rules."""

    title: str
    address: str
    style: str = ""


PANELS: list[Panel] = []
TABS: list[Tab] = []
PARTS: dict[str, list[Part]] = {}
"""By the name of the page's address."""


def around(request: HttpRequest) -> dict[str, Any]:
    """For every template: the tabs of a persona's pages, the one that this page lies under, and what others add."""
    return {"tabs": TABS, "tab_above": _above(request), "parts": PARTS}


def most_needed(steps: Iterable[Step]) -> Step | None:
    """The step that a person should go to; of several, the one nearest to a post that goes out, insights last."""
    waiting = [step for step in steps if step.need]
    return max(waiting, key=lambda step: (step.need, step.stop != Stop.INSIGHTS, step.stop), default=None)


def _above(request: HttpRequest) -> Tab | None:
    """The tab of the app that a page belongs to, where that app has just one."""
    if request.resolver_match is None:
        return None
    app = _app(request.resolver_match.func.__module__)
    found = [tab for tab in TABS if _app_of(tab.address) == app]
    return found[0] if app and len(found) == 1 else None


@cache
def _app_of(address: str) -> str:
    return _app(resolve(reverse(address, args=["space", "persona"])).func.__module__)


def _app(module: str) -> str:
    """The app that a module lies in."""
    found = apps.get_containing_app_config(module)
    return found.name if found else ""
