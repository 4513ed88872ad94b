"""FLUX.1: dev, schnell, and anything else drawn by diffusers' FluxPipeline."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoetrope.models import folders
from zoetrope.models.family import Defaults, Family, LayerShapes, Pipeline

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from zoetrope.media.recipe import Recipe
    from zoetrope.models.learner import Learner
    from zoetrope.models.memory import MemoryPlan

# kohya's names for a block's layers, by the layers that diffusers splits them into.
_DOUBLE = {
    "img_attn_qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "img_attn_proj": ("attn.to_out.0",),
    "img_mlp_0": ("ff.net.0.proj",),
    "img_mlp_2": ("ff.net.2",),
    "img_mod_lin": ("norm1.linear",),
    "txt_attn_qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "txt_attn_proj": ("attn.to_add_out",),
    "txt_mlp_0": ("ff_context.net.0.proj",),
    "txt_mlp_2": ("ff_context.net.2",),
    "txt_mod_lin": ("norm1_context.linear",),
}
_SINGLE = {
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "linear2": ("proj_out",),
    "modulation_lin": ("norm.linear",),
}
_OUTSIDE = {
    "img_in": ("x_embedder",),
    "txt_in": ("context_embedder",),
    "time_in_in_layer": ("time_text_embed.timestep_embedder.linear_1",),
    "time_in_out_layer": ("time_text_embed.timestep_embedder.linear_2",),
    "vector_in_in_layer": ("time_text_embed.text_embedder.linear_1",),
    "vector_in_out_layer": ("time_text_embed.text_embedder.linear_2",),
    "guidance_in_in_layer": ("time_text_embed.guidance_embedder.linear_1",),
    "guidance_in_out_layer": ("time_text_embed.guidance_embedder.linear_2",),
}


class Flux(Family):
    """Text to picture; dev is guided by an embedding, schnell is not."""

    name = "flux"
    pipeline_class = "FluxPipeline"
    heavy = ("transformer", "text_encoder_2")
    classes: ClassVar[Mapping[str, frozenset[str]]] = {
        "scheduler": frozenset({"diffusers.FlowMatchEulerDiscreteScheduler"}),
        "vae": frozenset({"diffusers.AutoencoderKL"}),
        "transformer": frozenset({"diffusers.FluxTransformer2DModel"}),
        "text_encoder": frozenset({"transformers.CLIPTextModel"}),
        "text_encoder_2": frozenset({"transformers.T5EncoderModel"}),
        "tokenizer": frozenset({"transformers.CLIPTokenizer", "transformers.CLIPTokenizerFast"}),
        "tokenizer_2": frozenset({"transformers.T5Tokenizer", "transformers.T5TokenizerFast"}),
        "image_encoder": frozenset({"transformers.CLIPVisionModelWithProjection"}),
        "feature_extractor": frozenset({"transformers.CLIPImageProcessor", "transformers.CLIPImageProcessorPil"}),
    }

    def family_defaults(self, folder: Path) -> Defaults:
        if self.guided(folder):
            return Defaults(steps=28, guidance=3.5, true_guidance=1.0, width=1024, height=1024, max_tokens=512)
        return Defaults(steps=4, guidance=0.0, true_guidance=1.0, width=1024, height=1024, max_tokens=256)

    def guided(self, folder: Path) -> bool:
        return bool(folders.read_json(folder / "transformer" / "config.json").get("guidance_embeds", False))

    def size_step(self, folder: Path) -> int:
        channels = folders.read_json(folder / "vae" / "config.json").get("block_out_channels", [])
        # Each block but the last halves the picture, and the transformer sees 2 × 2 latents as one token.
        return int(2 ** max(len(channels), 1))

    def call_arguments(
        self, recipe: "Recipe", generators: "Sequence[torch.Generator]", image: "Image | None"
    ) -> dict[str, Any]:
        arguments = {
            "prompt": recipe.prompt,
            "num_images_per_prompt": recipe.batch_size,
            "generator": list(generators),
            "num_inference_steps": recipe.steps,
            "guidance_scale": recipe.guidance,
            "true_cfg_scale": recipe.true_guidance,
            "width": recipe.width,
            "height": recipe.height,
            "max_sequence_length": recipe.max_tokens or 512,
        }
        # Unguided calls leave the negative prompt out, or the pipeline would look at it for nothing.
        return arguments | ({"negative_prompt": recipe.negative_prompt} if recipe.true_guidance > 1 else {})

    def prompt_tokens(self, pipeline: Pipeline, prompt: str) -> int:
        return len(pipeline.tokenizer_2(prompt).input_ids)

    def learner(self, folder: Path, plan: "MemoryPlan") -> "Learner":
        from zoetrope.models.flux_learner import FluxLearner

        return FluxLearner(self, folder, plan)

    def lora_layers(self, folder: Path) -> Mapping[str, LayerShapes]:
        transformer = folders.layer_shapes(folder, "transformer")
        encoder = {
            name.removeprefix("text_model."): shape
            for name, shape in folders.layer_shapes(folder, "text_encoder").items()
        }
        return {
            **dict(_named("transformer", ("lora_unet_", "lora_transformer_"), transformer)),
            **dict(_named("text_encoder", ("lora_te1_", "lora_te_"), encoder)),
            **dict(_named("text_encoder", ("lora_te1_text_model_", "lora_te_text_model_"), encoder, "text_model.")),
            **dict(_fused(transformer)),
        }


def _named(
    part: str, flat_prefixes: tuple[str, ...], shapes: LayerShapes, inner: str = ""
) -> Iterator[tuple[str, LayerShapes]]:
    """diffusers' own names, dotted and with kohya's underscores."""
    for layer, shape in shapes.items():
        meant = {f"{part}.{layer}": shape}
        yield f"{part}.{inner}{layer}", meant
        for prefix in flat_prefixes:
            yield prefix + layer.replace(".", "_"), meant


def _fused(shapes: LayerShapes) -> Iterator[tuple[str, LayerShapes]]:
    """The names of the original FLUX code, which kohya's trainer keeps."""
    blocks = {".".join(layer.split(".")[:2]) for layer in shapes if "transformer_blocks." in layer}
    for block in sorted(blocks):
        kind, number = block.split(".")
        table = _SINGLE if kind.startswith("single_") else _DOUBLE
        flat = "single_blocks" if kind.startswith("single_") else "double_blocks"
        for name, layers in table.items():
            yield from _meant(f"lora_unet_{flat}_{number}_{name}", [f"{block}.{layer}" for layer in layers], shapes)
    for name, layers in _OUTSIDE.items():
        yield from _meant(f"lora_unet_{name}", list(layers), shapes)


def _meant(name: str, layers: list[str], shapes: LayerShapes) -> Iterator[tuple[str, LayerShapes]]:
    if all(layer in shapes for layer in layers):
        yield name, {f"transformer.{layer}": shapes[layer] for layer in layers}
