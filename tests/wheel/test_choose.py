"""The choice among checkpoints: by scenes of its own, and only beyond doubt."""

import json
import shutil
from pathlib import Path

import pytest

from tests.wheel import cast
from tests.wheel.test_teach import Silent
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.errors import UserError
from zoetrope.models.loras import open_lora
from zoetrope.wheel import choose as choices
from zoetrope.wheel import review
from zoetrope.wheel.choose import checkpoints, choose, verdict
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.teach import teach
from zoetrope.wheel.workspace import Workspace


def test_better_beyond_doubt_wins_and_nothing_else() -> None:
    last = [0.5, 0.6, 0.7, 0.4, 0.5, 0.6]
    assert verdict({"100": [value + 0.1 for value in last], "last": last})["winner"] == "100"
    assert verdict({"100": [value - 0.1 for value in last], "last": last})["winner"] is None
    unsure = [value + (0.3 if number % 2 else -0.28) for number, value in enumerate(last)]
    told = verdict({"100": unsure, "last": last})
    assert told["winner"] is None
    low, high = told["checkpoints"][0]["low"], told["checkpoints"][0]["high"]
    assert low < 0 < told["checkpoints"][0]["gain"] < high


@pytest.fixture
def trained(tmp_path: Path) -> Workspace:
    ada = cast.ada(tmp_path / "ada")
    add_sources(ada, [cast.folder(tmp_path / "drawings", 5)])
    review.keep(ada, list(ada.state().pictures.values()), "person")
    teach(ada, {"steps": 4, "keep_every": 2, "batch_size": 1, "rank": 2}, Silent())
    return ada


def test_every_checkpoint_draws_the_same_scenes_and_a_winner_becomes_the_next_version(
    trained: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = trained.state().versions[-1]
    kept = trained.folder / "rounds" / "001" / "training" / "checkpoints"
    shutil.copy(kept / "000002.safetensors", kept / "000002 (copy).safetensors")
    assert list(checkpoints(trained, version)) == ["2", "last"]
    told = choose(trained, LocalEngine(), 4)
    assert len(told["scenes"]) == 4
    assert [row["checkpoint"] for row in told["checkpoints"]] == ["2", "last"]
    assert told["checkpoints"][1]["gain"] == 0
    assert (trained.folder / "rounds" / "001" / "choice.json").is_file()

    monkeypatch.setattr(choices, "verdict", lambda scores: {"checkpoints": [], "winner": "2"})
    assert choose(trained, LocalEngine(), 4)["exported"] == "ada_v2.safetensors"
    file = trained.folder / "exports" / "ada_v2.safetensors"
    sheet = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    assert (sheet["steps"], sheet["version"], sheet["sha256"]) == (2, 2, open_lora(file).sha256)
    assert trained.state().versions[-1].number == 2


def test_without_checkpoints_the_way_to_them_is_told(trained: Workspace) -> None:
    for path in (trained.folder / "rounds" / "001" / "training" / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="--keep-every 100"):
        choose(trained, LocalEngine())
