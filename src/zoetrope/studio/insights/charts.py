"""Means and their intervals as bars, and rewards in words: what pages draw from numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

from zoetrope.ranking.scale import score
from zoetrope.studio.insights.groups import ENOUGH, Row, Table, Told

WIDE = 100.0
"""Every bar is so wide, whatever the unit."""


@dataclass(frozen=True)
class Bar:
    """From `left`, `wide` long, with the mean at `mean` and the careful guess at `drawn`; all of a hundred."""

    left: float
    wide: float
    mean: float
    drawn: float


@dataclass(frozen=True)
class Cell:
    """One reward of one part: a bar and words, or why there is none."""

    words: str
    interval: str = ""
    bar: Bar | None = None
    guess: str = ""


@dataclass(frozen=True)
class Line:
    """One part with both rewards."""

    label: str
    posts: int
    audience: Cell
    taste: Cell


@dataclass(frozen=True)
class Chart:
    """A table as a page shows it."""

    kind: str
    label: str
    lines: tuple[Line, ...]
    # Parts of which nothing can be said yet.
    quiet: tuple[Line, ...]


def chart(table: Table) -> Chart:
    """All its bars on one scale for each reward."""
    audience = _scale((row.audience for row in table.rows), zero=True)
    taste = _scale((row.taste for row in table.rows), zero=False)
    lines = [_line(row, audience, taste) for row in table.rows]
    says = [bool(line.audience.bar or line.taste.bar) for line in lines]
    loud = tuple(line for line, said in zip(lines, says, strict=True) if said)
    quiet = tuple(line for line, said in zip(lines, says, strict=True) if not said)
    return Chart(table.kind.value, table.kind.label, loud, quiet)


def share(value: float) -> str:
    """An engagement rate."""
    return f"{value:.1%}"


def points(value: float) -> str:
    """What votes amount to."""
    return f"{score(value):.0f}"


def _line(row: Row, audience: tuple[float, float], taste: tuple[float, float]) -> Line:
    cells = _cell(row.audience, audience, rate=True), _cell(row.taste, taste, rate=False)
    return Line(row.label, row.posts, *cells)


def _cell(told: Told, scale: tuple[float, float], *, rate: bool) -> Cell:
    if told.mean is None or told.drawn is None:
        what = "measured" if rate else "voted on"
        return Cell(f"Not enough data: {told.count} of {ENOUGH} posts {what}" if told.count else f"None {what} yet")
    words, mean = share if rate else points, told.mean
    low = max(mean.low, 0.0) if rate else mean.low
    left, right, middle, drawn = (_at(each, scale) for each in (low, mean.high, mean.mean, told.drawn))
    interval = f"{words(low)} to {words(mean.high)}"
    return Cell(words(mean.mean), interval, Bar(left, max(right - left, 1.0), middle, drawn), words(told.drawn))


def _scale(cells: Iterable[Told], *, zero: bool) -> tuple[float, float]:
    """From where to where bars reach."""
    means = [each.mean for each in cells if each.mean is not None]
    low = 0.0 if zero else min((each.low for each in means), default=0.0)
    high = max((each.high for each in means), default=1.0)
    # What differs by rounding alone does not differ.
    return low, high if high - low > 1e-6 * max(1.0, abs(low)) else low + 1.0


def _at(value: float, scale: tuple[float, float]) -> float:
    low, high = scale
    return round(WIDE * min(max((value - low) / (high - low), 0.0), 1.0), 2)
