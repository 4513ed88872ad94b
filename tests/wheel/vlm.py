"""Vision-language models of a few thousand random numbers: real classes and files, words by chance."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from zoetrope.wheel.captioners.folder import processor_class

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
EYES = {"hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}


def tokenizer(marks: Sequence[str]) -> Any:
    """Every byte is a token, after the special ones; the first pads, the second ends."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(BPE(vocab={word: number for number, word in enumerate([*marks, *letters])}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token=marks[0], eos_token=marks[1], additional_special_tokens=list(marks)
    )


def template(image: str) -> str:
    return (
        "{% for message in messages %}{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}" + image + "{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}{% endfor %}\nsaid:"
    )


def llava() -> tuple[Any, Any]:
    words = tokenizer(["<pad>", "</s>", "<image>"])
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(image_size=28, patch_size=14, projection_dim=32, **EYES),
        text_config=transformers.LlamaConfig(vocab_size=len(words), **TEXT),
        image_token_id=2,
        image_seq_length=4,
    )
    pictures = transformers.CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor = transformers.LlavaProcessor(
        pictures,
        words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template("<image>"),
    )
    return transformers.LlavaForConditionalGeneration(config), processor


def idefics3() -> tuple[Any, Any]:
    words = tokenizer(["<pad>", "</s>", "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"])
    config = transformers.Idefics3Config(
        vision_config={"image_size": 28, "patch_size": 7, **EYES},
        text_config=transformers.LlamaConfig(vocab_size=len(words), **TEXT),
        image_token_id=2,
        scale_factor=2,
        pad_token_id=0,
    )
    side = {"longest_edge": 28}
    pictures = transformers.Idefics3ImageProcessorPil(size=side, max_image_size=side, do_image_splitting=False)
    processor = transformers.Idefics3Processor(pictures, words, image_seq_len=4, chat_template=template("<image>"))
    return transformers.Idefics3ForConditionalGeneration(config), processor


def _qwen(kind: str, config_class: Any, model_class: Any, eyes: dict[str, Any]) -> tuple[Any, Any]:
    marks = ["<|endoftext|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    words = tokenizer(marks)
    turns = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    config = config_class(
        text_config={"vocab_size": len(words), "rope_parameters": turns, **TEXT},
        vision_config={"depth": 1, "num_heads": 2, "patch_size": 14, **eyes},
        vision_start_token_id=2,
        vision_end_token_id=3,
        image_token_id=4,
        video_token_id=5,
    )
    pictures = transformers.Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=112 * 112)
    said = template("<|vision_start|><|image_pad|><|vision_end|>")
    return model_class(config), processor_class(kind)(pictures, words, chat_template=said)


def qwen2_vl() -> tuple[Any, Any]:
    return _qwen(
        "qwen2_vl",
        transformers.Qwen2VLConfig,
        transformers.Qwen2VLForConditionalGeneration,
        {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 1},
    )


def qwen2_5_vl() -> tuple[Any, Any]:
    return _qwen(
        "qwen2_5_vl",
        transformers.Qwen2_5_VLConfig,
        transformers.Qwen2_5_VLForConditionalGeneration,
        {
            "hidden_size": 32,
            "intermediate_size": 32,
            "out_hidden_size": 32,
            "fullatt_block_indexes": [0],
            "window_size": 56,
        },
    )


MADE: dict[str, Callable[[], tuple[Any, Any]]] = {
    "idefics3": idefics3,
    "llava": llava,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen2_vl": qwen2_vl,
}


def saved(kind: str, folder: Path) -> Path:
    """A folder as the model's makers would hand it out."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model, processor = MADE[kind]()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
