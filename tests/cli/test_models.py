"""`zoetrope models`: add, list, check, remove."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests import tiny
from zoetrope.cli import app
from zoetrope.home import home


def run(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["models", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def told(*arguments: str | Path) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def refusal(*arguments: str | Path) -> str:
    result = run(*arguments, code=2)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return str(result.stderr)


def names() -> list[str]:
    return [model["name"] for model in told("list")["models"] if not model["shipped"]]


def test_a_model_is_added_listed_and_forgotten(tmp_path: Path) -> None:
    folder = tiny.copied("dev", tmp_path / "model")
    added = told("add", "mine", "--family", "flux", "--path", folder, "--offload", "none")
    assert (added["name"], added["family"], added["path"]) == ("mine", "flux", str(folder))
    assert (added["offload"], added["quantize"], added["shipped"]) == ("none", None, False)
    assert names() == ["mine"]
    assert "mine" in run("list").stdout
    assert told("remove", "mine") == {"removed": "mine"}
    assert names() == []
    assert (folder / "model_index.json").is_file()


@pytest.mark.parametrize(("kind", "family"), [("dev", "flux"), ("schnell", "flux"), ("kontext", "flux_kontext")])
def test_check_loads_draws_and_reports(tmp_path: Path, kind: str, family: str) -> None:
    folder = tiny.copied(kind, tmp_path / "model")
    (folder / "zoetrope.json").write_text('{"defaults": {"width": 16, "height": 8}}')
    run("add", "mine", "--family", family, "--path", folder)
    report = told("check", "mine", "--steps", "2")
    assert (report["size"], report["steps"], report["plan"]["device"]) == ([16, 8], 2, "cpu")
    assert min(report["load_seconds"], report["draw_seconds"], report["peak_memory_bytes"]) > 0
    assert "mine works: " in run("check", "mine", "--steps", "1").stdout


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--family", "sdxl"], "No model family is called 'sdxl'"),
        (["--family", "flux_kontext"], "not the FluxKontextPipeline"),
        (["--path", "/nowhere"], "is not a folder"),
        (["--quantize", "int3"], "--quantize int3 is not known; there are none, fp8, int8, nf4"),
        (["--offload", "disk"], "--offload disk is not known"),
    ],
)
def test_what_cannot_be_added_says_why(change: list[str], sentence: str) -> None:
    assert sentence in refusal("add", "mine", "--family", "flux", "--path", tiny.saved("dev"), *change)
    assert names() == []


def test_unknown_names_are_refused() -> None:
    assert "no model called 'gone'" in refusal("check", "gone")
    assert "no model called 'gone'" in refusal("remove", "gone")


def test_a_folder_that_went_is_listed_as_missing(tmp_path: Path) -> None:
    folder = tiny.copied("dev", tmp_path / "model")
    run("add", "mine", "--family", "flux", "--path", folder)
    folder.rename(tmp_path / "elsewhere")
    assert [model["present"] for model in told("list")["models"] if model["name"] == "mine"] == [False]
    assert "is not a folder" in refusal("check", "mine")


def test_a_broken_catalogue_is_named_and_kept() -> None:
    home().mkdir(parents=True)
    (home() / "catalogue.toml").write_text("[models")
    assert "catalogue.toml is not readable; it was kept" in refusal("list")
    assert (home() / "catalogue.toml").read_text() == "[models"
