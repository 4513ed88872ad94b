"""A heat: a step's pictures in one run, and all the votes on them. All that is shown of it follows from these."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple
from zlib import crc32

import numpy as np

from zoetrope.ranking.fit import Belief, Choice, believe
from zoetrope.ranking.screens import Screen, next_screen
from zoetrope.ranking.steadiness import Steadiness, steadiness
from zoetrope.ranking.stopping import Verdict, verdict
from zoetrope.studio.pipelines.models import Candidate, Run, Step
from zoetrope.studio.voting.models import Vote

SIZES = (4, 2)
"""How many pictures a screen may show."""
# Of the heats that are voted on at the same time; what is believed of five hundred pictures takes 14 MB.
_REMEMBERED = 16


@dataclass(frozen=True)
class Answer:
    """A vote that stands, by what it was about."""

    kind: str
    members: tuple[int, ...]
    chosen: int | None
    by: int | None


class Drawn(NamedTuple):
    """A candidate that there is a picture of, as far as voting knows it: a row of it costs a tenth of a whole one."""

    key: int
    state: str
    sha256: str


@dataclass(frozen=True)
class Heat:
    """Its candidates, oldest first, and the votes that nobody took back."""

    run: Run
    step: Step
    candidates: tuple[Drawn, ...]
    answers: tuple[Answer, ...]

    def after(self, answer: Answer) -> "Heat":
        """The same with another vote."""
        return replace(self, answers=(*self.answers, answer))

    @cached_property
    def places(self) -> dict[int, int]:
        """By a candidate's number, which of the heat's it is."""
        return {candidate.key: place for place, candidate in enumerate(self.candidates)}

    @cached_property
    def alive(self) -> list[int]:
        """The places of those that are still to be chosen from; of two alike to the last byte, the first."""
        found: dict[str, int] = {}
        for place, candidate in enumerate(self.candidates):
            if candidate.state == Candidate.State.ACTIVE:
                found.setdefault(candidate.sha256, place)
        return list(found.values())

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """What was chosen over what. Whoever left meanwhile still counts: the others were compared with it."""
        return tuple(choice for _, choice in self._chosen)

    @cached_property
    def _chosen(self) -> list[tuple[int | None, Choice]]:
        """Who chose, and what."""
        places, found = self.places, []
        for answer in self.answers:
            if answer.kind == Vote.Kind.BEST and answer.chosen is not None and places.keys() >= set(answer.members):
                members = tuple([places[member] for member in answer.members])
                found.append((answer.by, Choice(members, places[answer.chosen])))
        return found

    @cached_property
    def belief(self) -> Belief:
        """What all votes amount to."""
        return _belief(len(self.candidates), self.choices)

    @cached_property
    def verdict(self) -> Verdict | None:
        """The pick among those alive; None where there is nothing to pick from."""
        return verdict(self.belief, self.alive) if self.alive else None

    @property
    def pick(self) -> Drawn | None:
        return self.candidates[self.verdict.pick] if self.verdict else None

    def screen(self, voter: int | None, size: int, ahead: Sequence[Sequence[int]] = ()) -> Screen | None:
        """What this voter sees next, after screens that are on their way to them; None where nothing is to choose."""
        if len(self.alive) < 2:
            return None
        shown = [answer.members for answer in self.answers if answer.by == voter] + [tuple(each) for each in ahead]
        seen = [tuple(self.places[each] for each in members if each in self.places) for members in shown]
        # The same screen after the same votes, so that a page that is loaded again shows it again.
        seed = crc32(f"{self.run.pk} {self.step.pk} {voter} {len(shown)} {len(self.answers)}".encode())
        return next_screen(self.belief, seen, self.alive, size, np.random.default_rng(seed))

    def steadiness(self, voter: int) -> Steadiness:
        """How often this voter answered alike to what came twice."""
        return steadiness(choice for by, choice in self._chosen if by == voter)


@lru_cache(_REMEMBERED)
def _belief(count: int, choices: tuple[Choice, ...]) -> Belief:
    return believe(count, choices)


def heat(run: Run, step: Step) -> Heat:
    """A step's pictures in a run and the votes on them, as they are now."""
    drawn = Candidate.objects.filter(run=run, step=step, made__isnull=False)
    candidates = tuple(Drawn(*row) for row in drawn.values_list("pk", "state", "made__sha256"))
    votes = Vote.objects.filter(run=run, step=step, undone=None).exclude(kind=Vote.Kind.UNDO)
    rows = votes.values_list("kind", "members", "chosen", "by")
    answers = tuple(Answer(kind, tuple(members), chosen, by) for kind, members, chosen, by in rows)
    return Heat(run, step, candidates, answers)


def doubt(step: Step, alive: Sequence[Candidate]) -> str:
    """What the votes on a step's pictures say against going on now."""
    if len(alive) < 2:
        return ""
    now = heat(alive[0].run, step)
    if not now.choices:
        return "Nobody has voted yet: the best would be whichever came first."
    if now.verdict is None or now.verdict.enough:
        return ""
    return f"The votes are {now.verdict.sure:.0%} sure of the pick; about {now.verdict.more} more would be enough."
