"""What pages show of jobs: an overview, and what changed since one last looked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict, cast

from django.db.models import Count, Max, QuerySet

from zoetrope.studio.jobs.models import Job, LogLine, State
from zoetrope.studio.jobs.upkeep import alive_workers, lose

OVERLAP = timedelta(seconds=2)
MOST_LINES = 500
MOST_JOBS = 100


class JobRow(TypedDict):
    """A job as a page needs it."""

    id: int
    key: str
    kind: str
    title: str
    scope: str
    state: str
    stage: str
    done: int
    total: int
    error: str
    attempts: int
    worker: str
    created: datetime
    changed: datetime
    due: datetime | None
    started: datetime | None
    heartbeat: datetime | None
    finished: datetime | None


class Line(TypedDict):
    """A log line; ids grow."""

    id: int
    job_id: int
    at: datetime
    text: str


@dataclass(frozen=True)
class Overview:
    """How many jobs stand where, the first of each, who could carry them out, and where `since` goes on."""

    counts: dict[State, int]
    jobs: dict[State, list[JobRow]]
    workers: list[str]
    cursor: str


@dataclass(frozen=True)
class Changes:
    """Rows that changed and lines that came, oldest first, and the cursor for the next look.

    With `much` more changed than is told here, after a bulk of new jobs say: read the overview again.
    """

    jobs: list[JobRow]
    lines: list[Line]
    much: bool
    cursor: str


def overview(
    scope: str | None, *, states: Collection[State] = tuple(State), after: int = 0, limit: int = 100
) -> Overview:
    """Jobs by state: those waiting in the order they came, others newest first. No scope means all.

    With one state, `after` the last id shown gives the next page.
    """
    workers = _workers()
    rows = _rows(scope)
    cursor = _cursor(rows.aggregate(newest=Max("changed"))["newest"])
    counts = dict.fromkeys(State, 0) | {
        State(state): number for state, number in rows.values_list("state").annotate(Count("id")).order_by()
    }
    jobs = {state: _page(rows, state, after, limit) if counts[state] else [] for state in states}
    return Overview(counts, jobs, workers, cursor)


def since(scope: str | None, cursor: str) -> Changes:
    """What changed since a cursor from `overview` or from here.

    The last two seconds before the cursor are told again, as a slower transaction may have ended meanwhile: drop a row
    whose id and `changed` you have, and a line whose id you have.
    """
    _workers()
    seen = _moment(cursor)
    rows = _rows(scope).filter(changed__gt=seen - OVERLAP).order_by("-changed")
    lines = LogLine.objects.filter(at__gt=seen - OVERLAP).order_by("-id")
    if scope is not None:
        lines = lines.filter(job__scope=scope)
    changed = _values(rows[: MOST_JOBS + 1])[::-1]
    came = _lines(lines[:MOST_LINES])[::-1]
    newest = max([seen, *(row["changed"] for row in changed), *(line["at"] for line in came)])
    return Changes(changed[-MOST_JOBS:], came, len(changed) > MOST_JOBS, _cursor(newest))


def lines_of(job: int, *, after: int = 0, limit: int = MOST_LINES) -> list[Line]:
    """A job's log, oldest first, from behind a line's id."""
    return _lines(LogLine.objects.filter(job_id=job, id__gt=after).order_by("id")[:limit])


def last_lines(scope: str, limit: int = 100, *, job: int | None = None) -> list[Line]:
    """The newest log lines of a scope, or of one of its jobs, oldest first."""
    lines = LogLine.objects.filter(job__scope=scope) if job is None else LogLine.objects.filter(job_id=job)
    return _lines(lines.order_by("-id")[:limit])[::-1]


def _workers() -> list[str]:
    """The living. Who looks also sees to it that no job is said to run in a dead one's hands."""
    workers = list(alive_workers().values_list("name", flat=True).order_by("name"))
    lose(workers)
    return workers


def _rows(scope: str | None) -> "QuerySet[Job]":
    return Job.objects.all() if scope is None else Job.objects.filter(scope=scope)


def _page(rows: "QuerySet[Job]", state: State, after: int, limit: int) -> list[JobRow]:
    rows = rows.filter(state=state)
    if state is State.WAITING:
        return _values(rows.filter(id__gt=after).order_by("id")[:limit])
    return _values((rows.filter(id__lt=after) if after else rows).order_by("-id")[:limit])


def _values(rows: "QuerySet[Job]") -> list[JobRow]:
    return cast(list[JobRow], list(rows.values(*JobRow.__annotations__)))


def _lines(lines: "QuerySet[LogLine]") -> list[Line]:
    return cast(list[Line], list(lines.values(*Line.__annotations__)))


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _cursor(moment: datetime | None) -> str:
    return str((moment - EPOCH) // timedelta(microseconds=1)) if moment else "0"


def _moment(cursor: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(cursor))
