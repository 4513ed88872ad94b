"""FLUX.1 as the trainer sees it: flow matching on packed latents."""

import math
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from zoetrope.models.learner import Learner, Words
from zoetrope.models.loading import quiet

if TYPE_CHECKING:
    from torch import Tensor, nn

_WORDS = ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")
_PICTURES = ("vae",)
_NETWORK = ("transformer", "vae")
_FEW_TOKENS = 512
_LAYERS = (
    "attn.to_q",
    "attn.to_k",
    "attn.to_v",
    "attn.to_out.0",
    "attn.add_q_proj",
    "attn.add_k_proj",
    "attn.add_v_proj",
    "attn.to_add_out",
    "ff.net.0.proj",
    "ff.net.2",
    "ff_context.net.0.proj",
    "ff_context.net.2",
    "proj_mlp",
    "proj_out",
)


class FluxLearner(Learner):
    """dev is trained at guidance 1, as its distilled guidance is an input like any other."""

    @property
    def architecture(self) -> str:
        kind = "kontext" if self.family.takes_image else "dev" if self.family.guided(self.folder) else "schnell"
        return f"flux-1-{kind}/lora"

    def encode_words(self, captions: Sequence[str]) -> "list[dict[str, Tensor]]":
        import torch

        # What CLIP cuts off, T5 reads: no news to whoever trains.
        with torch.no_grad(), quiet():
            states, pooled, _ = self.pipeline(*_WORDS).encode_prompt(
                prompt=list(captions), prompt_2=None, max_sequence_length=self.defaults.max_tokens
            )
        return [{"states": s, "pooled": p} for s, p in zip(states, pooled, strict=True)]

    def encode_pictures(self, pictures: "Tensor") -> "Tensor":
        import torch

        vae = self.pipeline(*_PICTURES).vae
        with torch.no_grad():
            mean = vae.encode(pictures.to(vae.device, vae.dtype)).latent_dist.mean
        latents: Tensor = (mean - vae.config.shift_factor) * vae.config.scaling_factor
        return latents

    def decode(self, latents: "Tensor") -> "Tensor":
        import torch

        vae = self.pipeline(*_NETWORK).vae
        with torch.no_grad():
            scaled = latents.to(vae.device, vae.dtype) / vae.config.scaling_factor + vae.config.shift_factor
            pictures: Tensor = vae.decode(scaled, return_dict=False)[0]
        return pictures

    def network(self) -> "nn.Module":
        self.release(*_WORDS)
        self.release(*_PICTURES)
        transformer: nn.Module = self.pipeline(*_NETWORK).transformer
        return transformer

    def targets(self) -> str:
        return r"(single_)?transformer_blocks\.\d+\.(" + "|".join(map(re.escape, _LAYERS)) + ")"

    def blocks(self) -> "list[nn.Module]":
        network: Any = self.network()
        return [*network.transformer_blocks, *network.single_transformer_blocks]

    def shift(self, latents: "Tensor") -> float:
        config = self.pipeline(*_NETWORK).scheduler.config
        if not config.use_dynamic_shifting:
            return float(config.shift)
        tokens = latents.shape[2] * latents.shape[3] / 4
        slope = (config.max_shift - config.base_shift) / (config.max_image_seq_len - config.base_image_seq_len)
        return math.exp(config.base_shift + slope * (tokens - config.base_image_seq_len))

    def predict(self, noisy: "Tensor", time: "Tensor", words: Sequence[Words]) -> "Tensor":
        import torch
        from diffusers import FluxPipeline

        batch, channels, height, width = noisy.shape
        network: Any = self.network()
        states = torch.stack([each["states"] for each in words])
        guidance = torch.ones(batch, device=noisy.device) if network.config.guidance_embeds else None
        rows, columns = height // 2, width // 2
        with _attention(noisy.device.type, states.shape[1] + rows * columns):
            velocity = network(
                hidden_states=FluxPipeline._pack_latents(noisy, batch, channels, height, width),
                timestep=time,
                guidance=guidance,
                pooled_projections=torch.stack([each["pooled"] for each in words]),
                encoder_hidden_states=states,
                txt_ids=torch.zeros(states.shape[1], 3, device=noisy.device, dtype=noisy.dtype),
                img_ids=FluxPipeline._prepare_latent_image_ids(batch, rows, columns, noisy.device, noisy.dtype),
                return_dict=False,
            )[0]
        return _unpacked(velocity, height, width)

    def notes(self) -> list[str]:
        if self.family.guided(self.folder) or self.defaults.true_guidance > 1:
            return []
        return [
            "This model was distilled to few steps, as schnell is: training it directly wears that away. "
            "Give an assistant LoRA with --assistant, and draw with few steps."
        ]

    def drawing_arguments(self, words: Words, plain: "Words | None", size: tuple[int, int]) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "prompt_embeds": words["states"][None],
            "pooled_prompt_embeds": words["pooled"][None],
            "num_inference_steps": self.defaults.steps,
            "guidance_scale": self.defaults.guidance,
            "width": size[0],
            "height": size[1],
        }
        if self.family.takes_image:
            # Left alone, Kontext would draw a megapixel whatever size is asked for.
            arguments |= {"max_area": size[0] * size[1], "_auto_resize": False}
        if self.defaults.true_guidance > 1 and plain is not None:
            arguments |= {
                "true_cfg_scale": self.defaults.true_guidance,
                "negative_prompt_embeds": plain["states"][None],
                "negative_pooled_prompt_embeds": plain["pooled"][None],
            }
        return arguments


def _attention(device: str, tokens: int) -> AbstractContextManager[None]:
    """For few tokens on a processor plain products take half the time of the fused kernel."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel(SDPBackend.MATH) if device == "cpu" and tokens <= _FEW_TOKENS else nullcontext()


def _unpacked(packed: "Tensor", height: int, width: int) -> "Tensor":
    """Tokens of 2 × 2 latents back to rows and columns; diffusers' own function counts in pixels of its VAE."""
    batch, _, depth = packed.shape
    grid = packed.view(batch, height // 2, width // 2, depth // 4, 2, 2)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(batch, depth // 4, height, width)
