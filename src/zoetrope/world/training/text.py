"""Tokenizers and text encoders of the toy world, built offline from its own captions.

Both know the world's words whole and spell anything else letter by letter: a new trigger word is never unknown.
"""

import json
import random
import string

from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

from zoetrope.world.captions import caption
from zoetrope.world.sampling import random_identity, random_scene
from zoetrope.world.vocabulary import STYLE

CLIP_TOKENS = 64
T5_TOKENS = 40
CLIP_WIDTH = 96
T5_WIDTH = 128


def corpus(count: int = 4000) -> list[str]:
    """Captions enough to hold every word of the grammar, style words too."""
    rng = random.Random(0)
    return [caption(random_identity(rng), random_scene(rng, styles=STYLE)) for _ in range(count)]


def clip_tokenizer() -> CLIPTokenizer:
    """Byte-pair merges learned on the captions until each of their words is one token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    ends = [letter + "</w>" for letter in alphabet]
    learner = Tokenizer(BPE(end_of_word_suffix="</w>"))
    learner.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = BpeTrainer(vocab_size=4000, end_of_word_suffix="</w>", initial_alphabet=alphabet, show_progress=False)
    learner.train_from_iterator([line.replace("_", " _ ") for line in corpus()], trainer)
    merges = _merges(learner)
    symbols = ["<|startoftext|>", "<|endoftext|>", *alphabet, *ends, *(a + b for a, b in merges)]
    vocab = {token: i for i, token in enumerate(dict.fromkeys(symbols))}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=CLIP_TOKENS)


def _merges(learner: Tokenizer) -> list[tuple[str, str]]:
    return [(first, second) for first, second in json.loads(learner.to_str())["model"]["merges"]]


def t5_tokenizer() -> T5Tokenizer:
    """A unigram vocabulary: the captions' words, cheap; single characters, dear."""
    known = sorted({word for line in corpus() for word in line.replace(",", " ").split()})
    pieces: list[tuple[str, float]] = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -4.0)]
    pieces += [(f"\u2581{word}", -5.0) for word in known if len(word) > 1]
    pieces += [(character, -8.0) for character in string.printable.strip()]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def clip_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A CLIP text model of two layers; its pooled vector steers every block of the transformer."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=CLIP_WIDTH,
            intermediate_size=CLIP_WIDTH * 3,
            projection_dim=CLIP_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=3,
            max_position_embeddings=CLIP_TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def t5_encoder(tokenizer: T5Tokenizer) -> T5EncoderModel:
    """A T5 encoder of two layers."""
    return T5EncoderModel(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=T5_WIDTH,
            d_kv=32,
            d_ff=T5_WIDTH * 2,
            num_layers=2,
            num_heads=4,
            dropout_rate=0.0,
            is_encoder_decoder=False,
            use_cache=False,
            feed_forward_proj="gated-gelu",
        )
    )
