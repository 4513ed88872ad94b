"""Two contenders side by side: the same prompts and seeds, no names on the sheet, scores for each."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests import tiny
from tests.wheel import cast
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.errors import UserError
from zoetrope.media.recipe import read_recipe
from zoetrope.wheel.compare import compare, contender, read_prompts, read_references

PROMPTS = ["[trigger], a park", "a dog, [trigger]", "a <b>house</b>", "night"]


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    cast.small_model(tmp_path)
    path = tiny.lora(tiny.pipeline(), tmp_path / "loras", seed=1)
    path.with_suffix(".json").write_text(json.dumps({"base": {"model": "dev"}, "trigger": "inky"}), encoding="utf-8")
    return path


def test_both_draw_every_prompt_from_the_same_seed(lora: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[tuple[int, int]] = []
    told = compare(
        contender("dev"), contender(str(lora)), PROMPTS, out, LocalEngine(), on_done=lambda *at: seen.append(at)
    )
    assert seen == [(done, 8) for done in range(1, 9)]
    ours, theirs = ([read_recipe(path) for path in sorted((out / name).glob("*.png"))] for name in ("dev", lora.stem))
    assert [recipe.seed for recipe in ours] == [recipe.seed for recipe in theirs]
    assert [recipe.prompt for recipe in ours] == ["a park", "a dog", "a <b>house</b>", "night"]
    assert [recipe.prompt for recipe in theirs][:2] == ["inky, a park", "a dog, inky"]
    assert [each["name"] for each in told["scores"]] == ["dev", lora.stem]
    left = json.loads((out / "key.json").read_text(encoding="utf-8"))["left"]
    assert sorted(left) == sorted(["dev", lora.stem] * 2), "each is on the left half of the time"
    page = (out / "compare.html").read_text(encoding="utf-8")
    assert "<b>house" not in page
    assert Image.open(told["sheet"]).width > 600


def test_a_base_is_told_the_looks_in_place_of_a_trigger_it_does_not_know(lora: Path, tmp_path: Path) -> None:
    ada = replace(contender(str(lora)), looks="a girl with red hair")
    out = tmp_path / "out"
    compare(contender("dev"), ada, ["[trigger], a park"], out, LocalEngine())
    said = [read_recipe(out / name / "001.png").prompt for name in ("dev", lora.stem)]
    assert said == ["a girl with red hair, a park", "inky, a park"]
    assert "a girl with red hair, a park" in (out / "compare.html").read_text(encoding="utf-8")


def test_references_bring_a_style_score_and_the_base_when_it_is_no_contender(lora: Path, tmp_path: Path) -> None:
    references = read_references(cast.folder(tmp_path / "style", 3))
    told = compare(contender(str(lora)), contender(str(lora)), ["a park"], tmp_path / "out", LocalEngine(), references)
    assert len(told["scores"]) == 2
    assert all(0 <= each["style"] <= 1 and 0 <= each["copied"] <= 1 for each in told["scores"])


def test_whoever_is_not_there_is_named(lora: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no persona called 'nobody'"):
        contender("nobody")
    with pytest.raises(UserError, match=r"There is no file .*gone\.safetensors"):
        contender(str(tmp_path / "gone.safetensors"))
    lora.with_suffix(".json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="that names its base model"):
        contender(str(lora))


def test_prompts_are_lines_and_a_bad_file_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("# held out\n\n a park \nnight\n", encoding="utf-8")
    assert read_prompts(file) == ["a park", "night"]
    file.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(UserError, match="holds no prompts"):
        read_prompts(file)
    file.write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match="is not UTF-8"):
        read_prompts(file)
