"""Pictures of others: in the card's scenes, drawn once for all personas of a base, learned from beside each."""

import json
from pathlib import Path

import pytest

from tests import tiny
from tests.wheel import cast
from tests.wheel.test_teach import QUICK, Silent
from zoetrope.home import home
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.wheel import review
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.others import others
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.teach import teach
from zoetrope.wheel.workspace import new_workspace


@pytest.fixture
def model(tmp_path: Path) -> Model:
    defaults = {"width": 16, "height": 16, "steps": 1, "max_tokens": 16}
    notes = {"defaults": defaults, "others": ["a man with a beard", "a woman with a hat"]}
    folder = tiny.copied("dev", tmp_path / "model")
    (folder / "zoetrope.json").write_text(json.dumps(notes), encoding="utf-8")
    Catalogue().add("dev", "flux", folder)
    return Catalogue().find("dev")


def test_every_scene_comes_once_and_is_drawn_once(model: Model) -> None:
    items = others(model)
    assert len(items) == 23
    assert all(item.other for item in items)
    assert sum("beard" in item.caption for item in items) == 12
    assert {item.head for item in items} == {True, False}
    drawn = {path: path.stat().st_mtime_ns for path in (home() / "cache" / "others").glob("*.png")}
    assert [item.sha256 for item in others(model)] == [item.sha256 for item in items]
    assert {path: path.stat().st_mtime_ns for path in drawn} == drawn


def test_a_round_learns_them_too_and_says_so(model: Model, tmp_path: Path) -> None:
    persona = make_persona(name="ada", kind="drawn", trigger="ada", base="dev", consent={"kind": "fictional"})
    ada = new_workspace(tmp_path / "ada", persona)
    add_sources(ada, [cast.folder(tmp_path / "drawings", 4)])
    review.keep(ada, list(ada.state().pictures.values()), "person")
    said = Silent()
    teach(ada, QUICK, said)
    pictures = json.loads((ada.folder / "rounds" / "001" / "manifest.json").read_text(encoding="utf-8"))["pictures"]
    assert [each["other"] for each in pictures] == [False] * 4 + [True] * 23


def test_where_the_makers_name_nobody_there_are_none(tmp_path: Path) -> None:
    Catalogue().add("dev", "flux", tiny.copied("dev", tmp_path / "model"))
    assert others(Catalogue().find("dev")) == []
