"""The wheel: it stops at every gate, goes on after it, and raises an alarm when versions get worse."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.wheel import cast
from tests.wheel.test_teach import QUICK, Silent
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.models.catalogue import Catalogue
from zoetrope.wheel import events as ev
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.review import Verdict, review_waiting
from zoetrope.wheel.scenes import SCENES, asked, new_scenes, thought_of
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.turn import close, drift, turn
from zoetrope.wheel.workspace import Workspace


class EverySecond:
    """Keeps every other picture."""

    name = "test"

    def review(self, pictures: Sequence[tuple[Entry, Path]]) -> list[Verdict]:
        return [Verdict(ev.Reason.other if number % 2 else None) for number in range(len(pictures))]


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    return cast.small_ada(tmp_path)


def test_the_wheel_stops_at_every_gate(ada: Workspace, tmp_path: Path) -> None:
    engine = LocalEngine()

    def turned() -> tuple[int, str]:
        done = turn(ada, engine, Silent(), QUICK, count=4)
        assert not any(str(ada.folder) in line for line in done.done), "a server's folders are nobody's business"
        assert not done.card or Path(done.card).is_file()
        return done.round, done.waits_for.split(":")[0]

    assert turned() == (1, "sources")
    add_sources(ada, [cast.folder(tmp_path / "drawings", 4, captions=False)])
    assert turned() == (1, "captions of 4 pictures")
    ada.caption({sha: f"portrait of ada {i}" for i, sha in enumerate(ada.state().pictures)}, "test")
    assert turned() == (1, "the review of 4 pictures")
    review_waiting(ada, EverySecond())
    assert turned() == (1, "the review of 4 pictures")
    made = ada.state().of(Decision.waiting)
    assert {entry.origin for entry in made} == {ev.Origin.synthetic}
    assert {(entry.depth, entry.round) for entry in made} == {(1, 1)}
    assert all(ada.caption_path(entry).read_text(encoding="utf-8").strip() == entry.caption for entry in made)
    assert turned() == (1, "the review of 4 pictures")
    review_waiting(ada, EverySecond())
    assert turned() == (2, "the review of 4 pictures")
    state = ada.state()
    assert [version.number for version in state.versions] == [1, 2]
    assert state.closed == {1: "done"}
    assert {entry.depth for entry in state.of(Decision.waiting)} == {2}


class Refuses:
    """Keeps nothing."""

    name = "test"

    def review(self, pictures: Sequence[tuple[Entry, Path]]) -> list[Verdict]:
        return [Verdict(ev.Reason.other) for _ in pictures]


def test_where_nothing_new_was_kept_no_version_is_made_twice(ada: Workspace, tmp_path: Path) -> None:
    engine = LocalEngine()
    add_sources(ada, [cast.folder(tmp_path / "drawings", 4)])
    review_waiting(ada, EverySecond())
    turn(ada, engine, Silent(), QUICK, count=2)
    review_waiting(ada, Refuses())
    before = ada.log.read()
    waits = turn(ada, engine, Silent(), QUICK, count=2)
    assert waits.waits_for.startswith("something new to learn, or the next version would be the last one again")
    assert ada.log.read() == before
    assert turn(ada, engine, Silent(), QUICK, count=2, anyway=True).round == 2
    assert [version.number for version in ada.state().versions] == [1, 2]


def test_the_alarm_names_what_fell(ada: Workspace) -> None:
    cards = {1: {"passing": 0.9, "diversity": 0.3}, 2: {"passing": 0.95, "diversity": 0.2}}
    assert drift(cards, 1) == ""
    assert drift(cards, 2) == "diversity fell from 0.30 to 0.20"
    ada.record([ev.Carded(round=number, scores=scores) for number, scores in cards.items()])
    ada.record([ev.Closed(round=1, verdict="done")])
    assert close(ada, ada.state()) == "diversity fell from 0.30 to 0.20"
    assert ada.state().closed[2] == "diversity fell from 0.30 to 0.20"
    assert turn(ada, LocalEngine(), Silent()).alarm == "diversity fell from 0.30 to 0.20"
    assert turn(ada, LocalEngine(), Silent(), anyway=True).waits_for.startswith("sources")


def test_scenes_are_different_and_follow_from_the_seed() -> None:
    one = thought_of("ada", SCENES, 1, 40)
    assert len(set(one)) == len(one) > 35
    assert one == thought_of("ada", SCENES, 1, 40)
    assert one != thought_of("ada", SCENES, 2, 40)
    assert all("ada" in prompt and "{" not in prompt for prompt in one)
    few = {"sentence": "{who} {place}", "place": ["here", "there"]}
    assert sorted(thought_of("ada", few, 1, 40)) == ["ada here", "ada there"]


def test_new_scenes_are_what_the_card_asks_for_and_was_not_shown_yet() -> None:
    model = Catalogue().find("nano-flux")
    shown = [scene.prompt for scene in asked(model, "ada") if "angry, profile_right" not in scene.prompt]
    new = new_scenes(model, "ada", 1, 8, shown)
    assert len(set(new)) == 8
    assert any(prompt.startswith("portrait of ada, angry, profile_right") for prompt in new)
    assert not set(new) & set(shown)
