"""`zoetrope compare`: two LoRAs, or a base and what was learned on it, side by side without names."""

from pathlib import Path
from typing import Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, emit, paper, progress_bar

_WHO = "A persona (ada, ada@2), a LoRA's file, or a model from `zoetrope models list`."


def compare(
    one: Annotated[str, typer.Argument(metavar="A", help=_WHO)],
    other: Annotated[str, typer.Argument(metavar="B", help=_WHO)],
    prompts: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="One prompt a line; [trigger] becomes each one's trigger, a base's the looks."
        ),
    ],
    style: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures of a style: both are scored for how near they come.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for pictures, sheet and page.")] = Path(
        "compare"
    ),
    as_json: JsonFlag = False,
) -> None:
    """Draw the same prompts by two contenders: a blind sheet, a page that asks which is better, and scores.

    Example: zoetrope compare nano-flux storybook/storybook.safetensors --prompts prompts.txt --style drawings
    """
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.wheel.compare import compare as draw_both
    from zoetrope.wheel.compare import contender, read_prompts, read_references

    said = read_prompts(prompts)
    references = read_references(style) if style else []
    contenders = contender(one), contender(other)
    with progress_bar("drawing both", 2 * len(said), as_json=as_json) as move:
        told = draw_both(*contenders, said, out, LocalEngine(), references, move)
    emit(told, as_json, lambda: _show(told))


def _show(told: dict[str, Any]) -> None:
    from rich.table import Table

    names = [name for name in told["scores"][0] if name != "name"]
    table = Table("", *(each["name"] for each in told["scores"]))
    for name in names:
        table.add_row(name.replace("_", " "), *(f"{each[name]:.3f}" for each in told["scores"]))
    paper.print(table)
    paper.print(f"The blind sheet: {told['sheet']}\nChoose, and then be told: {told['page']}", highlight=False)
