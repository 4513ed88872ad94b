"""Model folders: judged before anything in them is loaded."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny
from zoetrope.errors import UserError
from zoetrope.models import folders
from zoetrope.models.families import FAMILIES

FLUX = FAMILIES["flux"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.copied("schnell", tmp_path / "model")


def change_index(folder: Path, **parts: Any) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | parts))


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as error:
        FLUX.check(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_saved_folder_is_accepted(folder: Path) -> None:
    FLUX.check(folder)


@pytest.mark.parametrize(
    "entry", [["model", "FluxTransformer2DModel"], ["diffusers", "AutoModel"], ["os", "system"], "diffusers", 7]
)
def test_only_known_classes_are_loaded(folder: Path, entry: Any) -> None:
    change_index(folder, transformer=entry)
    assert "not a class known here" in refusal(folder)


def test_an_unknown_component_is_refused(folder: Path) -> None:
    change_index(folder, helper=["diffusers", "AutoencoderKL"])
    assert "helper" in refusal(folder)


def test_a_missing_component_is_named(folder: Path) -> None:
    change_index(folder, vae=[None, None])
    assert "names no vae" in refusal(folder)


def test_another_pipeline_is_not_this_family(folder: Path) -> None:
    change_index(folder, _class_name="StableDiffusionPipeline")
    assert "holds a StableDiffusionPipeline, not the FluxPipeline" in refusal(folder)


def test_pickled_weights_are_refused(folder: Path) -> None:
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save({}, folder / "transformer" / "diffusion_pytorch_model.bin")
    assert "pickled weights only" in refusal(folder)


def test_missing_weights_are_refused(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert "holds no safetensors weights" in refusal(folder)


@pytest.mark.parametrize("text", ["{", "[]", "\xff", "[" * 100_000])
def test_a_broken_index_is_named(folder: Path, text: str) -> None:
    (folder / "model_index.json").write_text(text, encoding="latin-1")
    assert "model_index.json" in refusal(folder)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "is not a folder" in refusal(tmp_path / "gone")
    assert "not a diffusers model folder" in refusal(tmp_path)


def test_the_hash_is_of_configuration_and_weights_alone(folder: Path) -> None:
    before = folders.content_hash(folder)
    (folder / "zoetrope.json").write_text("{}")
    (folder / "README.md").write_text("hello")
    assert folders.content_hash(folder) == before == folders.content_hash(tiny.saved("schnell"))
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert folders.content_hash(folder) != before


def test_the_fingerprint_moves_with_any_file(folder: Path) -> None:
    before = folders.fingerprint(folder)
    os.utime(folder / "vae" / "config.json", ns=(1, 1))
    assert folders.fingerprint(folder) != before


def test_parameters_are_counted_by_component(folder: Path) -> None:
    counted = folders.parameters(folder)
    assert set(counted) == {"transformer", "vae", "text_encoder", "text_encoder_2"}
    assert counted["transformer"] == sum(p.numel() for p in tiny.transformer(guidance=False).parameters())


def test_defaults_are_the_folders_own_where_it_says_so(folder: Path) -> None:
    assert FLUX.defaults(folder).steps == 4
    (folder / "zoetrope.json").write_text('{"defaults": {"steps": 20, "true_guidance": 2.0}, "scores": {"mean": 1}}')
    defaults = FLUX.defaults(folder)
    assert (defaults.steps, defaults.true_guidance, defaults.width) == (20, 2.0, 1024)


@pytest.mark.parametrize("said", ['{"defaults": {"steps": "many"}}', '{"defaults": {"stpes": 3}}', '{"defaults": 3}'])
def test_notes_that_cannot_be_used_are_named(folder: Path, said: str) -> None:
    (folder / "zoetrope.json").write_text(said)
    assert "zoetrope.json has a value for" in refusal(folder)
