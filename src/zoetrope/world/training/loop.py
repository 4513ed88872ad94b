"""One resumable training loop for every recipe of the toy world.

The budget is time, not steps: the learning rate follows the share of it that is spent, so a recipe ends well-annealed
on a slow machine and on a fast one. Everything random of a step follows from (seed, step): a run that was killed goes
on as if it had not been.
"""

import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from zoetrope.training.state import append_line, forget_after, restore, store

CHECKPOINT_SECONDS = 60.0
LOG_STEPS = 100
WARM_UP_STEPS = 100


class Recipe(Protocol):
    """What one stage of a training is made of."""

    name: str
    module: nn.Module

    def parameters(self) -> Iterable[tuple[str, nn.Parameter]]: ...

    def loss(self, rng: random.Random) -> Tensor: ...


@dataclass(frozen=True)
class Report:
    """How far a stage has come."""

    name: str
    step: int
    spent: float
    loss: float


@dataclass
class _Progress:
    step: int = 0
    spent: float = 0.0


def train(
    recipe: Recipe,
    folder: Path,
    *,
    seconds: float,
    seed: int,
    learning_rate: float,
    averaging: float = 0.999,
    on_report: Callable[[Report], None] = lambda report: None,
) -> dict[str, Tensor]:
    """Train until `seconds` are spent in all; gives the averaged weights back and keeps them in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{recipe.name}.safetensors"
    weights = dict(recipe.parameters())
    optimizers = _optimizers(weights, learning_rate)
    average = {name: weight.detach().clone() for name, weight in weights.items()}
    progress = _Progress(**(restore(checkpoint, weights, average, optimizers) or {}))
    log = folder / "log.jsonl"
    forget_after(log, progress.step, recipe.name)
    last_save, losses = time.monotonic(), []
    while progress.spent < seconds:
        began = time.monotonic()
        rate = learning_rate * _schedule(progress.spent / seconds, progress.step)
        losses.append(_step(recipe, weights, optimizers, rate, seed, progress.step))
        _follow(average, weights, min(averaging, (progress.step + 1) / (progress.step + 10)))
        progress.step += 1
        progress.spent += time.monotonic() - began
        if progress.step % LOG_STEPS == 0:
            report = Report(recipe.name, progress.step, progress.spent, sum(losses) / len(losses))
            append_line(log, vars(report))
            on_report(report)
            losses.clear()
        if time.monotonic() - last_save > CHECKPOINT_SECONDS:
            store(checkpoint, weights, average, optimizers, vars(progress))
            last_save = time.monotonic()
    store(checkpoint, weights, average, optimizers, vars(progress))
    return average


def use_average(recipe: Recipe, average: dict[str, Tensor]) -> None:
    """Put averaged weights into the recipe's module."""
    for name, weight in recipe.parameters():
        weight.data.copy_(average[name])


def _step(
    recipe: Recipe,
    weights: dict[str, nn.Parameter],
    optimizers: list[torch.optim.Optimizer],
    rate: float,
    seed: int,
    step: int,
) -> float:
    torch.manual_seed((seed << 32) + step)
    loss = recipe.loss(random.Random(f"{seed}/{recipe.name}/{step}"))
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(weights.values(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    return loss.item()


def _optimizers(weights: dict[str, nn.Parameter], rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside attention and feed-forward layers, AdamW for all else."""
    matrices = [w for name, w in weights.items() if w.ndim == 2 and "transformer_blocks" in name and "norm" not in name]
    inside = {id(w) for w in matrices}
    others = [w for w in weights.values() if id(w) not in inside]
    made: list[torch.optim.Optimizer] = []
    if others:
        made.append(torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True))
    if matrices:
        made.append(torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
    return made


def _schedule(spent: float, step: int) -> float:
    """A short warm-up, a plateau, and a cosine down over the last six tenths."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    fall = max(0.0, (min(spent, 1.0) - 0.4) / 0.6)
    return warm * max(0.02, 0.5 + 0.5 * math.cos(math.pi * fall))


@torch.no_grad()
def _follow(average: dict[str, Tensor], weights: dict[str, nn.Parameter], keep: float) -> None:
    targets = list(average.values())
    torch._foreach_lerp_(targets, [weights[name].detach() for name in average], 1.0 - keep)
