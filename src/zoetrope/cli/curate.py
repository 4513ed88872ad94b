"""`zoetrope curate`: what to do about a persona's pictures before training."""

from typing import TYPE_CHECKING

from zoetrope.cli.output import JsonFlag, emit, paper, progress_bar
from zoetrope.cli.persona import Name

if TYPE_CHECKING:
    from pathlib import Path

    from zoetrope.wheel.curate import Curation


def curate(name: Name, as_json: JsonFlag = False) -> None:
    """Look at a persona's pictures: near-duplicates, blur, light, size, and what the model card still lacks.

    Nothing is changed; a page with the pictures says what to do and by which command.

    Example: zoetrope curate ada
    """
    from zoetrope.media.files import write_text_atomic
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.wheel import curate as room
    from zoetrope.wheel.curatepage import page
    from zoetrope.wheel.workspace import open_workspace

    workspace = open_workspace(name)
    model = Catalogue().find(workspace.persona.base)
    with progress_bar("looking at the pictures", 1, as_json=as_json) as move:
        found = room.curate(workspace, model, move)
    path = workspace.folder / "curate.html"
    write_text_atomic(path, page(found))
    emit({"page": str(path), **room.told(found)}, as_json, lambda: _show(found, path))


def _show(found: "Curation", path: "Path") -> None:
    pictures = f"{len(found.looks)} pictures looked at, {len(found.pairs)} pairs much alike"
    card = f", {found.coverage.covered} of the card's {len(found.coverage.scenes)} scenes" if found.coverage else ""
    paper.print(f"{pictures}{card}.", highlight=False)
    for name, remarks in found.remarks.items():
        if remarks:
            paper.print(f"  {name}: {'; '.join(each.said for each in remarks)}", markup=False, highlight=False)
    for said in found.todo or ["Nothing stands out."]:
        paper.print(f"- {said}", markup=False, highlight=False)
    for said in found.notes:
        paper.print(f"Note: {said}", markup=False, highlight=False)
    paper.print(str(path), markup=False, highlight=False)
