"""New pictures of a persona by its newest version, in scenes of its own; those that pass wait for a person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.judging.likeness import copy_scores
from zoetrope.media.recipe import png_bytes
from zoetrope.models.loras import open_lora
from zoetrope.wheel import events as ev
from zoetrope.wheel.card import lora_file, newest
from zoetrope.wheel.measure import alikeness, references
from zoetrope.wheel.scenes import new_scenes, subject
from zoetrope.wheel.state import Decision
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from zoetrope.engines.engine import Made

COUNT = 60
# Nearer than this to a picture it learned from, a new one teaches nothing.
MOST_COPIED = 0.97
SEED = 40_000


@dataclass(frozen=True)
class Filtered:
    """What came of a round's synthesis."""

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
    """Draw new scenes, drop what does not look like the persona or was copied, and let the rest wait for review."""
    state, persona = workspace.state(), workspace.persona
    version = newest(workspace, state)
    model = engine.catalogue.find(persona.base)
    lora = open_lora(lora_file(workspace, version))
    engine.lend_lora(lora)
    held, refused = ([entry.caption for entry in state.of(each)] for each in (Decision.kept, Decision.rejected))
    made = []
    prompts = new_scenes(model, subject(persona, model), version.number, count, held, refused)
    for number, prompt in enumerate(prompts):
        seed = SEED + 1000 * version.number + number
        made.append(engine.make(order(model, prompt, seed=seed, loras=[(lora, 1.0)]))[0])
        on_done(number + 1, len(prompts))
    known = references(workspace, state)
    images = [each.image for each in made]
    fresh = [score <= MOST_COPIED for score in copy_scores(images, known)]
    alike = [each.passes is not False for each in alikeness(workspace, model, images, known)]
    good = [each for each, new, same in zip(made, fresh, alike, strict=True) if new and same]
    depth = 1 + max((entry.depth for entry in state.of(Decision.kept)), default=0)
    _add(workspace, good, version.round, depth, len(made))
    return Filtered(len(made), len(good), alike.count(False), fresh.count(False))


def _add(workspace: Workspace, made: "Sequence[Made]", number: int, depth: int, drawn: int) -> None:
    with workspace.locked():
        known = workspace.state().pictures
        events: list[ev.Event] = []
        for each in made:
            sha256, file = workspace.store(png_bytes(each.image, each.recipe), each.recipe.to_json())
            if sha256 not in known:
                events.append(ev.Added(sha256=sha256, file=file, origin=ev.Origin.synthetic, depth=depth, round=number))
                events.append(ev.Captioned(sha256=sha256, text=each.recipe.prompt, by="recipe"))
        events.append(ev.Synthesized(round=number, drawn=drawn))
        workspace.log.append(events)
        workspace.write_captions()
