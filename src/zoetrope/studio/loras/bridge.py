"""From the wheel to the studio: what a workspace exports comes into the library by itself."""

import logging
from collections.abc import Iterator
from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.loras.library import read_sheet, take, take_card
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.loras.wearing import arrived
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.work import scope_of
from zoetrope.wheel.workspace import personas_folder

KIND = "bring-lora"
log = logging.getLogger(__name__)
# What every sheet looked like when it was last read: none is read twice for nothing.
_seen: dict[Path, tuple[float, bool]] = {}


def look() -> None:
    """Hand in a job for every export that the library lacks, wholly or its card."""
    for persona in Persona.objects.select_related("space"):
        for sheet, sha256 in _new(persona):
            _hand_in(persona, sheet, sha256)


def bring(work: jobs.Work, persona: int, stem: str) -> None:
    """The job: take one export in."""
    row = Persona.objects.select_related("space").get(pk=persona)
    lora = import_export(row, stem, Origin.folder)
    work.log(f"{lora} is in the library.")


def import_export(persona: Persona, stem: str, origin: Origin) -> Lora:
    """Take `exports/STEM` with its card into the library; as a newer version it takes over. Twice is once."""
    folder = workspace_of(persona).folder / "exports"
    lora = take(persona.space, folder / f"{stem}.safetensors", read_sheet(folder / f"{stem}.json"), origin, persona)
    if (card := folder / f"{stem}.png").is_file():
        take_card(lora, card)
    arrived(persona, lora)
    return lora


def import_all(persona: Persona, origin: Origin) -> list[Lora]:
    """Take in every export that the library lacks, the oldest first."""
    return [import_export(persona, sheet.stem, origin) for sheet, _ in _new(persona)]


def _new(persona: Persona) -> Iterator[tuple[Path, str]]:
    """Sheets in a workspace's exports whose LoRA, or whose card, is not in the library."""
    exports = personas_folder() / persona.folder / "exports"
    for sheet in sorted(exports.glob("*.json"), key=lambda path: path.stat().st_mtime):
        has_card = sheet.with_suffix(".png").is_file()
        now = (sheet.stat().st_mtime, has_card)
        if _seen.get(sheet) == now:
            continue
        try:
            sha256 = str(read_sheet(sheet).get("sha256"))
        except UserError as error:
            log.warning("%s", error)
            _seen[sheet] = now
            continue
        row = Lora.objects.filter(space=persona.space, sha256=sha256).first()
        if row is None or (has_card and not row.card):
            yield sheet, sha256
        else:
            _seen[sheet] = now


def _hand_in(persona: Persona, sheet: Path, sha256: str) -> None:
    with_card = "-card" if sheet.with_suffix(".png").is_file() else ""
    key = f"{KIND}-{persona.pk}-{sha256[:32]}{with_card}"
    args = {"persona": persona.pk, "stem": sheet.stem}
    jobs.enqueue(KIND, key, args, scope=scope_of(persona.space), title=f"Bring {sheet.stem} into the library")
