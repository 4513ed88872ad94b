"""The oracle: a small network that reads the attributes off any toy-world picture.

It exists to measure, never to decide: product code cannot import it, and what the product filters with has another
shape and another seed.
"""

from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from zoetrope.world.vocabulary import ATTRIBUTES

WEIGHTS = Path(__file__).parent / "oracle.safetensors"


class Oracle(nn.Module):
    """Five strided convolutions, then one answer for each attribute."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 96, 128)
        layers: list[nn.Module] = []
        for inside, outside in pairwise(widths):
            layers += [nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.GroupNorm(8, outside), nn.ReLU()]
            layers += [nn.Conv2d(outside, outside, 3, padding=1), nn.GroupNorm(8, outside), nn.ReLU()]
        self.eye = nn.Sequential(*layers, nn.Conv2d(128, 48, 1), nn.Flatten(), nn.Linear(48 * 16, 256), nn.ReLU())
        self.answers = nn.ModuleDict({name: nn.Linear(256, len(values)) for name, values in ATTRIBUTES.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Scores for every value of every attribute; pictures are 64² in [-1, 1]."""
        seen = self.eye(pictures)
        return {name: answer(seen) for name, answer in self.answers.items()}


def load_oracle(weights: Path = WEIGHTS) -> Oracle:
    """The trained oracle that is shipped."""
    oracle = Oracle()
    oracle.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    return oracle.eval()


@torch.inference_mode()
def read(oracle: Oracle, pictures: Tensor) -> list[dict[str, str]]:
    """The most likely value of each attribute, picture by picture."""
    scores = oracle(pictures)
    best = {name: score.argmax(dim=1).tolist() for name, score in scores.items()}
    return [{name: ATTRIBUTES[name][best[name][i]] for name in ATTRIBUTES} for i in range(len(pictures))]
