"""Where a persona's row and its workspace meet."""

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.text import slugify

from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_file
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Drawing, Persona, checked
from zoetrope.studio.spaces.forms import numbered
from zoetrope.studio.spaces.models import Space
from zoetrope.studio.spaces.work import scope_of
from zoetrope.wheel.persona import NAME_LIMIT, ConsentKind, make_persona
from zoetrope.wheel.workspace import PERSONA, Workspace, new_workspace, open_workspace, personas_folder

if TYPE_CHECKING:
    from zoetrope.wheel.persona import Persona as Told

LARGEST_DOCUMENT = 20 << 20
# File systems take 255 bytes.
_LONGEST_STEM, _LONGEST_SUFFIX = 180, 20


def workspace_of(persona: Persona) -> Workspace:
    """Its workspace, in today's form."""
    _ask_whether_there(persona)
    return open_workspace(str(personas_folder() / persona.folder))


def begin(
    space: Space,
    told: "Told",
    title: str,
    document: "UploadedFile[bytes] | None" = None,
) -> Persona:
    """A new persona: its workspace first, as it holds the consent, then its row."""
    if (told.consent.kind is ConsentKind.granted) != (document is not None):
        raise UserError("A granted consent is a signed document, and no other has one: add its file or leave it out.")
    if Persona.objects.filter(space=space, name=told.name).exists():
        raise UserError(f"{space} has a persona called {told.name} already.")
    folder = personas_folder() / _free_folder(space, told.name)
    with tempfile.TemporaryDirectory() as temporary:
        workspace = new_workspace(folder, told, _kept(document, Path(temporary)))
    return _row(space, workspace, title)


def adopt(space: Space, folder: str) -> Persona:
    """Take in a workspace that the command line began."""
    if folder not in strays():
        raise UserError(f"There is no workspace called {folder!r} that belongs to nobody.")
    workspace = open_workspace(str(personas_folder() / folder))
    return _row(space, workspace, workspace.name.replace("-", " ").replace("_", " ").title())


def strays() -> list[str]:
    """Workspaces in the home that no space holds."""
    there = {path.parent.name for path in personas_folder().glob(f"*/{PERSONA}")}
    return sorted(there - set(Persona.objects.filter(folder__in=there).values_list("folder", flat=True)))


AGAINST_LEAVING: list[Callable[[Persona], str]] = []
"""Whoever has something under way for personas adds itself: a sentence where one cannot be taken out now."""


def forget(persona: Persona) -> str:
    """Take a persona out of its space: its rows end, every file stays. Its folder's name is given back."""
    open_jobs = jobs.Job.objects.filter(scope=scope_of(persona.space), args__persona=persona.pk)
    if open_jobs.exclude(state__in=jobs.ENDED).exists():
        raise UserError(f"A job of {persona} waits or runs: wait for it or cancel it first. Nothing was changed.")
    if fault := next(filter(None, (stands(persona) for stands in AGAINST_LEAVING)), ""):
        raise UserError(f"{fault} Nothing was changed.")
    persona.delete()
    return persona.folder


def is_there(persona: Persona) -> bool:
    """Whether its workspace lies where it is looked for."""
    return os.path.isfile(_told_in(persona))


def _told_in(persona: Persona) -> Path:
    return personas_folder() / persona.folder / PERSONA


def _ask_whether_there(persona: Persona) -> None:
    if not is_there(persona):
        raise UserError(
            f"The folder of {persona} is gone: put {persona.folder} back into the data folder's personas, "
            f"or have an owner take {persona} out of the space."
        )


def consent_document(persona: Persona) -> Path:
    """The document of a granted consent; `persona.toml` cannot name a file elsewhere."""
    folder = workspace_of(persona).folder.resolve()
    path = Path(folder, persona.consent.get("document", "")).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise Http404("No document was recorded.")
    return path


def mirror(persona: Persona) -> Persona:
    """Copy what `persona.toml` says now, if it was changed since."""
    _ask_whether_there(persona)
    sha256 = hash_file(_told_in(persona))
    if sha256 != persona.mirrored:
        told = workspace_of(persona).persona
        persona.kind, persona.trigger, persona.base = told.kind, told.trigger, told.base
        persona.consent, persona.mirrored = told.consent.model_dump(mode="json", exclude_none=True), sha256
        persona.save(update_fields=["kind", "trigger", "base", "consent", "mirrored"])
    return persona


def told_persona(name: str, kind: str, trigger: str, base: str, consent: str, looks: str = "") -> "Told":
    """What a form said, as the wheel knows a persona."""
    from zoetrope.models.catalogue import Catalogue

    model = Catalogue().find(base)
    return make_persona(
        name=name, kind=kind, trigger=trigger or name, base=model.name, looks=looks, consent={"kind": consent}
    )


def _row(space: Space, workspace: Workspace, title: str) -> Persona:
    told = workspace.persona
    try:
        with transaction.atomic():
            row = Persona.objects.create(space=space, name=told.name, title=title, folder=workspace.folder.name)
            return mirror(row)
    except IntegrityError as error:
        raise UserError(f"{space} has a persona called {told.name} already.") from error


def short_name(space: Space, title: str) -> str:
    """A name for files and commands, from the one that people read; where that has no plain letters, a number."""
    plain = re.sub("[-_]+", "-", slugify(title))[:NAME_LIMIT].strip("-")
    return plain or numbered("persona", set(space.personas.values_list("name", flat=True)))


def drawing_of(persona: Persona, said: dict[str, Any]) -> dict[str, Any]:
    """Settings of pictures as the row keeps them, if its base can draw that size."""
    from zoetrope.models.catalogue import Catalogue

    kept = checked(Drawing, said)
    base = next((model for model in Catalogue().models() if model.name == persona.base), None)
    step = base.family.size_step(base.folder) if base else 1
    for side in ("width", "height"):
        if (kept[side] or 0) % step:
            raise UserError(f"{persona.base} draws no {side} of {kept[side]}: choose a multiple of {step}.")
    return kept


def _free_folder(space: Space, name: str) -> str:
    """The plain name, as the command line finds it; where that is taken, the space's is put before it."""
    there = {path.name for path in personas_folder().glob("*")}
    return name if name not in there else numbered(f"{space.slug[:40]}--{name}", there)


def _kept(document: "UploadedFile[bytes] | None", folder: Path) -> Path | None:
    if document is None:
        return None
    if (document.size or 0) > LARGEST_DOCUMENT:
        raise UserError(f"The consent is larger than {LARGEST_DOCUMENT >> 20} MB: give a smaller scan.")
    if not document.size:
        raise UserError("The consent's file is empty: give the signed document.")
    # Only the last part of a name: an upload cannot choose its folder.
    named = Path(str(document.name).replace("\\", "/"))
    path = folder / (_cut(named.stem, _LONGEST_STEM) + _cut(named.suffix, _LONGEST_SUFFIX))
    with path.open("wb") as file:
        for chunk in document.chunks():
            file.write(chunk)
    return path


def _cut(text: str, most: int) -> str:
    """Its first bytes, and no half letter."""
    return text.encode()[:most].decode(errors="ignore")
