"""The step that can be taken back from a page, and what it was in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.wheel import events as ev
from zoetrope.wheel.state import Undoable, last_undoable
from zoetrope.wheel.workspace import Workspace

_ADDED = {
    ev.Origin.source: "added",
    ev.Origin.synthetic: "drawn by a turn",
    ev.Origin.edit: "edited",
    ev.Origin.correction: "put right",
}


@dataclass(frozen=True)
class Step:
    """What was recorded together last, as a page names it."""

    number: int
    words: str


# A step may be ten thousand events, and its words the same until another comes.
_LAST: dict[Path, tuple[tuple[ev.Event, ...], Step | None]] = {}
_MOST_LAST = 16


def last(workspace: Workspace) -> Step | None:
    """The step that an undo would take back; none where nothing is left."""
    events = workspace.log.known()
    before, step = _LAST.pop(workspace.folder, ((), None))
    if before is not events:
        taken = last_undoable(events)
        step = Step(taken[0].batch, in_words(taken)) if taken else None
    _LAST[workspace.folder] = events, step
    while len(_LAST) > _MOST_LAST:
        _LAST.pop(next(iter(_LAST)), None)
    return step


def undo(workspace: Workspace, number: str) -> str:
    """Take back the step that a page named, unless another came after it; what it was."""
    if not number.isdecimal() or len(number) > 9:
        raise UserError("Which step is to be taken back was not said; nothing was. Load the page again.")
    return in_words(workspace.undo(int(number), only_last=True))


def in_words(taken: Sequence[Undoable]) -> str:
    """How many of what, and by whom where it is known."""
    # A picture put right comes in with the words and the correction that brought it.
    first = next((event for event in taken if isinstance(event, ev.Corrected)), taken[0])
    if isinstance(first, ev.Changed):
        return f"{first.field} changed"
    count = sum(event.kind == first.kind for event in taken)
    if isinstance(first, ev.Added):
        return f"{count} {_ADDED[first.origin]}"
    return f"{count} {first.kind} by {first.by}"
