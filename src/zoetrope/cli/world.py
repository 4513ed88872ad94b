"""`zoetrope world`: draw the toy world, train its models, score them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper, progress_bar
from zoetrope.errors import UserError

app = typer.Typer(help="The toy world: drawings whose truth is known, and the small models trained on them.")

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@app.command()
def draw(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the drawings.")],
    seed: Annotated[int, typer.Option(help="The same seed draws the same pictures.")] = 0,
    count: Annotated[int, typer.Option(help="How many drawings.")] = 16,
    size: Annotated[int, typer.Option(help="Width and height in pixels.")] = 64,
    style: Annotated[list[str] | None, typer.Option(help="flat, ink, watercolour or pixel; repeat for more.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw figures in scenes: a PNG, its caption as .txt and its truth as .json.

    Example: zoetrope world draw --seed 1 --count 16 --out drawings
    """
    from zoetrope.world.drawings import write_samples
    from zoetrope.world.vocabulary import STYLE

    styles = tuple(style or ["flat"])
    for name in styles:
        if name not in STYLE:
            raise UserError(f"There is no style called {name!r}; there are {', '.join(STYLE)}.")
    with progress_bar("drawing", count, as_json=as_json) as move:
        paths = write_samples(out, seed=seed, count=count, size=size, styles=styles, on_done=move)
    emit(
        {"count": len(paths), "out": str(out), "files": [path.name for path in paths]},
        as_json,
        lambda: paper.print(f"{len(paths)} drawings with captions and truth in {out}"),
    )


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="nano-flux, nano-identity, oracle or oracle-styles.")],
    budget: Annotated[
        str, typer.Option(help="Computing time, such as 90m or 3h; a resumed run goes on counting.")
    ] = "3h",
    work: Annotated[Path, typer.Option(help="Where checkpoints and the log are kept.")] = Path("training"),
    out: Annotated[
        Path | None, typer.Option(help="Where the result goes; inside the work folder if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What everything random follows from.")] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Train one of the toy world's models from a seed; start it again to go on where it stopped.

    Example: zoetrope world train nano-flux --budget 3h --work training
    """
    seconds = _seconds(budget)
    from zoetrope.world.training.loop import Report
    from zoetrope.world.training.recipes import result_path, run

    made = result_path(recipe)
    target = out or work / made
    last: dict[str, Any] = {}
    with progress_bar(f"training {recipe}", round(seconds), as_json=as_json) as move:

        def on_spent(spent: float, report: Report) -> None:
            last.update(vars(report))
            move(round(spent))
            if not as_json and not console.is_terminal:
                console.print(f"{report.name} step {report.step} loss {report.loss:.4f}")

        run(recipe, work, target, seconds=seconds, seed=seed, on_spent=on_spent)
    emit({"recipe": recipe, "out": str(target), "last": last}, as_json, lambda: paper.print(f"{recipe} is in {target}"))


@app.command()
def score(
    seed: Annotated[int, typer.Option(help="Other seeds ask for other pictures.")] = 0,
    model: Annotated[str, typer.Option(help="A model of the catalogue that knows the toy world.")] = "nano-flux",
    as_json: JsonFlag = False,
) -> None:
    """Measure how often a model draws what it is told, attribute by attribute, as the oracle reads it.

    Example: zoetrope world score --seed 3 --json
    """
    from zoetrope.world.artist import ModelArtist
    from zoetrope.world.oracle.reading import read_images
    from zoetrope.world.score import model_accuracy, oracle_accuracy, total_pictures

    with progress_bar("drawing", total_pictures(), as_json=as_json) as move:
        oracle = oracle_accuracy(read_images, seed)
        drawn = model_accuracy(ModelArtist(model), read_images, seed, on_done=move)
    named = {name: value for name, value in drawn.items() if name != "card"}
    result = {"oracle": oracle, model: drawn, "mean": sum(named.values()) / len(named)}
    emit(result, as_json, lambda: _show_score(oracle, drawn, model, result["mean"]))


def _show_score(oracle: dict[str, float], drawn: dict[str, float], model: str, mean: Any) -> None:
    from rich.table import Table

    table = Table("attribute", "oracle on drawings", f"{model} on captions", title="The toy world's score")
    for name in [*oracle, "card"]:
        cells = [f"{values[name]:.3f}" if name in values else "" for values in (oracle, drawn)]
        table.add_row(name, *cells)
    table.add_row("mean", "", f"{mean:.3f}")
    paper.print(table)


def _seconds(budget: str) -> float:
    number, unit = budget[:-1], budget[-1:]
    try:
        seconds = float(number) * UNITS[unit]
    except (KeyError, ValueError):
        seconds = -1.0
    if not 0 < seconds < 1e7:
        raise UserError(f"The budget {budget!r} is not a time such as 90s, 45m or 3h.")
    return seconds
