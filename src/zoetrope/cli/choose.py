"""`zoetrope choose`: which checkpoint of the last training is the best, if one is."""

from typing import Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, emit, paper, progress_bar
from zoetrope.cli.persona import Name


def choose(
    name: Name,
    count: Annotated[int, typer.Option(min=4, help="How many scenes each checkpoint draws.")] = 12,
    as_json: JsonFlag = False,
) -> None:
    """Compare the checkpoints that `train --keep-every` kept, on new scenes, with intervals.

    One that is better than the last beyond doubt becomes the next version; otherwise there is no clear winner.

    Example: zoetrope choose ada
    """
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.wheel.choose import choose as compare_checkpoints
    from zoetrope.wheel.workspace import open_workspace

    with progress_bar("drawing by every checkpoint", count, as_json=as_json) as move:
        told = compare_checkpoints(open_workspace(name), LocalEngine(), count, move)
    emit(told, as_json, lambda: _show(told))


def _show(told: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("checkpoint", "likeness", "over the last", "95 % interval")
    for row in told["checkpoints"]:
        interval = f"{row['low']:+.3f} to {row['high']:+.3f}"
        table.add_row(row["checkpoint"], f"{row['mean']:.3f}", f"{row['gain']:+.3f}", interval)
    paper.print(table)
    if told["winner"] is None:
        paper.print("No clear winner: the last stays.")
    else:
        paper.print(f"Step {told['winner']} is better: it is now {told['exported']}.", highlight=False)
