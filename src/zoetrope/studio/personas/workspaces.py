"""Where a persona's row and its workspace meet."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import Http404

from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_file
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space
from zoetrope.wheel.persona import ConsentKind, make_persona
from zoetrope.wheel.workspace import PERSONA, Workspace, new_workspace, open_workspace, personas_folder

if TYPE_CHECKING:
    from zoetrope.wheel.persona import Persona as Told

LARGEST_DOCUMENT = 20 << 20


def workspace_of(persona: Persona) -> Workspace:
    """Its workspace, in today's form."""
    return open_workspace(str(personas_folder() / persona.folder))


def begin(
    space: Space,
    told: "Told",
    title: str,
    document: "UploadedFile[bytes] | None" = None,
) -> Persona:
    """A new persona: its workspace first, as it holds the consent, then its row."""
    if told.consent.kind is ConsentKind.granted and document is None:
        raise UserError("A granted consent is a signed document: add its file.")
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


def consent_document(persona: Persona) -> Path:
    """The document of a granted consent; `persona.toml` cannot name a file elsewhere."""
    folder = workspace_of(persona).folder.resolve()
    path = Path(folder, persona.consent.get("document", "")).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise Http404("No document was recorded.")
    return path


def mirror(persona: Persona) -> Persona:
    """Copy what `persona.toml` says now, if it was changed since."""
    path = personas_folder() / persona.folder / PERSONA
    sha256 = hash_file(path)
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


def _free_folder(space: Space, name: str) -> str:
    """The plain name, as the command line finds it; another space's persona of that name gets its space's too."""
    return name if not (personas_folder() / name).exists() else f"{space.slug}--{name}"


def _kept(document: "UploadedFile[bytes] | None", folder: Path) -> Path | None:
    if document is None:
        return None
    if (document.size or 0) > LARGEST_DOCUMENT:
        raise UserError(f"The consent is larger than {LARGEST_DOCUMENT >> 20} MB: give a smaller scan.")
    # Only the last part of a name: an upload cannot choose its folder.
    path = folder / Path(str(document.name).replace("\\", "/")).name
    with path.open("wb") as file:
        for chunk in document.chunks():
            file.write(chunk)
    return path
