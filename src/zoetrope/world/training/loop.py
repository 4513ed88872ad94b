"""One resumable training loop for every recipe of the toy world.

The budget is time, not steps: the learning rate follows the share of it that is spent, so a recipe ends well-annealed
on a slow machine and on a fast one. Everything random of a step follows from (seed, step): a run that was killed goes
on as if it had not been.
"""

import json
import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic

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
    progress = _restore(checkpoint, weights, average, optimizers)
    log = folder / "log.jsonl"
    _forget_after(log, recipe.name, progress.step)
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
            _log(log, report)
            on_report(report)
            losses.clear()
        if time.monotonic() - last_save > CHECKPOINT_SECONDS:
            _store(checkpoint, weights, average, optimizers, progress)
            last_save = time.monotonic()
    _store(checkpoint, weights, average, optimizers, progress)
    return average


def load_average(folder: Path, recipe: Recipe) -> None:
    """Put the averaged weights of a stage's checkpoint into its module."""
    with safe_open(folder / f"{recipe.name}.safetensors", "pt") as stored:
        for name, weight in recipe.parameters():
            weight.data.copy_(stored.get_tensor(f"average.{name}"))


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


def _forget_after(path: Path, name: str, step: int) -> None:
    """Drop the log lines of steps that a killed run made after its last checkpoint: they are made again."""
    if path.exists():
        # A line that a power cut tore has no end; it is dropped with the steps it stood for.
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
        kept = [line for line in lines if (said := json.loads(line))["name"] != name or said["step"] <= step]
        write_atomic(path, "".join(line + "\n" for line in kept).encode())


def _log(path: Path, report: Report) -> None:
    line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in vars(report).items()})
    with path.open("a", encoding="utf-8") as log:
        log.write(line + "\n")


def _store(
    path: Path,
    weights: dict[str, nn.Parameter],
    average: dict[str, Tensor],
    optimizers: list[torch.optim.Optimizer],
    progress: _Progress,
) -> None:
    tensors = {f"weight.{name}": w.detach() for name, w in weights.items()}
    tensors |= {f"average.{name}": w for name, w in average.items()}
    for i, optimizer in enumerate(optimizers):
        for j, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{j}.{key}": value for key, value in state.items()}
    blob = save({k: v.contiguous() for k, v in tensors.items()}, {"progress": json.dumps(vars(progress))})
    write_atomic(path, blob)


def _restore(
    path: Path,
    weights: dict[str, nn.Parameter],
    average: dict[str, Tensor],
    optimizers: list[torch.optim.Optimizer],
) -> _Progress:
    if not path.exists():
        return _Progress()
    try:
        return _read_checkpoint(path, weights, average, optimizers)
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"The checkpoint {path} is damaged or of another recipe; it was kept, remove it to begin anew."
        ) from error


def _read_checkpoint(
    path: Path,
    weights: dict[str, nn.Parameter],
    average: dict[str, Tensor],
    optimizers: list[torch.optim.Optimizer],
) -> _Progress:
    with safe_open(path, "pt") as stored:
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
        for key in stored.keys():  # noqa: SIM118 - safe_open is no mapping
            kind, _, rest = key.partition(".")
            tensor = stored.get_tensor(key)
            if kind == "weight":
                weights[rest].data.copy_(tensor)
            elif kind == "average":
                average[rest].copy_(tensor)
            else:
                i, j, name = rest.split(".")
                states[int(i)].setdefault(int(j), {})[name] = tensor
        for optimizer, state in zip(optimizers, states, strict=True):
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        return _Progress(**json.loads(stored.metadata()["progress"]))
