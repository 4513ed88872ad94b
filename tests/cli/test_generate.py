"""`zoetrope generate`: the same bytes again, and one sentence for every mistake."""

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from typer.testing import CliRunner

from tests import tiny
from zoetrope.cli import app
from zoetrope.cli.generate import _parse_lora
from zoetrope.engines.engine import Step
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.media.recipe import read_recipe
from zoetrope.models.catalogue import Catalogue

ORDER = ["--model", "tiny-dev", "--prompt", "a girl", "--size", "16x8", "--steps", "2"]


@pytest.fixture(autouse=True)
def tiny_models(own_home: Path) -> None:
    Catalogue().add("tiny-dev", "flux", tiny.saved("dev"))
    Catalogue().add("tiny-kontext", "flux_kontext", tiny.saved("kontext"))


def run(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["generate", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def drawn(*arguments: str | Path) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def refusal(*arguments: str | Path) -> str:
    result = run(*arguments, code=2)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return str(lines[0])


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*")}


def test_the_same_command_gives_the_same_files(tmp_path: Path) -> None:
    first = drawn(*ORDER, "--count", "3", "--seed", "7", "--out", tmp_path / "a")
    run(*ORDER, "--count", "3", "--seed", "7", "--out", tmp_path / "b")
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    stems = [f"tiny-dev-7-{index}" for index in range(3)]
    assert set(hashes(tmp_path / "a")) == {f"{stem}{ending}" for stem in stems for ending in (".png", ".json")}
    assert [picture["sha256"] for picture in first["pictures"]] == [
        hashes(tmp_path / "a")[f"{stem}.png"] for stem in stems
    ]
    assert [picture["seed"] for picture in first["pictures"]] == [7, 8, 9]


def test_each_png_carries_its_recipe_and_is_drawn_again_from_it(tmp_path: Path) -> None:
    run(*ORDER, "--count", "3", "--out", tmp_path / "a")
    second = tmp_path / "a" / "tiny-dev-0-1.png"
    assert (read_recipe(second).batch_index, read_recipe(second).prompt) == (1, "a girl")
    for file in (second, second.with_suffix(".json")):
        out = tmp_path / f"again{file.suffix}"
        run("--recipe", file, "--out", out)
        assert hashes(out) == {name: sha256 for name, sha256 in hashes(tmp_path / "a").items() if "-0-1." in name}


def test_pictures_in_several_batches_are_drawn_again_too(tmp_path: Path) -> None:
    made = drawn(*ORDER, "--count", "10", "--out", tmp_path / "a")["pictures"]
    assert [picture["seed"] for picture in made] == list(range(10))
    again = drawn("--recipe", made[9]["path"], "--out", tmp_path / "b")["pictures"]
    assert again[0]["sha256"] == made[9]["sha256"]


def test_the_same_picture_is_written_once_and_another_never_over_it(tmp_path: Path) -> None:
    paths = [drawn(*ORDER, "--out", tmp_path)["pictures"][0]["path"] for _ in range(2)]
    assert paths[0] == paths[1]
    before = hashes(tmp_path)
    other = drawn(*ORDER, "--prompt", "a boy", "--out", tmp_path)["pictures"][0]["path"]
    assert Path(other).name == "tiny-dev-0-0-2.png"
    assert hashes(tmp_path).items() > before.items()


def test_json_is_all_that_stdout_holds_and_people_get_paths(tmp_path: Path) -> None:
    result = run(*ORDER, "--out", tmp_path, "--json")
    assert json.loads(result.stdout)["model"]["name"] == "tiny-dev"
    assert result.stderr == ""
    assert run(*ORDER, "--out", tmp_path).stdout.strip() == str(tmp_path / "tiny-dev-0-0.png")


def test_loras_are_applied_and_found_again_by_their_hash(tmp_path: Path) -> None:
    lora = tiny.saved_lora("dev")
    base = drawn(*ORDER, "--out", tmp_path / "base")["pictures"][0]
    zero = drawn(*ORDER, "--lora", f"{lora}:0", "--out", tmp_path / "zero")["pictures"][0]
    strong = drawn(*ORDER, "--lora", lora, "--out", tmp_path / "strong")["pictures"][0]
    weak = drawn(*ORDER, "--lora", f"{lora}:0.5", "--out", tmp_path / "weak")["pictures"][0]
    pixels = [Image.open(each["path"]).tobytes() for each in (base, zero, strong, weak)]
    assert pixels[0] == pixels[1]
    assert len(set(pixels)) == 3
    assert weak["recipe"]["loras"][0]["weight"] == 0.5
    again = drawn("--recipe", weak["path"], "--out", tmp_path / "again")["pictures"][0]
    assert again["sha256"] == weak["sha256"]


def test_a_recipe_whose_lora_is_gone_says_which(tmp_path: Path) -> None:
    lora = tmp_path / "mine.safetensors"
    lora.write_bytes(tiny.saved_lora("dev").read_bytes())
    made = drawn(*ORDER, "--lora", lora, "--out", tmp_path / "a")["pictures"][0]
    sha256 = made["recipe"]["loras"][0]["sha256"]
    lora.rename(tmp_path / "moved.safetensors")
    assert f"hash {sha256} is missing" in refusal("--recipe", made["path"], "--out", tmp_path / "b")
    again = drawn("--recipe", made["path"], "--lora", tmp_path / "moved.safetensors", "--out", tmp_path / "b")
    assert again["pictures"][0]["sha256"] == made["sha256"]


def test_kontext_works_from_a_picture_and_again_from_its_recipe(tmp_path: Path) -> None:
    Image.new("RGB", (20, 10), "red").save(tmp_path / "red.png")
    order = ["--model", "tiny-kontext", *ORDER[2:]]
    made = drawn(*order, "--image", tmp_path / "red.png", "--out", tmp_path / "a")["pictures"][0]
    again = ["--recipe", made["path"], "--out", tmp_path / "b"]
    assert drawn(*again, "--image", tmp_path / "red.png")["pictures"][0]["sha256"] == made["sha256"]
    assert "name its file with --image" in refusal(*again)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--model", "tiny-dov"], "did you mean tiny-dev"),
        (["--prompt", ""], "The prompt is empty"),
        (["--prompt", " \n "], "The prompt is empty"),
        (["--size", "18x16"], "multiples of 4"),
        (["--size", "0x16"], "width cannot be 0"),
        (["--size", "8192x16"], "too large"),
        (["--size", "999999x16"], "too large"),
        (["--size", "16"], "not of the form WxH"),
        (["--size", "16x-4"], "not of the form WxH"),
        (["--count", "0"], "out of range"),
        (["--count", "10001"], "out of range"),
        (["--steps", "0"], "steps cannot be 0"),
        (["--steps", "100000"], "out of range"),
        (["--steps", "x"], "valid integer"),
        (["--seed", "-1"], "seed cannot be -1"),
        (["--guidance", "nan"], "guidance cannot be nan"),
        (["--guidance", "-1"], "guidance cannot be -1"),
        (["--true-guidance", "inf"], "true_guidance cannot be inf"),
        (["--lora", "gone.safetensors"], "no LoRA file gone.safetensors"),
        (["--lora", "gone.safetensors:x"], "'x' in 'gone.safetensors:x' is not a number"),
        (["--lora", "gone.safetensors:nan"], "not a finite number"),
        (["--image", "gone.png"], "gone.png"),
    ],
)
def test_each_mistake_is_one_sentence(tmp_path: Path, change: list[str], sentence: str) -> None:
    assert sentence in refusal(*ORDER, "--out", tmp_path / "out", *change)
    assert hashes(tmp_path / "out") == {}


def test_a_lora_of_another_family_or_size_is_refused(tmp_path: Path) -> None:
    halves = {"lora_down.weight": torch.ones(2, 8), "lora_up.weight": torch.ones(8, 2)}
    other = tmp_path / "sdxl.safetensors"
    save_file({f"lora_unet_input_blocks_4_1_proj_in.{name}": tensor for name, tensor in halves.items()}, other)
    assert "flux has no layer" in refusal(*ORDER, "--lora", other, "--out", tmp_path)
    assert "does not fit tiny-dev" in refusal(*ORDER, "--lora", tiny.saved_lora("wide"), "--out", tmp_path)


def test_a_pickle_instead_of_safetensors_is_refused(tmp_path: Path) -> None:
    for name in ("x.pt", "x.safetensors"):
        torch.save({}, tmp_path / name)
        assert "safetensors" in refusal(*ORDER, "--lora", tmp_path / name, "--out", tmp_path / "out")


def test_an_out_that_is_a_file_is_refused_before_drawing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written to" in refusal(*ORDER, "--out", tmp_path / "file")


def test_a_recipe_of_other_weights_is_refused(tmp_path: Path) -> None:
    made = drawn(*ORDER, "--out", tmp_path)["pictures"][0]
    Catalogue().remove("tiny-dev")
    Catalogue().add("tiny-dev", "flux", tiny.saved("schnell"))
    assert "drawn by another tiny-dev" in refusal("--recipe", made["path"], "--out", tmp_path)


def test_recipes_that_are_none(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert "No recipe" in refusal("--recipe", tmp_path / "plain.png", "--out", tmp_path)
    assert "No recipe" in refusal("--recipe", tmp_path / "gone.png", "--out", tmp_path)


def test_what_is_missing_or_too_much_is_said(tmp_path: Path) -> None:
    assert "Name a model and a prompt" in refusal("--prompt", "x")
    for more in (["--prompt", "x"], ["--count", "2"], ["--seed", "1"], ["--size", "8x8"]):
        assert "says all of that itself" in refusal("--recipe", tmp_path / "x.png", *more)


def test_a_prompt_longer_than_the_model_reads_is_noted(tmp_path: Path) -> None:
    folder = tiny.copied("schnell", tmp_path / "short")
    (folder / "zoetrope.json").write_text('{"defaults": {"max_tokens": 8, "width": 16, "height": 8, "steps": 1}}')
    Catalogue().add("short", "flux", folder)
    result = run("--model", "short", "--prompt", "a girl in a red dress", "--out", tmp_path / "out", "--json")
    assert "its end is not seen" in json.loads(result.stdout)["notes"][0]
    assert result.stderr.startswith("Note: The prompt is")


@pytest.mark.parametrize(
    ("text", "path", "weight"),
    [
        ("a.safetensors", "a.safetensors", 1.0),
        ("a.safetensors:0.5", "a.safetensors", 0.5),
        ("a.safetensors:-1", "a.safetensors", -1.0),
        ("C:\\a.safetensors", "C:\\a.safetensors", 1.0),
        ("C:\\a.safetensors:.5", "C:\\a.safetensors", 0.5),
        ("a:b/c", "a:b/c", 1.0),
    ],
)
def test_a_loras_weight_stands_after_the_last_colon(text: str, path: str, weight: float) -> None:
    assert _parse_lora(text) == (Path(path), weight)


def test_a_progress_bar_counts_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    make = LocalEngine.make

    def counting(self: LocalEngine, recipe: Any, progress: Any = None, cancel: Any = None) -> Any:
        def both(step: Step) -> None:
            counted.append(step.done)
            progress(step)

        return make(self, recipe, both, cancel)

    monkeypatch.setattr(LocalEngine, "make", counting)
    run(*ORDER, "--count", "9", "--out", tmp_path)
    assert counted == [1, 2, 1, 2]


def test_ctrl_c_leaves_whole_files_only(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "zoetrope.cli", "generate", *ORDER, "--count", "10000", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    deadline = time.monotonic() + 120
    while not list(out.glob("*.png")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, ""), stderr
    assert len(stderr.splitlines()) == 1
    files = sorted(out.iterdir())
    assert {file.suffix for file in files} == {".png", ".json"}
    for picture in out.glob("*.png"):
        Image.open(picture).load()
        assert read_recipe(picture) == read_recipe(picture.with_suffix(".json"))
    assert not math.remainder(len(files), 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_ctrl_c_that_python_drops_is_heard_at_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dying:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    heard: list[int] = []
    make = LocalEngine.make

    def interrupted(self: LocalEngine, recipe: Any, progress: Any, cancel: Any) -> Any:
        def step(told: Step) -> None:
            progress(told)
            heard.append(told.done)
            Dying()

        return make(self, recipe, step, cancel)

    monkeypatch.setattr(LocalEngine, "make", interrupted)
    run(*ORDER, "--count", "3", "--out", tmp_path / "out", code=130)
    assert (heard, list((tmp_path / "out").iterdir())) == ([1], [])
