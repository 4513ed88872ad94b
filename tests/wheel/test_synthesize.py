"""New scenes: how a version is asked for them, and which of its tries is taken."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.wheel import cast
from tests.wheel.test_teach import QUICK, Silent
from tests.wheel.test_turn import EverySecond
from zoetrope.engines.engine import Made
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.media.recipe import Recipe, read_recipe
from zoetrope.wheel import synthesize
from zoetrope.wheel.clarity import Reading
from zoetrope.wheel.doctor import examine
from zoetrope.wheel.drawing import waiting
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.measure import Alike
from zoetrope.wheel.review import review_waiting
from zoetrope.wheel.scenes import shows_head
from zoetrope.wheel.state import Decision
from zoetrope.wheel.turn import turn
from zoetrope.wheel.workspace import Workspace

SCENES = 6
LOOKS = "a girl, red hair"


def turned(path: Path, count: int = SCENES, **more: Any) -> Workspace:
    """A workspace whose first version has drawn its scenes."""
    workspace = cast.small_ada(path, **more)
    add_sources(workspace, [cast.folder(path / "drawings", 2)])
    review_waiting(workspace, EverySecond())
    turn(workspace, LocalEngine(), Silent(), QUICK, count=count)
    return workspace


def taken(workspace: Workspace) -> list[tuple[str, str, int]]:
    """Of each new picture its caption, and the prompt and the seed that drew it."""
    entries = workspace.state().of(Decision.waiting)
    recipes = [read_recipe(workspace.path(entry)) for entry in entries]
    found = zip(entries, recipes, strict=True)
    return [(entry.caption, each.prompt, each.seed + each.batch_index) for entry, each in found]


def test_of_a_whole_figure_the_looks_are_said_but_not_learned(tmp_path: Path) -> None:
    drawn = taken(turned(tmp_path, 40, looks=LOOKS))
    heads = [shows_head(caption) for caption, _, _ in drawn]
    assert any(heads)
    assert not all(heads)
    for (caption, prompt, _), head in zip(drawn, heads, strict=True):
        assert prompt == (caption if head else caption.replace("ada", f"ada, {LOOKS}"))
        assert LOOKS not in caption


def test_without_a_scorer_a_scene_is_drawn_once(tmp_path: Path) -> None:
    seeds = [seed for _, _, seed in taken(turned(tmp_path))]
    assert seeds == [synthesize.SEED + 1000 + number for number in range(SCENES)]


def test_the_likest_of_three_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def alikeness(workspace: Workspace, model: object, pictures: Sequence[object], known: object) -> list[Alike]:
        # Of the first scene the third try is the likest, of the second the first, and so on.
        scores = [[0.1, 0.2, 0.9], [0.9, 0.1, 0.2], [0.2, 0.9, 0.1]]
        return [Alike(scores[index // 3 % 3][index % 3], True) for index in range(len(pictures))]

    monkeypatch.setattr(synthesize, "alikeness", alikeness)
    seeds = [seed for _, _, seed in taken(turned(tmp_path, scorers=["nano_identity"]))]
    attempts = [2, 0, 1, 2, 0, 1]
    assert seeds == [synthesize.SEED + 1000 + 3 * number + attempt for number, attempt in enumerate(attempts)]


def test_scenes_that_were_stopped_go_on_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Recipe] = []
    make = LocalEngine.make

    def stopped_after(most: int) -> Callable[..., list[Made]]:
        def counted(engine: LocalEngine, recipe: Recipe, *how: Any) -> list[Made]:
            if recipe.seed >= synthesize.SEED:
                if len(tried) == most:
                    raise KeyboardInterrupt
                tried.append(recipe)
            return make(engine, recipe, *how)

        return counted

    monkeypatch.setattr(LocalEngine, "make", stopped_after(4))
    with pytest.raises(KeyboardInterrupt):
        turned(tmp_path, scorers=["nano_identity"])
    workspace = Workspace(tmp_path / "ada")
    assert [finding.what for finding in examine(workspace)] == [
        "12 pictures wait in drawing/: the command that drew there goes on from them."
    ]
    torn = waiting(workspace)[0]
    torn.write_bytes(torn.read_bytes()[:-20])
    monkeypatch.setattr(LocalEngine, "make", stopped_after(SCENES + 1))
    turn(workspace, LocalEngine(), Silent(), QUICK, count=SCENES)
    assert len(tried) == SCENES + 1
    assert not (workspace.folder / "drawing").exists()
    going_on = taken(workspace)
    workspace.undo()
    monkeypatch.setattr(LocalEngine, "make", make)
    synthesize.synthesize(workspace, LocalEngine(), SCENES)
    assert going_on == taken(workspace) != []


class Clearness:
    """What `readings` says: of the kept sources, of the scenes, and of the tries of those that were drawn again."""

    def __init__(self, *answers: Sequence[float]) -> None:
        self.answers = list(answers)

    def __call__(
        self, persona: object, model: object, pictures: Sequence[object], captions: Sequence[str]
    ) -> list[Reading]:
        found = [Reading(clear, f"not {caption}") for clear, caption in zip(self.answers.pop(0), captions, strict=True)]
        assert len(found) == len(pictures)
        return found


def drawn(workspace: Workspace) -> list[tuple[str, float, int]]:
    """Of each new picture what it was drawn against, how much, and which try it was."""
    recipes = [read_recipe(workspace.path(entry)) for entry in workspace.state().of(Decision.waiting)]
    return [
        (each.negative_prompt, each.true_guidance, (each.seed + each.batch_index - synthesize.SEED - 1000) % 3)
        for each in recipes
    ]


def captions(workspace: Workspace) -> list[str]:
    return [entry.caption for entry in workspace.state().of(Decision.waiting)]


ALIKE = Alike(0.9, True)
PLAIN = ("", 1.0, 0)


def test_what_is_faint_is_drawn_again_against_what_is_read_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Clear; faint, and clearest in the second try; faint, and clearest as it was; clear.
    again = [0.3, 0.45, 0.44, 0.1, 0.1, 0.1]
    monkeypatch.setattr(synthesize, "readings", Clearness([1.0], [0.9, 0.4, 0.2, 0.8], again))
    monkeypatch.setattr(synthesize, "alikeness", lambda *given: [ALIKE] * len(given[2]))
    workspace = turned(tmp_path, 4, scorers=["nano_identity"])
    against = f"not {captions(workspace)[1]}"
    assert drawn(workspace) == [PLAIN, (against, synthesize.LEAST_GUIDANCE, 1), PLAIN, PLAIN]


def test_a_clear_picture_of_somebody_else_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def alikeness(workspace: Workspace, model: object, pictures: Sequence[object], known: object) -> list[Alike]:
        asked.append(len(pictures))
        return [Alike(0.9, len(asked) == 1)] * len(pictures)

    monkeypatch.setattr(synthesize, "alikeness", alikeness)
    monkeypatch.setattr(synthesize, "readings", Clearness([1.0], [0.9, 0.4], [0.9, 0.9, 0.9]))
    workspace = turned(tmp_path, 2, scorers=["nano_identity"])
    assert asked == [2 * synthesize.TRIES, synthesize.TRIES]
    assert drawn(workspace) == [PLAIN, PLAIN]


def test_what_shows_another_expression_teaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesize, "readings", Clearness([1.0], [0.9, -0.4, -0.2], [-0.1] * 6))
    monkeypatch.setattr(synthesize, "alikeness", lambda *given: [ALIKE] * len(given[2]))
    said: list[synthesize.Filtered] = []
    filtered = synthesize.synthesize

    def remembered(*given: Any) -> synthesize.Filtered:
        said.append(filtered(*given))
        return said[-1]

    monkeypatch.setattr("zoetrope.wheel.turn.synthesize", remembered)
    workspace = turned(tmp_path, 3, scorers=["nano_identity"])
    assert drawn(workspace) == [PLAIN]
    assert said == [synthesize.Filtered(drawn=3, added=1, unlike=0, copied=0, unclear=2)]
