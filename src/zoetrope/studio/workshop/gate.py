"""Decisions from the review page: one, many, or one taken back."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoetrope.errors import UserError
from zoetrope.wheel import review
from zoetrope.wheel.events import Event, Reason
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.words import on_one_line
from zoetrope.wheel.workspace import Workspace

# So many pictures a page holds; when they are decided it asks for the next.
MOST = 300


def told(entry: Entry) -> dict[str, Any]:
    """What the page shows of a picture."""
    return {"sha256": entry.sha256, "caption": entry.caption, "origin": entry.origin.value, "round": entry.round}


def decide(workspace: Workspace, said: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Do what the page asks; the step's number, by which it can be taken back, and how many still wait."""
    if said.get("do") == "undo":
        workspace.undo(_number(said.get("step")))
        step = 0
    else:
        step = _recorded(workspace, said, by)[0].batch
    return {"step": step, "left": len(workspace.state().of(Decision.waiting))}


def _recorded(workspace: Workspace, said: Mapping[str, Any], by: str) -> Sequence[Event]:
    entries = _entries(workspace, said.get("pictures"))
    match said.get("do"):
        case "keep":
            return review.keep(workspace, entries, by)
        case "reject":
            return review.reject(workspace, entries, _reason(said.get("reason")), by)
        case "correct" if len(entries) > 1:
            raise UserError("A correction is of one picture; nothing was recorded.")
        case "correct":
            instruction = on_one_line(str(said.get("instruction", "")))
            return review.correct(workspace, entries[0], by, instruction=instruction)
        case _:
            raise UserError("A decision is keep, reject, correct or undo; nothing was recorded.")


def _entries(workspace: Workspace, hashes: object) -> list[Entry]:
    known = workspace.state().pictures
    wanted = hashes if isinstance(hashes, list) else []
    if not wanted or any(not isinstance(each, str) or each not in known for each in wanted):
        raise UserError("Some of these pictures are not in the workspace any more: load the page again.")
    return [known[each] for each in wanted]


def _reason(text: object) -> Reason:
    if text not in list(Reason):
        raise UserError(f"A reason is one of {', '.join(Reason)}; nothing was recorded.")
    return Reason(str(text))


def _number(step: object) -> int:
    if not isinstance(step, int) or step < 1:
        raise UserError("There is no such step to take back.")
    return step
