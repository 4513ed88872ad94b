"""`zoetrope world`: drawings on disk, mistakes in one sentence, a training that resumes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zoetrope.cli import app

runner = CliRunner()


def test_draw_writes_picture_caption_and_truth(tmp_path: Path) -> None:
    result = runner.invoke(app, ["world", "draw", "--seed", "1", "--count", "3", "--out", str(tmp_path), "--json"])
    told = json.loads(result.stdout)
    assert (told["count"], len(told["files"])) == (3, 3)
    for name in told["files"]:
        truth = json.loads((tmp_path / name).with_suffix(".json").read_text())
        assert (tmp_path / name).with_suffix(".txt").read_text().strip() == truth["caption"]
        assert truth["visible"]["background"] is True
        assert len(truth["joints"]) == 14


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / "here", tmp_path / "there"]
    runner.invoke(app, ["world", "draw", "--seed", "1", "--count", "4", "--out", str(folders[0])])
    there = ["world", "draw", "--seed", "1", "--count", "6", "--out", str(folders[1])]
    subprocess.run([sys.executable, "-m", "zoetrope.cli", *there], check=True, capture_output=True)
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()
    assert len(list(folders[0].iterdir())) == 12


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["draw", "--count", "0"], "A count of 0 is out of range"),
        (["draw", "--size", "5000"], "A size of 5000 is out of range"),
        (["draw", "--style", "oil"], "There is no style called 'oil'"),
        (["train", "nano-sdxl"], "There is no recipe called 'nano-sdxl'"),
        (["train", "oracle", "--budget", "soon"], "The budget 'soon' is not a time"),
        (["train", "oracle", "--budget", "nanh"], "The budget 'nanh' is not a time"),
        (["score", "--model", "nano-flix"], "There is no model called 'nano-flix'"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)] if arguments[0] != "score" else []
    result = runner.invoke(app, ["world", *arguments, *out])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_training_makes_the_oracle_and_resumes(tmp_path: Path) -> None:
    work = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "oracle.safetensors")]
    first = runner.invoke(app, ["world", "train", "oracle", "--budget", "1s", *work])
    assert first.exit_code == 0, first.stderr
    once = (tmp_path / "oracle.safetensors").read_bytes()
    assert runner.invoke(app, ["world", "train", "oracle", "--budget", "1s", *work]).exit_code == 0
    assert (tmp_path / "oracle.safetensors").read_bytes() == once
    assert runner.invoke(app, ["world", "train", "oracle", "--budget", "3s", *work]).exit_code == 0
    assert (tmp_path / "oracle.safetensors").read_bytes() != once
