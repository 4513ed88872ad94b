"""LoRA training on tiny FLUX folders: what it makes loads elsewhere, and a kill changes nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from typer.testing import CliRunner

from tests import tiny
from tests.training.runs import SETTINGS, Silent, model, order
from tests.wheel import cast
from zoetrope.cli import app
from zoetrope.errors import UserError
from zoetrope.models.flux_learner import FluxLearner
from zoetrope.models.loras import check_fits, open_lora, read_state
from zoetrope.training import cache as caches
from zoetrope.training import loop
from zoetrope.training.advice import read_metrics
from zoetrope.training.loop import Moment
from zoetrope.training.run import Order, forget, train_lora
from zoetrope.training.trackers import open_tracker


@pytest.mark.parametrize("kind", ["dev", "schnell", "kontext"])
def test_it_learns_and_the_export_loads_again(tmp_path: Path, kind: str) -> None:
    found = model(tmp_path, kind)
    watcher = Silent()
    sheet = train_lora(order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 40})), watcher)
    losses = [moment.loss for moment in watcher.moments]
    assert losses[-1] < losses[0]
    file = tmp_path / "out" / "ada.safetensors"
    lora = open_lora(file)
    assert lora.sha256 == sheet["sha256"] == json.loads((tmp_path / "out" / "ada.json").read_text())["sha256"]
    check_fits(lora, found.family, found.folder, kind)
    assert sheet["reload_difference"] < 0.02


def test_the_header_says_what_others_read(tmp_path: Path) -> None:
    train_lora(order(tmp_path, model(tmp_path)), Silent())
    with safe_open(tmp_path / "out" / "ada.safetensors", "pt") as file:
        said = file.metadata()
    assert said["modelspec.architecture"] == "flux-1-dev/lora"
    assert said["ss_network_dim"] == said["ss_network_alpha"] == "2"
    assert said["modelspec.hash_sha256"].startswith("0x")
    assert json.loads(said["ss_tag_frequency"])["dataset"]["portrait of ada"] == 4


def test_alpha_is_folded_in(tmp_path: Path) -> None:
    found = model(tmp_path)
    settings = SETTINGS.model_copy(update={"alpha": 8.0, "steps": 3})
    train_lora(order(tmp_path, found, settings=settings), Silent())
    file = tmp_path / "out" / "ada.safetensors"
    state = load_file(str(tmp_path / "out" / "state.safetensors"))
    exported = load_file(str(file))
    name = next(name for name in exported if ".lora_B." in name)
    inner = name.removeprefix("transformer.")
    assert torch.allclose(exported[name], 4.0 * state[f"average.{inner}"])
    folded = read_state(open_lora(file), found.family, found.folder)
    assert torch.allclose(folded[name], exported[name].float())


def script(tmp_path: Path, output: str) -> list[str]:
    arguments = ["train", "--model", "dev", "--data", str(tmp_path / "data"), "--output", str(tmp_path / output)]
    arguments += ["--name", "ada", "--steps", "60", "--rank", "2", "--lr", "0.02", "--resolution", "32"]
    return [*arguments, "--batch-size", "2", "--checkpoint-every", "5", "--precision", "fp32", "--json"]


def command(arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "zoetrope.cli", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def test_a_killed_training_ends_with_the_same_bytes(tmp_path: Path) -> None:
    model(tmp_path)
    cast.folder(tmp_path / "data", 4)
    assert command(script(tmp_path, "whole")).wait() == 0
    rng = random.Random(3)
    state = tmp_path / "killed" / "state.safetensors"
    kills = 0
    for _ in range(30):
        process = command([*script(tmp_path, "killed"), *(["--resume"] if state.exists() else [])])
        if kills < 3:
            began = tmp_path / "killed" / "metrics.jsonl"
            while not began.exists() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.3))
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
        if process.wait() == 0:
            break
        assert not list((tmp_path / "killed").glob("*.safetensors.*"))
    assert kills > 0
    whole, killed = ((tmp_path / name / "ada.safetensors").read_bytes() for name in ("whole", "killed"))
    assert whole == killed
    steps = [json.loads(line)["step"] for line in (tmp_path / "killed" / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


def test_between_checkpoints_the_clock_saves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = model(tmp_path)
    saved: list[int] = []

    def noted(path: Path, weights: object, average: object, optimizers: object, progress: dict[str, int]) -> None:
        saved.append(progress["step"])

    monkeypatch.setattr(loop, "store", noted)
    monkeypatch.setattr(loop, "SAVE_TIMES", 0)
    settings = SETTINGS.model_copy(update={"checkpoint_every": 100})
    for name, seconds in (("seldom", 1e9), ("often", 0.0)):
        monkeypatch.setattr(loop, "SAVE_SECONDS", seconds)
        train_lora(order(tmp_path, found, name, settings), Silent())
    assert saved == [6, 1, 2, 3, 4, 5, 6]


def test_only_what_changed_is_encoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = model(tmp_path)
    tallies: list[tuple[int, int]] = []
    for name in ("encode_words", "encode_pictures"):
        original = getattr(caches, name)

        def counted(*arguments: object, original: object = original) -> caches.Tally:
            tally: caches.Tally = original(*arguments)  # type: ignore[operator]
            tallies.append((tally.made, tally.found))
            return tally

        monkeypatch.setattr(caches, name, counted)
    train_lora(order(tmp_path, found, "one"), Silent())
    train_lora(order(tmp_path, found, "two"), Silent())
    (tmp_path / "data" / "ada-1.png").write_bytes(cast.picture(40))
    (tmp_path / "data" / "ada-2.txt").write_text("other words", encoding="utf-8")
    train_lora(order(tmp_path, found, "three"), Silent())
    assert tallies == [(5, 0), (4, 0), (0, 5), (0, 4), (1, 4), (1, 3)]


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = model(tmp_path)
    predict, calls = FluxLearner.predict, iter(range(100))

    def broken(self: FluxLearner, *arguments: object) -> torch.Tensor:
        answer = predict(self, *arguments)  # type: ignore[arg-type]
        return answer * float("nan") if next(calls) == 4 else answer

    monkeypatch.setattr(FluxLearner, "predict", broken)
    with pytest.raises(UserError, match="stopped being a number at step 5"):
        train_lora(order(tmp_path, found), Silent())
    assert not (tmp_path / "out" / "ada.safetensors").exists()
    monkeypatch.undo()
    train_lora(replace(order(tmp_path, found), resume=True), Silent())
    assert (tmp_path / "out" / "ada.safetensors").exists()


def test_a_training_that_stopped_is_not_trained_over(tmp_path: Path) -> None:
    found = model(tmp_path)
    train_lora(order(tmp_path, found), Silent())
    longer = order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 9}))
    with pytest.raises(UserError, match="stopped at step 6: give --resume"):
        train_lora(longer, Silent())
    train_lora(replace(longer, resume=True), Silent())
    other = order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 12, "rank": 4}))
    with pytest.raises(UserError, match=r"another training|other pictures, captions or settings"):
        train_lora(replace(other, resume=True), Silent())
    with pytest.raises(UserError, match="holds no training to go on with"):
        train_lora(replace(order(tmp_path, found, "fresh"), resume=True), Silent())


@pytest.mark.parametrize("name", ["漢" * 100, "a" * 101, "a/b", "\udcff", "state", "preview"])
def test_a_name_that_no_file_can_have_is_refused_before_the_training(tmp_path: Path, name: str) -> None:
    model(tmp_path)
    cast.folder(tmp_path / "data", 3)
    done = CliRunner().invoke(app, [*script(tmp_path, "out"), "--name", name])
    assert (done.exit_code, "LoRA" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_resume_and_anew_exclude_each_other(tmp_path: Path) -> None:
    asked = [*script(tmp_path, "out"), "--resume", "--anew"]
    done = command(asked)
    assert (done.wait(), (tmp_path / "out").exists()) == (2, False)


def test_what_a_killed_training_learned_is_kept_until_the_next_one_begins(tmp_path: Path) -> None:
    found = model(tmp_path)
    stopped(order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 20})), 10)
    before = (tmp_path / "out" / "state.safetensors").read_bytes()
    shorter = order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 2, "rank": 4}))
    with pytest.raises(UserError, match="holds a training that stopped at step 10"):
        train_lora(shorter, Silent())
    broken = replace(shorter, anew=True, assistant=cast.folder(tmp_path / "other", 1) / "ada-0.png")
    with pytest.raises(UserError):
        train_lora(broken, Silent())
    with pytest.raises(UserError, match="No LoRA can be called 'state'"):
        train_lora(replace(shorter, anew=True, name="state"), Silent())
    assert (tmp_path / "out" / "state.safetensors").read_bytes() == before
    train_lora(replace(shorter, anew=True), Silent())
    assert (tmp_path / "out" / "ada.safetensors").exists()


def stopped(asked: Order, step: int) -> None:
    """As a kill after so many steps leaves it, the checkpoint just written."""

    class Killed(Silent):
        def moment(self, moment: Moment) -> None:
            if moment.step == step:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_lora(replace(asked, settings=asked.settings.model_copy(update={"checkpoint_every": step})), Killed())


def test_two_trainings_in_one_folder_are_refused(tmp_path: Path) -> None:
    asked = order(tmp_path, model(tmp_path))

    class Second(Silent):
        def moment(self, moment: Moment) -> None:
            with pytest.raises(UserError, match=r"Another training writes into .* just now"):
                train_lora(asked, Silent())
            super().moment(moment)

    watcher = Second()
    train_lora(asked, watcher)
    assert watcher.moments


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path: Path) -> None:
    asked = replace(order(tmp_path, model(tmp_path)), anew=True)
    asked.output.touch()
    with pytest.raises(UserError, match="cannot be written"):
        train_lora(asked, Silent())


def test_a_damaged_log_does_not_stop_who_goes_on(tmp_path: Path) -> None:
    found = model(tmp_path)
    train_lora(order(tmp_path, found), Silent())
    log = tmp_path / "out" / "metrics.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + b'\xff}\n{"step": 3, "lo}\n[1]\n{"loss": 1.0}\n' + b"[" * 100_000 + b"\n")
    longer = order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 9}))
    train_lora(replace(longer, resume=True), Silent())
    assert log.read_bytes().startswith(whole)
    assert [line["step"] for line in read_metrics(log)] == [6, 9]


def test_what_was_forgotten_leaves_no_trace_in_the_next_training(tmp_path: Path) -> None:
    found = model(tmp_path)
    train_lora(order(tmp_path, found), Silent())
    longer = SETTINGS.model_copy(update={"steps": 9})
    forget(tmp_path / "out")
    train_lora(order(tmp_path, found, settings=longer), Silent())
    train_lora(order(tmp_path, found, "fresh", settings=longer), Silent())
    anew, fresh = ((tmp_path / out / "ada.safetensors").read_bytes() for out in ("out", "fresh"))
    assert anew == fresh


def test_nothing_is_exported_that_changes_nothing(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"lr": 1e-12})
    with pytest.raises(UserError, match="changes nothing"):
        train_lora(order(tmp_path, model(tmp_path), settings=settings), Silent())


def test_held_out_pictures_are_judged_and_not_trained_on(tmp_path: Path) -> None:
    watcher = Silent()
    settings = SETTINGS.model_copy(update={"validation": 0.25, "checkpoint_blocks": 0.5})
    train_lora(order(tmp_path, model(tmp_path), settings=settings), watcher)
    assert watcher.said[0].buckets == {"32x32": 3}
    assert watcher.moments[-1].validation is not None


def test_an_assistant_works_while_training_only(tmp_path: Path) -> None:
    found = model(tmp_path, "schnell")
    helped = replace(order(tmp_path, found, "helped"), assistant=tiny.saved_lora("schnell"))
    train_lora(helped, Silent())
    alone = order(tmp_path, found, "alone")
    watcher = Silent()
    train_lora(alone, watcher)
    assert "distilled" in watcher.said[0].remarks[0]
    one, other = (load_file(str(tmp_path / name / "ada.safetensors")) for name in ("helped", "alone"))
    assert one.keys() == other.keys()
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_tracker_is_shown_samples_of_some_captions_where_nothing_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(tmp_path)
    cast.folder(tmp_path / "data", 4)
    monkeypatch.chdir(tmp_path)
    words = ["train", "--model", "dev", "--data", "data", "--steps", "8", "--rank", "2", "--resolution", "32"]
    run = command([*words, "--precision", "fp32", "--lr", "0.02", "--tracker", "tensorboard"])
    _, said = run.communicate()
    assert run.returncode == 0, said
    drawn = sorted(path.name for path in (tmp_path / "data-lora" / "samples").iterdir())
    assert drawn == [f"00000{step}-{number}.png" for step in (2, 4, 6, 8) for number in range(3)]
    assert (tmp_path / "data-lora" / "data-lora.safetensors").is_file()


def test_samples_are_drawn_along_the_way(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"sample_every": 3})
    asked = replace(order(tmp_path, model(tmp_path), settings=settings), samples=("ada", "a park"))
    train_lora(asked, Silent())
    drawn = sorted(path.name for path in (tmp_path / "out" / "samples").iterdir())
    assert drawn == ["000003-0.png", "000003-1.png", "000006-0.png", "000006-1.png"]


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_trackers_leave_curves_and_samples(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    settings = SETTINGS.model_copy(update={"sample_every": 3})
    asked = replace(order(tmp_path, model(tmp_path), settings=settings), samples=("ada",))
    train_lora(asked, Silent(), [open_tracker(name, tmp_path / "out", {"steps": 6})])
    left = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert any(file.startswith("events.out") or file.endswith(".wandb") for file in left)
    with pytest.raises(UserError, match="no tracker called 'paper'"):
        open_tracker("paper", tmp_path, {})


def test_an_output_that_cannot_be_written_is_told_before_training(tmp_path: Path) -> None:
    found = model(tmp_path)
    (tmp_path / "file").write_text("in the way")
    watcher = Silent()
    with pytest.raises(UserError, match="cannot be written"):
        train_lora(order(tmp_path, found, "file/out"), watcher)
    assert watcher.moments == []
