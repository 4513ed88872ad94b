"""`zoetrope train`: a LoRA from a folder of pictures and captions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, Lines, console, emit, paper
from zoetrope.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zoetrope.training.dataset import Dataset
    from zoetrope.training.loop import Moment
    from zoetrope.training.preflight import Preflight
    from zoetrope.training.trackers import Tracker

# For a tracker whose person said nothing of samples: so many captions, drawn so many times in a training.
_SAMPLED, _SAMPLINGS = 3, 4


def train(
    persona: Annotated[
        str | None, typer.Argument(help="A persona: what was kept of it becomes its next version. Or else give --data.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Any folder of pictures with a same-stem .txt each.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="A name from `zoetrope models list`.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the LoRA, its checkpoint and samples go; DATA-lora here if not given."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The LoRA's name; the output folder's if not given.")] = None,
    trigger: Annotated[str, typer.Option(help="The word that stands for it; replaces [trigger] in captions.")] = "",
    type_: Annotated[str, typer.Option("--type", help="character, style or concept.")] = "character",
    steps: Annotated[int | None, typer.Option(help="Training steps (1000).")] = None,
    rank: Annotated[int | None, typer.Option(help="How much the LoRA can hold (16).")] = None,
    alpha: Annotated[float | None, typer.Option(help="Its scale; the rank if not given.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate (0.0001, or what the model's makers advise).")] = None,
    resolution: Annotated[
        list[int] | None, typer.Option(help="Train at this side's area; repeat for several. The model's if not given.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures a step (1).")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adamw, adamw8bit or prodigy.")] = None,
    precision: Annotated[str | None, typer.Option(help="bf16 or fp32; the quicker here if not given.")] = None,
    quantize: Annotated[
        str | None,
        typer.Option(help="How the frozen base is held on CUDA: none, fp8, int8 or nf4. As memory asks if not given."),
    ] = None,
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
    sample: Annotated[
        list[str] | None,
        typer.Option(
            help="A prompt to draw along the way; repeat for more. With --tracker some captions if not given."
        ),
    ] = None,
    sample_every: Annotated[
        int | None, typer.Option(help="Draw the sample prompts every so many steps; four times if not given.")
    ] = None,
    checkpoint_every: Annotated[int | None, typer.Option(help="Save the state every so many steps (100).")] = None,
    keep_every: Annotated[
        int | None, typer.Option(help="Keep the LoRA every so many steps; `zoetrope choose` compares them.")
    ] = None,
    tracker: Annotated[list[str] | None, typer.Option(help="wandb or tensorboard; repeat for both.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in the output folder.")] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Throw away the unfinished training that stands there, and begin again.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="What everything random follows from (1).")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Train a LoRA: a persona's next version, or one from any folder (kohya's `10_name` folders are understood).

    Example: zoetrope train ada

    Example: zoetrope train --model nano-flux --data drawings --output lora --steps 300 --rank 32
    """
    settings: dict[str, object] = {
        "steps": steps,
        "rank": rank,
        "alpha": alpha,
        "lr": lr,
        "resolutions": tuple(resolution) if resolution else None,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "precision": precision,
        "quantize": quantize,
        "checkpoint_blocks": checkpoint_blocks,
        "validation": validation,
        "sample_every": sample_every,
        "checkpoint_every": checkpoint_every,
        "keep_every": keep_every,
        "seed": seed,
    }
    if persona is not None:
        if data or model or output or name or resume or assistant or regularization:
            raise UserError(f"{persona} knows its pictures and its base: beside it give settings only.")
        _train_persona(persona, settings, tracker or [], anew, as_json)
        return
    if data is None or model is None:
        raise UserError("Name a persona, or give --data DIR and --model NAME.")
    output = output or Path(f"{data.resolve().name}-lora")
    if anew and resume:
        raise UserError("--resume goes on with the training that stands there and --anew throws it away: give one.")

    from dataclasses import replace

    from zoetrope.models.catalogue import Catalogue
    from zoetrope.training.dataset import Dataset, read_dataset
    from zoetrope.training.processes import crew
    from zoetrope.training.run import Order, train_lora
    from zoetrope.training.settings import make_settings

    found = Catalogue().find(model)
    advice = {"resolutions": (found.defaults.width,), **found.notes.training}
    made = make_settings(advice, type=type_, **settings)
    dataset = read_dataset(data, trigger=trigger)
    if regularization:
        others = read_dataset(regularization)
        shown = tuple(replace(item, other=True) for item in others.items)
        dataset = Dataset(dataset.items + shown, dataset.dropped + others.dropped)
    prompts = tuple(sample or (_varied(dataset) if tracker else ()))
    if prompts and sample_every is None:
        made = made.model_copy(update={"sample_every": max(1, made.steps // _SAMPLINGS)})
    called = name or output.resolve().name
    # A name that no file can have would be found out at the export, after the training.
    plain = called.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not plain or len(called) > 100 or len(called.encode()) > 200:
        raise UserError(
            f"{called[:100]!r} cannot be a LoRA's name: use at most 100 letters, digits, and - _ . between them, "
            "200 bytes in all."
        )
    order = Order(found, dataset, output, called, made, trigger, prompts, assistant, resume, anew)
    speaks = crew().is_main_process
    trackers = _trackers(tracker or [], output, made.model_dump(mode="json")) if speaks else []
    with TrainingBar(as_json or not speaks) as watcher:
        sheet = train_lora(order, watcher, trackers)
    if speaks:
        _answer(sheet, output, watcher, as_json)


def _varied(dataset: "Dataset") -> list[str]:
    """A few captions from all over the folder."""
    captions = list(dict.fromkeys(item.caption for item in dataset.items if item.caption and not item.other))
    return captions[:: max(1, len(captions) // _SAMPLED)][:_SAMPLED]


def _train_persona(persona: str, settings: dict[str, object], trackers: list[str], anew: bool, as_json: bool) -> None:
    from zoetrope.training.processes import crew
    from zoetrope.wheel.teach import teach
    from zoetrope.wheel.workspace import open_workspace, round_folder

    if crew().num_processes > 1:
        raise UserError(f"{persona} is trained by one process; several may share a training of --data DIR.")
    workspace = open_workspace(persona)
    run = round_folder(workspace, workspace.state().round) / "training"
    with TrainingBar(as_json) as watcher:
        sheet = teach(workspace, settings, watcher, _trackers(trackers, run, settings), anew)
    _answer(sheet, workspace.folder / "exports", watcher, as_json)


def _trackers(names: list[str], run: Path, settings: "Mapping[str, Any]") -> "list[Tracker]":
    from zoetrope.training.trackers import open_tracker

    return [open_tracker(name, run, settings) for name in names]


def _answer(sheet: dict[str, Any], folder: Path, watcher: "TrainingBar", as_json: bool) -> None:
    told = sheet | {"path": str(folder / sheet["file"]), "preview": watcher.preview, "remarks": watcher.remarks}
    emit(
        told, as_json, lambda: paper.print(f"{told['advice']}\nThe LoRA: {told['path']}", markup=False, highlight=False)
    )


class TrainingBar:
    """Progress on stderr: the preflight's words, then a bar for each stage."""

    def __init__(self, as_json: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar: Any = Progress(*columns, console=console.rich, transient=True)
        self._shown = console.is_terminal and not as_json
        self._tasks: dict[str, Any] = {}
        self._lines = Lines()
        self._quiet = as_json
        self.remarks: list[str] = []
        self.preview = ""

    def __enter__(self) -> "TrainingBar":
        if self._shown:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._bar.stop()

    def preflight(self, said: "Preflight") -> None:
        sizes = ", ".join(f"{count} at {size}" for size, count in said.buckets.items())
        self.preview = str(said.preview)
        self.remarks = [f"Left out {each.path.name}: {each.reason}." for each in said.dropped] + list(said.remarks)
        if self._quiet:
            return
        console.print(f"{said.pictures} pictures ({sizes})", highlight=False)
        console.print(f"about {said.memory_bytes / 1e9:.1f} GB of memory and {said.seconds:.0f} s", highlight=False)
        console.print(f"{said.preview} will show what the first batch decodes back to", highlight=False, soft_wrap=True)
        for remark in self.remarks:
            console.print(f"Note: {remark}", highlight=False, markup=False, soft_wrap=True)

    def stage(self, name: str, done: int, total: int) -> None:
        self._show(name, done, total)

    def moment(self, moment: "Moment") -> None:
        self._show("training", moment.step, moment.steps, f"training, loss {moment.loss:.4f}")

    def _show(self, name: str, done: int, total: int, label: str | None = None) -> None:
        if not self._shown:
            self._lines.tell(label or name, done, total)
            return
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(label or name, total=total)
        self._bar.update(self._tasks[name], completed=done, total=total, description=label or name)
