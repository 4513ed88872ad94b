"""Jobs, for domain apps: `from zoetrope.studio.jobs import seam as jobs`. Nothing else of this app is for them.

An app registers its kinds when Django starts, and enqueues beside the row that the job is about:

    class WorkshopConfig(AppConfig):
        def ready(self):
            jobs.register("train", "zoetrope.studio.workshop.tasks:train", child=True)

    with transaction.atomic():
        run = Run.objects.create(...)
        jobs.enqueue("train", f"train-{run.pk}", {"run": run.pk}, scope=f"space:{run.space_id}", title="Train ada")

    def train(work: jobs.Work, run: int) -> None:
        for step in range(100):
            work.check()
            work.progress("training", step + 1, 100)

A function may be called again after a crash, so what it writes are upserts keyed by the job. A mistake of the user is a
`UserError`; everything else that is raised is a fault and tried again, a `Fault` with words fit for people.
"""

from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F

from zoetrope.errors import UserError
from zoetrope.studio.jobs import engine
from zoetrope.studio.jobs.children import Fault
from zoetrope.studio.jobs.chores import every
from zoetrope.studio.jobs.kinds import Queue, arguments, find, known, register
from zoetrope.studio.jobs.models import ENDED, MOVES, IllegalMove, Job, State
from zoetrope.studio.jobs.reading import Changes, JobRow, Line, Overview, last_lines, lines_of, overview, since
from zoetrope.studio.jobs.sending import due_after, send_on_commit
from zoetrope.studio.jobs.upkeep import alive_workers, forget, sweep
from zoetrope.studio.jobs.work import Interrupted, Work

__all__ = [
    "ENDED",
    "MOVES",
    "Changes",
    "Fault",
    "IllegalMove",
    "Interrupted",
    "Job",
    "JobRow",
    "Line",
    "Overview",
    "Queue",
    "State",
    "Work",
    "alive_workers",
    "ask",
    "cancel",
    "enqueue",
    "every",
    "forget",
    "last_lines",
    "lines_of",
    "overview",
    "register",
    "resubmit",
    "since",
    "sweep",
]


def enqueue(
    kind: str, key: str, args: dict[str, Any] | None = None, *, scope: str, title: str = "", delay: float = 0
) -> Job:
    """A job for the workers, at once or after so many seconds; the same key is the same job, whatever became of it.

    In a transaction it is enqueued when that commits, and not at all when it does not.
    """
    find(kind)
    values = {"kind": kind, "args": arguments(args or {}), "scope": scope, "title": title, "due": due_after(delay)}
    with transaction.atomic():
        job, created = Job.objects.get_or_create(key=key, defaults=values)
        if created:
            send_on_commit(job)
    return job


def ask(kind: str, name: str, args: dict[str, Any], *, scope: str, title: str = "") -> Job:
    """The job of this name that has not ended, or else another one: unlike a key, a name is never used up.

    Of two who ask in the same moment each may get one of their own, so what it does is done once by the job itself.
    """
    going = Job.objects.filter(kind=kind, key__startswith=f"{name}-").exclude(state__in=ENDED).first()
    return going or enqueue(kind, f"{name}-{uuid4().hex[:16]}", args, scope=scope, title=title)


def cancel(job: Job) -> Job:
    """Nobody shall carry this out any more; who does so now is told within a second. IllegalMove if it has ended."""
    waiting = job.state == State.WAITING
    job.move(State.CANCELLED)
    if waiting:
        # One that runs is told by its row; the engine would only make its worker wait for it.
        workflow = job.workflow
        transaction.on_commit(lambda: engine.cancel(workflow), robust=True)
    return job


def resubmit(job: Job) -> Job:
    """Another chance for a failed or cancelled job, with all its retries. IllegalMove for any other.

    A UserError while another is at work on the same thing.
    """
    told: dict[str, Any] = {"stage": "", "done": 0, "total": 0, "error": "", "worker": "", "holder": ""}
    counts: dict[str, Any] = {"attempts": 0, "crashes": 0, "reached": {}}
    with transaction.atomic():
        if other := _other(job):
            raise UserError(f"{other} is {other.state} already: wait for it, or cancel it first; nothing was changed.")
        job.move(State.WAITING, round=F("round") + 1, due=None, queued=None, **told, **counts)
        send_on_commit(job)
    return job


def _other(job: Job) -> Job | None:
    """One of its kind that is not to be carried out beside it, and has not ended."""
    name = find(job.kind).one_of if known(job.kind) else ""
    same = Job.objects.filter(**{"kind": job.kind, f"args__{name}": job.args[name]}) if name else Job.objects.none()
    return same.exclude(pk=job.pk).exclude(state__in=ENDED).first()
