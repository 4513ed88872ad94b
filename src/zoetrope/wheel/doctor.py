"""A workspace examined: every hash, sidecar and event; what can be mended without a doubt is mended."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoetrope.errors import UserError
from zoetrope.media.errors import MediaError
from zoetrope.media.files import write_atomic, write_text_atomic
from zoetrope.media.hashing import hash_file
from zoetrope.media.recipe import read_recipe
from zoetrope.models.headers import read_header
from zoetrope.wheel.drawing import DRAWING, waiting
from zoetrope.wheel.events import Changed, Created, Origin
from zoetrope.wheel.measure import card_folder
from zoetrope.wheel.persona import Persona
from zoetrope.wheel.state import State, Version, settled
from zoetrope.wheel.strays import find_strays, put_aside
from zoetrope.wheel.words import read_caption
from zoetrope.wheel.workspace import Busy, Workspace, round_folder

_TEMPORARY = ".*.tmp"
_ROUNDS = ("rounds", "exports")
# Where a command may be writing that does not hold the workspace's lock.
_BUSY = (*_ROUNDS, DRAWING)


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, or, when it needs nobody, that is good to know."""

    what: str
    mended: bool = False
    harmless: bool = False


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing needs a person."""
    return all(finding.mended or finding.harmless for finding in findings)


def examine(workspace: Workspace, *, rebuild: bool = False) -> list[Finding]:
    """Look at everything; `rebuild` also writes whatever is derived from the events again."""
    findings = []
    with workspace.locked():
        if workspace.log.repair():
            findings.append(Finding("The last event was torn by a crash and was cut off.", mended=True))
        state = workspace.state()
        findings += _trainings(workspace, state)
        findings += _temporary(
            workspace.folder, [each for each in workspace.folder.iterdir() if each.name not in _BUSY]
        )
        findings += _consent(workspace)
        findings += _settled(workspace)
        findings += _named(workspace)
        findings += _pictures(workspace, state)
        findings += _recipes(workspace, state)
        findings += _strays(workspace)
        findings += _drawing(workspace)
        findings += _captions_again(workspace, state) if rebuild else _captions_missing(workspace, state)
    return findings + _edited_captions(workspace)


def _temporary(folder: Path, inside: list[Path]) -> list[Finding]:
    every = [path for each in inside for path in (each.rglob(_TEMPORARY) if each.is_dir() else [each])]
    found = [path for path in every if path.match(_TEMPORARY) and path.is_file()]
    for path in found:
        path.unlink()
    told = [path.relative_to(folder).as_posix() for path in found]
    return [Finding(f"{name} was left by a crash and was removed.", mended=True) for name in told]


def _consent(workspace: Workspace) -> list[Finding]:
    consent = workspace.persona.consent
    if consent.document is None:
        return []
    path = workspace.folder / consent.document
    if path.is_file() and hash_file(path) == consent.sha256:
        return []
    return [Finding(f"The consent {consent.document} is missing or was altered: put the original back.")]


def _settled(workspace: Workspace) -> list[Finding]:
    """`persona.toml` is right: what was changed there by hand, or not written before a crash, becomes an event."""
    # A stranger's record may name what no persona has.
    last = {name: said for name, said in settled(workspace.log.read()).items() if name in Persona.model_fields}
    now = {field: workspace.persona.said(field) for field in last}
    other = [field for field in last if last[field] != now[field]]
    workspace.record([Changed(field=field, before=last[field], after=now[field]) for field in other])
    return [Finding(f"That {field} is {now[field]!r} in persona.toml was taken in.", mended=True) for field in other]


def _named(workspace: Workspace) -> Iterator[Finding]:
    """Exports bear the persona's name: under another they would count as missing."""
    begun = next((event.name for event in workspace.log.read() if isinstance(event, Created)), workspace.name)
    if workspace.name != begun:
        yield Finding(f"persona.toml says {workspace.name}, and it was begun as {begun}: put that name back there.")


def _pictures(workspace: Workspace, state: State) -> list[Finding]:
    findings = []
    for entry in state.pictures.values():
        path = workspace.path(entry)
        if not path.is_file():
            findings.append(Finding(f"{entry.file} is missing: put it back, or undo its adding."))
        elif hash_file(path) != entry.sha256:
            findings.append(Finding(f"{entry.file} was altered: put the original back, or add it anew."))
    return findings


def _recipes(workspace: Workspace, state: State) -> Iterator[Finding]:
    """A made picture holds its recipe, and the file beside it says the same."""
    for entry in state.pictures.values():
        beside = workspace.path(entry).with_suffix(".json")
        name = beside.relative_to(workspace.folder).as_posix()
        # A missing picture was told already, and what a person gave has no recipe.
        if not workspace.path(entry).is_file() or not (beside.is_file() or entry.origin is Origin.synthetic):
            continue
        try:
            recipe = read_recipe(workspace.path(entry)).to_json()
        except (MediaError, OSError):
            yield Finding(f"{name} is damaged, and its picture holds no recipe to write it from: restore it.")
            continue
        if not beside.is_file() or beside.read_bytes() != recipe.encode():
            what = "damaged" if beside.is_file() else "missing"
            write_text_atomic(beside, recipe)
            yield Finding(f"{name} was {what} and was written again from its picture.", mended=True)


def _strays(workspace: Workspace) -> list[Finding]:
    """What a crash left before its event was written is put aside; what a person may have put there is told."""
    folder = workspace.folder
    moved = [
        Finding(f"{_name(old, folder)} was left by an interrupted command and lies in {_name(new, folder)} now.", True)
        for old, new in put_aside(workspace)
    ]
    return moved + [
        Finding(f"{_name(path, folder)} is in no event: `zoetrope persona add` it, or remove it.")
        for path in find_strays(workspace)
    ]


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _drawing(workspace: Workspace) -> list[Finding]:
    drawn = len(waiting(workspace))
    many = "1 picture waits" if drawn == 1 else f"{drawn} pictures wait"
    said = f"{many} in {DRAWING}/: the command that drew there goes on from them."
    return [Finding(said, harmless=True)] if drawn else []


def _trainings(workspace: Workspace, state: State) -> list[Finding]:
    """Rounds and exports, unless a training writes there just now."""
    try:
        with workspace.training():
            inside = [workspace.folder / name for name in _ROUNDS]
            found = _temporary(workspace.folder, [path for path in inside if path.is_dir()])
            looked = (_unfinished, _exports, _sheets, _cards)
            told = [finding for look in looked for finding in look(workspace, state)]
            return [*found, *told, *_damaged(workspace.folder)]
    except Busy:
        return [Finding(f"{workspace.name} is being trained: rounds and exports were not looked at.", harmless=True)]


def _unfinished(workspace: Workspace, state: State) -> Iterator[Finding]:
    for path in sorted(workspace.folder.glob("rounds/*/training/state.safetensors")):
        number = path.parts[-3]
        if number.isdecimal() and int(number) in state.trained:
            continue
        try:
            step = json.loads(read_header(path).metadata["progress"])["step"]
        except (UserError, KeyError, ValueError, TypeError):
            yield Finding(f"{_name(path, workspace.folder)} is damaged: remove it to begin this training anew.")
        else:
            said = f"The training of round {number} stopped at step {step}: `zoetrope train {workspace.name}` goes on."
            yield Finding(said, harmless=True)


def _exports(workspace: Workspace, state: State) -> Iterator[Finding]:
    """Every version's file by its hash; a missing one is copied from its round again."""
    for version in state.versions:
        path = workspace.folder / "exports" / f"{workspace.name}_v{version.number}.safetensors"
        if path.is_file() and hash_file(path) == version.sha256:
            continue
        name = f"exports/{path.name}"
        if path.is_file():
            yield Finding(f"{name} was altered: put the original back, or remove it and run the doctor again.")
        elif copy := _copy_of(version, workspace):
            write_atomic(path, copy.read_bytes())
            yield Finding(f"{name} was missing and was copied from its round.", mended=True)
        else:
            yield Finding(f"{name} is missing: put it back.")


def _sheets(workspace: Workspace, state: State) -> Iterator[Finding]:
    """The sheet beside each version says of which file it is."""
    for version in state.versions:
        path = workspace.folder / "exports" / f"{workspace.name}_v{version.number}.json"
        if not path.is_file():
            yield Finding(
                f"{_name(path, workspace.folder)} is missing: put it back, others read there what the LoRA is."
            )
        elif _read_object(path).get("sha256", version.sha256) != version.sha256:
            yield Finding(f"{_name(path, workspace.folder)} is of another LoRA: put the original back.")


def _cards(workspace: Workspace, state: State) -> Iterator[Finding]:
    """A round whose card is recorded has its scores and pictures."""
    for number in state.cards:
        folder = card_folder(workspace, number)
        told = _read_object(folder / "card.json")
        scenes = told.get("pictures")
        pictures = [each.get("scene") for each in scenes if isinstance(each, dict)] if isinstance(scenes, list) else []
        whole = isinstance(told.get("scores"), dict) and pictures
        if not whole or not all((folder / f"{scene}.png").is_file() for scene in pictures):
            again = f"`zoetrope card {workspace.name}` draws the newest again"
            yield Finding(
                f"The card of round {number} is not whole: restore {_name(folder, workspace.folder)}; {again}."
            )


def _read_object(path: Path) -> dict[str, Any]:
    """What a JSON file says; damaged ones are told elsewhere."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _copy_of(version: Version, workspace: Workspace) -> Path | None:
    """The same LoRA where its round trained it, or kept it along the way."""
    found = round_folder(workspace, version.round).rglob("*.safetensors")
    return next((path for path in found if hash_file(path) == version.sha256), None)


def _damaged(folder: Path) -> Iterator[Finding]:
    every = [path for name in _ROUNDS for path in sorted((folder / name).rglob("*.json"))]
    for path in every:
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            again = ", or remove it: `zoetrope card` writes it again" if path.parent.name == "card" else ""
            yield Finding(f"{_name(path, folder)} is damaged: restore it{again}.")


def _edited_captions(workspace: Workspace) -> list[Finding]:
    edited = workspace.take_in_edits()
    return [Finding(f"The caption of {sha256[:12]} was edited by hand and taken in.", True) for sha256 in edited]


def _captions_missing(workspace: Workspace, state: State) -> Iterator[Finding]:
    for entry in state.pictures.values():
        path = workspace.caption_path(entry)
        if entry.caption and not path.is_file():
            again = f"`zoetrope persona doctor {workspace.name} --rebuild` writes it again"
            yield Finding(f"{_name(path, workspace.folder)} is missing: {again}.")


def _captions_again(workspace: Workspace, state: State) -> list[Finding]:
    findings = []
    for entry in state.pictures.values():
        path = workspace.caption_path(entry)
        if read_caption(path) is None and entry.caption:
            write_text_atomic(path, entry.caption + "\n")
            findings.append(Finding(f"{_name(path, workspace.folder)} was written again from the events.", True))
    return findings
