"""Posts whose time has come are handed to the workers, a step or a few at a time."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.publishing import desk, posting
from zoetrope.studio.publishing.drivers import driver_of
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.spaces.work import scope_of

KIND = "publish"
_CANCELLED = "Its job was cancelled: approve it again if it is to go out."


def look() -> None:
    """Hand in a job for each post with which something is to be done."""
    now = timezone.now()
    due = posting.due(now)
    before = {_key(post, post.turns - 1): post for post in due}
    rows = jobs.Job.objects.filter(key__in=before, state=jobs.State.CANCELLED)
    stopped = {before[key].pk for key in rows.values_list("key", flat=True) if _stopped(before[key])}
    for post in due:
        if post.pk in stopped:
            continue
        # Whoever was killed with it in hand has counted a turn: then it is another job.
        key, title = _key(post, post.turns), f"Publish {post}"[:200]
        job = jobs.enqueue(KIND, key, {"post": post.pk}, scope=scope_of(post.space), title=title)
        if job.state in jobs.ENDED:
            _anew(post, job, now)


def _anew(post: Post, job: jobs.Job, now: datetime) -> None:
    """A job that ended without a turn did nothing: another one follows, or a person had it cancelled."""
    if job.state == jobs.State.CANCELLED and post.state in Post.WAITING:
        _stopped(post)
        return
    wait = posting.PACE.again if job.state == jobs.State.FAILED else timedelta(0)
    there = Post.objects.filter(pk=post.pk, turns=post.turns, wake=post.wake)
    there.update(turns=F("turns") + 1, wake=now + wait)


def _stopped(post: Post) -> bool:
    """Nothing goes out that somebody stopped, as long as it surely is not live; whether it was."""
    with suppress(UserError):
        desk.take_back(post)
        # By two: the job before its next one is not the one that was cancelled.
        Post.objects.filter(pk=post.pk, state=Post.State.DRAFT).update(error=_CANCELLED, turns=F("turns") + 2)
        return True
    return False


def _key(post: Post, turn: int) -> str:
    return f"{KIND}-{post.pk}-{turn}"


def carry(work: jobs.Work, post: int) -> None:
    """The job: on with a post, as far as it goes just now."""
    if posting.advance(post, driver_of, timezone.now):
        row = Post.objects.get(pk=post)
        # Its row says so, not the work, which is interrupted too where a worker only stops.
        if jobs.Job.objects.filter(key=_key(row, row.turns - 1), state=jobs.State.CANCELLED).exists():
            _stopped(row)
        work.log(f"{row.state}{f': {row.error}' if row.error else ''}")
