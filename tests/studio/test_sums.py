"""What a page tells of many pictures is kept up, and yet always what looking at all of them would tell."""

from tests.studio.conftest import Cast
from tests.wheel.cast import picture
from zoetrope.judging.card import card_scenes
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.workshop import shelf, words
from zoetrope.studio.workshop.sums import of_sources
from zoetrope.wheel import review
from zoetrope.wheel.captions import lint
from zoetrope.wheel.captions import words as counted
from zoetrope.wheel.coverage import cover, show
from zoetrope.wheel.events import Reason
from zoetrope.wheel.intake import Found, take_in
from zoetrope.wheel.workspace import Workspace

NAMES = ("ada", "ada")
TEXTS = ("portrait of ada, smiling, front", "portrait of ada, sad, front", "standing", "portrait of ada, red scarf", "")


def check(workspace: Workspace) -> None:
    """What is told is what a look at everything tells."""
    state, read = workspace.state(), words.read(workspace)
    assert read.remarks == lint(workspace.persona, read.entries)
    assert read.tags == counted(workspace.persona, read.entries).tags()
    scenes = card_scenes("ada")
    whole = cover({entry.file: entry.caption for entry in shelf.sources(workspace)}, scenes, NAMES)
    kept = of_sources(workspace, state, lambda facets: show(facets, scenes, NAMES))
    assert (kept.scenes, kept.missing) == (whole.scenes, whole.missing)


def test_sums_follow_what_happens(cast: Cast) -> None:
    ada = workspace_of(cast.ada)
    check(ada)
    take_in(ada, [Found(f"{n}.png", picture(n), text) for n, text in enumerate(TEXTS)])
    check(ada)
    first, second, third, *_ = ada.state().pictures.values()
    ada.caption({first.sha256: "portrait of ada, angry, left profile", third.sha256: ""}, "olga")
    check(ada)
    review.reject(ada, [second], Reason.hands, "olga")
    check(ada)
    tags = words.read(ada).tags
    assert "sad" not in tags, "a refused picture's words count no more"
    for _ in range(3):
        ada.undo()
        check(ada)
    assert words.read(ada).entries == []


def test_a_new_trigger_is_looked_for_at_once(cast: Cast) -> None:
    ada = workspace_of(cast.ada)
    take_in(ada, [Found("1.png", picture(1), "portrait of ada")])
    assert words.read(ada).remarks == []
    ada.change(trigger="zoeada")
    assert words.read(ada).remarks == ["1 caption lacks the trigger 'zoeada'."]
