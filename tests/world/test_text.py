"""The tokenizers: the world's words whole, anything else spelled, nothing unknown."""

from zoetrope.world.training import text


def test_words_of_the_world_are_one_token() -> None:
    tokenizer = text.t5_tokenizer()
    for line in text.corpus(200):
        tokens = tokenizer.tokenize(line)
        assert len(tokens) <= len(line.replace(",", " ,").split()) + 2
        assert tokenizer.unk_token not in tokens
        assert len(tokens) < text.T5_TOKENS


def test_clip_reads_every_caption_whole() -> None:
    tokenizer = text.clip_tokenizer()
    assert max(len(tokenizer(line).input_ids) for line in text.corpus(500)) <= text.CLIP_TOKENS


def test_a_new_trigger_word_is_spelled() -> None:
    for tokenizer in (text.clip_tokenizer(), text.t5_tokenizer()):
        ids = [tuple(tokenizer(word).input_ids) for word in ("zuli", "zulo", "adav1")]
        assert len(set(ids)) == 3
        assert tokenizer.unk_token not in tokenizer.tokenize("adav1")
