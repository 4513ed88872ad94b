"""New pictures of a persona by its newest version, in scenes of its own; those that pass wait for a person."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoetrope.engines.batches import split
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.judging.likeness import copy_scores
from zoetrope.media.recipe import Recipe, png_bytes
from zoetrope.models.loras import open_lora
from zoetrope.wheel import events as ev
from zoetrope.wheel.card import lora_file, newest
from zoetrope.wheel.clarity import Reading, enough, readings
from zoetrope.wheel.drawing import draw, finish
from zoetrope.wheel.measure import Alike, alikeness, genuine, judged, references
from zoetrope.wheel.scenes import drawn_as, new_scenes, subject
from zoetrope.wheel.state import Decision
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from zoetrope.engines.engine import Made

COUNT = 60
# Of so many drawings of a scene the one most like the persona is taken: what a version learned faintly, it draws
# rightly now and then, and the next learns from those.
TRIES = 3
# A picture is drawn against another prompt with at least so much guidance.
LEAST_GUIDANCE = 2.0
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
    unclear: int


@dataclass(frozen=True)
class _Take:
    """One of a scene's tries."""

    made: "Made"
    alike: Alike
    reading: Reading | None = None

    @property
    def clear(self) -> float:
        return self.reading.clear if self.reading else math.inf


def synthesize(
    workspace: Workspace,
    engine: LocalEngine,
    count: int = COUNT,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> Filtered:
    """Draw new scenes, drop what does not look like the persona or was copied, and let the rest wait for review.

    A run that was stopped goes on where it was.
    """
    return _Round(workspace, engine, count, on_done).synthesize()


class _Round:
    """What one synthesis draws and compares with."""

    def __init__(
        self, workspace: Workspace, engine: LocalEngine, count: int, on_done: Callable[[int, int], None]
    ) -> None:
        self.workspace, self.engine, self.on_done = workspace, engine, on_done
        self.state, self.persona = workspace.state(), workspace.persona
        self.version = newest(workspace, self.state)
        self.model = engine.catalogue.find(self.persona.base)
        held, refused = (
            [entry.caption for entry in self.state.of(each)] for each in (Decision.kept, Decision.rejected)
        )
        who = subject(self.persona, self.model)
        self.scenes = new_scenes(self.model, who, self.version.number, count, held, refused)
        self.judged = judged(self.persona, self.model)
        self.lora = open_lora(lora_file(workspace, self.version))
        self.known = references(workspace, self.state)

    def synthesize(self) -> Filtered:
        self.engine.lend_lora(self.lora)
        takes = [max(tries, key=_likeness) for tries in self._tried(range(len(self.scenes)), {})]
        if self.judged:
            takes = self._clearer(takes)
        filtered = self._filtered(takes)
        finish(self.workspace, WORK)
        return filtered

    def _tried(self, numbers: Sequence[int], against: Mapping[int, str]) -> list[list[_Take]]:
        """Each of these scenes a few times, drawn against another prompt where one is given."""
        tries = TRIES if self.judged else 1
        before = len(self.scenes) if against else 0
        made: list[list[Made]] = []
        for done, number in enumerate(numbers, start=1):
            # Together, as a batch takes less time than its pictures one by one.
            batches = split(self._order(number, tries, against.get(number)), tries)
            made.append([each for batch in batches for each in draw(self.workspace, WORK, self.engine, batch)])
            self.on_done(before + done, before + len(numbers))
        scored = iter(alikeness(self.workspace, self.model, [each.image for some in made for each in some], self.known))
        return [[_Take(each, next(scored)) for each in some] for some in made]

    def _order(self, number: int, tries: int, against: str | None) -> Recipe:
        return order(
            self.model,
            drawn_as(self.persona, self.scenes[number]),
            seed=SEED + 1000 * self.version.number + tries * number,
            loras=[(self.lora, 1.0)],
            negative_prompt=against or "",
            true_guidance=max(self.model.defaults.true_guidance, LEAST_GUIDANCE) if against else None,
        )

    def _clearer(self, takes: Sequence[_Take]) -> list[_Take]:
        """Expressions that are read less clearly than in the sources are drawn again, against what is read instead."""
        captions = [entry.caption for entry in genuine(self.state)]
        least = enough(readings(self.persona, self.model, self.known, captions))
        if least is None:
            return list(takes)
        read = self._read(takes, self.scenes)
        rivals = {number: take.reading.rival for number, take in enumerate(read) if take.reading and take.clear < least}
        if rivals:
            again = self._tried(list(rivals), rivals)
            scenes = [self.scenes[number] for number, tries in zip(rivals, again, strict=True) for _ in tries]
            told = iter(self._read([take for tries in again for take in tries], scenes))
            for number, tries in zip(rivals, again, strict=True):
                read[number] = _clearest([read[number], *(next(told) for _ in tries)])
        return read

    def _read(self, takes: Sequence[_Take], scenes: Sequence[str]) -> list[_Take]:
        found = readings(self.persona, self.model, [take.made.image for take in takes], scenes)
        return [replace(take, reading=reading) for take, reading in zip(takes, found, strict=True)]

    def _filtered(self, takes: Sequence[_Take]) -> Filtered:
        """What is like the persona, no copy and shows what was asked for waits for review."""
        fresh = [score <= MOST_COPIED for score in copy_scores([take.made.image for take in takes], self.known)]
        alike = [take.alike.passes is not False for take in takes]
        clear = [take.clear > 0 for take in takes]
        good = [
            (scene, take.made)
            for scene, take, *passed in zip(self.scenes, takes, fresh, alike, clear, strict=True)
            if all(passed)
        ]
        depth = 1 + max((entry.depth for entry in self.state.of(Decision.kept)), default=0)
        _add(self.workspace, good, self.version.round, depth, len(self.scenes))
        return Filtered(len(self.scenes), len(good), alike.count(False), fresh.count(False), clear.count(False))


def _clearest(takes: Sequence[_Take]) -> _Take:
    """Of those that are like the persona, if any is."""
    alike = [take for take in takes if take.alike.passes is not False]
    return max(alike or takes, key=lambda take: take.clear)


def _likeness(take: _Take) -> float:
    return take.alike.likeness or 0.0


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
