"""What a worker does with a job it was given: take it, call its function, write down how it ended."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import close_old_connections, connections, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from zoetrope.errors import UserError
from zoetrope.studio.jobs import engine
from zoetrope.studio.jobs.children import Fault, run_child
from zoetrope.studio.jobs.kinds import Kind, Queue, find, known
from zoetrope.studio.jobs.models import CARRIED, ENDED, IllegalMove, Job, LogLine, State
from zoetrope.studio.jobs.sending import due_after, is_known, send_on_commit
from zoetrope.studio.jobs.work import Interrupted

logger = logging.getLogger(__name__)

CRASHES, CHILD_CRASHES = 5, 20
"""After so many deaths of its worker in a row, without progress between them, a job is not tried again.

More where it works in a process of its own: then the worker's death is hardly its doing.
"""
KEPT_LINES = 500
TRIM_EVERY = 50
WRITE_SECONDS = 0.2
LINE = 400
STAGE = 80
LOOK_SECONDS = 0.2

T = TypeVar("T")


class Hand:
    """A job that this worker holds: the `Work` of its function."""

    def __init__(self, job: Job, stopping: threading.Event) -> None:
        self.key = job.key
        self.pk = job.pk
        self.holder = job.holder
        self._quiet = find(job.kind).quiet
        self.taken_away = threading.Event()
        self.last_sign = time.monotonic()
        self._stopping = stopping
        self._said: tuple[str, int, int] = (job.stage, job.done, job.total)
        self._reached: dict[str, int] = job.reached
        self._written = 0.0
        self._lines = 0

    def quiet_since(self, now: float) -> bool:
        """Whether the job has said nothing for longer than its kind may."""
        return now - self.last_sign > self._quiet

    def rows(self) -> "QuerySet[Job]":
        """The job's row, while it is still ours."""
        return Job.objects.filter(pk=self.pk, holder=self.holder, state__in=CARRIED)

    def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Where the work stands; what comes too often is not written."""
        self.last_sign = time.monotonic()
        told = (stage, done, total)
        ends = total and done >= total
        if told == self._said or (stage == self._said[0] and not ends and time.monotonic() < self._written):
            return
        values = {"stage": stage[:STAGE], "done": done, "total": total, "state": State.RUNNING}
        if not self.rows().update(**values, **self._further(stage, done), heartbeat=Now(), changed=Now()):
            self.taken_away.set()
        self._said, self._written = told, time.monotonic() + WRITE_SECONDS

    def _further(self, stage: str, done: int) -> dict[str, object]:
        """What to write if no try ever came so far: from here on crashes are counted anew."""
        if done <= self._reached.get(stage, -1):
            return {}
        self._reached[stage] = done
        return {"crashes": 0, "reached": self._reached}

    def log(self, text: str) -> None:
        """One line for whoever watches."""
        self.last_sign = time.monotonic()
        LogLine.objects.create(job_id=self.pk, text=" ".join(text.split())[:LINE])
        self._lines += 1
        if self._lines % TRIM_EVERY == 0:
            self._trim()

    def _trim(self) -> None:
        lines = LogLine.objects.filter(job_id=self.pk).order_by("-id")
        newest = lines.values_list("id", flat=True)[KEPT_LINES : KEPT_LINES + 1].first()
        if newest is not None:
            lines.filter(id__lte=newest).delete()

    def cancelled(self) -> bool:
        """Whether the job was taken away, or the worker is stopping."""
        return self.taken_away.is_set() or self._stopping.is_set()

    def check(self) -> None:
        """Raise Interrupted when to stop now."""
        if self.cancelled():
            raise Interrupted

    def once(self, name: str, function: Callable[..., T], *args: object) -> T:
        """A step whose result is remembered through crashes."""
        self.check()
        return engine.once(name, function, *args)


class Carrier:
    """The jobs that this worker has in hand."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.stopping = threading.Event()
        self._hands: dict[str, Hand] = {}
        self._device = threading.Lock()

    def hands(self) -> list[Hand]:
        """What is in hand at this moment."""
        return list(self._hands.values())

    def carry(self, key: str, round: int) -> None:
        """One round of a job, from the engine; killed anywhere in it, the engine calls again."""
        close_old_connections()
        try:
            with self._turn(key):
                taken = self._take(key, round)
                if taken is not None:
                    self._do(*taken)
        finally:
            # Left open they would add up: the engine's threads come and go.
            connections.close_all()

    @contextmanager
    def _turn(self, key: str) -> Iterator[None]:
        """Wait until the device is free, if the job needs it; meanwhile its row stays as it is.

        The engine counts a job only when its thread has begun, so on a busy machine it hands out two at once.
        """
        if not _needs_device(key):
            yield
            return
        while not self._device.acquire(timeout=LOOK_SECONDS):
            if self.stopping.is_set():
                raise Interrupted
        try:
            yield
        finally:
            self._device.release()

    def _do(self, hand: Hand, kind: Kind, job: Job) -> None:
        self._hands[hand.holder] = hand
        try:
            _call(hand, kind, job)
            _end(job, State.DONE)
        except Interrupted:
            self._let_go(hand, kind, job)
        except UserError as error:
            _end(job, State.FAILED, sentence(error))
        except Exception as error:
            logger.exception("%s failed", job.workflow)
            _after_fault(job, kind, error)
        finally:
            del self._hands[hand.holder]

    def _let_go(self, hand: Hand, kind: Kind, job: Job) -> None:
        if hand.taken_away.is_set():
            return
        if self.stopping.is_set():
            put_back(hand)
            # Passing the engine unrecorded, it leaves the workflow to be taken up at the next start.
            raise Interrupted
        _after_fault(job, kind, Fault("It stopped by itself though nobody had asked it to."))

    def _take(self, key: str, round: int) -> tuple[Hand, Kind, Job] | None:
        """Take the job in hand; nothing if it is no longer wanted."""
        job = Job.objects.filter(key=key).first()
        if job is None or job.round != round or job.state in ENDED:
            return None
        if self.stopping.is_set():
            raise Interrupted
        try:
            if not is_known(job):
                return None
            return (Hand(job, self.stopping), find(job.kind), job) if self._claim(job) else None
        except IllegalMove:
            # Cancelled between our two looks at it.
            return None

    def _claim(self, job: Job) -> bool:
        crashed = job.state in CARRIED
        if job.state in (State.RUNNING, State.STUCK):
            job.move(State.LOST)
        most = CHILD_CRASHES if find(job.kind).child else CRASHES
        if crashed and job.crashes + 1 >= most:
            why = f"It ended its worker {most} times without getting any further, so it was not tried again."
            job.move(State.FAILED, error=why, crashes=job.crashes + 1)
            return False
        counts: dict[str, Any] = {"crashes": job.crashes + 1} if crashed else {"attempts": job.attempts + 1}
        mine = {"worker": self.worker, "holder": uuid.uuid4().hex, "error": ""}
        job.move(State.RUNNING, **counts, **mine, started=Now(), heartbeat=Now())
        return True


def _needs_device(key: str) -> bool:
    kind = Job.objects.filter(key=key).values_list("kind", flat=True).first()
    return kind is not None and known(kind) and find(kind).queue is Queue.DEVICE


def _call(hand: Hand, kind: Kind, job: Job) -> None:
    if kind.child:
        run_child(hand, kind.name, job.args)
    else:
        kind.resolve()(hand, **job.args)


def _end(job: Job, state: State, error: str = "") -> None:
    try:
        job.move(state, held_by=job.holder, error=error)
    except IllegalMove:
        logger.warning("%s ended, but was no longer wanted: %s", job.workflow, job.state)


def _after_fault(job: Job, kind: Kind, error: Exception) -> None:
    """Try again later if the kind has tries left; the device is free meanwhile."""
    if job.attempts > len(kind.retries):
        return _end(job, State.FAILED, sentence(error))
    wait = kind.retries[job.attempts - 1]
    later = {"round": job.round + 1, "due": due_after(wait), "queued": None, "crashes": 0}
    try:
        with transaction.atomic():
            text = f"{sentence(error)} It is tried again after {wait:g} s."
            job.move(State.WAITING, held_by=job.holder, error=text, **later)
            send_on_commit(job)
    except IllegalMove:
        logger.warning("%s failed, but was no longer wanted: %s", job.workflow, job.state)


def put_back(hand: Hand) -> None:
    """Let go of a job unfinished, without counting it against the job."""
    hand.rows().update(state=State.WAITING, attempts=F("attempts") - 1, holder="", changed=Now())


def sentence(error: Exception) -> str:
    """One sentence for the row. What a fault says about itself may hold anything, a token included: it stays out."""
    if isinstance(error, UserError | Fault):
        return " ".join(str(error).split())[:LINE]
    return f"Something broke while doing this ({type(error).__name__}); the worker's log has the details."
