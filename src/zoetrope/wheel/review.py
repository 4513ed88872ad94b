"""The review gate: decisions as records, by a person or by whoever stands in for one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits, open_picture
from zoetrope.media.files import read_limited
from zoetrope.wheel import events as ev
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.workspace import Workspace


@dataclass(frozen=True)
class Verdict:
    """What a reviewer says of one picture; a verdict without a reason keeps it."""

    reason: ev.Reason | None = None

    @property
    def keeps(self) -> bool:
        return self.reason is None


class Reviewer(Protocol):
    """Who decides at the gate."""

    name: str

    def review(self, pictures: Sequence[tuple[Entry, Path]]) -> list[Verdict]:
        """A verdict for each picture, in order."""
        ...


def review_waiting(workspace: Workspace, reviewer: Reviewer) -> dict[str, int]:
    """Let a reviewer decide on everything that waits."""
    waiting = workspace.state().of(Decision.waiting)
    verdicts = reviewer.review([(entry, workspace.path(entry)) for entry in waiting])
    events: list[ev.Event] = []
    for entry, verdict in zip(waiting, verdicts, strict=True):
        if verdict.reason is None:
            events.append(ev.Kept(sha256=entry.sha256, by=reviewer.name))
        else:
            events.append(ev.Rejected(sha256=entry.sha256, reason=verdict.reason, by=reviewer.name))
    workspace.record(events)
    kept = sum(verdict.keeps for verdict in verdicts)
    return {"kept": kept, "rejected": len(verdicts) - kept}


def keep(workspace: Workspace, entries: Iterable[Entry], by: str) -> list[ev.Event]:
    """Take pictures for training."""
    return workspace.record([ev.Kept(sha256=entry.sha256, by=by) for entry in entries])


def reject(workspace: Workspace, entries: Iterable[Entry], reason: ev.Reason, by: str) -> list[ev.Event]:
    """Refuse pictures, and say why."""
    return workspace.record([ev.Rejected(sha256=entry.sha256, reason=reason, by=by) for entry in entries])


def correct(
    workspace: Workspace, entry: Entry, by: str, *, instruction: str = "", picture: Path | None = None
) -> list[ev.Event]:
    """Say how a picture should be: in words for the editor, or by the picture put right, which then waits."""
    if not instruction and picture is None:
        raise UserError("Say what to correct: an instruction in words, or the picture put right; nothing was recorded.")
    if picture is not None:
        open_picture(picture)
    # One lock for the copy and its event: in between, the doctor would take the copy for a stray.
    with workspace.locked():
        events, replacement = ([], None) if picture is None else _replacement(workspace, entry, by, picture)
        corrected = ev.Corrected(sha256=entry.sha256, by=by, instruction=instruction, replacement=replacement)
        return workspace.record([*events, corrected])


def _replacement(workspace: Workspace, entry: Entry, by: str, picture: Path) -> tuple[list[ev.Event], str]:
    """The picture put right, copied in; the events that say so, and its hash."""
    sha256, file = workspace.store(read_limited(picture, Limits().max_bytes))
    if sha256 in workspace.state().pictures:
        return [], sha256
    events: list[ev.Event] = [
        ev.Added(sha256=sha256, file=file, origin=ev.Origin.correction, depth=entry.depth, round=entry.round)
    ]
    if entry.caption:
        events.append(ev.Captioned(sha256=sha256, text=entry.caption, by=by))
    return events, sha256
