"""DINOv2, CLIP and SigLIP folders of a few thousand random numbers, saved as their makers save them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BitImageProcessorPil,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    Siglip2Config,
    Siglip2ImageProcessorPil,
    Siglip2Model,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

from tests.tiny import clip as clip_words

WIDTH = 32
_SHAPE: dict[str, Any] = {
    "hidden_size": WIDTH,
    "intermediate_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
_SEEN: dict[str, Any] = {**_SHAPE, "image_size": 28, "patch_size": 14}
_SQUARE = {"height": 28, "width": 28}


def dinov2(folder: Path) -> Path:
    config = Dinov2Config(**{**_SEEN, "mlp_ratio": 1})
    processor = BitImageProcessorPil(size={"shortest_edge": 32}, crop_size=_SQUARE)
    return _saved(folder, lambda: Dinov2Model(config), processor)


def clip(folder: Path) -> Path:
    tokenizer, words = clip_words()
    config = CLIPConfig(text_config=words.config.to_dict(), vision_config=_SEEN, projection_dim=WIDTH)
    tokenizer.save_pretrained(folder)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=_SQUARE)
    return _saved(folder, lambda: CLIPModel(config), processor)


def siglip(folder: Path) -> Path:
    config = SiglipConfig(text_config=_siglip_words(folder), vision_config=_SEEN)
    return _saved(folder, lambda: SiglipModel(config), SiglipImageProcessorPil(size=_SQUARE))


def siglip2(folder: Path) -> Path:
    seen = {**_SHAPE, "patch_size": 14, "num_patches": 16}
    config = Siglip2Config(text_config=_siglip_words(folder), vision_config=seen)
    return _saved(folder, lambda: Siglip2Model(config), Siglip2ImageProcessorPil(patch_size=14, max_num_patches=16))


def _siglip_words(folder: Path) -> dict[str, Any]:
    """SigLIP 2's own tokenizer is a `tokenizer.json` too, though of other letters."""
    tokenizer, _ = clip_words()
    tokenizer.save_pretrained(folder)
    return {**_SHAPE, "vocab_size": len(tokenizer), "max_position_embeddings": 24, "projection_size": WIDTH}


def _saved(folder: Path, make: Callable[[], Any], processor: Any) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        make().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def changed(folder: Path, **said: Any) -> None:
    """Write other things into a folder's configuration."""
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **said}))
