"""A whole training: dataset to exported LoRA, each stage told as it goes."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.decode import open_picture
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.sheet import Tile, contact_sheet, png, short
from zoetrope.models.catalogue import Model
from zoetrope.models.learner import Learner
from zoetrope.models.memory import WeightSizes, Wish, detect, plan_for, quantizers
from zoetrope.training import cache as caches
from zoetrope.training import export as exports
from zoetrope.training.adapter import Adapter
from zoetrope.training.advice import advice, read_metrics
from zoetrope.training.dataset import Dataset, Item, Shown, arrange, bucket
from zoetrope.training.loop import METRICS, STATE, Moment, Plan, Trainer
from zoetrope.training.preflight import Preflight, preflight
from zoetrope.training.preview import PREVIEW, write_preview
from zoetrope.training.processes import crew
from zoetrope.training.settings import TAKEN, Precision, Settings
from zoetrope.training.state import read_progress
from zoetrope.training.trackers import Tracker

# What may change between two halves of one training.
_FREE = {"steps", "checkpoint_every", "sample_every", "keep_every"}
_ACROSS, _TILE = 3, 256
KEPT = "checkpoints"
"""The folder for LoRAs as they were along the way, by their step."""


class Watcher(Protocol):
    """Who is told how far a training is."""

    def preflight(self, said: Preflight) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def moment(self, moment: Moment) -> None: ...


class _Unwatched:
    """Nobody is told: another process of the same training tells all."""

    def preflight(self, said: Preflight) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def moment(self, moment: Moment) -> None: ...


@dataclass(frozen=True)
class Order:
    """What is to be trained, and where it goes."""

    model: Model
    dataset: Dataset
    output: Path
    name: str
    settings: Settings
    trigger: str = ""
    samples: tuple[str, ...] = ()
    assistant: Path | None = None
    resume: bool = False
    # Throw away what a stopped training learned, once it is sure that this one begins.
    anew: bool = False


def train_lora(order: Order, watcher: Watcher, trackers: Sequence[Tracker] = ()) -> dict[str, Any]:
    """Train and export `NAME.safetensors` and `NAME.json` into the output folder; the sheet is given back.

    Of several processes one encodes, writes and tells; the others only learn, and get an empty sheet.
    """
    processes = crew()
    if not processes.is_main_process:
        watcher, trackers = _Unwatched(), ()
    settings = order.settings
    learner = _learner(order.model, settings)
    training, held_out = split_items(order.dataset.items, settings.validation)
    step = order.model.family.size_step(order.model.folder)
    shown, judged = arrange(training, settings.resolutions, step), arrange(held_out, settings.resolutions[:1], step)
    _check_output(order)
    with _alone(order.output) if processes.is_main_process else nullcontext():
        # Under the lock: what a training that runs just now has saved is no stopped one's.
        _check_checkpoint(order)
        said = preflight(learner, order.dataset, shown, settings, order.trigger)
        watcher.preflight(replace(said, preview=order.output / PREVIEW))
        plan = Plan(shown, judged, _fingerprint(order, shown))
        return _trained(order, plan, learner, watcher, trackers)


def _trained(
    order: Order, plan: Plan, learner: Learner, watcher: Watcher, trackers: Sequence[Tracker]
) -> dict[str, Any]:
    processes, settings = crew(), order.settings
    cache = caches.Cache(home() / "cache" / "training", order.model.sha256)
    with processes.local_main_process_first():
        encode(cache, learner, [*plan.shown, *plan.held_out], order.samples, watcher)
    trainer = Trainer(learner, cache, plan, settings, order.output, order.assistant)
    if order.anew and processes.is_main_process:
        forget(order.output)
    if order.resume:
        trainer.resume()
    if processes.is_main_process:
        write_preview(order.output / PREVIEW, learner, cache, trainer.batch(trainer.step))
    with ExitStack() as stack:
        for tracker in trackers:
            stack.callback(tracker.close)
        sampler = Sampler(order, learner, cache, trackers)
        trainer.train(
            lambda moment: _tell(moment, watcher, trackers),
            sampler,
            lambda step, adapter: exports.keep(
                order.output / KEPT / f"{step:06d}.safetensors", adapter, learner, settings, _about(order), step
            ),
        )
        told = _export(order, learner, cache, trainer) if processes.is_main_process else {}
        # Whoever left earlier would be taken for dead.
        processes.wait_for_everyone()
        return told and told | {"advice": advice(read_metrics(order.output / METRICS))}


def encode(
    cache: caches.Cache, learner: Learner, shown: Sequence[Shown], samples: Sequence[str], watcher: Watcher
) -> None:
    """Fill the cache; whatever encodes is dropped before the network comes."""
    captions = ["", *samples, *(each.item.caption for each in shown)]
    caches.encode_words(cache, learner, captions, lambda done: watcher.stage("captions", done, len(set(captions))))
    caches.encode_pictures(cache, learner, shown, lambda done: watcher.stage("pictures", done, len(shown)))


def split_items(items: Sequence[Item], share: float) -> tuple[list[Item], list[Item]]:
    """What is trained on and what is held out; a picture's hash decides, so more pictures change little."""
    count = min(round(len(items) * share), len(items) - 1)
    held = {item.sha256 for item in sorted(items, key=lambda item: item.sha256)[:count]}
    return [item for item in items if item.sha256 not in held], [item for item in items if item.sha256 in held]


class Sampler:
    """Draws the sample prompts with the network as it is, always from the same noise."""

    def __init__(self, order: Order, learner: Learner, cache: caches.Cache, trackers: Sequence[Tracker]) -> None:
        self._order = order
        self._learner = learner
        self._cache = cache
        self._trackers = trackers
        side = max(order.settings.resolutions)
        self._size = bucket((side, side), side, order.model.family.size_step(order.model.folder))

    def __call__(self, step: int, adapter: Adapter) -> None:
        import torch

        for number, prompt in enumerate(self._order.samples):
            tokens = self._learner.defaults.max_tokens
            words, plain = (self._cache.get(self._cache.words_key(text, tokens)) for text in (prompt, ""))
            # As large as is trained at: at 1024² a sample would take longer than the steps between two of them.
            size = self._size
            arguments = self._learner.drawing_arguments(words, plain, size)
            pipeline = self._learner.pipeline("transformer", "vae")
            generator = torch.Generator("cpu").manual_seed(self._order.settings.seed + number)
            image = pipeline(**arguments, generator=generator).images[0]
            path = sample_path(self._order.output, step, number)
            write_atomic(path, png(image))
            for tracker in self._trackers:
                tracker.picture(step, str(number), path)


def sample_path(output: Path, step: int, number: int) -> Path:
    return output / "samples" / f"{step:06d}-{number}.png"


def _learner(model: Model, settings: Settings) -> Learner:
    # Encoders and network are held one after the other, so the largest part alone must fit.
    largest = model.weights.largest
    wish = Wish(settings.quantize or model.wish.quantize, "none")
    plan = plan_for(WeightSizes(largest, largest), detect(), wish, quantizers())
    if settings.precision is Precision.fp32:
        plan = replace(plan, dtype="float32")
    return model.family.learner(model.folder, plan)


def _fingerprint(order: Order, shown: Sequence[Shown]) -> str:
    settings = order.settings.model_dump(mode="json", exclude=_FREE)
    pictures = [[each.item.sha256, each.item.caption, each.item.repeats, each.item.weight, each.size] for each in shown]
    return hash_bytes(json.dumps([order.model.sha256, settings, pictures], sort_keys=True).encode())


def dataset_hash(items: Sequence[Item]) -> str:
    """One hash for the pictures and their captions."""
    return hash_bytes(json.dumps(sorted([item.sha256, item.caption] for item in items)).encode())


def _check_output(order: Order) -> None:
    """What the export would fail at, after the training, is told now."""
    # Some disks take State for state.
    if order.name.casefold() in TAKEN:
        raise UserError(f"No LoRA can be called {order.name!r}, as its training keeps a file of that name.")
    try:
        order.output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=order.output):
            pass
    except OSError as error:
        raise UserError(f"{order.output} cannot be written ({error.strerror}); nothing was trained.") from error


def _check_checkpoint(order: Order) -> None:
    """An unfinished training is never trained over by accident."""
    if order.anew:
        return
    progress = read_progress(order.output / STATE)
    if progress is None and order.resume:
        raise UserError(f"{order.output} holds no training to go on with; start without --resume.")
    if progress is not None and not order.resume and _unfinished(progress, order):
        raise UserError(
            f"{order.output} holds a training that stopped at step {progress['step']}: "
            "give --resume to go on, --anew to begin again, or another --output."
        )


def _unfinished(progress: Mapping[str, Any], order: Order) -> bool:
    """By its own count or by the new one; older checkpoints do not say how far they were to go."""
    return bool(progress["step"] < max(progress.get("steps", 0), order.settings.steps))


@contextmanager
def _alone(output: Path) -> Iterator[None]:
    """One training at a time in a folder: two would write each other's checkpoint."""
    lock = FileLock(output / ".training.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"Another training writes into {output} just now: wait for it, or give another --output."
        ) from error
    except OSError as error:
        raise UserError(f"{output} cannot be written ({error.strerror}); nothing was trained.") from error
    try:
        yield
    finally:
        lock.release()


def forget(run: Path) -> None:
    """Throw away the training that stands in a folder; what it exported stays."""
    for path in (run / STATE, run / METRICS):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"{path} cannot be thrown away ({error.strerror}); nothing was trained.") from error


def _tell(moment: Moment, watcher: Watcher, trackers: Sequence[Tracker]) -> None:
    watcher.moment(moment)
    values = {"loss": moment.loss}
    if moment.validation is not None:
        values["validation"] = moment.validation
    for tracker in trackers:
        tracker.log(moment.step, values)


def _export(order: Order, learner: Learner, cache: caches.Cache, trainer: Trainer) -> dict[str, Any]:
    path = order.output / f"{order.name}.safetensors"
    first = trainer.plan.shown[0]
    probe = exports.Probe(
        cache.get(cache.picture_key(first))["latents"][None],
        cache.get(cache.words_key(first.item.caption, learner.defaults.max_tokens)),
    )
    with trainer.adapter.averaged():
        live = probe.answer(learner)
    # The check loads the network afresh: two of them might not fit.
    sheet = exports.export(path, trainer.close(), learner, order.settings, _about(order), trainer.step)
    sheet["reload_difference"] = exports.check_reload(path, learner, live, probe)
    _write_samples_sheet(order, path, trainer.step)
    return sheet


def _write_samples_sheet(order: Order, path: Path, step: int) -> None:
    """`NAME.png` beside the export: the last samples, where any were drawn."""
    drawn = [(sample_path(order.output, step, number), prompt) for number, prompt in enumerate(order.samples)]
    tiles = [Tile(open_picture(sample).image, short(prompt)) for sample, prompt in drawn if sample.exists()]
    if tiles:
        rows = [tiles[start : start + _ACROSS] for start in range(0, len(tiles), _ACROSS)]
        write_atomic(path.with_suffix(".png"), png(contact_sheet(order.name, rows, side=_TILE)))


def _about(order: Order) -> exports.About:
    return exports.About(
        title=order.name,
        trigger=order.trigger,
        model=order.model.name,
        model_sha256=order.model.sha256,
        family=order.model.family.name,
        dataset=dataset_hash(order.dataset.items),
        licence=order.model.notes.licence,
        tags=Counter(
            phrase.strip() for item in order.dataset.items if not item.other for phrase in item.caption.split(",")
        ),
    )
