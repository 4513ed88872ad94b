"""Sums over a workspace's pictures, kept up: of ten thousand only those are looked at again that changed."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeVar

from zoetrope.wheel.captions import Words
from zoetrope.wheel.coverage import Facets, facets_of
from zoetrope.wheel.events import Origin
from zoetrope.wheel.persona import Persona
from zoetrope.wheel.state import Decision, Entry, State
from zoetrope.wheel.workspace import Workspace

_MOST = 16


class Sum(Protocol):
    """Something that pictures add up to."""

    def add(self, entry: Entry, times: int = 1) -> None:
        """Count a picture; -1 times takes it out again."""


class Said:
    """The words of every picture that was not refused."""

    def __init__(self, persona: Persona) -> None:
        self.words = Words(persona)

    def add(self, entry: Entry, times: int = 1) -> None:
        if entry.decision is not Decision.rejected:
            self.words.add(entry, times)


class Sources:
    """What the captions of the sources say of the card's facets."""

    def __init__(self, persona: Persona) -> None:
        self._names = (persona.name, persona.trigger)
        self.facets: Counter[Facets] = Counter()

    def add(self, entry: Entry, times: int = 1) -> None:
        if entry.origin is Origin.source:
            said = facets_of(entry.caption, self._names)
            self.facets[said] += times
            if not self.facets[said]:
                del self.facets[said]


S = TypeVar("S", bound=Sum)
T = TypeVar("T")
# What was counted, their sum, and what was told of it by whom.
_Kept = tuple[Mapping[str, Entry], Any, object, Any]
_KEPT: dict[tuple[Path, type, object], _Kept] = {}
_LOCK = Lock()


def of_words(workspace: Workspace, state: State, tell: Callable[[Said], T]) -> T:
    """What there is to tell of the captions; the same function is asked once until one changes."""
    persona = workspace.persona
    return _told(workspace, state, Said, persona, lambda: Said(persona), tell)


def of_sources(workspace: Workspace, state: State, tell: Callable[[Counter[Facets]], T]) -> T:
    """What there is to tell of what the sources show."""
    persona = workspace.persona
    return _told(workspace, state, Sources, persona, lambda: Sources(persona), lambda sum: tell(sum.facets))


def _told(
    workspace: Workspace, state: State, kind: type[S], about: object, make: Callable[[], S], tell: Callable[[S], T]
) -> T:
    key = workspace.folder, kind, about
    # Two requests may look at once, and what they tell may not change meanwhile.
    with _LOCK:
        before, kept, asked, answer = _KEPT.pop(key, ({}, None, None, None))
        found: S = make() if kept is None else kept
        # Entries that did not change are the same objects nearly always, and then this takes no time.
        changed = kept is None or before != state.pictures
        if changed:
            _catch_up(found, before, state.pictures)
        if changed or asked is not tell:
            answer = tell(found)
        _KEPT[key] = state.pictures, found, tell, answer
        while len(_KEPT) > _MOST:
            _KEPT.pop(next(iter(_KEPT)))
        told: T = answer
        return told


def _catch_up(found: Sum, before: Mapping[str, Entry], now: Mapping[str, Entry]) -> None:
    for sha256, entry in now.items():
        known = before.get(sha256)
        # The same object nearly always: only after an undo are all of them made again.
        if known is entry or known == entry:
            continue
        if known is not None:
            found.add(known, -1)
        found.add(entry)
    for sha256 in before.keys() - now.keys():
        found.add(before[sha256], -1)
