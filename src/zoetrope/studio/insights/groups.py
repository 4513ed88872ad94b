"""Posts told apart by pillar, local hour, format and LoRA version: how each part did, with how sure that is."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from zoetrope.studio.insights.models import Kind
from zoetrope.studio.insights.outcomes import Outcome, Outcomes
from zoetrope.studio.insights.sums import Mean, drawn_in, mean_of
from zoetrope.studio.planning.models import Pillar

ENOUGH = 8
"""Of fewer posts nothing is said: their mean could be nearly anything."""
NO_PILLAR, NO_LORA = "no pillar", "none of its own"
_BY: Mapping[Kind, Callable[[Outcome], str]] = {
    Kind.PILLAR: lambda each: str(each.pillar or ""),
    Kind.HOUR: lambda each: str(each.hour),
    Kind.FORMAT: lambda each: each.format,
    Kind.LORA: lambda each: each.lora,
}


@dataclass(frozen=True)
class Told:
    """One reward of one part: from `count` posts, and in numbers where these are enough."""

    count: int
    mean: Mean | None = None
    # The mean drawn towards the mean of all parts.
    drawn: float | None = None


@dataclass(frozen=True)
class Row:
    """One part of a persona's posts."""

    key: str
    label: str
    posts: int
    audience: Told
    taste: Told


@dataclass(frozen=True)
class Table:
    """All posts, told apart in one way."""

    kind: Kind
    rows: tuple[Row, ...]


def tables(found: Outcomes) -> list[Table]:
    """Every way to tell them apart."""
    names = label_of(found)
    return [_table(found, kind, names) for kind in Kind]


def label_of(found: Outcomes) -> Callable[[Kind, str], str]:
    """How parts are called."""
    used = {each.pillar for each in found.rows if each.pillar is not None}
    pillars = dict(Pillar.objects.filter(pk__in=used).values_list("pk", "name")) if used else {}

    def label(kind: Kind, key: str) -> str:
        if kind is Kind.PILLAR:
            return pillars.get(int(key), NO_PILLAR) if key else NO_PILLAR
        if kind is Kind.HOUR:
            return f"{int(key):02}:00"
        return found.loras.get(key, key[:12]) or NO_LORA if kind is Kind.LORA else key

    return label


def parts(rows: Sequence[Outcome], kind: Kind) -> dict[str, list[Outcome]]:
    """The posts, told apart."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for each in rows:
        found[_BY[kind](each)].append(each)
    return found


def _table(found: Outcomes, kind: Kind, label: Callable[[Kind, str], str]) -> Table:
    apart = parts(found.rows, kind)
    audience = _told({key: [each.audience for each in rows] for key, rows in apart.items()})
    taste = _told({key: [each.taste for each in rows] for key, rows in apart.items()})
    order = (
        sorted(apart, key=lambda key: int(key))
        if kind is Kind.HOUR
        else sorted(apart, key=lambda key: -len(apart[key]))
    )
    rows = (Row(key, label(kind, key), len(apart[key]), audience[key], taste[key]) for key in order)
    return Table(kind, tuple(rows))


def _told(apart: Mapping[str, Sequence[float | None]]) -> dict[str, Told]:
    """A reward of every part. Also parts with few posts say how far parts differ."""
    known = {key: [value for value in values if value is not None] for key, values in apart.items()}
    there = {key: values for key, values in known.items() if values}
    drawn = dict(zip(there, drawn_in(list(there.values())), strict=True)) if there else {}
    return {
        key: Told(len(values), mean_of(values), drawn[key]) if len(values) >= ENOUGH else Told(len(values))
        for key, values in known.items()
    }
