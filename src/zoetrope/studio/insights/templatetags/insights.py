"""Numbers as people read them."""

from collections.abc import Mapping, Sequence
from math import floor, log
from typing import TypeVar

from django.template import Library

from zoetrope.studio.insights import charts

T = TypeVar("T")
register = Library()
# Half of the picture lies on either side of no difference.
_HALF = 50.0


@register.filter
def share(value: float) -> str:
    """A rate; none is less than nobody."""
    return charts.share(max(value, 0.0))


@register.filter
def times(value: float) -> str:
    """How much more it is; of less than twice as much a place more is told."""
    return f"{value:.1f}" if value >= 2 else f"{value:.2f}"


@register.filter
def sure(value: float) -> str:
    """How sure an interval is, never rounded up to certainty."""
    return f"{floor(10_000 * value) / 100:g}%"


@register.filter
def count(value: float) -> str:
    """A number of people or things; seconds keep a place."""
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


@register.filter
def better(value: float) -> str:
    """A place among others, as a share of them."""
    return f"better than {value:.0%}"


@register.filter
def at(values: Sequence[T], place: int) -> T:
    """One of several."""
    return values[place]


@register.filter
def around_one(said: Mapping[str, float]) -> dict[str, float]:
    """Times as much as a bar beside no difference at all; half as much is as far as twice."""
    known = {name: log(value) for name, value in said.items()}
    far = max(map(abs, known.values())) or 1.0
    left, right, mean = (round(_HALF * known[name] / far, 2) for name in ("low", "high", "value"))
    return {"left": left, "wide": max(round(right - left, 2), 1.0), "mean": mean - 0.5}
