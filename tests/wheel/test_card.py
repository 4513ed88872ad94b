"""The model card: 23 pictures, measured, beside the version before."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.wheel import cast
from tests.wheel.test_teach import QUICK, Silent
from zoetrope.engines.engine import Made
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.errors import UserError
from zoetrope.media.recipe import read_recipe
from zoetrope.wheel import events as ev
from zoetrope.wheel import review
from zoetrope.wheel.card import draw_card
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import PersonaKind, write_persona
from zoetrope.wheel.teach import teach
from zoetrope.wheel.workspace import PERSONA, Workspace


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    workspace = cast.small_ada(tmp_path)
    add_sources(workspace, [cast.folder(tmp_path / "drawings", 4)])
    review.keep(workspace, list(workspace.state().pictures.values()), "person")
    return workspace


def test_two_versions_side_by_side(ada: Workspace) -> None:
    with pytest.raises(UserError, match="ada has no version yet"):
        draw_card(ada, LocalEngine())
    teach(ada, QUICK, Silent())
    seen: list[int] = []
    told = draw_card(ada, LocalEngine(), lambda done, total: seen.append(done))
    assert seen == list(range(1, 47)), "the base's own card is drawn once, before the first version's"
    assert len(told["pictures"]) == 23
    assert set(told["scores"]) == {"adherence", "copied", "diversity", "no_face"}
    first = ada.folder / "rounds" / "001" / "card"
    assert len([path for path in first.glob("*.png") if path.stem != "card"]) == 23
    assert Image.open(first / "card.png").width > 500
    assert (ada.folder / "exports" / "ada_v1.png").read_bytes() == (first / "card.png").read_bytes()
    assert 'src="../../000/card/tpose.png"' in (first / "card.html").read_text(encoding="utf-8")
    ada.record([ev.Closed(round=1, verdict="done")])
    teach(ada, QUICK | {"seed": 2}, Silent())
    draw_card(ada, LocalEngine())
    page = (ada.folder / "rounds" / "002" / "card" / "card.html").read_text(encoding="utf-8")
    assert 'src="../../001/card/tpose.png"' in page
    assert sorted(ada.state().cards) == [1, 2]


def test_before_the_first_version_the_base_is_told_in_words(ada: Workspace) -> None:
    write_persona(ada.folder / PERSONA, ada.persona.model_copy(update={"looks": "a girl with red hair"}))
    teach(ada, QUICK, Silent())
    draw_card(ada, LocalEngine())
    prompts = [read_recipe(ada.folder / "rounds" / number / "card" / "tpose.png").prompt for number in ("000", "001")]
    assert "of a girl with red hair, " in prompts[0]
    assert "of ada, " in prompts[1]


def test_the_same_version_draws_the_same_card(ada: Workspace) -> None:
    teach(ada, QUICK, Silent())
    folder = ada.folder / "rounds" / "001" / "card"
    draw_card(ada, LocalEngine())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    draw_card(ada, LocalEngine())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


class _Stopped(LocalEngine):
    """It is stopped after so many pictures."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most

    def make(self, *order: Any, **how: Any) -> list[Made]:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().make(*order, **how)


def test_a_card_that_was_stopped_goes_on_where_it_was(ada: Workspace) -> None:
    teach(ada, QUICK, Silent())
    draw_card(ada, LocalEngine())
    folder = ada.folder / "rounds" / "001" / "card"
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    with pytest.raises(KeyboardInterrupt):
        draw_card(ada, _Stopped(3))
    torn = next(folder.glob("*.png"))
    torn.write_bytes(torn.read_bytes()[:-20])
    rest = _Stopped(23 - 3 + 1)
    draw_card(ada, rest)
    assert (rest.left, {path.name: path.read_bytes() for path in folder.iterdir()}) == (0, whole)


def test_a_style_is_scored_beside_the_base_and_has_no_trigger(ada: Workspace) -> None:
    changed = {"kind": PersonaKind.style, "looks": "a cat"}
    write_persona(ada.folder / PERSONA, ada.persona.model_copy(update=changed))
    teach(ada, QUICK, Silent())
    told = draw_card(ada, LocalEngine())
    assert {"likeness", "passing"} <= set(told["scores"])
    assert all(0 <= each["likeness"] <= 1 for each in told["pictures"])
    assert "of a cat, " in read_recipe(ada.folder / "rounds" / "001" / "card" / "tpose.png").prompt
