"""`zoetrope demo`: Ada's wheel turns once, and once more from where it stands."""

import json
from pathlib import Path
from typing import Any

from PIL import Image
from typer.testing import CliRunner

from zoetrope.cli import app
from zoetrope.media.recipe import read_recipe

runner = CliRunner()


def _turned() -> dict[str, Any]:
    result = runner.invoke(app, ["demo", "--steps", "8", "--count", "2", "--json"])
    assert result.exit_code == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_the_demo_turns_adas_wheel_and_sets_before_beside_after() -> None:
    told = _turned()
    assert told["round"] == 1
    assert told["done"][0] == "trained ada_v1.safetensors"
    assert told["done"][1] == "drew the card"
    assert Path(told["page"]).is_file()
    assert list(told["scores"]) == ["the base, in words", "v1"]
    assert told["scores"]["the base, in words"]["scene"] > 0.9, "the base knows the toy world"
    card = Path(told["sheet"]).parent
    with Image.open(told["sheet"]) as sheet:
        assert sheet.width > 10 * 100, "pairs"
    assert "front" in read_recipe(card / "front-smiling.png").prompt
    persona = Path(told["persona"])
    assert (persona / "exports" / "ada_v1.png").is_file()
    again = runner.invoke(app, ["demo", "--no-studio", "--steps", "1", "--count", "1"])
    assert again.exit_code == 0, again.stderr
    assert "stands in for you at the review" in " ".join(again.stderr.split())
    assert "Round 2: trained ada_v2.safetensors" in again.stdout
    assert "v1" in again.stdout
    assert f"zoetrope persona status {persona}\n" in again.stdout, "found wherever the data folder is"
