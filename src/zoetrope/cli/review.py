"""`zoetrope review`, `keep`, `reject`, `correct`: what a person says about pictures."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper
from zoetrope.cli.persona import Name
from zoetrope.errors import UserError

if TYPE_CHECKING:
    from zoetrope.wheel.events import Event, Reason
    from zoetrope.wheel.state import Entry
    from zoetrope.wheel.workspace import Workspace

Pictures = Annotated[list[str] | None, typer.Argument(help="Pictures by file name or the start of their hash.")]
All = Annotated[bool, typer.Option("--all", help="Everything that waits for a decision.")]

_BY = "person"
_KEYS = "k keep · r reject · c correct · s skip · u undo · q stop"


def review(name: Name, as_json: JsonFlag = False) -> None:
    """Decide on everything that waits, one key a picture, beside a page with the pictures.

    Example: zoetrope review ada
    """
    from zoetrope.wheel.contact import write_contact_page
    from zoetrope.wheel.state import Decision
    from zoetrope.wheel.workspace import open_workspace

    workspace = open_workspace(name)
    waiting = workspace.state().of(Decision.waiting)
    page = workspace.folder / "review.html"
    write_contact_page(workspace, waiting, page)
    if not as_json and waiting:
        console.print(f"The pictures: {page}\n{_KEYS}", highlight=False, markup=False)
        _ask(workspace, waiting)
    left = len(workspace.state().of(Decision.waiting))
    emit(
        {"page": str(page), "waiting": left},
        as_json,
        lambda: paper.print(f"{left} pictures still wait." if left else "Nothing waits for a decision."),
    )


def _ask(workspace: "Workspace", waiting: "list[Entry]") -> None:
    position = 0
    batches: dict[int, int] = {}
    while position < len(waiting):
        entry = waiting[position]
        label = f"[{position + 1}/{len(waiting)}] {Path(entry.file).name[:40]}: {entry.caption[:80]}"
        console.print(label, highlight=False, markup=False)
        key = _key()
        if key == "q":
            return
        if key == "u" and position > 0:
            position -= 1
            # Of a skipped picture there is nothing to take back, and others may have recorded something since.
            if position in batches:
                workspace.undo(batches.pop(position))
        elif key == "s":
            position += 1
        elif decided := _decided(workspace, entry, key):
            batches[position] = decided[0].batch
            position += 1
        else:
            console.print(_KEYS, highlight=False, markup=False)


def _key() -> str:
    """One key at a terminal; a line where something else types."""
    if sys.stdin.isatty():
        return typer.getchar().lower()
    answer: str = typer.prompt("k/r/c/s/u/q", err=True)
    return answer.strip().lower()


def _decided(workspace: "Workspace", entry: "Entry", key: str) -> "list[Event]":
    """The decision as it was recorded; nothing where the key means none."""
    from zoetrope.wheel import review as gate
    from zoetrope.wheel.events import Reason

    if key == "k":
        return gate.keep(workspace, [entry], _BY)
    if key == "r":
        reason = typer.prompt(f"why ({', '.join(Reason)})", default="other", err=True)
        if reason not in list(Reason):
            console.print(f"{reason} is no reason.", highlight=False, markup=False)
            return []
        return gate.reject(workspace, [entry], Reason(reason), _BY)
    if key == "c":
        return gate.correct(workspace, entry, _BY, instruction=typer.prompt("what should change", err=True))
    return []


def keep(name: Name, pictures: Pictures = None, every: All = False, as_json: JsonFlag = False) -> None:
    """Take pictures for training.

    Example: zoetrope keep ada --all
    """
    from zoetrope.wheel import review as gate

    workspace, entries = _chosen(name, pictures, every)
    gate.keep(workspace, entries, _BY)
    _answer(workspace.name, "kept", entries, as_json)


def reject(
    name: Name,
    pictures: Pictures = None,
    reason: Annotated[str, typer.Option(help="hands, identity, light, pose, artifact or other.")] = "other",
    every: All = False,
    as_json: JsonFlag = False,
) -> None:
    """Refuse pictures, and say why.

    Example: zoetrope reject ada front-3.png --reason hands
    """
    from zoetrope.wheel import review as gate

    workspace, entries = _chosen(name, pictures, every)
    gate.reject(workspace, entries, _reason(reason), _BY)
    _answer(workspace.name, "rejected", entries, as_json)


def correct(
    name: Name,
    picture: Annotated[str, typer.Argument(help="A picture by file name or the start of its hash.")],
    instruction: Annotated[str, typer.Option(help="What should change, in words for the editor.")] = "",
    replacement: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="The picture as it should be.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say how a picture should be: the pair later teaches the editor.

    Example: zoetrope correct ada front-3.png --instruction "make her hair longer"
    """
    from zoetrope.wheel import review as gate

    workspace, entries = _chosen(name, [picture], False)
    gate.correct(workspace, entries[0], _BY, instruction=instruction, picture=replacement)
    _answer(workspace.name, "corrected", entries, as_json)


def _chosen(name: str, pictures: list[str] | None, every: bool) -> "tuple[Workspace, list[Entry]]":
    from zoetrope.wheel.state import Decision
    from zoetrope.wheel.workspace import open_workspace

    workspace = open_workspace(name)
    if every == bool(pictures):
        raise UserError("Name pictures, or give --all for everything that waits.")
    entries = workspace.state().of(Decision.waiting) if every else [workspace.find(each) for each in pictures or []]
    return workspace, entries


def _reason(text: str) -> "Reason":
    from zoetrope.wheel.events import Reason

    if text not in list(Reason):
        raise UserError(f"There is no reason called {text!r}; there are {', '.join(Reason)}.")
    return Reason(text)


def _answer(name: str, done: str, entries: "list[Entry]", as_json: bool) -> None:
    # Where nothing was recorded, an undo would take back something else.
    back = f"; `zoetrope persona undo {name}` takes it back." if entries else ", as nothing waits for a decision."
    emit(
        {done: [entry.sha256 for entry in entries]},
        as_json,
        lambda: paper.print(f"{len(entries)} {done}{back}", highlight=False),
    )
