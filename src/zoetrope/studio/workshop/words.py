"""The captions of a workspace: written, counted, and what is wrong with them."""

from dataclasses import dataclass

from zoetrope.studio.workshop.shelf import entry_of
from zoetrope.wheel.captions import lint, tags
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.workspace import Workspace

LONGEST = 2000


@dataclass(frozen=True)
class Words:
    """Every picture that may be learned from, those without words first; remarks; how often each phrase is said."""

    entries: list[Entry]
    remarks: list[str]
    tags: dict[str, int]


def read(workspace: Workspace) -> Words:
    """What the captions say altogether."""
    entries = [entry for entry in workspace.state().pictures.values() if entry.decision is not Decision.rejected]
    said = lint(workspace.persona, entries), tags(entries)
    return Words(sorted(entries, key=lambda entry: bool(entry.caption)), *said)


def write(workspace: Workspace, sha256: str, text: str, by: str) -> Entry:
    """Give a picture its words, on one line."""
    entry = entry_of(workspace, sha256)
    workspace.caption({sha256: " ".join(text.split())[:LONGEST]}, by)
    return entry_of(workspace, entry.sha256)
