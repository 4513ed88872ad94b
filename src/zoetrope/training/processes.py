"""One training in several processes, as accelerate and torchrun start them: each has its share, one of them writes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accelerate import PartialState
    from torch import Tensor


def crew() -> "PartialState":
    """All processes of this training; alone where nobody started more."""
    import torch
    from accelerate import PartialState

    # Left to itself accelerate would take each for a training of its own where there is no GPU.
    return PartialState(cpu=not torch.cuda.is_available())


def average(tensors: "Sequence[Tensor]") -> None:
    """Every process gets the mean of what all of them hold, in one exchange."""
    import torch
    from accelerate.utils import reduce

    flat = reduce(torch.cat([tensor.flatten() for tensor in tensors]), reduction="mean")
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))
