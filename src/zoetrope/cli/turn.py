"""`zoetrope turn`: the wheel, up to the next gate."""

from typing import Annotated

import typer

from zoetrope.cli.output import JsonFlag, emit, paper
from zoetrope.cli.persona import Name


def turn(
    name: Name,
    steps: Annotated[int | None, typer.Option(help="Training steps; as the base's makers advise if not given.")] = None,
    count: Annotated[
        int, typer.Option(help="How many new scenes to draw, three times each where a scorer chooses.")
    ] = 60,
    keep_every: Annotated[
        int | None, typer.Option(help="Keep the LoRA every so many steps; `zoetrope choose` compares them.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Go on although the last round raised an alarm.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Turn the wheel to the next gate: train, draw the card, draw new scenes; then it waits for your review.

    Example: zoetrope turn ada
    """
    from zoetrope.cli.train import TrainingBar
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.wheel.turn import turn as turn_wheel
    from zoetrope.wheel.workspace import open_workspace

    workspace = open_workspace(name)
    with TrainingBar(as_json) as bar:
        turned = turn_wheel(
            workspace,
            LocalEngine(),
            bar,
            {"steps": steps, "keep_every": keep_every},
            count,
            lambda stage: lambda done, total: bar.stage(stage, done, total),
            anyway,
        )

    def show() -> None:
        for line in turned.done:
            paper.print(f"Round {turned.round}: {line}.", highlight=False, markup=False)
        if turned.card:
            paper.print(f"The card: {turned.card}", highlight=False, markup=False)
        if turned.alarm:
            paper.print(f"Stopped: {turned.alarm}.", highlight=False, markup=False)
        paper.print(f"Waits for {turned.waits_for}", highlight=False, markup=False)

    emit(vars(turned), as_json, show)
