"""From a row to the workers: the one way a job gets into a queue."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from zoetrope.studio.jobs import engine
from zoetrope.studio.jobs.kinds import find, known
from zoetrope.studio.jobs.models import Job, State

log = logging.getLogger(__name__)


def due_after(seconds: float) -> datetime | None:
    """When a job is due that waits so long; nothing means at once."""
    return timezone.now() + timedelta(seconds=seconds) if seconds > 0 else None


def send(job: Job) -> None:
    """Enqueue the job's present round; doing so twice is doing so once."""
    delay = (job.due - timezone.now()).total_seconds() if job.due else 0.0
    engine.enqueue(job.workflow, job.key, job.round, find(job.kind).queue, delay)
    # Also says `changed` again: only now can readers of other connections have seen the row.
    Job.objects.filter(pk=job.pk, round=job.round).update(queued=Now(), changed=Now())


def send_on_commit(job: Job) -> None:
    """Send it when its row is safe. What goes wrong then, a kill included, is made good by the sweep."""
    transaction.on_commit(lambda: send(job), robust=True)


def is_known(job: Job) -> bool:
    """Whether this version can do the job; one that it cannot is failed, and says why."""
    if known(job.kind):
        return True
    why = f"This version has nothing that does jobs of kind {job.kind}: install the part that does and try again."
    job.move(State.FAILED, error=why)
    return False


def send_again(job: Job, *, anew: bool) -> bool:
    """A waiting or lost job that nobody would carry out; false if it moved meanwhile, or cannot be done."""
    if not is_known(job):
        return False
    number = job.round + anew
    rows = Job.objects.filter(pk=job.pk, state__in=(State.WAITING, State.LOST), round=job.round)
    if not rows.update(state=State.WAITING, round=number, queued=None, changed=Now()):
        return False
    job.refresh_from_db()
    send(job)
    log.warning("%s had nobody to carry it out and was enqueued again", job.workflow)
    return True
