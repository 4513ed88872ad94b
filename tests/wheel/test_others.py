"""Others, drawn by the base itself, are learned beside a persona and never outnumber it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests import tiny
from tests.wheel import cast
from tests.wheel.test_teach import QUICK, Silent
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.training.dataset import Item
from zoetrope.wheel import review
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.others import SHARE, beside, others
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.teach import teach
from zoetrope.wheel.workspace import Workspace, new_workspace

NOTES = {
    "others": 3,
    "looks": {"sentence": "{who} in {coat}", "coat": ["red", "blue"]},
    "defaults": {"steps": 1, "width": 32, "height": 32},
}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    folder = tiny.copied("dev", tmp_path / "model")
    notes = folder / "zoetrope.json"
    said = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {}
    notes.write_text(json.dumps(said | NOTES), encoding="utf-8")
    return Catalogue().add("dev", "flux", folder)


def ada(tmp_path: Path, kind: str) -> Workspace:
    persona = make_persona(name="ada", kind=kind, trigger="ada", base="dev", consent={"kind": "fictional"})
    workspace = new_workspace(tmp_path / kind, persona)
    add_sources(workspace, [cast.folder(tmp_path / f"drawings-{kind}", 4)])
    review.keep(workspace, list(workspace.state().pictures.values()), "person")
    return workspace


def test_they_are_drawn_once_and_told_apart(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    first = others(model)
    assert [item.other for item in first] == [True] * 3
    assert all("in red" in item.caption or "in blue" in item.caption for item in first)
    monkeypatch.setattr(LocalEngine, "make", lambda *_: pytest.fail("drawn again"))
    assert others(model) == first


def test_a_persona_learns_beside_them_and_a_style_does_not(tmp_path: Path, model: Model) -> None:
    persona, style = ada(tmp_path, "drawn"), ada(tmp_path, "style")
    for workspace, count in ((persona, 3), (style, 0)):
        teach(workspace, QUICK, Silent())
        manifest = json.loads((workspace.folder / "rounds" / "001" / "manifest.json").read_text(encoding="utf-8"))
        assert (len(manifest["pictures"]), len(manifest["others"])) == (4, count)
    sheet = json.loads((persona.folder / "exports" / "ada_v1.json").read_text(encoding="utf-8"))
    assert "in red" not in json.dumps(sheet), "they are no part of what it is"


@pytest.mark.parametrize(("own", "strangers"), [(12, 24), (36, 24), (2, 24), (40, 3), (5, 0)])
def test_they_are_never_more_than_their_share(own: int, strangers: int) -> None:
    item = Item(Path("a.png"), "0" * 64, (64, 64), "ada")
    shown = beside([item] * own, [replace(item, other=True)] * strangers)
    seen = sum(each.repeats for each in shown if each.other)
    assert seen == strangers
    assert seen <= SHARE * sum(each.repeats for each in shown)
