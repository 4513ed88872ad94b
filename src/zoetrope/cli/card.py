"""`zoetrope card`: the 23 pictures that show how well a version knows its persona."""

from typing import Any

from zoetrope.cli.output import JsonFlag, emit, paper, progress_bar
from zoetrope.cli.persona import Name


def card(name: Name, as_json: JsonFlag = False) -> None:
    """Draw the newest version in 23 fixed scenes, measure them, and set them beside the version before.

    Example: zoetrope card ada
    """
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.wheel.card import draw_card
    from zoetrope.wheel.workspace import open_workspace

    with progress_bar("drawing the card", 23, as_json=as_json) as move:
        told = draw_card(open_workspace(name), LocalEngine(), move)
    emit(told, as_json, lambda: _show(told))


def _show(told: dict[str, Any]) -> None:
    for key, value in told["scores"].items():
        paper.print(f"{key:10} {value:.3f}", highlight=False)
    paper.print(f"{told['sheet']}\n{told['page']}", markup=False, highlight=False)
