"""LoRAs of one base become one, whose change to it is the weighted mean of theirs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.models.headers import read_header
from zoetrope.training.export import with_header

if TYPE_CHECKING:
    from torch import Tensor

_DOWN, _UP = ".lora_A.", ".lora_B."


def blended(parts: Sequence[tuple[Path, float]]) -> bytes:
    """Exports of ours by their shares, and of what they are what the first says; the rank is the sum of theirs."""
    states = [_weighed(path, share) for path, share in parts]
    names = sorted({name for each in states for name in each})
    state = {name: _beside(name, [each[name] for each in states if name in each]) for name in names}
    rank = str(max(len(tensor) for name, tensor in state.items() if _DOWN in name))
    said = dict(read_header(parts[0][0]).metadata) | {"ss_network_dim": rank, "ss_network_alpha": rank}
    return with_header(state, said)


def _weighed(path: Path, weight: float) -> "dict[str, Tensor]":
    from safetensors.torch import load_file

    state = load_file(str(path))
    return {
        name: (tensor.float() * weight).to(tensor.dtype) if _UP in name else tensor for name, tensor in state.items()
    }


def _beside(name: str, halves: "Sequence[Tensor]") -> "Tensor":
    """Rank beside rank: the product of all downs and all ups is then the sum of their products."""
    import torch

    return torch.cat([half.to(halves[0].dtype) for half in halves], dim=0 if _DOWN in name else 1).contiguous()
