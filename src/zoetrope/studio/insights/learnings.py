"""From numbers to something learned: proposed when it is hardly chance, and in force when an owner says so.

Whoever looks often, at many things, finds something by chance. So all numbers of a persona are gone through only when
there are half as many again as the time before, and every look leaves less for chance: the first a fortieth, the k-th a
twentieth divided by k (k + 1), which is a twentieth for all looks that will ever be. Within a look, Holm's rule shares
this among all differences that it looks at. A difference counts when a shuffle of all rewards sets it as far apart
less often than that, and when its interval, which is as sure, excludes no difference. Rates are compared as times as
much, on the scale of their logarithms: one post that many saw by chance weighs no more there than it should.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, exp
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from zoetrope.errors import UserError
from zoetrope.studio.insights import effects
from zoetrope.studio.insights.groups import ENOUGH, label_of, parts
from zoetrope.studio.insights.models import Kind, Learning, Look
from zoetrope.studio.insights.outcomes import Outcomes, measured, outcomes
from zoetrope.studio.insights.sums import Between, difference, holm, mean_of, shuffled
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import IllegalMove
from zoetrope.studio.spaces.models import User

CHANCE = 0.05
"""The chance that anything is ever proposed to a persona where nothing differs is at most this."""
FEWEST, FURTHER = 2 * ENOUGH, 1.5
"""Measured posts before the first look, and how many times as many before each further one."""
# Of the median rate.
_ADDED = 0.1
State = Learning.State


@dataclass(frozen=True)
class Part:
    """One part of the posts beside all others, by what their audience did."""

    kind: Kind
    key: str
    inside: tuple[bool, ...]


@dataclass(frozen=True)
class Finding:
    """A difference that is hardly chance; `apart` is a logarithm."""

    part: Part
    apart: Between
    level: float
    chance: float


def level(number: int) -> float:
    """What the look of this number leaves for chance."""
    return CHANCE / (number * (number + 1))


def due(persona: Persona) -> int | None:
    """The number of the next look, if there are enough measured posts for it."""
    last = Look.objects.filter(persona=persona).first()
    return (last.number + 1 if last else 1) if measured(persona) >= next_at(last.measured if last else None) else None


def next_at(last: int | None) -> int:
    """How many measured posts the next look waits for, after one at so many."""
    return max(FEWEST, ceil(FURTHER * last)) if last else FEWEST


def look(persona: Persona, now: datetime | None = None) -> Look | None:
    """Go through all numbers and propose what is learned; None where it is too early."""
    number, now = due(persona), now or timezone.now()
    if number is None:
        return None
    seen = outcomes(persona, now)
    asked = differences(seen)
    found = findings(seen, asked, level(number), seed=number)
    with transaction.atomic():
        # A job that is called again finds the look and proposes nothing twice.
        said = {"measured": measured(persona), "asked": len(asked), "level": level(number), "at": now}
        row, new = Look.objects.get_or_create(persona=persona, number=number, defaults=said)
        if new:
            _propose(row, seen, found)
    return row


def differences(seen: Outcomes) -> list[Part]:
    """Every part that can be set beside all others: enough posts in it, and enough outside."""
    rows = seen.measured
    found = []
    for kind in Kind:
        apart = parts(rows, kind)
        keys = [key for key, some in apart.items() if min(len(some), len(rows) - len(some)) >= ENOUGH]
        # Of two halves one says it all.
        keys = keys[:1] if len(apart) == 2 else keys
        known = {key: {each.post for each in apart[key]} for key in keys}
        found += [Part(kind, key, tuple(each.post in known[key] for each in rows)) for key in keys]
    return found


def findings(seen: Outcomes, asked: list[Part], chance: float, seed: int) -> list[Finding]:
    """What is hardly chance, at this level for all of them together."""
    if not asked:
        return []
    values = logarithms([each.audience for each in seen.measured if each.audience is not None])
    members = np.array([part.inside for part in asked], np.bool_)
    chances = shuffled(values.tolist(), members, chance, seed)
    found = []
    for part, inside, own, by_chance in zip(asked, members, holm(chances, chance), chances, strict=True):
        if own is not None:
            apart = difference(values[inside].tolist(), values[~inside].tolist(), 1 - own)
            found += [] if apart.excludes_nothing else [Finding(part, apart, own, by_chance)]
    return found


def logarithms(rates: Sequence[float]) -> NDArray[np.float64]:
    """On their scale as much more is as far; a little is added, so that a post that nobody answered has one too."""
    known = np.asarray(rates, np.float64)
    positive = known[known > 0]
    return np.log(known + (_ADDED * float(np.median(positive)) if positive.size else 1.0))


def approve(learning: Learning, by: User) -> Learning:
    """Let it count; one that says the contrary counts no more."""
    with transaction.atomic():
        contrary = Learning.objects.filter(persona=learning.persona_id, kind=learning.kind, key=learning.key)
        for other in contrary.filter(state=State.APPROVED, more=not learning.more):
            take_back(other, by)
        _moved(learning, State.APPROVED, by)
        learning.effect = effects.begin(learning)
        learning.save(update_fields=["effect"])
    return learning


def take_back(learning: Learning, by: User) -> Learning:
    """It counts no more, and what it changed is undone."""
    with transaction.atomic():
        _moved(learning, State.TAKEN_BACK, by)
        effects.end(learning)
        learning.effect = {}
        learning.save(update_fields=["effect"])
    return learning


def reject(learning: Learning, by: User) -> Learning:
    """It is not proposed again."""
    return _moved(learning, State.REJECTED, by)


def reopen(learning: Learning, by: User) -> Learning:
    """Rejected by mistake: it is a proposal again."""
    return _moved(learning, State.PROPOSED, by)


ACTS = {"approve": approve, "take-back": take_back, "reject": reject, "reopen": reopen}


def _moved(learning: Learning, to: State, by: User) -> Learning:
    try:
        return learning.move(to, by=by, at=timezone.now())
    except IllegalMove as error:
        raise UserError(f"It is {learning.state} by now; nothing was changed.") from error


def _propose(row: Look, seen: Outcomes, found: list[Finding]) -> None:
    """Each once: what people rejected or took back stays so."""
    label = label_of(seen)
    for each in found:
        more, part = each.apart.value > 0, each.part
        evidence = _evidence(row, seen, each)
        said = {
            "look": row,
            "sentence": _sentence(part.kind, label(part.kind, part.key), evidence),
            "evidence": evidence,
        }
        Learning.objects.get_or_create(persona=row.persona, kind=part.kind, key=part.key, more=more, defaults=said)


def _evidence(row: Look, seen: Outcomes, found: Finding) -> dict[str, Any]:
    """Everything that its sentence stands on."""
    values = [each.audience for each in seen.measured if each.audience is not None]
    own = [value for value, inside in zip(values, found.part.inside, strict=True) if inside]
    rest = [value for value, inside in zip(values, found.part.inside, strict=True) if not inside]
    apart = {name: exp(value) for name, value in vars(found.apart).items()}
    return {
        "reward": "interactions for each one reached",
        "own": vars(mean_of(own)),
        "rest": vars(mean_of(rest)),
        "times": apart,
        "sure": 1 - found.level,
        "chance": found.chance,
        "asked": row.asked,
        "look": row.number,
        "rule": "Holm",
        "zone": seen.zone,
    }


def _sentence(kind: Kind, label: str, evidence: dict[str, Any]) -> str:
    subject = {
        Kind.PILLAR: f"Posts of {label}",
        Kind.HOUR: f"Posts at {label} ({evidence['zone']})",
        Kind.FORMAT: f"Posts of the format {label}",
        Kind.LORA: f"Posts drawn by {label}",
    }[kind]
    own, rest, times = evidence["own"]["mean"], evidence["rest"]["mean"], evidence["times"]["value"]
    does = "do better" if times > 1 else "do worse"
    return f"{subject} {does}: about {times:.1f} times as many answer ({own:.1%} on average, others {rest:.1%})."
