"""Captions of a workspace: from a template, and what is wrong with them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.wheel.persona import Persona, PersonaKind
from zoetrope.wheel.state import Entry

# Captions shared by this share of the pictures say nothing about any of them.
_SAME_SHARE = 0.3
_FEW = 4


def from_template(template: str, persona: Persona, entry: Entry) -> str:
    """Fill in `[trigger]` and `[name]`, the picture's file name as words."""
    if not template.strip():
        raise UserError("The template is empty: give words, with [trigger] and [name] where they belong.")
    words = Path(entry.file).stem.replace("_", " ").replace("-", " ")
    return template.replace("[trigger]", persona.trigger).replace("[name]", words).strip()


def lint(persona: Persona, entries: Sequence[Entry]) -> list[str]:
    """What in the captions would teach the wrong thing."""
    found = []
    without = [entry for entry in entries if not entry.caption]
    said = [entry for entry in entries if entry.caption]
    if without:
        found.append(f"{len(without)} of {len(entries)} pictures have no caption.")
    if persona.kind is not PersonaKind.style:
        missing = [entry for entry in said if persona.trigger.lower() not in entry.caption.lower()]
        if missing:
            found.append(f"{len(missing)} captions lack the trigger {persona.trigger!r}.")
        found += _binding(persona, said)
    found += [
        f"{count} pictures share the caption {text[:60]!r}: say what differs."
        for text, count in Counter(entry.caption for entry in said).items()
        if count > 1 and count >= _SAME_SHARE * len(said)
    ]
    return found


def _binding(persona: Persona, entries: Sequence[Entry]) -> list[str]:
    """A phrase in every caption becomes part of who it is: without it, the persona would not be itself."""
    if len(entries) < _FEW:
        return []
    counts = tags(entries)
    everywhere = [tag for tag, count in counts.items() if count == len(entries) and persona.trigger not in tag]
    return [
        f"Every caption says {tag!r}: if it belongs to {persona.name}, leave it out, so that the trigger means it."
        for tag in everywhere
    ]


def tags(entries: Iterable[Entry]) -> dict[str, int]:
    """How many captions have each phrase between commas, the most frequent first."""
    counts = Counter(
        phrase for entry in entries for phrase in {part.strip().lower() for part in entry.caption.split(",")} if phrase
    )
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
