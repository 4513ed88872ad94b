"""Two LoRAs of one base become one, whose change to it is the weighted mean of theirs."""

from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.models.headers import read_header
from zoetrope.training.export import with_header

if TYPE_CHECKING:
    from torch import Tensor

_DOWN, _UP = ".lora_A.", ".lora_B."


def blended(one: Path, other: Path, share: float) -> bytes:
    """The file of `one` with so large a share of `other` in it, both exports of ours; its rank is the sum of theirs."""
    mine, theirs = _weighed(one, 1 - share), _weighed(other, share)
    state = {name: _beside(name, mine.get(name), theirs.get(name)) for name in sorted(mine | theirs)}
    rank = str(max(len(tensor) for name, tensor in state.items() if _DOWN in name))
    said = dict(read_header(one).metadata) | {"ss_network_dim": rank, "ss_network_alpha": rank}
    return with_header(state, said)


def _weighed(path: Path, weight: float) -> "dict[str, Tensor]":
    from safetensors.torch import load_file

    state = load_file(str(path))
    return {
        name: (tensor.float() * weight).to(tensor.dtype) if _UP in name else tensor for name, tensor in state.items()
    }


def _beside(name: str, *halves: "Tensor | None") -> "Tensor":
    """Rank beside rank: the product of the two halves is then the sum of both products."""
    import torch

    there = [half for half in halves if half is not None]
    return torch.cat([half.to(there[0].dtype) for half in there], dim=0 if _DOWN in name else 1).contiguous()
