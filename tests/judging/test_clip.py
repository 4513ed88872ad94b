"""CLIP, SigLIP and SigLIP 2 from a folder: which classes, which words, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from tests import encoders
from zoetrope.errors import UserError
from zoetrope.judging.scorers import scorer_named
from zoetrope.judging.scorers.clip import Clip, tokenizer_of

FOLDERS = {"clip": encoders.clip, "siglip": encoders.siglip, "siglip2": encoders.siglip2}


def pictures(count: int) -> list[Image.Image]:
    noise = np.random.default_rng(0).integers(0, 255, (count, 40, 52, 3), dtype=np.uint8)
    return [Image.fromarray(each) for each in noise]


@pytest.mark.parametrize("make", FOLDERS.values(), ids=FOLDERS)
def test_pictures_and_words_lie_in_one_space(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    seen = scorer_named(f"clip:{folder}").embed(pictures(3))
    said = Clip(folder).embed_words(["a girl", "a boy on the beach " * 20, "a girl"])

    assert seen.shape == said.shape == (3, encoders.WIDTH)
    assert np.linalg.norm(np.concatenate([seen, said]), axis=1) == pytest.approx(1, abs=1e-5)
    assert said[0] == pytest.approx(said[2], abs=1e-5)
    assert abs(said[0] - said[1]).max() > 1e-3
    assert abs(seen[0] - seen[1]).max() > 1e-3


def test_clip_is_what_transformers_makes_of_it(tmp_path: Path) -> None:
    folder = encoders.clip(tmp_path / "clip")
    shown, text = pictures(2), "a girl, smiling"
    model = CLIPModel.from_pretrained(folder, local_files_only=True).eval()
    inputs = CLIPImageProcessorPil.from_pretrained(folder)(images=shown, return_tensors="pt")
    tokens = CLIPTokenizer.from_pretrained(folder)([text], return_tensors="pt")
    with torch.no_grad():
        told = model(**inputs, **tokens)

    assert Clip(folder).embed(shown) == pytest.approx(told.image_embeds.numpy(), abs=1e-4)
    assert Clip(folder).embed_words([text]) == pytest.approx(told.text_embeds.numpy(), abs=1e-4)


@pytest.mark.parametrize("kind", ["siglip", "siglip2"])
def test_siglip_learned_from_small_letters(kind: str, tmp_path: Path) -> None:
    rows = Clip(FOLDERS[kind](tmp_path / kind)).embed_words(["A Girl", "a girl"])
    assert rows[0] == pytest.approx(rows[1], abs=1e-6)


def test_a_folder_that_cannot_read_may_still_see(tmp_path: Path) -> None:
    folder = encoders.clip(tmp_path / "clip")
    (folder / "tokenizer.json").unlink()
    assert scorer_named(f"clip:{folder}").embed(pictures(1)).shape == (1, encoders.WIDTH)
    with pytest.raises(UserError, match=r"holds no tokenizer\.json, so its model cannot read words"):
        Clip(folder).check_words()


def test_siglips_own_tokenizer_is_read_from_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "SiglipTokenizer"}')
    with pytest.raises(UserError, match=r"holds no spiece\.model"):
        tokenizer_of(tmp_path)
    (tmp_path / "spiece.model").touch()
    assert tokenizer_of(tmp_path) == "SiglipTokenizer"


def test_other_models_are_refused(tmp_path: Path) -> None:
    folder = encoders.dinov2(tmp_path / "dinov2")
    with pytest.raises(UserError, match="model_type = 'dinov2'; what is known here is clip, siglip, siglip2"):
        scorer_named(f"clip:{folder}")
    with pytest.raises(UserError, match="clip needs a folder with a CLIP, SigLIP or SigLIP 2 model"):
        scorer_named("clip")
