"""Optimizers by name, each from the library that keeps it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zoetrope.errors import UserError
from zoetrope.training.settings import OptimizerName, Settings

if TYPE_CHECKING:
    import torch

_DECAY = 0.01


def make_optimizer(settings: Settings, weights: "Iterable[torch.nn.Parameter]") -> "torch.optim.Optimizer":
    """The optimizer that the settings name."""
    import torch

    match settings.optimizer:
        case OptimizerName.adamw:
            return torch.optim.AdamW(weights, lr=settings.lr, weight_decay=_DECAY, fused=True)
        case OptimizerName.adamw8bit:
            return _eight_bit(settings, weights)
        case OptimizerName.prodigy:
            return _prodigy(settings, weights)


def _eight_bit(settings: Settings, weights: "Iterable[torch.nn.Parameter]") -> "torch.optim.Optimizer":
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise UserError(
            "8-bit AdamW needs bitsandbytes: pip install 'zoetrope[gpu]', or use --optimizer adamw."
        ) from error
    made: torch.optim.Optimizer = AdamW8bit(weights, lr=settings.lr, weight_decay=_DECAY)
    return made


def _prodigy(settings: Settings, weights: "Iterable[torch.nn.Parameter]") -> "torch.optim.Optimizer":
    try:
        from prodigyopt import Prodigy
    except ImportError as error:
        raise UserError(
            "Prodigy needs prodigyopt: pip install 'zoetrope[prodigy]', or use --optimizer adamw."
        ) from error
    # Prodigy finds the rate itself; what is given scales it, and 1 is its authors' advice.
    made: torch.optim.Optimizer = Prodigy(weights, lr=settings.lr, weight_decay=_DECAY, safeguard_warmup=True)
    return made
