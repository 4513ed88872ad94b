"""The transformer of nano-flux and its two text encoders, trained together on fresh drawings.

The forward pass repeats what diffusers' FluxPipeline does at drawing time: same padding, no attention mask on T5, the
same packing and position ids. Whatever differs here would be wrong there.
"""

import random
from collections.abc import Iterable

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from zoetrope.models.pixels import to_tensor
from zoetrope.world.captions import training_caption
from zoetrope.world.drawer import BODIES, GRID, draw
from zoetrope.world.sampling import random_identity, random_jitter, random_scene
from zoetrope.world.training import text
from zoetrope.world.training.vae import LATENT_CHANNELS

BATCH = 32
HEADS, HEAD_WIDTH = 3, 64
TOKENS_A_SIDE = 8
FACE_WEIGHT = 4.0
# Without words once in ten: what classifier-free guidance pushes away from.
WORDLESS_SHARE = 0.1


def new_transformer() -> FluxTransformer2DModel:
    """The true architecture, narrow and shallow."""
    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=LATENT_CHANNELS * 4,
        num_layers=2,
        num_single_layers=3,
        attention_head_dim=HEAD_WIDTH,
        num_attention_heads=HEADS,
        joint_attention_dim=text.T5_WIDTH,
        pooled_projection_dim=text.CLIP_WIDTH,
        guidance_embeds=False,
        axes_dims_rope=(8, 28, 28),
    )


def new_pipeline(vae: AutoencoderKL) -> FluxPipeline:
    """A whole pipeline around a trained VAE; everything else is untrained."""
    clip, t5 = text.clip_tokenizer(), text.t5_tokenizer()
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        text_encoder=text.clip_encoder(clip),
        tokenizer=clip,
        text_encoder_2=text.t5_encoder(t5),
        tokenizer_2=t5,
        transformer=new_transformer(),
    )


def training_example(rng: random.Random) -> tuple[str, Tensor, Tensor]:
    """A caption, its picture, and how much each token of it counts.

    Marks, other styles and a tenth of the combinations stay unseen.
    """
    identity, scene = random_identity(rng, held=False), random_scene(rng)
    drawing = draw(identity, scene, jitter=random_jitter(rng))
    radius = BODIES[scene.framing].radius / GRID
    return (
        training_caption(rng, identity, scene),
        to_tensor([drawing.image]),
        face_weights(drawing.joints["head"], radius),
    )


def face_weights(head: tuple[float, float], radius: float) -> Tensor:
    """More weight where the face is: an expression is a few pixels, and a plain mean would learn it last."""
    middle = (torch.arange(TOKENS_A_SIDE) + 0.5) / TOKENS_A_SIDE
    across = (middle - head[0]).abs() < 0.8 * radius + 0.5 / TOKENS_A_SIDE
    down = (middle - head[1] - 0.15 * radius).abs() < 0.6 * radius + 0.5 / TOKENS_A_SIDE
    return torch.where(down[:, None] & across[None, :], FACE_WEIGHT, 1.0).flatten()


class FluxRecipe:
    """Flow matching with logit-normal times."""

    name = "flux"

    def __init__(self, pipeline: FluxPipeline) -> None:
        self.pipeline = pipeline
        self.vae = pipeline.vae.eval().requires_grad_(False)
        self.module: nn.Module = nn.ModuleDict(
            {"transformer": pipeline.transformer, "clip": pipeline.text_encoder, "t5": pipeline.text_encoder_2}
        )
        self.module.train()

    def parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        return self.module.named_parameters()

    def loss(self, rng: random.Random) -> Tensor:
        captions, pictures, weights = zip(*(training_example(rng) for _ in range(BATCH)), strict=True)
        spoken = ["" if rng.random() < WORDLESS_SHARE else caption for caption in captions]
        with torch.autocast("cpu", torch.bfloat16):
            clean = self.latents(torch.cat(pictures))
            noise = torch.randn_like(clean)
            time = torch.sigmoid(torch.randn(BATCH))
            mixed = torch.lerp(clean, noise, time[:, None, None])
            velocity = self.velocity(mixed, time, spoken)
        errors = (velocity.float() - (noise - clean)).square().mean(dim=2)
        return (errors * torch.stack(weights)).mean()

    @torch.no_grad()
    def latents(self, pictures: Tensor) -> Tensor:
        """Packed, normalized latents."""
        config = self.vae.config
        mean = self.vae.encode(pictures).latent_dist.mean.float()
        latents = (mean - config.shift_factor) * config.scaling_factor
        packed: Tensor = FluxPipeline._pack_latents(latents, *latents.shape).contiguous()
        return packed

    def velocity(self, latents: Tensor, time: Tensor, captions: list[str]) -> Tensor:
        """The transformer's answer, called as the pipeline calls it."""
        side = int(latents.shape[1] ** 0.5)
        ids = FluxPipeline._prepare_latent_image_ids(len(captions), side, side, latents.device, latents.dtype)
        with sdpa_kernel(SDPBackend.MATH):  # twice as fast as the fused kernel for 100 tokens on a CPU
            pooled, states = self.encode(captions)
            answer: Tensor = self.pipeline.transformer(
                hidden_states=latents,
                timestep=time,
                pooled_projections=pooled,
                encoder_hidden_states=states,
                txt_ids=torch.zeros(states.shape[1], 3),
                img_ids=ids,
                return_dict=False,
            )[0]
        return answer

    def encode(self, captions: list[str]) -> tuple[Tensor, Tensor]:
        """CLIP's pooled vector and T5's token states, padded as in the pipeline."""
        pipe = self.pipeline
        short = pipe.tokenizer(
            captions, padding="max_length", max_length=text.CLIP_TOKENS, truncation=True, return_tensors="pt"
        )
        long = pipe.tokenizer_2(
            captions, padding="max_length", max_length=text.T5_TOKENS, truncation=True, return_tensors="pt"
        )
        return pipe.text_encoder(short.input_ids).pooler_output, pipe.text_encoder_2(long.input_ids)[0]
