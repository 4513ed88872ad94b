"""The shipped model is a plain diffusers folder: anyone's diffusers draws the same picture from it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from zoetrope.cli import app
from zoetrope.models.catalogue import SHIPPED

FOLDERS = sorted(path.parent for path in SHIPPED.glob("*/model_index.json"))
CAPTION = "portrait of a character, pale skin, long red hair, green hoodie, smiling, front, beach, warm light"


def test_nano_flux_is_shipped() -> None:
    assert SHIPPED / "nano-flux" in FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_shipped_folder_is_small_and_holds_only_safetensors(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12_000_000
    assert {path.suffix for path in files} == {".json", ".jsonl", ".safetensors"}


# With guidance our two looks are one pass, which some processors round otherwise than two.
@pytest.mark.parametrize(("guidance", "levels"), [(1.0, 0), (3.5, 1)])
def test_plain_diffusers_draws_the_same_picture(tmp_path: Path, guidance: float, levels: int) -> None:
    from diffusers import DiffusionPipeline

    order = ["generate", "--model", "nano-flux", "--prompt", CAPTION, "--seed", "5", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, [*order, "--true-guidance", str(guidance)])
    assert result.exit_code == 0, result.stderr
    pipeline = DiffusionPipeline.from_pretrained(SHIPPED / "nano-flux")
    picture = pipeline(
        CAPTION,
        negative_prompt="",
        true_cfg_scale=guidance,
        guidance_scale=0.0,
        num_inference_steps=20,
        width=64,
        height=64,
        max_sequence_length=40,
        generator=[torch.Generator().manual_seed(5)],
    ).images[0]
    with Image.open(tmp_path / "nano-flux-5-0.png") as ours:
        apart = np.abs(np.asarray(picture, int) - np.asarray(ours, int))
    assert apart.max() <= levels, np.bincount(apart.ravel())
