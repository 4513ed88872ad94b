"""Which two are shown next, and what the choices come to: one that is clearly better, or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from django.db import transaction

from zoetrope.errors import UserError
from zoetrope.ranking.fit import Choice, believe
from zoetrope.ranking.scale import interval, score
from zoetrope.ranking.stopping import CLEAR, leader
from zoetrope.studio.comparing.models import Comparison, Contender, Judgement, Shot
from zoetrope.studio.spaces.models import User

Pair = tuple[Shot, Shot]


@dataclass(frozen=True)
class Standing:
    """How one stands among the others."""

    contender: Contender
    chosen: int
    shown: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Result:
    """All of them, the best first, and whether the first is clearly so."""

    standings: tuple[Standing, ...]
    judged: int
    chance: float

    @property
    def clear(self) -> bool:
        return self.judged > 0 and self.chance >= CLEAR

    @property
    def sentence(self) -> str:
        """What they come to, in words."""
        if not self.judged:
            return "Nobody has chosen yet."
        best = self.standings[0].contender
        if self.clear:
            return f"{best} is the better one: {self.chance:.0%} sure."
        if len(self.standings) > 1 and round(self.standings[0].score) == round(self.standings[1].score):
            return f"No clear winner: {best} and {self.standings[1].contender} are level."
        return f"No clear winner: {best} leads, which is {self.chance:.0%} sure; {CLEAR:.0%} would be clear."


def shots_of(comparison: Comparison) -> list[Shot]:
    """What was ordered, prompt by prompt."""
    rows = Shot.objects.filter(contender__comparison=comparison)
    return list(rows.select_related("contender", "order").prefetch_related("order__made"))


def drawn(shots: Sequence[Shot]) -> list[Shot]:
    """Those whose picture is there."""
    return [shot for shot in shots if shot.order.made.all()]


def sha256_of(shot: Shot) -> str:
    """The picture of one that was drawn."""
    return str(shot.order.made.all()[0].sha256)


def standing_judgements(comparison: Comparison) -> list[Judgement]:
    """The choices that nobody took back."""
    rows = comparison.judgements.filter(undone=None, undoes=None)
    return list(rows.select_related("left", "right", "chosen"))


def left_for(comparison: Comparison, shots: Sequence[Shot], judged: Sequence[Judgement], voter: User) -> list[Pair]:
    """The pairs that this voter has not seen, each prompt by each two; in an order and on sides of their own."""
    seen = {frozenset((each.left_id, each.right_id)) for each in judged if each.by_id == voter.pk}
    pairs = [
        (one, other)
        for one, other in combinations(drawn(shots), 2)
        if one.prompt == other.prompt
        and frozenset((one.pk, other.pk)) not in seen
        # The same to the last byte: there is nothing to choose.
        and sha256_of(one) != sha256_of(other)
    ]
    found = []
    for one, other in pairs:
        # What a pair looks like must not change when the page is loaded again.
        chance = Random(f"{comparison.pk} {voter.pk} {one.pk} {other.pk}")
        found.append((chance.random(), (one, other) if chance.random() < 0.5 else (other, one)))
    return [pair for _, pair in sorted(found, key=lambda each: each[0])]


def judge(comparison: Comparison, pair: Sequence[int], chosen: int | None, by: User) -> None:
    """Take a choice between two; none is not sure."""
    shots = {shot.pk: shot for shot in drawn(shots_of(comparison))}
    if len(pair) != 2 or len(set(pair)) != 2 or not set(pair) <= shots.keys() or chosen not in (None, *pair):
        raise UserError("These two are no pair of this comparison; nothing was recorded.")
    one, other = (shots[key] for key in pair)
    if one.prompt != other.prompt:
        raise UserError("These two show different prompts; nothing was recorded.")
    with transaction.atomic():
        Comparison.objects.select_for_update().get(pk=comparison.pk)
        mine = [each for each in standing_judgements(comparison) if each.by_id == by.pk]
        if any({each.left_id, each.right_id} == set(pair) for each in mine):
            raise UserError("You have chosen between these two already.")
        picked = shots[chosen] if chosen is not None else None
        Judgement.objects.create(comparison=comparison, left=one, right=other, chosen=picked, by=by)


def take_back(comparison: Comparison, by: User) -> Judgement:
    """The voter's last choice that stands is none any more."""
    with transaction.atomic():
        Comparison.objects.select_for_update().get(pk=comparison.pk)
        mine = [each for each in standing_judgements(comparison) if each.by_id == by.pk]
        if not mine:
            raise UserError("You have no choice here that could be taken back.")
        Judgement.objects.create(comparison=comparison, undoes=mine[-1], by=by)
        return mine[-1]


def result(comparison: Comparison, shots: Sequence[Shot], judged: Sequence[Judgement]) -> Result:
    """Who is how good, by all choices of everybody."""
    contenders = list(comparison.contenders.all())
    places = {contender.pk: place for place, contender in enumerate(contenders)}
    of = {shot.pk: places[shot.contender_id] for shot in shots}
    choices = [
        Choice((of[each.left_id], of[each.right_id]), of[each.chosen_id])
        for each in judged
        if each.left_id and each.right_id and each.chosen_id
    ]
    belief = believe(len(contenders), choices)
    first, chance = leader(belief)
    rows = [
        Standing(
            contender,
            sum(choice.best == place for choice in choices),
            sum(place in choice.members for choice in choices),
            score(belief.utilities[place]),
            *interval(belief.utilities[place], belief.deviations[place]),
        )
        for place, contender in enumerate(contenders)
    ]
    rows.sort(key=lambda row: (row.contender != contenders[first], -row.score))
    return Result(tuple(rows), len(choices), chance)
