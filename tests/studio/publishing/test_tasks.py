"""Posts whose time has come become jobs, and a job carries a post into the outbox."""

from datetime import timedelta

from django.utils import timezone

from tests.studio.conftest import Cast, Told
from tests.studio.publishing.test_outbox import drafted
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.drivers import outbox_of
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.tasks import KIND, carry, look


def test_only_what_is_due_is_handed_in_and_only_once(cast: Cast) -> None:
    now, later = drafted(cast), drafted(cast, caption="Later.")
    desk.schedule(now, timezone.now())
    desk.schedule(later, timezone.now() + timedelta(hours=1))
    look()
    look()
    job = jobs.Job.objects.get()
    assert (job.kind, job.args, job.title) == (KIND, {"post": now.pk}, "Publish At the sea.")


def test_a_job_that_was_killed_with_a_post_in_hand_is_followed_by_another(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    look()
    # As kill -9 leaves it: held, a turn counted, the lease over by now.
    past = timezone.now() - timedelta(seconds=1)
    Post.objects.update(holder="gone", lease=past, turns=1, state=Post.State.PUBLISHING, began=past, container="x")
    look()
    assert jobs.Job.objects.count() == 2


def test_jobs_carry_a_post_into_the_outbox(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    work = Told()
    for _ in range(3):
        Post.objects.exclude(wake=None).update(wake=timezone.now())
        carry(work, post.pk)
    post.refresh_from_db()
    assert (post.state, work.lines[-1]) == (Post.State.PUBLISHED, "published")
    assert post.channel is not None
    assert (outbox_of(post.channel) / post.media / "1.jpg").is_file()
