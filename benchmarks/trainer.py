"""What our trainer adds to a bare step, and what its cache saves.

Run: python benchmarks/trainer.py [--json]
"""

import argparse
import gc
import importlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from tests import tiny
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.training import cache as caches
from zoetrope.training.dataset import arrange, read_dataset
from zoetrope.training.loop import Moment, Plan, Trainer
from zoetrope.training.preflight import Preflight, estimate_memory
from zoetrope.training.run import Order, train_lora
from zoetrope.training.settings import Settings, make_settings

ROUNDS = 5
STEPS = 10
PICTURES = 500
MODEL = "nano-flux"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        return _memory_child(options.memory)
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        room = Path(folder)
        os.environ["ZOETROPE_HOME"] = str(room / "home")
        steps = measure_steps(room)
        encoding = measure_encoding(room)
        memory = measure_memory(room)
    bars = {
        "step_over_bare": Bar(steps["ours"] / steps["bare"], 1.10),
        "warm_encoding_over_cold": Bar(encoding["warm"] / encoding["cold"], 0.05),
        "peak_off_estimate": Bar(abs(memory["peak"] / memory["estimate"] - 1.0), 0.15),
        "encoding_each_step_over_ours": Bar(steps["encoding each step"] / steps["ours"], 1.5, at_least=True),
    }
    rows = [{"measured": name, "value": value} for part in (steps, encoding, memory) for name, value in part.items()]
    return report("trainer", rows, bars, options.json)


def measure_steps(room: Path) -> dict[str, float]:
    """Seconds a step: ours, the same batch forward, backward and optimizer alone, and with encoding in every step."""
    found = Catalogue().find(MODEL)
    settings = make_settings({"resolutions": (found.defaults.width,), **found.notes.training}, steps=10**6)
    trainer = _trainer(found, settings, _pictures(room / "few", 32), room)
    bare = _bare_step(trainer)
    encode = _encode_step(trainer, found)

    def ours() -> None:
        trainer.advance()

    def with_encoding() -> None:
        encode()
        bare()

    return _best({"ours": ours, "bare": bare, "encoding each step": with_encoding}, STEPS)


def _trainer(found: Model, settings: Settings, data: Path, room: Path) -> Trainer:
    learner = found.family.learner(found.folder, found.plan())
    shown = arrange(read_dataset(data).items, settings.resolutions, found.family.size_step(found.folder))
    cache = caches.Cache(room / "cache", found.sha256)
    caches.encode_words(cache, learner, ["", *(each.item.caption for each in shown)])
    caches.encode_pictures(cache, learner, shown)
    return Trainer(learner, cache, Plan(shown, (), "bench"), settings, room / "run")


def _bare_step(trainer: Trainer) -> Callable[[], None]:
    """Forward, backward and optimizer step on one fixed batch, with nothing around it."""
    batch = trainer.batch(0)
    stored = [trainer.cache.get(trainer.cache.picture_key(each)) for each in batch]
    words = [trainer._words(each.item.caption) for each in batch]
    clean = torch.stack([tensors["latents"] for tensors in stored])
    noise, time_ = torch.randn(clean.shape), torch.rand(len(batch))
    noisy = torch.lerp(clean, noise, time_[:, None, None, None])
    weights = list(trainer.adapter.weights.values())
    optimizer = torch.optim.AdamW(weights, lr=0.0, fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            velocity = trainer.learner.predict(noisy, time_, words)
        loss = (velocity.float() - (noise - clean)).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()

    return step


def _encode_step(trainer: Trainer, found: Model) -> Callable[[], None]:
    """What diffusers' own script does in every step when nothing is cached: read, encode pictures and words."""
    encoder = found.family.learner(found.folder, found.plan())
    batch = trainer.batch(0)

    def step() -> None:
        from zoetrope.training.dataset import load

        encoder.encode_words([each.item.caption for each in batch])
        pictures = [load(each.item, each.size).image for each in batch]
        encoder.encode_pictures(caches._tensor(pictures))

    return step


def measure_encoding(room: Path) -> dict[str, float]:
    """Seconds for 500 pictures and captions: for the first time, and again."""
    found = Catalogue().find(MODEL)
    data = _pictures(room / "many", PICTURES)

    def encode() -> float:
        learner = found.family.learner(found.folder, found.plan())
        shown = arrange(read_dataset(data).items, (found.defaults.width,), found.family.size_step(found.folder))
        cache = caches.Cache(room / "cache-many", found.sha256)
        # Reading and hashing the dataset is the same for both, and is not what a cache can save.
        begun = time.perf_counter()
        caches.encode_words(cache, learner, [each.item.caption for each in shown])
        caches.encode_pictures(cache, learner, shown)
        return time.perf_counter() - begun

    return {"cold": encode(), "warm": min(encode() for _ in range(ROUNDS))}


def measure_memory(room: Path) -> dict[str, float]:
    """The peak of a process that trains on a model of random weights, above an interpreter's, in GB."""
    folder = room / "large"
    # In FLUX's shape, and over a gigabyte in the 32 bits it is held in here.
    tiny.pipeline(heads=12, head_dim=128, layers=(1, 3)).save_pretrained(folder)
    gc.collect()
    Catalogue().add("large", "flux", folder)
    _pictures(room / "data", 4)
    done = subprocess.run(
        [sys.executable, __file__, "--memory", str(room)], stdout=subprocess.PIPE, text=True, check=True
    )
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


class _Silent:
    def preflight(self, said: Preflight) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def moment(self, moment: Moment) -> None: ...


def _memory_child(room: Path) -> int:
    """Runs in a process of its own: imports first, so that the interpreter's share is known."""
    for name in ("diffusers", "peft", "transformers"):
        importlib.import_module(name)
    found = Catalogue().find("large")
    before = _peak()
    settings = make_settings(steps=3, resolutions=(64,), batch_size=2, rank=16)
    dataset = read_dataset(room / "data")
    learner = found.family.learner(found.folder, found.plan())
    shown = arrange(dataset.items, settings.resolutions, found.family.size_step(found.folder))
    estimate = estimate_memory(learner, shown, settings)
    order = Order(found, dataset, room / "out", "large", settings)
    train_lora(order, _Silent())
    print(json.dumps({"peak": (_peak() - before) / 1e9, "estimate": estimate / 1e9}))
    return 0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _pictures(folder: Path, count: int) -> Path:
    """Different pictures with different captions."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise = torch.randint(0, 256, (8, 8, 3), generator=torch.Generator().manual_seed(number), dtype=torch.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noise.numpy()).resize((64, 64)).save(buffer, "PNG")
        (folder / f"{number}.png").write_bytes(buffer.getvalue())
        (folder / f"{number}.txt").write_text(f"portrait of a character, picture {number}", encoding="utf-8")
    return folder


def _best(actions: dict[str, Callable[[], Any]], times: int) -> dict[str, float]:
    """The best time of each action, taken in turns so that a busy machine slows all alike."""
    best = dict.fromkeys(actions, float("inf"))
    for _ in range(ROUNDS + 1):  # the first round warms up caches, and is rarely the best
        for name, action in actions.items():
            begun = time.perf_counter()
            for _ in range(times):
                action()
            best[name] = min(best[name], (time.perf_counter() - begun) / times)
    return best


if __name__ == "__main__":
    raise SystemExit(main())
