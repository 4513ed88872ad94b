"""FLUX pipelines of a few thousand random numbers, made offline: real classes, real files, no training."""

import atexit
import functools
import shutil
import string
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxKontextPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

WIDTH = 32
TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "proj_mlp")


def clip() -> tuple[CLIPTokenizer, CLIPTextModel]:
    letters = sorted(ByteLevel.alphabet())
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    tokenizer = CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[])
    tokenizer.model_max_length = 77
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return tokenizer, CLIPTextModel(config).eval()


def t5() -> tuple[T5Tokenizer, T5EncoderModel]:
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    letters = [(letter, -3.0) for letter in string.ascii_letters + string.digits + string.punctuation]
    tokenizer = T5Tokenizer(vocab=marks + letters, extra_ids=0, model_max_length=512)
    config = T5Config(
        vocab_size=len(marks) + len(letters),
        d_model=WIDTH,
        d_kv=8,
        d_ff=WIDTH,
        num_layers=1,
        num_heads=4,
        is_encoder_decoder=False,
        feed_forward_proj="gated-gelu",
    )
    return tokenizer, T5EncoderModel(config).eval()


def vae() -> AutoencoderKL:
    """Two blocks: half size, so pictures are multiples of four."""
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=1,
        layers_per_block=1,
        use_quant_conv=False,
        use_post_quant_conv=False,
        scaling_factor=1.5,
        shift_factor=0.06,
    )


def transformer(guidance: bool, heads: int = 2, layers: tuple[int, int] = (1, 1), head_dim: int = 16) -> Any:
    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=layers[0],
        num_single_layers=layers[1],
        attention_head_dim=head_dim,
        num_attention_heads=heads,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(head_dim // 4, head_dim * 3 // 8, head_dim * 3 // 8),
        guidance_embeds=guidance,
    )


def pipeline(kontext: bool = False, guidance: bool = True, seed: int = 0, **shape: Any) -> Any:
    """A pipeline with random weights that follow from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer, text_encoder = clip()
        tokenizer_2, text_encoder_2 = t5()
        made = (FluxKontextPipeline if kontext else FluxPipeline)(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=vae(),
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            text_encoder_2=text_encoder_2,
            tokenizer_2=tokenizer_2,
            transformer=transformer(guidance, **shape),
        )
    made.set_progress_bar_config(disable=True)
    return made


def lora(
    base: Any, folder: Path, seed: int = 1, rank: int = 2, alpha: int = 2, targets: Sequence[str] = TARGETS
) -> Path:
    """A LoRA with random weights for this pipeline's transformer, saved as diffusers saves them."""
    model = base.transformer
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(targets), init_lora_weights=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.add_adapter(config, adapter_name="made")
        state = get_peft_model_state_dict(model, adapter_name="made")
        for tensor in state.values():
            tensor.data.normal_(std=0.3)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"lora-{seed}-{rank}-{alpha}.safetensors"
    type(base).save_lora_weights(
        str(folder),
        transformer_lora_layers=state,
        weight_name=name,
        transformer_lora_adapter_metadata=config.to_dict(),
    )
    model.delete_adapters("made")
    model.unload_lora()
    return folder / name


@functools.cache
def _room() -> Path:
    room = Path(tempfile.mkdtemp(prefix="zoetrope-tiny-"))
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    return room


KINDS: dict[str, dict[str, Any]] = {
    "dev": {},
    "schnell": {"guidance": False},
    "kontext": {"kontext": True},
    "wide": {"heads": 3},
}


@functools.cache
def saved(kind: str) -> Path:
    """The folder of a tiny model, saved once a session. Do not write into it: take a copy."""
    pipeline(**KINDS[kind]).save_pretrained(_room() / kind)
    return _room() / kind


@functools.cache
def saved_lora(kind: str, seed: int = 1, rank: int = 2, alpha: int = 2) -> Path:
    """A LoRA that fits the tiny model of this kind."""
    return lora(pipeline(**KINDS[kind]), _room() / f"{kind}-loras", seed, rank, alpha)


def copied(kind: str, target: Path) -> Path:
    """A tiny model that a test may spoil."""
    shutil.copytree(saved(kind), target)
    return target
