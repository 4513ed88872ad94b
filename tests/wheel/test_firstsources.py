"""A persona that begins with a model's own pictures."""

from pathlib import Path

import pytest

from tests.wheel import cast
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe, read_recipe
from zoetrope.wheel import events as ev
from zoetrope.wheel.doctor import examine, healthy
from zoetrope.wheel.firstsources import draw_sources
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.workspace import Workspace, new_workspace

PROMPTS = ["portrait of [trigger], smiling", "a house"]


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    return cast.small_ada(tmp_path, kind="style", trigger="inky", looks="a red-haired girl")


def test_every_prompt_becomes_sources_with_recipe_and_caption(ada: Workspace) -> None:
    seen: list[tuple[int, int]] = []
    taken = draw_sources(ada, LocalEngine(), "dev", PROMPTS, seed=7, per_prompt=2, on_done=lambda *at: seen.append(at))
    assert seen == [(done, 4) for done in range(1, 5)]
    assert taken.added == tuple(f"dev-{number:03d}.png" for number in range(1, 5))
    entries = list(ada.state().pictures.values())
    assert {(entry.origin, entry.depth) for entry in entries} == {(ev.Origin.source, 0)}
    assert [entry.caption for entry in entries] == ["portrait of inky, smiling"] * 2 + ["a house"] * 2
    recipes = [read_recipe(ada.path(entry)) for entry in entries]
    assert [recipe.seed for recipe in recipes] == [7, 8, 9, 10]
    assert recipes[0].prompt == "portrait of a red-haired girl, smiling"
    assert not list((ada.folder / "sources").glob("*.json"))
    assert examine(ada) == []
    again = draw_sources(ada, LocalEngine(), "dev", PROMPTS, seed=7, per_prompt=2)
    assert (again.added, len(again.known)) == ((), 4)


def test_stopped_halfway_nothing_is_taken_in_and_the_next_run_goes_on(
    ada: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_sources(ada, LocalEngine(), "dev", PROMPTS, on_done=stop)
    assert not ada.state().pictures
    findings = examine(ada)
    assert healthy(findings)
    assert findings[0].what.startswith("1 picture waits in drawing/")
    drawn: list[str] = []
    make = LocalEngine.make

    def counted(engine: LocalEngine, recipe: Recipe) -> object:
        drawn.append(recipe.prompt)
        return make(engine, recipe)

    monkeypatch.setattr(LocalEngine, "make", counted)
    assert len(draw_sources(ada, LocalEngine(), "dev", PROMPTS).added) == 2
    assert drawn == ["a house"]
    assert examine(ada) == []
    assert not (ada.folder / "drawing").exists()


def test_of_a_real_person_a_models_picture_is_no_source(tmp_path: Path) -> None:
    persona = make_persona(name="rui", kind="drawn", trigger="rui", base="nano-flux", consent={"kind": "self"})
    rui = new_workspace(tmp_path / "rui", persona)
    with pytest.raises(UserError, match="rui is a real person"):
        draw_sources(rui, LocalEngine(), "nano-flux", PROMPTS)
    assert not rui.state().pictures


def test_more_than_can_be_taken_in_is_refused_before_drawing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="12,000 pictures are out of range"):
        draw_sources(cast.ada(tmp_path / "ada"), LocalEngine(), "nano-flux", PROMPTS, per_prompt=6000)
