"""A workspace examined: every hash, sidecar and event; what can be mended without a doubt is mended."""

from dataclasses import dataclass
from pathlib import Path

from zoetrope.media.files import write_text_atomic
from zoetrope.media.hashing import hash_file
from zoetrope.wheel.events import Added
from zoetrope.wheel.state import State
from zoetrope.wheel.workspace import PICTURES, SOURCES, Workspace, read_caption

_TEMPORARY = ".*.tmp"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    what: str
    mended: bool


def examine(workspace: Workspace, *, rebuild: bool = False) -> list[Finding]:
    """Look at everything; `rebuild` also writes whatever is derived from the events again."""
    findings = []
    with workspace.locked():
        if workspace.log.repair():
            findings.append(Finding("The last event was torn by a crash and was cut off.", True))
        state = workspace.state()
        findings += _leftovers(workspace.folder)
        findings += _consent(workspace)
        findings += _pictures(workspace, state)
        findings += _strays(workspace, state)
        if rebuild:
            findings += _captions_again(workspace, state)
    return findings + _edited_captions(workspace)


def _leftovers(folder: Path) -> list[Finding]:
    found = [path for path in folder.rglob(_TEMPORARY) if path.is_file()]
    for path in found:
        path.unlink()
    return [Finding(f"{path.relative_to(folder)} was left by a crash and was removed.", True) for path in found]


def _consent(workspace: Workspace) -> list[Finding]:
    consent = workspace.persona.consent
    if consent.document is None:
        return []
    path = workspace.folder / consent.document
    if path.is_file() and hash_file(path) == consent.sha256:
        return []
    return [Finding(f"The consent {consent.document} is missing or was altered: put the original back.", False)]


def _pictures(workspace: Workspace, state: State) -> list[Finding]:
    findings = []
    for entry in state.pictures.values():
        path = workspace.path(entry)
        if not path.is_file():
            findings.append(Finding(f"{entry.file} is missing: put it back, or undo its adding.", False))
        elif hash_file(path) != entry.sha256:
            findings.append(Finding(f"{entry.file} was altered: put the original back, or add it anew.", False))
    return findings


def _strays(workspace: Workspace, state: State) -> list[Finding]:
    """Pictures that a crash left before their event was written: the next `add` of the same ones takes them in."""
    known = {workspace.path(entry) for entry in state.pictures.values()}
    folders = (workspace.folder / SOURCES, workspace.folder / PICTURES)
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    strays = [path for path in files if path.suffix not in (".txt", ".json") and path not in known]
    undone = {event.file for event in workspace.log.read() if isinstance(event, Added)}
    return [
        Finding(f"{relative} is in no event: `zoetrope persona add` it, or remove it.", False)
        for relative in (path.relative_to(workspace.folder).as_posix() for path in strays)
        if relative not in undone
    ]


def _edited_captions(workspace: Workspace) -> list[Finding]:
    edited = workspace.take_in_edits()
    return [Finding(f"The caption of {sha256[:12]} was edited by hand and taken in.", True) for sha256 in edited]


def _captions_again(workspace: Workspace, state: State) -> list[Finding]:
    findings = []
    for entry in state.pictures.values():
        path = workspace.caption_path(entry)
        if read_caption(path) is None and entry.caption:
            write_text_atomic(path, entry.caption + "\n")
            findings.append(Finding(f"{path.relative_to(workspace.folder)} was written again from the events.", True))
    return findings
