"""What our trainer adds to a bare step, what its caches save, and whether its estimate of memory is right.

`encoding each step` is the same step as diffusers' text-to-image LoRA script takes it, without caches: it reads, scales
and encodes the batch's pictures, here of 1024 by 1024 pixels, and encodes their captions, every time. What that costs
depends on the model, and the shipped one is small beside its photographs. `in FLUX's proportions` times a step and the
encoders where their sizes are to each other as FLUX.1's, with pictures that are read already; no bar is set on it.

Run: python benchmarks/trainer.py [--json]
"""

import argparse
import gc
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from tests import tiny
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.models.memory import multiplies_bf16, peak_memory
from zoetrope.models.pixels import to_tensor
from zoetrope.training import cache as caches
from zoetrope.training.dataset import arrange, load, read_dataset
from zoetrope.training.loop import Moment, Plan, Trainer
from zoetrope.training.preflight import Preflight, estimate_memory
from zoetrope.training.run import Order, train_lora
from zoetrope.training.settings import Settings, make_settings
from zoetrope.world.drawings import write_samples

ROUNDS = 5
STEPS = 8
PICTURES, SIDE = 500, 1024
MODEL = "nano-flux"
LARGEST = 10**9
"""Bytes that the memory's model has at least."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        return _train_large(options.memory)
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        room = Path(folder)
        os.environ["ZOETROPE_HOME"] = str(room / "home")
        steps = measure_steps(room)
        encoding = measure_encoding(room)
        memory = measure_memory(room)
    proportions = measure_proportions()
    bars = {
        "step_over_bare": Bar(steps["ours"] / steps["bare"], 1.10),
        "warm_encoding_over_cold": Bar(encoding["warm"] / encoding["cold"], 0.05),
        "peak_off_estimate": Bar(abs(memory["peak"] / memory["estimate"] - 1.0), 0.15),
        "encoding_each_step_over_ours": Bar(steps["encoding each step"] / steps["ours"], 1.5, at_least=True),
    }
    measured = [("seconds a step", steps), ("seconds for 500", encoding), ("GB", memory)]
    measured.append(("seconds in FLUX's proportions", proportions))
    rows = [{"measured": f"{unit}: {name}", "value": value} for unit, part in measured for name, value in part.items()]
    return report("trainer", rows, bars, options.json)


def measure_steps(room: Path) -> dict[str, float]:
    """Ours, the same batch forward, backward and optimizer alone, and the same with encoding every time."""
    found = Catalogue().find(MODEL)
    settings = make_settings({"resolutions": (found.defaults.width,), **found.notes.training}, steps=10**6)
    write_samples(room / "few", seed=1, count=32, size=SIDE)
    trainer = _trainer(found, settings, room / "few", room)
    bare, encode = _bare_step(trainer), _encode_step(trainer, found)

    def with_encoding() -> None:
        encode()
        bare()

    return _best({"ours": trainer.advance, "bare": bare, "encoding each step": with_encoding})


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
    clean = torch.stack([trainer.cache.get(trainer.cache.picture_key(each))["latents"] for each in batch])
    tokens = trainer.learner.defaults.max_tokens
    words = [trainer.cache.get(trainer.cache.words_key(each.item.caption, tokens)) for each in batch]
    noise, level = torch.randn(clean.shape), torch.rand(len(batch))
    noisy = torch.lerp(clean, noise, level[:, None, None, None])
    weights = list(trainer.adapter.weights.values())
    optimizer = torch.optim.AdamW(weights, lr=0.0, fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bf16("cpu")):
            velocity = trainer.learner.predict(noisy, level, words)
        loss = (velocity.float() - (noise - clean)).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()

    return step


def _encode_step(trainer: Trainer, found: Model) -> Callable[[], None]:
    """The batch's pictures read, scaled and encoded, and its captions encoded."""
    encoder = found.family.learner(found.folder, found.plan())
    batch = trainer.batch(0)

    def step() -> None:
        encoder.encode_words([each.item.caption for each in batch])
        encoder.encode_pictures(to_tensor([load(each.item, each.size).image for each in batch]))

    return step


def measure_encoding(room: Path) -> dict[str, float]:
    """500 pictures and captions: for the first time, and again."""
    found = Catalogue().find(MODEL)
    write_samples(room / "many", seed=2, count=PICTURES, size=64)

    def encode() -> float:
        learner = found.family.learner(found.folder, found.plan())
        # Reading and hashing the dataset is the same for both, and is not what a cache can save.
        shown = arrange(read_dataset(room / "many").items, (found.defaults.width,), 8)
        cache = caches.Cache(room / "cache-many", found.sha256)
        began = time.perf_counter()
        caches.encode_words(cache, learner, [each.item.caption for each in shown])
        caches.encode_pictures(cache, learner, shown)
        return time.perf_counter() - began

    return {"cold": encode(), "warm": min(encode() for _ in range(ROUNDS))}


def measure_memory(room: Path) -> dict[str, float]:
    """The peak of a process that trains on a large model of random weights, above an interpreter's, in GB."""
    folder = room / "large"
    # Blocks as wide as FLUX's own.
    tiny.pipeline(heads=24, head_dim=128, layers=(1, 2)).save_pretrained(folder)
    gc.collect()
    if sum(file.stat().st_size for file in folder.rglob("*.safetensors")) < LARGEST:
        raise SystemExit("the large model is smaller than the bar asks for")
    Catalogue().add("large", "flux", folder)
    write_samples(room / "data", seed=3, count=4, size=64)
    command = [sys.executable, __file__, "--memory", str(room)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


def measure_proportions() -> dict[str, float]:
    """A step on a network of random weights, and its encoders with 4.7 of FLUX's billions to 12, at 256 by 256."""
    from diffusers import AutoencoderKL
    from transformers import T5Config, T5EncoderModel

    width, tokens, side = 768, 512, 256
    network = _narrow_network(width)
    shape = {"d_model": width, "d_ff": 2048, "num_layers": 4, "num_heads": 12, "feed_forward_proj": "gated-gelu"}
    words = T5EncoderModel(T5Config(vocab_size=1000, d_kv=64, is_encoder_decoder=False, **shape)).eval()
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    pictures = AutoencoderKL(block_out_channels=(16, 32, 64, 64), latent_channels=16, norm_num_groups=8, **kinds)
    cells = (side // 16) ** 2
    call = {
        "hidden_states": torch.randn(1, cells, 64),
        "timestep": torch.rand(1),
        "guidance": torch.ones(1),
        "pooled_projections": torch.randn(1, width),
        "encoder_hidden_states": torch.randn(1, tokens, width),
        "txt_ids": torch.zeros(tokens, 3),
        "img_ids": torch.zeros(cells, 3),
    }
    caption, picture = torch.randint(0, 999, (1, tokens)), torch.randn(1, 3, side, side)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bf16("cpu")):
            velocity = network(**call, return_dict=False)[0]
        velocity.float().square().mean().backward()

    def with_encoding() -> None:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bf16("cpu")):
            words(caption)
            pictures.encode(picture)
        step()

    return _best({"step": step, "encoding each step": with_encoding}, 1)


def _narrow_network(width: int) -> Any:
    """FLUX's transformer, narrow and short, with a LoRA."""
    from diffusers import FluxTransformer2DModel
    from peft import LoraConfig

    sizes = {"num_layers": 2, "num_single_layers": 4, "attention_head_dim": 64, "num_attention_heads": width // 64}
    words = {"joint_attention_dim": width, "pooled_projection_dim": width, "guidance_embeds": True}
    network = FluxTransformer2DModel(in_channels=64, axes_dims_rope=(8, 28, 28), **sizes, **words)
    network.requires_grad_(False)
    network.add_adapter(LoraConfig(r=16, target_modules=["to_q", "to_k", "to_v", "to_out.0", "proj_mlp", "proj_out"]))
    return network


class _Silent:
    def preflight(self, said: Preflight) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def moment(self, moment: Moment) -> None: ...


def _train_large(room: Path) -> int:
    """In a process of its own: imports first, so that the interpreter's share is known."""
    for name in ("diffusers", "peft", "transformers"):
        importlib.import_module(name)
    found = Catalogue().find("large")
    plan = found.plan()
    before = peak_memory(plan.device)
    settings = make_settings(steps=3, resolutions=(64,), batch_size=2, rank=16)
    dataset = read_dataset(room / "data")
    shown = arrange(dataset.items, settings.resolutions, found.family.size_step(found.folder))
    estimate = estimate_memory(found.family.learner(found.folder, plan), shown, settings)
    train_lora(Order(found, dataset, room / "out", "large", settings), _Silent())
    print(json.dumps({"peak": (peak_memory(plan.device) - before) / 1e9, "estimate": estimate / 1e9}))
    return 0


def _best(actions: dict[str, Callable[[], Any]], times: int = STEPS) -> dict[str, float]:
    """Seconds of each action in its best round, taken in turns so that a busy machine slows all alike."""
    best = dict.fromkeys(actions, float("inf"))
    order = list(actions.items())
    for _ in range(ROUNDS + 1):  # the first round warms up caches, and is rarely the best
        random.shuffle(order)
        for name, action in order:
            began = time.perf_counter()
            for _ in range(times):
                action()
            best[name] = min(best[name], (time.perf_counter() - began) / times)
    return best


if __name__ == "__main__":
    raise SystemExit(main())
