"""The oracle: a small network that reads the attributes off any toy-world picture.

It exists to measure, never to decide: product code cannot import it, and what the product filters with has another
shape and another seed.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from zoetrope.world.vocabulary import ATTRIBUTES, STYLED_ATTRIBUTES

WEIGHTS = Path(__file__).parent / "oracle.safetensors"
STYLED_WEIGHTS = Path(__file__).parent / "oracle_styles.safetensors"
UNCLEAR = ""
Asked = Mapping[str, tuple[str, ...]]
"""Attributes and their values, in the order of the answers."""


class Oracle(nn.Module):
    """Five strided convolutions, then one answer for each attribute."""

    def __init__(self, asked: Asked = ATTRIBUTES) -> None:
        super().__init__()
        self.asked = asked
        widths = (3, 32, 64, 96, 128)
        layers: list[nn.Module] = []
        for inside, outside in pairwise(widths):
            layers += [nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.GroupNorm(8, outside), nn.ReLU()]
            layers += [nn.Conv2d(outside, outside, 3, padding=1), nn.GroupNorm(8, outside), nn.ReLU()]
        self.eye = nn.Sequential(*layers, nn.Conv2d(128, 48, 1), nn.Flatten(), nn.Linear(48 * 16, 256), nn.ReLU())
        self.answers = nn.ModuleDict({name: nn.Linear(256, len(values)) for name, values in asked.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Scores for every value of every attribute; pictures are 64² in [-1, 1]."""
        seen = self.eye(pictures)
        return {name: answer(seen) for name, answer in self.answers.items()}


def load_oracle() -> Oracle:
    """The trained oracle that is shipped."""
    return _loaded(Oracle(), WEIGHTS)


def load_styled_oracle() -> Oracle:
    """The one that has seen every style, and names it too."""
    return _loaded(Oracle(STYLED_ATTRIBUTES), STYLED_WEIGHTS)


def _loaded(oracle: Oracle, weights: Path) -> Oracle:
    oracle.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    return oracle.eval()


@torch.inference_mode()
def read(oracle: Oracle, pictures: Tensor, least: float = 0.0) -> list[dict[str, str]]:
    """The likeliest value of each attribute, picture by picture; UNCLEAR where it is less likely than `least`."""
    found = {name: _values(scores, oracle.asked[name], least) for name, scores in oracle(pictures).items()}
    return [{name: values[i] for name, values in found.items()} for i in range(len(pictures))]


def _values(scores: Tensor, names: tuple[str, ...], least: float) -> list[str]:
    likely = scores.softmax(dim=1).max(dim=1)
    pairs = zip(likely.values.tolist(), likely.indices.tolist(), strict=True)
    return [names[index] if chance >= least else UNCLEAR for chance, index in pairs]
