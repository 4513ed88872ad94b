"""The VAE of the toy world: 64² pictures to 16 × 16 latents and back, sharp enough for a star on a cheek."""

import random
from collections.abc import Iterable

import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor, nn

from zoetrope.models.pixels import to_tensor
from zoetrope.world import vocabulary as words
from zoetrope.world.drawer import GRID, Drawing, draw
from zoetrope.world.sampling import any_head_size, random_identity, random_jitter, random_scene

LATENT_CHANNELS = 16
WHOLE, FACES = 8, 24
FACE_SIDE = 32
# What one latent stands for in pixels: faces are cut out along its grid.
LATENT_PIXELS = 4
EDGE_WEIGHT = 1.0
KL_WEIGHT = 3e-4
# The transformer's latents are never exact: the decoder learns to shrug off this much.
LATENT_NOISE = 0.1


def new_vae() -> AutoencoderKL:
    """The architecture, untrained."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 64),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )


def any_drawings(rng: random.Random, count: int) -> list[Drawing]:
    """Everything the world can show, every style and mark, heads of many sizes."""
    drawings = []
    for _ in range(count):
        styles = words.STYLE if rng.random() < 0.25 else ("flat",)
        jitter = random_jitter(rng)
        if rng.random() < 0.4:
            jitter = any_head_size(rng, jitter)
        drawings.append(draw(random_identity(rng, marks=True), random_scene(rng, styles=styles), jitter=jitter))
    return drawings


def any_pictures(rng: random.Random, count: int) -> Tensor:
    """The same as a batch."""
    return to_tensor(drawing.image for drawing in any_drawings(rng, count))


def wholes_and_faces(rng: random.Random) -> tuple[Tensor, Tensor]:
    """Pictures, and faces cut out of more pictures: where marks and expressions are, most is to be learned."""
    drawings = any_drawings(rng, FACES)
    return to_tensor(drawing.image for drawing in drawings[:WHOLE]), to_tensor(map(face, drawings))


def face(drawing: Drawing) -> Image.Image:
    """The square around the head."""
    x, y = (_corner(middle * drawing.image.width) for middle in drawing.joints["head"])
    return drawing.image.crop((x, y, x + FACE_SIDE, y + FACE_SIDE))


def _corner(middle: float) -> int:
    nearest = round((middle - FACE_SIDE / 2) / LATENT_PIXELS) * LATENT_PIXELS
    return min(max(nearest, 0), GRID - FACE_SIDE)


class VaeRecipe:
    """Both halves together, from nothing."""

    name = "vae"

    def __init__(self) -> None:
        self.vae = new_vae().to(memory_format=torch.channels_last)
        self.module: nn.Module = self.vae

    def parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        return self.module.named_parameters()

    def loss(self, rng: random.Random) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return torch.stack([self._loss(pictures) for pictures in wholes_and_faces(rng)]).sum()

    def _loss(self, pictures: Tensor) -> Tensor:
        posterior = self.vae.encode(pictures).latent_dist
        latents = posterior.sample() + LATENT_NOISE * torch.randn_like(posterior.mean)
        drawn = self.vae.decode(latents).sample
        divergence: Tensor = posterior.kl().mean() / latents[0].numel()
        return picture_loss(drawn.float(), pictures) + KL_WEIGHT * divergence


class DecoderRecipe:
    """The decoder alone, for sharpness: the latents stay as the transformer knows them."""

    name = "decoder"

    def __init__(self, vae: AutoencoderKL) -> None:
        self.vae = vae.to(memory_format=torch.channels_last)
        self.vae.decoder.requires_grad_(True)
        self.module: nn.Module = self.vae

    def parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        return ((name, weight) for name, weight in self.module.named_parameters() if name.startswith("decoder."))

    def loss(self, rng: random.Random) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return torch.stack([self._loss(pictures) for pictures in wholes_and_faces(rng)]).sum()

    def _loss(self, pictures: Tensor) -> Tensor:
        with torch.no_grad():
            latents = self.vae.encode(pictures).latent_dist.mean
        drawn = self.vae.decode(latents + LATENT_NOISE * torch.randn_like(latents)).sample
        return picture_loss(drawn.float(), pictures)


def picture_loss(drawn: Tensor, wanted: Tensor) -> Tensor:
    """Absolute differences of the pixels and of their neighbours' differences: without the second, faces blur."""
    pixels = (drawn - wanted).abs().mean()
    across = (drawn.diff(dim=3) - wanted.diff(dim=3)).abs().mean()
    down = (drawn.diff(dim=2) - wanted.diff(dim=2)).abs().mean()
    return pixels + EDGE_WEIGHT * (across + down)


@torch.no_grad()
def measure_latents(vae: AutoencoderKL, seed: int, count: int = 512) -> tuple[float, float]:
    """The shift and scale that bring latents to mean 0 and deviation 1."""
    rng = random.Random(f"{seed}/latents")
    parts = [vae.encode(any_pictures(rng, 64)).latent_dist.mean for _ in range(count // 64)]
    latents = torch.cat(parts)
    return latents.mean().item(), 1.0 / latents.std().item()
