"""What workers do now and then so that nothing is lost, doubled, or kept for ever."""

import time
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from zoetrope.studio.jobs import engine
from zoetrope.studio.jobs.models import ENDED, Job, LogLine, State, Worker
from zoetrope.studio.jobs.sending import send_again

DEAD_AFTER = 15.0
"""Seconds without a beat after which a worker is given up and its jobs are taken over."""
UNSENT_SECONDS = 3
KEEP_DAYS = 14
KEEP_FAILED_DAYS = 90
BATCH = 500


def beat(worker: str, device: str) -> None:
    """Say that this worker lives."""
    values = {"device": device, "seen": Now()}
    if not Worker.objects.filter(name=worker).update(**values):
        Worker.objects.create(name=worker, device=device)


class Reaper:
    """Looks after the other workers. A worker is dead whose last beat has not changed for long by our own clock.

    No two machines' clocks are compared, and a laptop that slept wakes without anybody being declared dead.
    """

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._first_seen: dict[str, tuple[object, float]] = {}

    def look(self) -> list[str]:
        """Take over what dead workers had in hand; their names."""
        # In this order: a worker that starts in between has a row before it has work.
        owners = engine.owners()
        alive = self._alive()
        lose(alive)
        dead = sorted(owners - alive)
        if dead:
            engine.take_over(dead)
        return dead

    def _alive(self) -> set[str]:
        now = time.monotonic()
        beats = dict(Worker.objects.values_list("name", "seen"))
        known = self._first_seen
        self._first_seen = {
            name: known[name] if name in known and known[name][0] == seen else (seen, now)
            for name, seen in beats.items()
        }
        fresh = {name for name, (_, since) in self._first_seen.items() if now - since < DEAD_AFTER}
        return fresh | {self._worker}


def alive_workers() -> "QuerySet[Worker]":
    """Workers with a fresh beat by the database's clock: for those who only look."""
    return Worker.objects.filter(seen__gte=Now() - timedelta(seconds=DEAD_AFTER))


def lose(alive: Collection[str]) -> int:
    """Mark the jobs that nobody alive has in hand."""
    rows = Job.objects.filter(state__in=(State.RUNNING, State.STUCK)).exclude(worker__in=alive)
    # Looking first, since SQLite would take its one write lock also to change nothing.
    return rows.update(state=State.LOST, changed=Now()) if rows.exists() else 0


def lose_dropped(worker: str, holders: Collection[str]) -> int:
    """Mark what a worker let fall, by its own account of what it holds: its end could not be written down, say."""
    a_while_ago = Now() - timedelta(seconds=UNSENT_SECONDS)
    rows = Job.objects.filter(worker=worker, state__in=(State.RUNNING, State.STUCK), changed__lt=a_while_ago)
    rows = rows.exclude(holder__in=holders)
    return rows.update(state=State.LOST, changed=Now()) if rows.exists() else 0


def mark_stuck(quiet: Iterable[tuple[int, str]]) -> None:
    """Mark running jobs, by id and holder, whose worker lives but which say nothing."""
    for pk, holder in quiet:
        rows = Job.objects.filter(pk=pk, holder=holder, state=State.RUNNING)
        rows.update(state=State.STUCK, changed=Now())


def sweep(*, thorough: bool = True) -> int:
    """Enqueue again what nobody would carry out; how many.

    Always the rows that were saved by somebody who was killed before enqueueing them. Thoroughly also those whose
    workflow is gone, or ended without the row having ended: a restored backup, a database lost for a while. And those
    that another version left behind, whose workflows the engine would never give to this one.
    """
    old = timezone.now() - timedelta(seconds=UNSENT_SECONDS)
    unsent = Job.objects.filter(state=State.WAITING, queued=None, changed__lt=old)
    rows = Job.objects.filter(state__in=(State.WAITING, State.LOST), changed__lt=old) if thorough else unsent
    return sum(_sweep(batch) for batch in _batches(rows))


def _sweep(jobs: list[Job]) -> int:
    standing = engine.standing([job.workflow for job in jobs])
    sent = 0
    for job in jobs:
        status = standing.get(job.workflow)
        if status is None or status in (*engine.ENDED, engine.LEFT_BEHIND):
            left = job.workflow if status == engine.LEFT_BEHIND else None
            sent += send_again(job, anew=status is not None)
            if left is not None:
                engine.cancel(left)
        elif job.queued is None:
            Job.objects.filter(pk=job.pk, round=job.round).update(queued=Now())
    return sent


def _batches(rows: "QuerySet[Job]") -> Iterator[list[Job]]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield batch
        last = batch[-1].pk


def forget(days: float = KEEP_DAYS, failed_days: float = KEEP_FAILED_DAYS) -> int:
    """Delete rows that ended long ago, and the engine's records of them; how many rows. Failed ones stay longer."""
    now = timezone.now()
    old = Job.objects.filter(state__in=ENDED - {State.FAILED}, finished__lt=now - timedelta(days=days))
    failed = Job.objects.filter(state=State.FAILED, finished__lt=now - timedelta(days=failed_days))
    deleted = _delete(old) + _delete(failed)
    engine.forget(now - timedelta(days=days))
    return deleted


def _delete(rows: "QuerySet[Job]") -> int:
    deleted = 0
    # In batches, so that a long list does not hold the one write lock of SQLite.
    while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
        LogLine.objects.filter(job_id__in=ids).delete()
        deleted += Job.objects.filter(pk__in=ids).delete()[0]
    return deleted
