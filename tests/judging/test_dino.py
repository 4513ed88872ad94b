"""DINOv2 from a folder: the token of the whole picture, and one sentence for each folder that cannot be used."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import BitImageProcessorPil, Dinov2Model

from tests import encoders
from zoetrope.errors import UserError
from zoetrope.judging.scorers import scorer_named


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return encoders.dinov2(tmp_path / "dinov2")


def pictures(count: int) -> list[Image.Image]:
    noise = np.random.default_rng(0).integers(0, 255, (count, 40, 52, 3), dtype=np.uint8)
    return [Image.fromarray(each) for each in noise]


def test_a_row_is_the_first_token_of_the_model_that_lies_there(folder: Path) -> None:
    shown = pictures(20)
    rows = scorer_named(f"dino:{folder}").embed(shown)

    model = Dinov2Model.from_pretrained(folder, local_files_only=True).eval()
    inputs = BitImageProcessorPil.from_pretrained(folder)(images=shown[17:18], return_tensors="pt")
    with torch.no_grad():
        token = model(**inputs).last_hidden_state[0, 0].numpy()
    assert rows.shape == (20, encoders.WIDTH)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert rows[17] == pytest.approx(token / np.linalg.norm(token), abs=1e-4)


def test_no_pictures_give_no_rows(folder: Path) -> None:
    assert scorer_named(f"dino:{folder}").embed([]).shape == (0, encoders.WIDTH)


def test_grey_and_transparent_pictures_are_taken(folder: Path) -> None:
    rows = scorer_named(f"dino:{folder}").embed([Image.new("L", (9, 30), 128), Image.new("RGBA", (30, 9))])
    assert math.isfinite(float(rows.sum()))


def test_without_a_folder_it_says_how_to_name_one(folder: Path) -> None:
    with pytest.raises(UserError, match="dino needs a folder with a DINOv2 model: name it as dino:FOLDER"):
        scorer_named("dino")
    with pytest.raises(UserError, match="nano_identity is shipped with Zoetrope; name it without a folder"):
        scorer_named(f"nano_identity:{folder}")
    with pytest.raises(UserError, match="nowhere is not a folder"):
        scorer_named(f"dino:{folder / 'nowhere'}")


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("config.json", "holds no config.json"),
        ("model.safetensors", "holds no safetensors weights"),
        ("preprocessor_config.json", "holds no preprocessor_config.json"),
    ],
)
def test_what_a_folder_lacks_is_named(folder: Path, gone: str, sentence: str) -> None:
    (folder / gone).unlink()
    with pytest.raises(UserError, match=sentence):
        scorer_named(f"dino:{folder}")


def test_pickles_and_unknown_models_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="holds pickled weights only; only safetensors are opened"):
        scorer_named(f"dino:{folder}")
    encoders.changed(folder, model_type="made_up", auto_map={"AutoModel": "code.Model"})
    with pytest.raises(UserError, match="says model_type = 'made_up'; what is known here is dinov2"):
        scorer_named(f"dino:{folder}")


def test_missing_weights_are_no_reason_to_judge_by_chance(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({name: weights[name] for name in list(weights)[1:]}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="lacks 1 of the weights of a dinov2 model"):
        scorer_named(f"dino:{folder}").embed(pictures(1))


def test_a_torn_file_is_a_sentence(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(UserError, match="cannot be loaded"):
        scorer_named(f"dino:{folder}").embed(pictures(1))
