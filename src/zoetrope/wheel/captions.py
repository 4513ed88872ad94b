"""Captions of a workspace: from a template or a model that looks, and what is wrong with them."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.media.decode import open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.kinds import PICTURE_SUFFIXES
from zoetrope.wheel.captioners import Captioner
from zoetrope.wheel.captioners.words import NoCaption, caption_of
from zoetrope.wheel.coverage import read_facets
from zoetrope.wheel.events import PICTURES, SOURCES
from zoetrope.wheel.persona import Persona, PersonaKind
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.words import on_one_line
from zoetrope.wheel.workspace import Workspace

# Captions shared by this share of the pictures say nothing about any of them.
_SAME_SHARE = 0.3
# A phrase in more captions than this is as good as the persona's own.
_BINDING_SHARE = 0.8
_FEW = 4
# English takes about four tokens for three words.
_TOKENS_A_WORD = 4 / 3


@dataclass
class Described:
    """What a model's captioning came to: how many captions were written, and which pictures got none."""

    written: int = 0
    remarks: list[str] = field(default_factory=list)


def from_template(template: str, persona: Persona, entry: Entry) -> str:
    """Fill in `[trigger]` and `[name]`, the picture's file name as words."""
    if not template.strip():
        raise UserError("The template is empty: give words, with [trigger] and [name] where they belong.")
    words = Path(entry.file).stem.replace("_", " ").replace("-", " ")
    return on_one_line(template.replace("[trigger]", persona.trigger).replace("[name]", words))


def lacks_trigger(persona: Persona, text: str) -> bool:
    """Whether a caption never names the persona; a style has no word of its own."""
    return persona.kind is not PersonaKind.style and persona.trigger.lower() not in text.lower()


def undescribed(entries: Iterable[Entry]) -> list[Entry]:
    """The pictures that still need words."""
    return [entry for entry in entries if not entry.caption and entry.decision is not Decision.rejected]


def describe(
    workspace: Workspace,
    captioner: Captioner,
    entries: Sequence[Entry],
    instruction: str,
    on_done: Callable[[int], None] = lambda done: None,
) -> Described:
    """Let a model caption pictures; each caption is recorded at once, so whatever ends it takes one at most."""
    described = Described()
    persona = workspace.persona
    for number, entry in enumerate(entries, start=1):
        try:
            image = open_picture(workspace.path(entry)).image
        except MediaError as error:
            described.remarks.append(f"{Path(entry.file).name} was left out: {error}")
            continue
        try:
            reply = captioner.describe(image, instruction)
        except UserError as error:
            kept = f"What was written before is kept: captions of {described.written} of {len(entries)} pictures."
            raise UserError(f"{error} {kept}") from error
        try:
            workspace.caption({entry.sha256: caption_of(reply, persona)}, captioner.name)
            described.written += 1
        except NoCaption as error:
            described.remarks.append(f"{Path(entry.file).name} has none: {error}.")
        on_done(number)
    return described


class Words:
    """What captions say together, kept up as pictures come, go and get other words."""

    def __init__(self, persona: Persona) -> None:
        self._persona = persona
        self._looks = [phrase for part in persona.looks.split(",") if (phrase := part.strip().lower())]
        self._bare = self._said = self._lacking = 0
        self._texts, self._phrases, self._shown = Counter[str](), Counter[str](), Counter[str]()

    def add(self, entry: Entry, times: int = 1) -> None:
        """Count a picture's words; -1 times takes them out again."""
        if not entry.caption:
            self._bare += times
            return
        text = entry.caption.lower()
        self._said += times
        self._lacking += times * lacks_trigger(self._persona, text)
        _count(self._texts, [entry.caption], times)
        _count(self._phrases, {phrase for part in text.split(",") if (phrase := part.strip())}, times)
        _count(self._shown, [phrase for phrase in self._looks if phrase in text], times)

    def tags(self, most: int | None = None) -> dict[str, int]:
        """How many captions have each phrase between commas, the most frequent first."""
        number = len(self._phrases) if most is None else most
        return dict(heapq.nsmallest(number, self._phrases.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def phrases(self) -> int:
        """How many phrases there are."""
        return len(self._phrases)

    def remarks(self) -> list[str]:
        """What would teach the wrong thing, or nothing."""
        found = []
        if self._bare:
            found.append(f"{self._bare} of {self._bare + self._said} pictures have no caption.")
        if self._lacking:
            lack = "1 caption lacks" if self._lacking == 1 else f"{self._lacking} captions lack"
            found.append(f"{lack} the trigger {self._persona.trigger!r}.")
        if self._persona.kind is not PersonaKind.style:
            found += self._binding()
        return found + [
            f"{count} pictures share the caption {text[:60]!r}: say what differs."
            for text, count in self._texts.items()
            if count > 1 and count >= _SAME_SHARE * self._said
        ]

    def _binding(self) -> list[str]:
        """A phrase in most captions becomes part of who it is: without it, the persona would not be itself."""
        if self._said < _FEW:
            return []
        name, trigger = self._persona.name, self._persona.trigger.lower()
        least = _BINDING_SHARE * self._said
        counts = {tag: count for tag, count in self._phrases.items() if count > least}
        # Sentences have no phrases between commas, but what was said of the looks can be looked for in them.
        counts |= {tag: self._shown[tag] for tag in self._looks if self._shown[tag] > least}
        return [
            f"{count} of {self._said} captions say {tag!r}: if it belongs to {name}, leave it out, "
            "so that the trigger means it."
            for tag, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            if trigger not in tag and not _is_scene(tag)
        ]


def _count(counts: "Counter[str]", keys: Iterable[str], times: int) -> None:
    for key in keys:
        counts[key] += times
        if not counts[key]:
            del counts[key]


def words(persona: Persona, entries: Iterable[Entry]) -> Words:
    """What these captions say together."""
    found = Words(persona)
    for entry in entries:
        found.add(entry)
    return found


def lint(persona: Persona, entries: Sequence[Entry], max_tokens: int | None = None) -> list[str]:
    """What in the captions would teach the wrong thing, or nothing; `max_tokens` is what the base reads of each."""
    found = words(persona, entries).remarks()
    return found + (_too_long([entry for entry in entries if entry.caption], max_tokens) if max_tokens else [])


def strays(workspace: Workspace) -> list[str]:
    """Caption files that belong to no picture."""
    texts = (path for name in (SOURCES, PICTURES) for path in sorted((workspace.folder / name).rglob("*.txt")))
    return [
        f"{path.relative_to(workspace.folder).as_posix()} has no picture beside it: nobody reads it."
        for path in texts
        if not any(path.with_suffix(suffix).is_file() for suffix in PICTURE_SUFFIXES)
    ]


def _is_scene(tag: str) -> bool:
    """An angle, expression or framing: too many of one kind are a matter of coverage."""
    return any(read_facets(tag).values())


def _too_long(entries: Sequence[Entry], max_tokens: int) -> list[str]:
    most = int(max_tokens / _TOKENS_A_WORD)
    long = [entry for entry in entries if len(entry.caption.split()) > most]
    if not long:
        return []
    return [
        f"{len(long)} captions, such as that of {Path(long[0].file).name}, are longer than the about {most} words "
        "that the base reads: the end of them is not seen."
    ]
