"""`zoetrope train`: a LoRA from a folder of pictures and captions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper
from zoetrope.errors import UserError

if TYPE_CHECKING:
    from zoetrope.training.loop import Moment
    from zoetrope.training.preflight import Preflight


def train(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Pictures with a same-stem .txt each.")],
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `zoetrope models list`.")],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the LoRA, its checkpoint and samples go.")],
    name: Annotated[str | None, typer.Option(help="The LoRA's name; the output folder's if not given.")] = None,
    trigger: Annotated[str, typer.Option(help="The word that stands for it; replaces [trigger] in captions.")] = "",
    type_: Annotated[str, typer.Option("--type", help="character, style or concept.")] = "character",
    steps: Annotated[int | None, typer.Option(help="Training steps (1000).")] = None,
    rank: Annotated[int | None, typer.Option(help="How much the LoRA can hold (16).")] = None,
    alpha: Annotated[float | None, typer.Option(help="Its scale; the rank if not given.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate (0.0001; for nano-flux 0.001 is good).")] = None,
    resolution: Annotated[
        list[int] | None, typer.Option(help="Train at this side's area; repeat for several. The model's if not given.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures a step (1).")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adamw, adamw8bit or prodigy.")] = None,
    precision: Annotated[str | None, typer.Option(help="bf16 or fp32.")] = None,
    checkpoint_blocks: Annotated[
        float | None, typer.Option(help="Share of blocks computed again to save memory, 0 to 1.")
    ] = None,
    validation: Annotated[float | None, typer.Option(help="Share of pictures held out to see when to stop.")] = None,
    regularization: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures of others that keep the model from forgetting them.")
    ] = None,
    assistant: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A LoRA that is active only while training, for schnell.")
    ] = None,
    sample: Annotated[list[str] | None, typer.Option(help="A prompt to draw along the way; repeat for more.")] = None,
    sample_every: Annotated[int | None, typer.Option(help="Draw the sample prompts every so many steps.")] = None,
    checkpoint_every: Annotated[int | None, typer.Option(help="Save the state every so many steps (100).")] = None,
    tracker: Annotated[list[str] | None, typer.Option(help="wandb or tensorboard; repeat for both.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in the output folder.")] = False,
    seed: Annotated[int | None, typer.Option(help="What everything random follows from (1).")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Train a LoRA on a folder of pictures and captions; kohya's `10_name` folders are understood.

    Example: zoetrope train --model nano-flux --data drawings --output lora --steps 300 --lr 0.001 --batch-size 16
    """
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.training.dataset import Dataset, read_dataset
    from zoetrope.training.run import Order, train_lora
    from zoetrope.training.settings import make_settings
    from zoetrope.training.trackers import open_tracker

    found = Catalogue().find(model)
    settings = make_settings(
        type=type_,
        steps=steps,
        rank=rank,
        alpha=alpha,
        lr=lr,
        resolutions=tuple(resolution) if resolution else (found.defaults.width,),
        batch_size=batch_size,
        optimizer=optimizer,
        precision=precision,
        checkpoint_blocks=checkpoint_blocks,
        validation=validation,
        sample_every=sample_every,
        checkpoint_every=checkpoint_every,
        seed=seed,
    )
    dataset = read_dataset(data, trigger=trigger)
    if regularization:
        others = read_dataset(regularization)
        dataset = Dataset(dataset.items + others.items, dataset.dropped + others.dropped)
    called = name or output.resolve().name
    if not called.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise UserError(f"{called!r} cannot be a LoRA's name: use letters, digits, and - _ . between them.")
    order = Order(found, dataset, output, called, settings, trigger, tuple(sample or ()), assistant, resume)
    trackers = [open_tracker(each, output, settings.model_dump(mode="json")) for each in tracker or []]
    with TrainingBar(as_json) as watcher:
        sheet = train_lora(order, watcher, trackers)
    emit(sheet, as_json, lambda: paper.print(f"{called} is in {output / sheet['file']}", markup=False))


class TrainingBar:
    """Progress on stderr: the preflight's words, then a bar for each stage."""

    def __init__(self, as_json: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar: Any = Progress(*columns, console=console, transient=True, disable=as_json)
        self._tasks: dict[str, Any] = {}
        self._quiet = as_json
        self.remarks: list[str] = []

    def __enter__(self) -> "TrainingBar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def preflight(self, said: "Preflight") -> None:
        sizes = ", ".join(f"{count} at {size}" for size, count in said.buckets.items())
        self.remarks = [f"Left out {each.path.name}: {each.reason}." for each in said.dropped] + list(said.remarks)
        if self._quiet:
            return
        console.print(f"{said.pictures} pictures ({sizes})", highlight=False)
        console.print(f"about {said.memory_bytes / 1e9:.1f} GB of memory and {said.seconds:.0f} s", highlight=False)
        for remark in self.remarks:
            console.print(f"Note: {remark}", highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str, done: int, total: int) -> None:
        self._show(name, done, total)

    def moment(self, moment: "Moment") -> None:
        self._show("training", moment.step, moment.steps, f"training, loss {moment.loss:.4f}")

    def _show(self, name: str, done: int, total: int, label: str | None = None) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(label or name, total=total)
        self._bar.update(self._tasks[name], completed=done, total=total, description=label or name)
