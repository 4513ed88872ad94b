"""From the wheel to the studio: what a workspace exports comes into the library by itself."""

import logging
from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.loras.library import is_orphan, read_sheet, take, take_card
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.loras.wearing import arrived
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.work import scope_of
from zoetrope.wheel.workspace import personas_folder

KIND = "bring-lora"
log = logging.getLogger(__name__)
# How each export of a persona looked when this worker handed it in: none is read twice for nothing.
_seen: dict[tuple[int, Path], tuple[float, bool]] = {}


def look() -> None:
    """Hand in a job for every export that the library lacks, wholly or its card."""
    for persona in Persona.objects.select_related("space"):
        try:
            _look_at(persona)
        except OSError as error:
            # Of the next persona all may be well.
            log.warning("The exports of %s cannot be read: %s", persona, error.strerror)


def _look_at(persona: Persona) -> None:
    for sheet in _sheets(persona):
        now = (sheet.stat().st_mtime, _has_card(sheet))
        if _seen.get((persona.pk, sheet)) == now:
            continue
        if (sha256 := _lacking(persona, sheet)) is not None:
            _hand_in(persona, sheet, sha256)
        _seen[persona.pk, sheet] = now


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
    lacking = [sheet for sheet in _sheets(persona) if _lacking(persona, sheet) is not None]
    return [import_export(persona, sheet.stem, origin) for sheet in lacking]


def _sheets(persona: Persona) -> list[Path]:
    """The sheets in a workspace's exports, the oldest first."""
    exports = personas_folder() / persona.folder / "exports"
    return sorted(filter(Path.is_file, exports.glob("*.json")), key=lambda path: path.stat().st_mtime)


def _has_card(sheet: Path) -> bool:
    return sheet.with_suffix(".png").is_file()


def _lacking(persona: Persona, sheet: Path) -> str | None:
    """The hash of a LoRA that the library lacks, wholly or its card or whose it is; nothing if all is there."""
    try:
        sha256 = str(read_sheet(sheet).get("sha256"))
    except UserError as error:
        log.warning("%s", error)
        return None
    row = Lora.objects.filter(space=persona.space, sha256=sha256).first()
    return sha256 if row is None or (_has_card(sheet) and not row.card) or is_orphan(row) else None


def _hand_in(persona: Persona, sheet: Path, sha256: str) -> None:
    with_card = "-card" if _has_card(sheet) else ""
    key = f"{KIND}-{persona.pk}-{sha256[:32]}{with_card}"
    args = {"persona": persona.pk, "stem": sheet.stem}
    jobs.enqueue(KIND, key, args, scope=scope_of(persona.space), title=f"Bring {sheet.stem} into the library")
