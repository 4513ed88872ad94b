"""Posts whose time has come are handed to the workers, a step or a few at a time."""

from django.utils import timezone

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.publishing import posting
from zoetrope.studio.publishing.drivers import driver_of
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.spaces.work import scope_of

KIND = "publish"


def look() -> None:
    """Hand in a job for each post with which something is to be done."""
    for post in posting.due(timezone.now()):
        # Whoever was killed with it in hand has counted a turn: then it is another job.
        key = f"{KIND}-{post.pk}-{post.turns}"
        jobs.enqueue(KIND, key, {"post": post.pk}, scope=scope_of(post.space), title=f"Publish {post}"[:200])


def carry(work: jobs.Work, post: int) -> None:
    """The job: on with a post, as far as it goes just now."""
    if posting.advance(post, driver_of, timezone.now):
        row = Post.objects.get(pk=post)
        work.log(f"{row.state}{f': {row.error}' if row.error else ''}")
