"""What a workspace has to show: coverage, cards, exports."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.http import Http404

from zoetrope.models.catalogue import Catalogue
from zoetrope.studio.files import Handed
from zoetrope.studio.workshop.sums import of_sources
from zoetrope.wheel.cardpage import CAUTION, MEANINGS
from zoetrope.wheel.coverage import Shown, show
from zoetrope.wheel.events import Origin
from zoetrope.wheel.measure import BASE, card_folder
from zoetrope.wheel.scenes import asked, subject
from zoetrope.wheel.state import Decision, Entry, State
from zoetrope.wheel.workspace import Workspace

_SCENE = re.compile(r"[a-z0-9_-]{1,80}")
_EXPORT = re.compile(r"[a-z0-9_-]{1,60}_v[0-9]{1,6}\.(safetensors|json|png)")


def entry_of(workspace: Workspace, sha256: str) -> Entry:
    """A picture by its whole hash."""
    entry = workspace.state().pictures.get(sha256)
    if entry is None:
        raise Http404("There is no such picture.")
    return entry


def sources(workspace: Workspace) -> list[Entry]:
    """The pictures that the wheel was given, in the order they came."""
    return [entry for entry in workspace.state().pictures.values() if entry.origin is Origin.source]


def face(workspace: Workspace) -> Entry | None:
    """The first picture that was kept; they come in the order they were added, the sources before what was drawn."""
    return next((each for each in workspace.state().pictures.values() if each.decision is Decision.kept), None)


def coverage(workspace: Workspace) -> Shown:
    """Which of the card's scenes the captions of the sources already show."""
    persona = workspace.persona
    model = Catalogue().find(persona.base)
    scenes, names = asked(model, subject(persona, model)), (persona.name, persona.trigger)
    return of_sources(workspace, workspace.state(), lambda read: show(read, scenes, names))


def cards(workspace: Workspace, left: str, right: str) -> dict[str, Any]:
    """Two cards scene by scene, and which others there are; the newest beside the one before if none is asked for."""
    state = workspace.state()
    there = [number for number in (BASE, *sorted(state.cards)) if _sheet(workspace, number).is_file()]
    named = {number: f"v{_version(state, number)}" if number != BASE else "the base" for number in there}
    numbers = list(named)
    if not numbers:
        return {"cards": named, "rows": []}
    chosen = _chosen(numbers, left, right)
    one, other = (_told(workspace, number) for number in chosen)
    rows = [
        {"name": each["scene"], "label": each["label"], "rounds": chosen}
        for each in other["pictures"]
        if any(same["scene"] == each["scene"] for same in one["pictures"])
    ]
    scores = [
        {"name": name, "left": one["scores"].get(name), "right": value, "meaning": MEANINGS.get(name, "")}
        for name, value in other["scores"].items()
    ]
    said = {"scores": scores, "titles": [named[number] for number in chosen], "caution": CAUTION}
    return {"cards": named, "rows": rows, "chosen": chosen, **said}


def _chosen(numbers: Sequence[int], left: str, right: str) -> tuple[int, int]:
    plain = {str(number): number for number in numbers}
    asked_for = [plain.get(text) for text in (left, right)]
    newest = numbers[-1]
    before = numbers[-2] if len(numbers) > 1 else newest
    return (before if asked_for[0] is None else asked_for[0], newest if asked_for[1] is None else asked_for[1])


def _version(state: State, number: int) -> int:
    return max((each.number for each in state.versions if each.round == number), default=0)


def _sheet(workspace: Workspace, number: int) -> Path:
    return card_folder(workspace, number) / "card.json"


def _told(workspace: Workspace, number: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(_sheet(workspace, number).read_text(encoding="utf-8"))
    return told


def card_picture(workspace: Workspace, number: int, scene: str) -> Path | None:
    """The file of a scene; names are plain, so that none leads elsewhere."""
    begun = number <= workspace.state().round
    return card_folder(workspace, number) / f"{scene}.png" if begun and _SCENE.fullmatch(scene) else None


def exports(workspace: Workspace) -> list[dict[str, Any]]:
    """Every version with its file's size and what its sheet says, the newest first."""
    found, name = [], workspace.name
    for version in reversed(workspace.state().versions):
        stem = f"{name}_v{version.number}"
        path = workspace.folder / "exports" / f"{stem}.safetensors"
        size = path.stat().st_size if path.is_file() else 0
        found.append({"version": version, "stem": stem, "size": size, "card": path.with_suffix(".png").is_file()})
    return found


def export_file(workspace: Workspace, name: str) -> Path | None:
    """An export by its name."""
    return workspace.folder / "exports" / name if _EXPORT.fullmatch(name) else None


def handed(path: Path | None, kind: str | None = None) -> Handed:
    """A file for whoever asked; without a kind it is to be saved."""
    if path is None or not path.is_file():
        raise Http404("There is no such file.")
    return Handed(path.open("rb"), as_attachment=kind is None, filename=path.name, content_type=kind)
