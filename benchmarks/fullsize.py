"""Seconds a LoRA step and its peak memory on the full FLUX.1 architecture with random weights, in bf16, fp8 and NF4.

Beside it the floor (the step's operations over the measured rate of matrix products) and a plain loop of diffusers and
peft. It needs a CUDA device and 25 GB of disk, and says so where there is none; nothing is downloaded.

Run: python benchmarks/fullsize.py [--json] [--only none|fp8|nf4]
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from tests import tiny
from zoetrope.errors import UserError
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.learner import Learner
from zoetrope.models.memory import Kind, MemoryPlan, Quantize, peak_memory
from zoetrope.training import adapter as adapters
from zoetrope.training.cache import Cache
from zoetrope.training.dataset import Item, Shown
from zoetrope.training.loop import Plan, Trainer
from zoetrope.training.settings import make_settings

ROUNDS, WARM = 5, 2
RANK = 16
HELD: tuple[Quantize, ...] = ("none", "fp8", "nf4")
ABOVE_PLAIN = 1.10


@dataclass(frozen=True)
class Shape:
    """A FLUX.1, and what it is trained at; the numbers are FLUX.1 dev's own."""

    layers: tuple[int, int] = (19, 38)
    heads: int = 24
    head_dim: int = 128
    words: int = 4096
    pooled: int = 768
    sides: tuple[int, ...] = (512, 1024)
    # Sides of a square of which one product gives the rate.
    matrix: int = 8192


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    parser.add_argument("--only", choices=HELD, help="hold the base in this way alone")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("The full-size step was not measured: this machine has no CUDA device.", file=sys.stderr)
        return report("full size", [{"measured": "nothing: there is no CUDA device here"}], {}, options.json)
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        os.environ["ZOETROPE_HOME"] = str(Path(folder) / "home")
        rows = list(measure(Path(folder), Shape(), "cuda", [options.only] if options.only else HELD))
    return report("full size", rows, bars_of(rows), options.json)


def bars_of(rows: list[dict[str, Any]]) -> dict[str, Bar]:
    """Ours over the plain loop, where neither computes a block twice."""
    whole = [row for row in rows if row["blocks"] == "remembered"]
    return {
        f"step_over_plain_{row['base']}_{row['side']}": Bar(row["seconds"] / row["plain"], ABOVE_PLAIN) for row in whole
    }


def measure(room: Path, shape: Shape, device: Kind, held: "list[Quantize] | tuple[Quantize, ...]") -> Iterator[Any]:
    """A row for each way to hold the base, each size, and blocks that are remembered or computed again."""
    _save(room / "base", shape, device)
    found = Catalogue().add("full", "flux", room / "base")
    rate = matrix_rate(device, shape.matrix)
    operations: dict[int, float] = {}
    for quantize in held:
        plan = MemoryPlan(device, "bfloat16", quantize)
        try:
            learner = found.family.learner(found.folder, plan)
            learner.network()
        except UserError as error:
            print(f"{quantize}: {error}", file=sys.stderr)
            continue
        plain = {side: _plain(learner, shape, side, operations) for side in shape.sides}
        for share in (0.0, 1.0):
            for side in shape.sides:
                seconds, peak = _ours(room, learner, shape, side, share)
                yield {
                    "base": "bf16" if quantize == "none" else quantize,
                    "side": side,
                    "blocks": "again" if share else "remembered",
                    "seconds": seconds,
                    "GB": peak,
                    "plain": plain[side][0],
                    "plain GB": plain[side][1],
                    "floor": operations[side] / rate,
                }
        learner.release_all()


def _save(folder: Path, shape: Shape, device: Kind) -> None:
    """A folder with the full transformer; whatever only encodes is tiny, as it is never called."""
    from diffusers import FluxTransformer2DModel

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            full = FluxTransformer2DModel(
                in_channels=64,
                num_layers=shape.layers[0],
                num_single_layers=shape.layers[1],
                attention_head_dim=shape.head_dim,
                num_attention_heads=shape.heads,
                joint_attention_dim=shape.words,
                pooled_projection_dim=shape.pooled,
                axes_dims_rope=(shape.head_dim // 8, shape.head_dim * 7 // 16, shape.head_dim * 7 // 16),
                guidance_embeds=True,
            )
    finally:
        torch.set_default_dtype(before)
    pipeline = tiny.pipeline()
    pipeline.register_modules(transformer=full)
    pipeline.save_pretrained(folder)
    del full, pipeline
    if device == "cuda":
        torch.cuda.empty_cache()


def matrix_rate(device: Kind, side: int) -> float:
    """Operations a second in products of large bf16 matrices, at best."""
    one, other = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2.0 * side**3 / _timed(lambda: one @ other, device)


def _ours(room: Path, learner: Learner, shape: Shape, side: int, share: float) -> tuple[float, float]:
    """Seconds and gigabytes of a step of our trainer."""
    settings = make_settings(steps=10**6, rank=RANK, resolutions=(side,), checkpoint_blocks=share)
    size = (side, side)
    shown = Shown(Item(Path("random.png"), f"random-{side}", size, "a girl"), size)
    cache = Cache(room / "cache", "full")
    latents, states, pooled = _inputs(shape, side)
    cache.put(cache.picture_key(shown), {"latents": latents[0]})
    for caption in ("", "a girl"):
        cache.put(cache.words_key(caption, learner.defaults.max_tokens), {"states": states[0], "pooled": pooled[0]})
    blocks = [(block, block.forward) for block in learner.blocks()]
    trainer = Trainer(learner, cache, Plan([shown], (), "full"), settings, room / "run")
    try:
        return _measured(trainer.advance, learner)
    finally:
        trainer.adapter.network.delete_adapters(adapters.NAME)
        for block, forward in blocks:
            block.forward = forward


def _inputs(shape: Shape, side: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    latents = torch.randn(1, 16, side // 8, side // 8)
    states = torch.randn(1, 512, shape.words, dtype=torch.bfloat16)
    return latents, states, torch.randn(1, shape.pooled, dtype=torch.bfloat16)


def _plain(learner: Learner, shape: Shape, side: int, operations: dict[int, float]) -> tuple[float, float]:
    """The same with diffusers and peft alone; what a step calculates is counted on the way, once for each size."""
    from peft import LoraConfig
    from torch.utils.flop_counter import FlopCounterMode

    network: Any = learner.network()
    network.requires_grad_(False)
    network.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=learner.targets()), "plain")
    weights = [weight for name, weight in network.named_parameters() if ".plain." in name]
    for weight in weights:
        weight.data = weight.data.float()
    optimizer = torch.optim.AdamW(weights, lr=1e-4, fused=True)
    call = _call(shape, side, learner.device)

    def step() -> None:
        with torch.autocast(learner.device.type, torch.bfloat16):
            velocity = network(**call, return_dict=False)[0]
        loss = velocity.float().square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()

    try:
        if side not in operations:
            with FlopCounterMode(display=False) as counter:
                step()
            operations[side] = float(counter.get_total_flops())
        return _measured(step, learner)
    finally:
        network.delete_adapters("plain")


def _call(shape: Shape, side: int, device: torch.device) -> dict[str, torch.Tensor]:
    _, states, pooled = _inputs(shape, side)
    tokens = (side // 16) ** 2
    call = {
        "hidden_states": torch.randn(1, tokens, 64),
        "timestep": torch.full((1,), 0.5),
        "guidance": torch.ones(1),
        "pooled_projections": pooled,
        "encoder_hidden_states": states,
        "txt_ids": torch.zeros(512, 3),
        "img_ids": torch.zeros(tokens, 3),
    }
    return {name: tensor.to(device) for name, tensor in call.items()}


def _measured(step: Callable[[], Any], learner: Learner) -> tuple[float, float]:
    """Seconds of the best step, and gigabytes at the peak of all of them."""
    kind = learner.plan.device
    if kind == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return _timed(step, kind), peak_memory(kind) / 1e9


def _timed(action: Callable[[], Any], device: Kind) -> float:
    best = float("inf")
    for number in range(WARM + ROUNDS):
        began = time.perf_counter()
        action()
        if device == "cuda":
            torch.cuda.synchronize()
        if number >= WARM:
            best = min(best, time.perf_counter() - began)
    return best


if __name__ == "__main__":
    raise SystemExit(main())
