"""The training loop: it never names a family.

Everything random of a step follows from the seed and the step's number, and a checkpoint holds everything else: a run
that was killed ends with the same bytes as one that was not.
"""

import math
import random
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.errors import UserError
from zoetrope.models.learner import Learner, Words
from zoetrope.training.adapter import Adapter
from zoetrope.training.batches import Batches
from zoetrope.training.cache import Cache
from zoetrope.training.dataset import Shown
from zoetrope.training.device import halves
from zoetrope.training.optimizers import make_optimizer
from zoetrope.training.processes import average, crew
from zoetrope.training.settings import Settings
from zoetrope.training.state import append_line, forget_after, restore, store

if TYPE_CHECKING:
    import torch
    from torch import Tensor

STATE = "state.safetensors"
METRICS = "metrics.jsonl"
LOG_STEPS = 10
# Between the checkpoints the state is saved too, so that a kill costs seconds; and saving it a fiftieth of the time.
SAVE_SECONDS, SAVE_TIMES = 5.0, 50
# Noise levels at which held-out pictures are judged, always with the same noise.
_VALIDATION_TIMES = (0.15, 0.4, 0.65, 0.9)


@dataclass(frozen=True)
class Moment:
    """Where a training stands."""

    step: int
    steps: int
    loss: float
    validation: float | None = None


OnMoment = Callable[[Moment], None]
OnSample = Callable[[int, Adapter], None]
OnKeep = Callable[[int, Adapter], None]


@dataclass(frozen=True)
class Plan:
    """What is trained on, and what is held out."""

    shown: Sequence[Shown]
    held_out: Sequence[Shown]
    fingerprint: str


class Trainer:
    """One training, from a checkpoint or from the start."""

    def __init__(
        self,
        learner: Learner,
        cache: Cache,
        plan: Plan,
        settings: Settings,
        run: Path,
        assistant: Path | None = None,
    ) -> None:
        self._processes = crew()
        self.learner = learner
        self.cache = cache
        self.plan = plan
        self.settings = settings
        self.run = run
        self.adapter = Adapter(learner, settings, assistant)
        self.optimizer = make_optimizer(settings, self.adapter.weights.values())
        heads = [index for index, each in enumerate(plan.shown) if each.item.head]
        self._head_steps = round(settings.steps * settings.head_share) if heads else 0
        self._heads = Batches(plan.shown, settings.batch_size, settings.seed, heads)
        self._all = Batches(plan.shown, settings.batch_size, settings.seed)
        self._share_blocks()
        self.step = 0
        self._save_next = 0.0

    def resume(self) -> int:
        """Take up the run's checkpoint, if there is one; the step it stands at."""
        progress = restore(self.run / STATE, self.adapter.weights, self.adapter.average, [self.optimizer])
        if progress is not None:
            if progress["fingerprint"] != self.plan.fingerprint:
                raise UserError(
                    f"{self.run} was begun with other pictures, captions or settings; it was kept. "
                    "Go on with those, train into another folder, or give --anew to throw it away and begin again."
                )
            self.step = int(progress["step"])
        if self._processes.is_main_process:
            forget_after(self.run / METRICS, self.step)
        return self.step

    def train(self, on_moment: OnMoment, on_sample: OnSample | None = None, on_keep: OnKeep | None = None) -> None:
        """Go on to the last step."""
        with warnings.catch_warnings():
            # Under autocast torch remarks once that norms are not fused; that is no news to whoever trains.
            warnings.filterwarnings("ignore", message="Mismatch dtype between input and weight")
            self._train(on_moment, on_sample, on_keep)

    def _train(self, on_moment: OnMoment, on_sample: OnSample | None, on_keep: OnKeep | None) -> None:
        losses: list[float] = []
        began = time.monotonic()
        self._save_next = began + SAVE_SECONDS
        try:
            while self.step < self.settings.steps:
                losses.append(self.advance())
                if not self._processes.is_main_process:
                    continue
                last = self.step == self.settings.steps
                if self.step % LOG_STEPS == 0 or last:
                    self._report(losses, began, on_moment)
                    losses, began = [], time.monotonic()
                if self.settings.sample_every and on_sample and (self.step % self.settings.sample_every == 0 or last):
                    with self.adapter.averaged():
                        on_sample(self.step, self.adapter)
                if self.settings.keep_every and on_keep and self.step % self.settings.keep_every == 0 and not last:
                    on_keep(self.step, self.adapter)
                if self.step % self.settings.checkpoint_every == 0 or last or time.monotonic() > self._save_next:
                    self.save()
        except KeyboardInterrupt:
            self.save()
            raise

    def save(self) -> None:
        """Write the checkpoint; one process does, as all hold the same."""
        if not self._processes.is_main_process:
            return
        began = time.monotonic()
        progress = {"step": self.step, "steps": self.settings.steps, "fingerprint": self.plan.fingerprint}
        store(self.run / STATE, self.adapter.weights, self.adapter.average, [self.optimizer], progress)
        ended = time.monotonic()
        self._save_next = ended + max(SAVE_SECONDS, SAVE_TIMES * (ended - began))

    def close(self) -> "dict[str, Tensor]":
        """Give the network's memory back; the averaged weights remain."""
        average = self.adapter.average
        del self.adapter, self.optimizer
        self.learner.release_all()
        return average

    def batch(self, step: int) -> list[Shown]:
        """What this process sees in a step."""
        batches = self._heads if step < self._head_steps else self._all
        indices = batches.at(step * self._processes.num_processes + self._processes.process_index)
        return [self.plan.shown[index] for index in indices]

    def advance(self) -> float:
        """One step; its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * min(1.0, (self.step + 1) / max(1, self.settings.warmup))
        loss = self._loss(self.batch(self.step))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        value, slope = float(loss.detach()), self._clip_and_share()
        # A checkpoint never holds weights that a step without end has spoilt.
        if not math.isfinite(value) or not math.isfinite(slope):
            raise UserError(
                f"The loss stopped being a number at step {self.step + 1}; the last checkpoint in {self.run} was kept. "
                "Try a lower --lr or --precision fp32."
            )
        self.optimizer.step()
        self.adapter.follow(min(self.settings.ema, (self.step + 1) / (self.step + 10)))
        self.step += 1
        return value

    def _clip_and_share(self) -> float:
        """Shared between processes and clipped; how long the gradient was."""
        import torch

        gradients = [weight.grad for weight in self.adapter.weights.values() if weight.grad is not None]
        if self._processes.num_processes > 1:
            average(gradients)
        return float(torch.nn.utils.clip_grad_norm_(list(self.adapter.weights.values()), 1.0))

    def _loss(self, batch: Sequence[Shown]) -> "Tensor":
        import torch

        number = f"{self.settings.seed}/{self.step}/{self._processes.process_index}"
        rng = random.Random(number)
        generator = torch.Generator().manual_seed(rng.getrandbits(62))
        captions = ["" if rng.random() < self.settings.caption_dropout else each.item.caption for each in batch]
        stored = [self.cache.get(self.cache.picture_key(each)) for each in batch]
        clean = torch.stack([tensors["latents"] for tensors in stored])
        noise = torch.randn(clean.shape, generator=generator)
        level = torch.sigmoid(torch.randn(len(batch), generator=generator))
        weights = torch.stack([_weights(each, tensors) for each, tensors in zip(batch, stored, strict=True)])
        return self._velocity_loss(clean, noise, self.learner.time(level, clean), captions, weights)

    def _velocity_loss(
        self, clean: "Tensor", noise: "Tensor", time: "Tensor", captions: Sequence[str], weights: "Tensor"
    ) -> "Tensor":
        import torch

        device = self.learner.device
        clean, noise, weights, time = clean.to(device), noise.to(device), weights.to(device), time.to(device)
        noisy = torch.lerp(clean, noise, time[:, None, None, None])
        with self._precision():
            velocity = self.learner.predict(noisy, time, [self._words(caption) for caption in captions])
        errors = (velocity.float() - (noise - clean)).square().mean(dim=1)
        return (errors * weights).mean()

    def _words(self, caption: str) -> Words:
        tensors = self.cache.get(self.cache.words_key(caption, self.learner.defaults.max_tokens))
        return {name: tensor.to(self.learner.device) for name, tensor in tensors.items()}

    def validate(self) -> float | None:
        """The loss on held-out pictures, with the same noise every time."""
        import torch

        if not self.plan.held_out:
            return None
        total = 0.0
        with torch.no_grad():
            for index, each in enumerate(self.plan.held_out):
                tensors = self.cache.get(self.cache.picture_key(each))
                clean = tensors["latents"][None].expand(len(_VALIDATION_TIMES), -1, -1, -1)
                noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(index))
                captions = [each.item.caption] * len(_VALIDATION_TIMES)
                weights = torch.ones(len(_VALIDATION_TIMES), *clean.shape[2:])
                times = self.learner.time(torch.tensor(_VALIDATION_TIMES), clean)
                total += float(self._velocity_loss(clean, noise, times, captions, weights))
        return total / len(self.plan.held_out)

    def _report(self, losses: Sequence[float], began: float, on_moment: OnMoment) -> None:
        due = self.step % self.settings.checkpoint_every == 0 or self.step == self.settings.steps
        moment = Moment(self.step, self.settings.steps, sum(losses) / len(losses), self.validate() if due else None)
        said: dict[str, Any] = {"step": moment.step, "loss": moment.loss}
        said["seconds_per_step"] = (time.monotonic() - began) / len(losses)
        if moment.validation is not None:
            said["validation"] = moment.validation
        append_line(self.run / METRICS, said)
        on_moment(moment)

    def _precision(self) -> "AbstractContextManager[Any]":
        import torch

        if not halves(self.settings, self.learner.plan):
            return nullcontext()
        return torch.autocast(self.learner.device.type, torch.bfloat16)

    def _share_blocks(self) -> None:
        """Compute a share of the blocks again on the way back: less memory, more time."""
        from functools import partial

        from torch.utils.checkpoint import checkpoint

        blocks: list[Any] = self.learner.blocks()
        for block in blocks[: round(len(blocks) * self.settings.checkpoint_blocks)]:
            block.forward = partial(checkpoint, block.forward, use_reentrant=False)


def _weights(shown: Shown, tensors: "dict[str, torch.Tensor]") -> "Tensor":
    """How much each latent of a picture counts."""
    import torch

    whole = tensors.get("mask")
    plain = torch.ones(tensors["latents"].shape[1:]) if whole is None else whole
    return plain * shown.item.weight
