"""New pictures of a persona by its newest version, in scenes of its own; those that pass wait for a person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoetrope.engines.batches import split
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.judging.likeness import copy_scores
from zoetrope.media.recipe import png_bytes
from zoetrope.models.catalogue import Model
from zoetrope.models.loras import open_lora
from zoetrope.wheel import events as ev
from zoetrope.wheel.card import lora_file, newest
from zoetrope.wheel.drawing import draw, finish
from zoetrope.wheel.measure import Alike, alikeness, judged, references
from zoetrope.wheel.scenes import drawn_as, new_scenes, subject
from zoetrope.wheel.state import Decision, State
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from zoetrope.engines.engine import Made

COUNT = 60
# Of so many drawings of a scene the one most like the persona is taken: what a version learned faintly, it draws
# rightly now and then, and the next learns from those.
TRIES = 3
# Nearer than this to a picture it learned from, a new one teaches nothing.
MOST_COPIED = 0.97
SEED = 40_000
WORK = "scenes"
"""The tries wait under this name until the best of them are taken."""


@dataclass(frozen=True)
class Filtered:
    """What came of a round's synthesis, in scenes."""

    drawn: int
    added: int
    unlike: int
    copied: int


def synthesize(
    workspace: Workspace,
    engine: LocalEngine,
    count: int = COUNT,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> Filtered:
    """Draw new scenes, drop what does not look like the persona or was copied, and let the rest wait for review.

    A run that was stopped goes on where it was.
    """
    state, persona = workspace.state(), workspace.persona
    version = newest(workspace, state)
    model = engine.catalogue.find(persona.base)
    held, refused = ([entry.caption for entry in state.of(each)] for each in (Decision.kept, Decision.rejected))
    scenes = new_scenes(model, subject(persona, model), version.number, count, held, refused)
    tries = TRIES if judged(persona, model) else 1
    lora = open_lora(lora_file(workspace, version))
    engine.lend_lora(lora)
    made: list[list[Made]] = []
    for number, scene in enumerate(scenes):
        seed = SEED + 1000 * version.number + tries * number
        # Together, as a batch takes less time than its pictures one by one.
        batches = split(order(model, drawn_as(persona, scene), seed=seed, loras=[(lora, 1.0)]), tries)
        made.append([each for batch in batches for each in draw(workspace, WORK, engine, batch)])
        on_done(number + 1, len(scenes))
    filtered = _taken(workspace, state, model, version.round, scenes, made)
    finish(workspace, WORK)
    return filtered


def _taken(
    workspace: Workspace, state: State, model: Model, number: int, scenes: Sequence[str], made: "Sequence[list[Made]]"
) -> Filtered:
    """Of every scene's tries the likest, if it is like the persona and no copy."""
    known = references(workspace, state)
    scored = iter(alikeness(workspace, model, [each.image for tries in made for each in tries], known))
    best = [max(((each, next(scored)) for each in tries), key=_likeness) for tries in made]
    fresh = [score <= MOST_COPIED for score in copy_scores([each.image for each, _ in best], known)]
    alike = [verdict.passes is not False for _, verdict in best]
    found = zip(scenes, best, fresh, alike, strict=True)
    good = [(scene, each) for scene, (each, _), new, same in found if new and same]
    depth = 1 + max((entry.depth for entry in state.of(Decision.kept)), default=0)
    _add(workspace, good, number, depth, len(scenes))
    return Filtered(len(scenes), len(good), alike.count(False), fresh.count(False))


def _likeness(scored: "tuple[Made, Alike]") -> float:
    return scored[1].likeness or 0.0


def _add(workspace: Workspace, good: "Sequence[tuple[str, Made]]", number: int, depth: int, drawn: int) -> None:
    with workspace.locked():
        known = workspace.state().pictures
        events: list[ev.Event] = []
        for scene, each in good:
            sha256, file = workspace.store(png_bytes(each.image, each.recipe), each.recipe.to_json())
            if sha256 not in known:
                events.append(ev.Added(sha256=sha256, file=file, origin=ev.Origin.synthetic, depth=depth, round=number))
                events.append(ev.Captioned(sha256=sha256, text=scene, by="recipe"))
        events.append(ev.Synthesized(round=number, drawn=drawn))
        workspace.log.append(events)
        workspace.write_captions()
