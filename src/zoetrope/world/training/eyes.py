"""The oracle's training: fresh drawings, spoiled a little, as a generator would spoil them."""

import random
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from zoetrope.models.pixels import to_tensor
from zoetrope.world.drawer import draw
from zoetrope.world.oracle.network import Asked, Oracle
from zoetrope.world.sampling import any_head_size, random_identity, random_jitter, random_scene
from zoetrope.world.truth import values, visible
from zoetrope.world.vocabulary import ATTRIBUTES, STYLE, STYLED_ATTRIBUTES

BATCH = 64


class OracleRecipe:
    """Every attribute at once; what cannot be seen is not asked."""

    name = "oracle"
    styles: tuple[str, ...] = ("flat",)

    def __init__(self) -> None:
        self.oracle = self._new()
        self.module: nn.Module = self.oracle

    def _new(self) -> Oracle:
        return Oracle()

    def parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        return self.module.named_parameters()

    def loss(self, rng: random.Random) -> Tensor:
        pictures, targets = labelled(rng, BATCH, self.oracle.asked, self.styles)
        with torch.autocast("cpu", torch.bfloat16):
            scores = self.module(spoil(pictures.contiguous()))
        losses = [
            nn.functional.cross_entropy(score.float(), targets[name], ignore_index=-1, label_smoothing=0.02)
            for name, score in scores.items()
        ]
        return torch.stack(losses).sum()


class StyledOracleRecipe(OracleRecipe):
    """The same for every style, which is asked too."""

    name = "oracle-styles"
    styles = STYLE

    def _new(self) -> Oracle:
        return Oracle(STYLED_ATTRIBUTES)


def labelled(
    rng: random.Random, count: int, asked: Asked = ATTRIBUTES, styles: tuple[str, ...] = ("flat",)
) -> tuple[Tensor, dict[str, Tensor]]:
    """Drawings and, by attribute, the index of the true value or -1 where it cannot be seen."""
    images, rows = [], []
    for _ in range(count):
        jitter = random_jitter(rng)
        if rng.random() < 0.3:
            jitter = any_head_size(rng, jitter)
        identity = random_identity(rng, marks=rng.random() < 0.6)
        scene = random_scene(rng, framing="portrait" if rng.random() < 0.4 else None, styles=styles)
        images.append(draw(identity, scene, jitter=jitter).image)
        true = values(identity, scene) | {"style": scene.style}
        seen = visible(identity, scene) | {"style": True}
        rows.append({name: asked[name].index(true[name]) if seen[name] else -1 for name in asked})
    return to_tensor(images), {name: torch.tensor([row[name] for row in rows]) for name in asked}


def spoil(pictures: Tensor) -> Tensor:
    """A share of the batch blurred, noisy, or a little off in brightness."""
    count = len(pictures)
    blurred = nn.functional.avg_pool2d(pictures, 3, stride=1, padding=1, count_include_pad=False)
    softness = torch.rand(count, 1, 1, 1) * (torch.rand(count, 1, 1, 1) < 0.4)
    spoiled = torch.lerp(pictures, blurred, softness * 0.7)
    spoiled = spoiled + torch.randn_like(pictures) * 0.12 * torch.rand(count, 1, 1, 1)
    return (spoiled + torch.randn(count, 3, 1, 1) * 0.02).clamp(-1.0, 1.0)
