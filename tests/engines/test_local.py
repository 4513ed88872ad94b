"""The local engine: the same recipe, the same bytes; every step reported; stopped within one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests import tiny
from zoetrope.engines.engine import Cancelled, Made, Step
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.models.flux import Flux
from zoetrope.models.loras import LoraShelf, open_lora
from zoetrope.models.memory import MemoryPlan

FAMILY = {"dev": "flux", "schnell": "flux", "kontext": "flux_kontext"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    return new_engine(tmp_path_factory.mktemp("engine"))


def new_engine(home: Path) -> LocalEngine:
    catalogue = Catalogue(home, shipped=home / "none")
    for kind, family in FAMILY.items():
        catalogue.add(kind, family, tiny.saved(kind))
    return LocalEngine(catalogue, LoraShelf(home))


def ordered(engine: LocalEngine, kind: str = "dev", prompt: str = "a girl", **said: Any) -> Recipe:
    return order(engine.catalogue.find(kind), prompt, **{"width": 16, "height": 8, "steps": 3, "seed": 1, **said})


def pixels(made: list[Made]) -> list[bytes]:
    return [each.image.tobytes() for each in made]


@pytest.mark.parametrize("kind", FAMILY)
def test_the_same_recipe_gives_the_same_bytes_in_another_engine(engine: LocalEngine, tmp_path: Path, kind: str) -> None:
    recipe = ordered(engine, kind, batch_size=3, true_guidance=2.0)
    torch.manual_seed(1)
    first = pixels(engine.make(recipe))
    torch.manual_seed(2)
    engine.make(ordered(engine, kind, prompt="something else", steps=5))
    assert pixels(engine.make(recipe)) == pixels(new_engine(tmp_path).make(recipe)) == first
    assert len(set(first)) == 3


def test_each_picture_says_which_of_the_batch_it_is_and_is_drawn_again_from_that(engine: LocalEngine) -> None:
    made = engine.make(ordered(engine, batch_size=3))
    assert [each.recipe.batch_index for each in made] == [0, 1, 2]
    again = engine.redraw(Recipe.from_json(made[1].recipe.to_json()))
    assert again.image.tobytes() == made[1].image.tobytes()
    assert again.recipe == made[1].recipe


def test_the_global_random_state_is_left_alone(engine: LocalEngine) -> None:
    engine.make(ordered(engine))
    before = torch.random.get_rng_state()
    engine.lend_lora(lora := open_lora(tiny.saved_lora("dev", seed=9)))
    engine.make(ordered(engine, loras=[(lora, 1.0)]))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_every_step_is_reported(engine: LocalEngine) -> None:
    steps: list[Step] = []
    engine.make(ordered(engine), progress=steps.append)
    assert steps == [Step(1, 3), Step(2, 3), Step(3, 3)]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_cancelling_stops_within_one_step(engine: LocalEngine, after: int) -> None:
    steps: list[Step] = []
    with pytest.raises(Cancelled):
        engine.make(ordered(engine, steps=9), progress=steps.append, cancel=lambda: len(steps) >= after)
    assert len(steps) == after


def test_an_interrupted_engine_draws_on(engine: LocalEngine) -> None:
    whole = pixels(engine.make(ordered(engine)))

    def interrupt(step: Step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.make(ordered(engine, steps=9), progress=interrupt)
    assert pixels(engine.make(ordered(engine))) == whole


def test_loras_are_part_of_the_recipe_and_never_reload_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = new_engine(tmp_path)
    loads: list[Path] = []
    load = Flux.load

    def counted(self: Flux, folder: Path, plan: MemoryPlan) -> Any:
        loads.append(folder)
        return load(self, folder, plan)

    monkeypatch.setattr(Flux, "load", counted)
    loras = [open_lora(tiny.saved_lora("dev", seed=seed)) for seed in (1, 2)]
    for lora in loras:
        engine.shelf.register(lora)
    base = pixels(engine.make(ordered(engine)))
    first = engine.make(ordered(engine, loras=[(loras[0], 1.0)]))
    both = engine.make(ordered(engine, loras=[(loras[0], 1.0), (loras[1], 0.5)]))
    assert pixels(engine.make(ordered(engine))) == pixels(engine.make(ordered(engine, loras=[(loras[1], 0.0)]))) == base
    assert len(loads) == 1
    assert [(use.sha256, use.weight) for use in both[0].recipe.loras] == [
        (loras[0].sha256, 1.0),
        (loras[1].sha256, 0.5),
    ]
    other = LocalEngine(engine.catalogue, LoraShelf(tmp_path))
    assert pixels(other.make(both[0].recipe)) == pixels(both) != pixels(first) != base


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    """A LoRA of endless numbers leaves only such numbers, which a cast to colours would make black."""
    engine = new_engine(tmp_path)
    weights = load_file(str(tiny.saved_lora("dev")))
    path = tmp_path / "huge.safetensors"
    save_file({name: weight * 1e30 for name, weight in weights.items()}, path)
    engine.lend_lora(lora := open_lora(path))
    before = pixels(engine.make(ordered(engine)))
    with pytest.raises(UserError, match="no picture but numbers without end"):
        engine.make(ordered(engine, loras=[(lora, 1.0)]))
    assert pixels(engine.make(ordered(engine))) == before


def test_a_lora_that_does_not_fit_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = new_engine(tmp_path)
    monkeypatch.setattr(Flux, "load", lambda *_: pytest.fail("loaded"))
    engine.lend_lora(lora := open_lora(tiny.saved_lora("wide")))
    with pytest.raises(UserError, match="does not fit dev"):
        engine.make(ordered(engine, loras=[(lora, 1.0)]))


def test_a_missing_lora_is_named_by_its_hash(tmp_path: Path) -> None:
    engine = new_engine(tmp_path)
    lora = open_lora(tiny.saved_lora("dev"))
    with pytest.raises(UserError, match=f"{lora.sha256} is missing"):
        engine.make(ordered(engine, loras=[(lora, 1.0)]))


def test_kontext_looks_at_a_lent_picture(engine: LocalEngine, tmp_path: Path) -> None:
    Image.new("RGB", (64, 32), "red").save(tmp_path / "red.png")
    control = engine.lend_picture(tmp_path / "red.png")
    with_it = engine.make(ordered(engine, "kontext", controls=[control]))
    assert with_it[0].recipe.controls == (control,)
    assert pixels(with_it) != pixels(engine.make(ordered(engine, "kontext")))
    with pytest.raises(UserError, match="takes no picture"):
        ordered(engine, "dev", controls=[control])
    with pytest.raises(UserError, match="is missing: name its file with --image"):
        new_engine(tmp_path / "other").make(with_it[0].recipe)


def test_the_models_own_defaults_fill_an_order(engine: LocalEngine) -> None:
    recipe = order(engine.catalogue.find("schnell"), "a girl", width=16, height=8)
    assert (recipe.steps, recipe.guidance, recipe.max_tokens, recipe.seed) == (4, 0.0, 256, 0)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"prompt": "  "}, "The prompt is empty"),
        ({"prompt": "\ud800"}, "the text is not valid Unicode"),
        ({"width": 18}, "multiples of 4"),
        ({"height": 8192}, "too large"),
        ({"width": 0}, "width cannot be 0"),
        ({"steps": 0}, "steps cannot be 0"),
        ({"steps": 1001}, "1001 steps are out of range"),
        ({"guidance": float("nan")}, "guidance cannot be nan"),
        ({"guidance": 1e9}, "guidance of 1e"),
        ({"true_guidance": -1.0}, "true guidance of -1"),
        ({"seed": -1}, "seed cannot be -1"),
        ({"batch_size": 65}, "too large to draw at once"),
        ({"max_tokens": 513}, "at most 512"),
    ],
)
def test_orders_that_cannot_be_drawn_say_why(engine: LocalEngine, said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        ordered(engine, **said)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_one_lora_twice_is_refused(engine: LocalEngine) -> None:
    lora = open_lora(tiny.saved_lora("dev"))
    with pytest.raises(UserError, match="given twice"):
        ordered(engine, loras=[(lora, 1.0), (lora, 0.5)])


def test_a_recipe_of_other_weights_is_refused(engine: LocalEngine) -> None:
    recipe = ordered(engine)
    other = recipe.model_copy(update={"model": recipe.model.model_copy(update={"sha256": "f" * 64})})
    with pytest.raises(UserError, match="drawn by another dev"):
        engine.make(other)


def test_a_recipe_of_another_engine_is_refused(engine: LocalEngine) -> None:
    with pytest.raises(UserError, match="comfyui"):
        engine.make(ordered(engine).model_copy(update={"engine": "comfyui"}))


def test_what_has_no_effect_is_said(engine: LocalEngine) -> None:
    assert engine.notes(ordered(engine)) == []
    assert "its end is not seen" in engine.notes(ordered(engine, prompt="word " * 50, max_tokens=16))[0]
    assert "has no built-in guidance" in engine.notes(ordered(engine, "schnell", guidance=3.0))[0]
    assert "negative prompt changes nothing" in engine.notes(ordered(engine, negative_prompt="blue"))[0]


def test_the_shipped_folders_draw_the_same_by_plain_diffusers(engine: LocalEngine) -> None:
    from diffusers import DiffusionPipeline

    model: Model = engine.catalogue.find("schnell")
    recipe = ordered(engine, "schnell", batch_size=2, true_guidance=2.0)
    plain = DiffusionPipeline.from_pretrained(str(model.folder))
    images = plain(
        prompt=recipe.prompt,
        negative_prompt="",
        true_cfg_scale=2.0,
        num_inference_steps=3,
        width=16,
        height=8,
        max_sequence_length=256,
        num_images_per_prompt=2,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in (1, 2)],
    ).images
    assert [image.tobytes() for image in images] == pixels(engine.make(recipe))
