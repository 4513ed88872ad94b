"""Posts whose time has come become jobs, and a job carries a post into the outbox."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.studio.conftest import Cast, Told
from tests.studio.publishing.test_outbox import drafted
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.publishing import desk, posting
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


def ended(state: jobs.State) -> jobs.Job:
    """The one job that there is ends like this, without a turn."""
    jobs.Job.objects.update(state=state)
    return jobs.Job.objects.get()


def test_a_post_that_was_moved_after_its_job_was_handed_in_gets_another(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    look()
    desk.move(post, timezone.now() + timedelta(hours=1))
    carry(Told(), post.pk)
    ended(jobs.State.DONE)
    Post.objects.update(due=timezone.now(), wake=timezone.now())
    look()
    look()
    assert jobs.Job.objects.exclude(state__in=jobs.ENDED).count() == 1


def test_a_job_that_failed_before_it_began_is_followed_by_another_after_a_while(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    look()
    ended(jobs.State.FAILED)
    look()
    look()
    assert jobs.Job.objects.count() == 1, "not at once"
    Post.objects.update(wake=timezone.now())
    look()
    assert jobs.Job.objects.count() == 2


def test_what_somebody_stopped_does_not_go_out_until_it_is_approved_again(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    look()
    ended(jobs.State.CANCELLED)
    look()
    post.refresh_from_db()
    assert (post.state, post.wake) == (Post.State.DRAFT, None)
    assert "cancelled" in post.error
    desk.schedule(post, timezone.now())
    look()
    look()
    assert jobs.Job.objects.exclude(state__in=jobs.ENDED).count() == 1


def test_a_job_that_is_stopped_while_it_is_carried_out_stops_the_post(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    look()
    going_on = posting.advance

    def slowly(*args: Any) -> bool:
        # As an upload takes: it is not over when somebody cancels the job.
        Post.objects.filter(pk=post.pk).update(turns=1, state=Post.State.CONTAINERS)
        ended(jobs.State.CANCELLED)
        return True

    monkeypatch.setattr(posting, "advance", slowly)
    carry(Told(), post.pk)
    post.refresh_from_db()
    assert (post.state, post.turns) == (Post.State.DRAFT, 3)
    assert "cancelled" in post.error
    # Killed before it could say so, the next look does.
    monkeypatch.setattr(posting, "advance", going_on)
    jobs.Job.objects.update(key=f"{KIND}-{post.pk}-3")
    Post.objects.update(turns=4, state=Post.State.CONTAINERS, wake=timezone.now(), error="")
    look()
    post.refresh_from_db()
    assert (post.state, post.turns, jobs.Job.objects.count()) == (Post.State.DRAFT, 6, 1)


def test_what_may_be_live_is_looked_after_whoever_cancels(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, timezone.now())
    Post.objects.update(state=Post.State.UNCONFIRMED, began=timezone.now(), container="x")
    look()
    ended(jobs.State.CANCELLED)
    look()
    look()
    assert jobs.Job.objects.count() == 2
    post.refresh_from_db()
    assert post.state == Post.State.UNCONFIRMED
