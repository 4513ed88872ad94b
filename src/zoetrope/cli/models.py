"""`zoetrope models`: which models there are, and whether they work here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from zoetrope.cli.output import JsonFlag, emit, paper, progress_bar
from zoetrope.errors import UserError

if TYPE_CHECKING:
    from zoetrope.models.catalogue import Model
    from zoetrope.models.memory import Wish

app = typer.Typer(no_args_is_help=True, help="The models on this machine. Nothing is ever downloaded.")

_CHECK_STEPS = 4


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it here.")],
    family: Annotated[str, typer.Option(help="flux (dev, schnell) or flux_kontext.")],
    path: Annotated[Path, typer.Option(metavar="DIR", help="A diffusers folder with safetensors weights.")],
    quantize: Annotated[
        str | None, typer.Option(help="Hold weights as fp8, int8 or nf4 (needs the gpu extra), or none.")
    ] = None,
    offload: Annotated[
        str | None, typer.Option(help="Keep weights off the device until used: model, sequential, or none.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a model from a folder. Its files stay where they are.

    Example: zoetrope models add dev --family flux --path ~/models/FLUX.1-dev
    """
    from zoetrope.models.catalogue import Catalogue

    model = Catalogue().add(name, family, path, _wish(quantize, offload))
    emit(_told(model), as_json, lambda: paper.print(f"Added {name}: {model.folder}", highlight=False, markup=False))


@app.command("list")
def list_models(as_json: JsonFlag = False) -> None:
    """Show every model, the shipped ones first.

    Example: zoetrope models list
    """
    from zoetrope.models.catalogue import Catalogue

    models = [_told(model) for model in Catalogue().models()]
    emit({"models": models}, as_json, lambda: _show_table(models))


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="A name from `zoetrope models list`.")],
    steps: Annotated[int, typer.Option(help="Denoising steps of the trial picture.")] = _CHECK_STEPS,
    as_json: JsonFlag = False,
) -> None:
    """Load a model, draw one picture, and report time and memory.

    Example: zoetrope models check nano-flux
    """
    from zoetrope.models.catalogue import Catalogue

    report = _check(Catalogue().find(name), steps, as_json)
    emit(report, as_json, lambda: _show_report(report))


@app.command()
def remove(name: Annotated[str, typer.Argument(help="A model you added.")], as_json: JsonFlag = False) -> None:
    """Forget a model. Its files stay where they are.

    Example: zoetrope models remove dev
    """
    from zoetrope.models.catalogue import Catalogue

    Catalogue().remove(name)
    emit({"removed": name}, as_json, lambda: paper.print(f"Forgot {name}; its files stay.", markup=False))


def _wish(quantize: str | None, offload: str | None) -> "Wish":
    from zoetrope.models.memory import Offload, Quantize, Wish

    for word, said, known in (("--quantize", quantize, get_args(Quantize)), ("--offload", offload, get_args(Offload))):
        if said is not None and said not in known:
            raise UserError(f"{word} {said} is not known; there are {', '.join(known)}.")
    return Wish(cast("Quantize | None", quantize), cast("Offload | None", offload))


def _told(model: "Model") -> dict[str, Any]:
    return {
        "name": model.name,
        "family": model.family.name,
        "path": str(model.folder),
        "shipped": model.shipped,
        "present": (model.folder / "model_index.json").is_file(),
        "quantize": model.wish.quantize,
        "offload": model.wish.offload,
    }


def _show_table(models: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("name", "family", "folder", box=None)
    for model in models:
        missing = "" if model["present"] else " (missing)"
        table.add_row(model["name"], model["family"], "shipped" if model["shipped"] else model["path"] + missing)
    paper.print(table)


def _check(model: "Model", steps: int, as_json: bool) -> dict[str, Any]:
    import dataclasses
    import time

    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.engines.local.orders import order
    from zoetrope.models.memory import peak_memory

    engine = LocalEngine()
    recipe = order(model, "a portrait", steps=steps)
    begun = time.perf_counter()
    engine.warm(recipe)
    loaded = time.perf_counter()
    with progress_bar("drawing", steps, as_json=as_json) as move:
        engine.make(recipe, progress=lambda step: move(step.done))
    drawn = time.perf_counter()
    plan = engine.plan(model)
    return {
        **_told(model),
        "sha256": model.sha256,
        "plan": dataclasses.asdict(plan),
        "size": [recipe.width, recipe.height],
        "steps": steps,
        "load_seconds": round(loaded - begun, 3),
        "draw_seconds": round(drawn - loaded, 3),
        "peak_memory_bytes": peak_memory(plan.device),
    }


def _show_report(report: dict[str, Any]) -> None:
    plan, size = report["plan"], "x".join(map(str, report["size"]))
    extras = [f"{key} {plan[key]}" for key in ("quantize", "offload") if plan[key] != "none"]
    lines = [
        f"{report['name']} works: {report['family']} on {plan['device']} in {', '.join([plan['dtype'], *extras])}.",
        f"It loaded in {report['load_seconds']:.2f} s and drew {size} in {report['draw_seconds']:.2f} s "
        f"({report['steps']} steps).",
        f"Memory at its peak: {report['peak_memory_bytes'] / 10**9:.2f} GB.",
    ]
    paper.print("\n".join(lines), highlight=False, markup=False)
