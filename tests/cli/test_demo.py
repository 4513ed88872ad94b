"""`zoetrope demo`: the sheet, and the pictures on it that can be drawn again."""

import json
from pathlib import Path

from PIL import Image
from typer.testing import CliRunner

from zoetrope.cli import app
from zoetrope.media.recipe import read_recipe

runner = CliRunner()


def test_demo_draws_ada_in_every_card_scene(tmp_path: Path) -> None:
    result = runner.invoke(app, ["demo", "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert len(told["pictures"]) == len(set(told["pictures"])) == 23
    with Image.open(told["sheet"]) as sheet:
        assert sheet.width > 5 * 150
    picture = tmp_path / "front-smiling.png"
    assert "smiling, front" in read_recipe(picture).prompt
    again = runner.invoke(app, ["generate", "--recipe", str(picture), "--out", str(tmp_path / "again"), "--json"])
    assert again.exit_code == 0, again.stderr
    (redrawn,) = (tmp_path / "again").glob("*.png")
    assert redrawn.read_bytes() == picture.read_bytes()
