"""A space's writer is set and asked for, and people's corrections are kept as examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoetrope.engines.comfyui.addresses import found, spelled
from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.servers.keeping import may_be_near
from zoetrope.studio.spaces.models import Space, User
from zoetrope.studio.writing.models import Edit, Kind, WriterSettings
from zoetrope.studio.writing.seam import Brief
from zoetrope.studio.writing.words import clean
from zoetrope.studio.writing.writers.model import PATIENCE, ModelWriter, Served
from zoetrope.studio.writing.writers.template import TemplateWriter

USUALLY: Mapping[str, str] = {
    Kind.openai: "https://api.openai.com/v1",
    Kind.ollama: "http://127.0.0.1:11434/v1",
    Kind.gemini: "https://generativelanguage.googleapis.com/v1beta/openai",
}
"""Where each kind of server is unless somebody says otherwise."""
MOST_BANNED, MOST_EDITS, EXAMPLES = 100, 200, 5
_LONGEST_KEY, _LONGEST_EDIT, _LONGEST_WORD = 500, 4_000, 60
AnyWriter = TemplateWriter | ModelWriter


@dataclass(frozen=True)
class Said:
    """What an owner says of the writer. An empty key leaves the one that is kept; `forget` takes it out."""

    kind: str
    url: str = ""
    model: str = ""
    key: str = ""
    forget: bool = False
    sees: bool = True
    enabled: bool = True
    banned: tuple[str, ...] = ()


def settings_of(space: Space) -> WriterSettings:
    """How the space's writer is set; as nobody has set it yet, the template writes."""
    return WriterSettings.objects.filter(space=space).first() or WriterSettings(space=space)


def address_of(row: WriterSettings) -> str:
    """Where its server is; empty where there is none."""
    return row.url or USUALLY.get(row.kind, "")


def change(space: Space, said: Said, by: User) -> WriterSettings:
    """Set the space's writer. A key never follows to another address: whoever names one could read it there."""
    row, _ = WriterSettings.objects.get_or_create(space=space)
    before = (row.kind, address_of(row))
    row.kind, row.model, row.url = _kind(said), said.model.strip(), _url(said)
    _check(row)
    row.near = _near(row, by, before)
    if said.forget or before != (row.kind, address_of(row)):
        row.key = ""
    if said.key.strip():
        row.key = _key(said.key)
    row.sees, row.enabled, row.banned, row.by = said.sees, said.enabled, _banned(said.banned), by
    row.save()
    return row


def _kind(said: Said) -> Kind:
    if said.kind not in Kind.values:
        raise UserError(f"There is no writer of the kind {said.kind!a:.20}; nothing was changed.")
    return Kind(said.kind)


def _url(said: Said) -> str:
    return spelled(said.url) if said.url.strip() and said.kind != Kind.template else ""


def _check(row: WriterSettings) -> None:
    if row.kind != Kind.template and not (row.model.isprintable() and 0 < len(row.model) <= 100):
        raise UserError("A model has a name of 1 to 100 characters, as its server calls it; nothing was changed.")


def _near(row: WriterSettings, by: User, before: tuple[str, str]) -> bool:
    """Whether the server may be on this machine or in its network; one that nobody may use is not kept."""
    address = address_of(row)
    if not address:
        return False
    # Another owner who only changes the model leaves the address as whoever set it was allowed to.
    near = may_be_near(address, by) or (row.near and before == (row.kind, address))
    found(address, near)
    return near


def _key(text: str) -> str:
    key = text.strip()
    if len(key) > _LONGEST_KEY or not (key.isascii() and key.isprintable()) or " " in key:
        raise UserError("This is no key of a server: it is one run of letters, digits and signs; nothing was changed.")
    return key


def _banned(said: tuple[str, ...]) -> list[str]:
    words = [each for each in dict.fromkeys(" ".join(clean(word).split()) for word in said) if each]
    if len(words) > MOST_BANNED or any(len(each) > _LONGEST_WORD for each in words):
        raise UserError(f"At most {MOST_BANNED} words of {_LONGEST_WORD} characters are kept; nothing was changed.")
    return words


def writer_of(space: Space, patience: float = PATIENCE, seed: int = 0) -> AnyWriter:
    """Who writes for a space; `patience` is how many seconds one call may take, `seed` is the template's."""
    row, template = settings_of(space), TemplateWriter(seed)
    if row.kind == Kind.template or not row.enabled:
        return template
    return ModelWriter(Served(row.kind, address_of(row), row.near, row.model, row.key, row.sees), template, patience)


def brief_for(persona: Persona, **said: Any) -> Brief:
    """What is known of a persona, as every brief of it begins: its voice, its corrections, its space's words."""
    known: dict[str, Any] = {"voice": persona.said_voice, "persona": persona.title, "about": persona.about}
    known |= {"edits": examples_of(persona), "banned": tuple(settings_of(persona.space).banned)}
    return Brief(**(known | said))


def learn(persona: Persona, before: str, after: str, by: User | None) -> Edit | None:
    """Keep what a person made of a caption; none where nothing was changed. The oldest make room."""
    texts = [clean(each).strip()[:_LONGEST_EDIT] for each in (before, after)]
    if not all(texts) or texts[0] == texts[1]:
        return None
    row = Edit.objects.create(persona=persona, before=texts[0], after=texts[1], by=by)
    old = Edit.objects.filter(persona=persona).values_list("pk", flat=True)[MOST_EDITS:]
    Edit.objects.filter(pk__in=list(old)).delete()
    return row


def examples_of(persona: Persona) -> tuple[tuple[str, str], ...]:
    """The last corrections, the newest first."""
    return tuple(Edit.objects.filter(persona=persona).values_list("before", "after")[:EXAMPLES])
