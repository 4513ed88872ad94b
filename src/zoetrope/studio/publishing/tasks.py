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
    for post in posting.due(now):
        # Whoever was killed with it in hand has counted a turn: then it is another job.
        key = f"{KIND}-{post.pk}-{post.turns}"
        job = jobs.enqueue(KIND, key, {"post": post.pk}, scope=scope_of(post.space), title=f"Publish {post}"[:200])
        if job.state in jobs.ENDED:
            _anew(post, job, now)


def _anew(post: Post, job: jobs.Job, now: datetime) -> None:
    """A job that ended without a turn did nothing: another one follows, or a person had it cancelled."""
    if job.state == jobs.State.CANCELLED and post.state in Post.WAITING:
        # Nothing goes out that somebody stopped.
        with suppress(UserError):
            desk.take_back(post)
            Post.objects.filter(pk=post.pk, state=Post.State.DRAFT).update(error=_CANCELLED, turns=F("turns") + 1)
        return
    wait = posting.PACE.again if job.state == jobs.State.FAILED else timedelta(0)
    there = Post.objects.filter(pk=post.pk, turns=post.turns, wake=post.wake)
    there.update(turns=F("turns") + 1, wake=now + wait)


def carry(work: jobs.Work, post: int) -> None:
    """The job: on with a post, as far as it goes just now."""
    if posting.advance(post, driver_of, timezone.now):
        row = Post.objects.get(pk=post)
        work.log(f"{row.state}{f': {row.error}' if row.error else ''}")
