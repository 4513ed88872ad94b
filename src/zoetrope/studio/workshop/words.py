"""The captions of a workspace: written, counted, and what is wrong with them."""

from dataclasses import dataclass

from zoetrope.studio.workshop.shelf import entry_of
from zoetrope.studio.workshop.sums import Said, of_words
from zoetrope.wheel.captions import lacks_trigger
from zoetrope.wheel.persona import Persona
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.words import on_one_line
from zoetrope.wheel.workspace import Workspace

MOST_TAGS = 60


@dataclass(frozen=True)
class Words:
    """Every picture that may be learned from, those without words first; remarks; the most frequent phrases.

    `more` is how many phrases there are besides.
    """

    entries: list[Entry]
    remarks: list[str]
    tags: dict[str, int]
    more: int


def read(workspace: Workspace) -> Words:
    """What the captions say altogether."""
    state = workspace.state()
    entries = [entry for entry in state.pictures.values() if entry.decision is not Decision.rejected]
    ordered = [*(each for each in entries if not each.caption), *(each for each in entries if each.caption)]
    remarks, tags, phrases = of_words(workspace, state, _told)
    return Words(ordered, remarks, tags, phrases - len(tags))


def _told(said: Said) -> tuple[list[str], dict[str, int], int]:
    return said.words.remarks(), said.words.tags(MOST_TAGS), said.words.phrases


def fault(persona: Persona, entry: Entry) -> str:
    """What is wrong with a picture's words by themselves, or nothing."""
    if not entry.caption:
        return "It has no words yet."
    return f"It lacks the trigger {persona.trigger}." if lacks_trigger(persona, entry.caption) else ""


def write(workspace: Workspace, sha256: str, text: str, by: str) -> Entry:
    """Give a picture its words, on one line."""
    entry = entry_of(workspace, sha256)
    workspace.caption({sha256: on_one_line(text)}, by)
    return entry_of(workspace, entry.sha256)
