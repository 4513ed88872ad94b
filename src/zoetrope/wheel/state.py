"""What a workspace holds now, as its events tell it."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from zoetrope.wheel import events as ev


class Decision(StrEnum):
    """Where a picture stands at the review gate."""

    waiting = "waiting"
    kept = "kept"
    rejected = "rejected"
    corrected = "corrected"


@dataclass(frozen=True)
class Entry:
    """One picture."""

    sha256: str
    file: str
    origin: ev.Origin
    depth: int = 0
    round: int = 0
    caption: str = ""
    decision: Decision = Decision.waiting
    reason: ev.Reason | None = None
    instruction: str = ""
    replacement: str | None = None


@dataclass(frozen=True)
class Version:
    """One trained and exported LoRA."""

    number: int
    round: int
    sha256: str


@dataclass
class State:
    """Pictures in the order they came, versions, and how far the rounds are."""

    pictures: dict[str, Entry] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    trained: dict[int, ev.Trained] = field(default_factory=dict)
    cards: dict[int, dict[str, float]] = field(default_factory=dict)
    synthesized: dict[int, int] = field(default_factory=dict)
    closed: dict[int, str] = field(default_factory=dict)

    def of(self, decision: Decision) -> list[Entry]:
        return [entry for entry in self.pictures.values() if entry.decision is decision]

    @property
    def round(self) -> int:
        """The round at work: the first that is not closed."""
        return max(self.closed, default=0) + 1


Undoable: TypeAlias = ev.Added | ev.Captioned | ev.Kept | ev.Rejected | ev.Corrected | ev.Changed
UNDOABLE = (ev.Added, ev.Captioned, ev.Kept, ev.Rejected, ev.Corrected, ev.Changed)


# What a record told last, and of which events: a decision more is one step more, whatever came before.
_DERIVED: dict[Path, tuple[tuple[ev.Event, ...], State]] = {}
_MOST_DERIVED = 8


def state_of(log: ev.EventLog) -> State:
    """What a record tells now; the caller's own copy."""
    events = log.known()
    before, state = _DERIVED.get(log.path, ((), State()))
    added = events[len(before) :]
    same = len(before) <= len(events) and (not before or events[len(before) - 1] is before[-1])
    if not same or any(isinstance(event, ev.Undone) for event in added):
        state = derive(events)
    elif added:
        state = _copy(state)
        for event in added:
            _apply(state, event)
    _DERIVED.pop(log.path, None)
    _DERIVED[log.path] = events, state
    while len(_DERIVED) > _MOST_DERIVED:
        _DERIVED.pop(next(iter(_DERIVED)), None)
    return _copy(state)


def _copy(state: State) -> State:
    return State(**{each.name: copy(getattr(state, each.name)) for each in fields(State)})


def derive(events: Iterable[ev.Event]) -> State:
    """Play the events, leaving out what was undone."""
    every = list(events)
    undone = {event.target for event in every if isinstance(event, ev.Undone)}
    state = State()
    for event in every:
        if event.batch not in undone or not isinstance(event, UNDOABLE):
            _apply(state, event)
    return state


def settled(events: Iterable[ev.Event]) -> dict[str, str]:
    """What the persona's fields that were ever changed hold, by the events that still count."""
    every = list(events)
    undone = {event.target for event in every if isinstance(event, ev.Undone)}
    fields: dict[str, str] = {}
    for event in every:
        if isinstance(event, ev.Changed):
            if event.batch in undone:
                fields.setdefault(event.field, event.before)
            else:
                fields[event.field] = event.after
    return fields


def last_undoable(events: Sequence[ev.Event], batch: int | None = None) -> list[Undoable]:
    """What was recorded together last, or as `batch`, and still counts; empty when there is nothing left to undo."""
    undone: set[int] = set()
    found: list[Undoable] = []
    # From the end, where it nearly always is: an undoing comes after what it undoes, and a batch in one piece.
    for event in reversed(events):
        if found and event.batch != found[0].batch:
            break
        if isinstance(event, ev.Undone):
            undone.add(event.target)
        elif isinstance(event, UNDOABLE) and event.batch not in undone and batch in (None, event.batch):
            found.append(event)
    return found[::-1]


def _change(state: State, sha256: str, **values: object) -> None:
    # A decision about a picture whose adding was undone waits for nobody.
    if sha256 in state.pictures:
        state.pictures[sha256] = replace(state.pictures[sha256], **values)  # type: ignore[arg-type]


def _decide(state: State, sha256: str, decision: Decision, **values: object) -> None:
    cleared = {"reason": None, "instruction": "", "replacement": None}
    _change(state, sha256, **{**cleared, "decision": decision, **values})


def _apply(state: State, event: ev.Event) -> None:
    match event:
        case ev.Added():
            state.pictures[event.sha256] = Entry(event.sha256, event.file, event.origin, event.depth, event.round)
        case ev.Captioned():
            _change(state, event.sha256, caption=event.text)
        case ev.Kept():
            _decide(state, event.sha256, Decision.kept)
        case ev.Rejected():
            _decide(state, event.sha256, Decision.rejected, reason=event.reason)
        case ev.Corrected():
            said = {"instruction": event.instruction, "replacement": event.replacement}
            _decide(state, event.sha256, Decision.corrected, **said)
        case ev.Trained():
            state.trained[event.round] = event
        case ev.Exported():
            state.versions.append(Version(event.version, event.round, event.sha256))
        case ev.Carded():
            state.cards[event.round] = event.scores
        case ev.Synthesized():
            state.synthesized[event.round] = event.drawn
        case ev.Closed():
            state.closed[event.round] = event.verdict
        case ev.Created() | ev.Changed() | ev.Undone():
            pass
