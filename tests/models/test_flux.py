"""FLUX dev and schnell, loaded from folders of tiny random weights."""

from pathlib import Path

import pytest
import torch

from tests import tiny
from zoetrope.errors import UserError
from zoetrope.media.recipe import ModelRef, Recipe
from zoetrope.models.families import FAMILIES, family_named
from zoetrope.models.memory import MemoryPlan

FLUX = FAMILIES["flux"]
PLAN = MemoryPlan("cpu", "float32")


def recipe(**changes: object) -> Recipe:
    said = {
        "model": ModelRef(name="m", family="flux", sha256="0" * 64),
        "prompt": "a girl",
        "seed": 1,
        "steps": 2,
        "guidance": 3.5,
        "width": 16,
        "height": 8,
    }
    return Recipe.model_validate(said | changes)


@pytest.mark.parametrize(("kind", "guided", "steps", "tokens"), [("dev", True, 28, 512), ("schnell", False, 4, 256)])
def test_defaults_follow_from_how_the_model_is_guided(kind: str, guided: bool, steps: int, tokens: int) -> None:
    folder = tiny.saved(kind)
    assert FLUX.guided(folder) is guided
    assert (FLUX.defaults(folder).steps, FLUX.defaults(folder).max_tokens) == (steps, tokens)


def test_sizes_step_with_the_decoder() -> None:
    assert FLUX.size_step(tiny.saved("dev")) == 4


@pytest.mark.parametrize("kind", ["dev", "schnell"])
def test_a_loaded_folder_draws(kind: str) -> None:
    pipeline = FLUX.load(tiny.saved(kind), PLAN)
    assert pipeline.transformer.dtype is torch.float32
    arguments = FLUX.call_arguments(recipe(), [torch.Generator().manual_seed(1)], None)
    assert pipeline(**arguments).images[0].size == (16, 8)


def test_the_negative_prompt_goes_along_with_true_guidance_only() -> None:
    assert "negative_prompt" not in FLUX.call_arguments(recipe(), [], None)
    arguments = FLUX.call_arguments(recipe(true_guidance=2.0), [], None)
    assert (arguments["negative_prompt"], arguments["true_cfg_scale"]) == ("", 2.0)


def test_loading_leaves_diffusers_loggers_and_bars_as_they_were() -> None:
    from diffusers.utils import logging

    before = (logging.get_verbosity(), logging.is_progress_bar_enabled())
    FLUX.load(tiny.saved("dev"), PLAN)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_warm_weights_do_not_hang_on_their_files(tmp_path: Path) -> None:
    folder = tiny.copied("schnell", tmp_path / "model")
    pipeline = FLUX.load(folder, PLAN)
    before = pipeline.transformer.x_embedder.weight.clone()
    file = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    with file.open("r+b") as written:
        written.write(b"\0" * file.stat().st_size)
    assert torch.equal(pipeline.transformer.x_embedder.weight, before)


def test_damaged_weights_are_one_sentence(tmp_path: Path) -> None:
    folder = tiny.copied("schnell", tmp_path / "model")
    (folder / "transformer" / "config.json").write_text('{"num_layers": "x"}')
    with pytest.raises(UserError, match="cannot be loaded") as error:
        FLUX.load(folder, PLAN)
    assert "\n" not in str(error.value)


def test_an_unknown_family_lists_the_known() -> None:
    with pytest.raises(UserError, match="there are flux, flux_kontext"):
        family_named("sdxl")
