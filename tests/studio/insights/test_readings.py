"""Readings: due at their ages, asked for until they are there, kept apart from zero; and what people type in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.studio.conftest import Cast, Told
from tests.studio.insights.cases import went_out
from tests.studio.publishing.graph import Clock, Graph, Options, Plan
from tests.studio.publishing.graph_caller import Caller
from zoetrope.errors import UserError
from zoetrope.studio.insights import fetching, readings, tasks
from zoetrope.studio.insights.models import METRICS, NUMBERS, Age, Lack, Reading
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.publishing.drivers import INSTAGRAM
from zoetrope.studio.publishing.models import Channel, Entry, Post

HOUR = timedelta(hours=1)


class Seen:
    """Ada's account at a Graph API whose audience is the test's, a channel to it, and a post that went out there."""

    def __init__(self, cast: Cast, graph: Graph) -> None:
        self.cast, self.graph = cast, graph
        self.caller = Caller(graph)
        about = {"space": cast.space, "persona": cast.ada, "name": "Ada", "login": Channel.Login.INSTAGRAM}
        self.channel = Channel.objects.create(
            **about, kind=Channel.Kind.INSTAGRAM, account=self.caller.account.id, token=self.caller.token
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.graph.clock.now(), UTC)

    def post(self, **params: str) -> Post:
        media = self.caller.posted(**params or {"image_url": "http://media.invalid/a.jpg"})
        kind = Post.Kind.REEL if params.get("media_type") == "REELS" else Post.Kind.IMAGE
        post = went_out(self.cast, self.now(), kind=kind, channel=self.channel)
        Post.objects.filter(pk=post.pk).update(media=media)
        post.refresh_from_db()
        return post

    def later(self, hours: float) -> None:
        """Time goes on, and whatever is due by then is asked for."""
        self.graph.clock.advance(hours * 3600)
        readings.plan(self.now())
        for reading in readings.due(self.now()):
            fetching.fetch(reading.pk, self.now())

    def reading(self, post: Post, age: Age) -> Reading:
        return Reading.objects.get(post=post, age=age)

    def asked(self) -> list[str]:
        return [call.outcomes[-1] if call.outcomes else call.fault for call in self.graph.truth.calls_of("insights")]


@pytest.fixture
def seen(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Whose numbers are there at once and grow by the hour."""

    def audience(post: object, name: str, hours: float) -> float | None:
        return round((100 if name == "reach" else 7) * hours)

    with Graph(3, Clock(1.0), Options(check_files=False), audience) as graph:
        monkeypatch.setenv(INSTAGRAM, graph.instagram_url)
        yield Seen(cast, graph)


def test_a_post_is_read_at_its_four_ages(seen: Seen) -> None:
    post = seen.post()
    seen.later(0.5)
    assert Reading.objects.count() == 4
    assert not Reading.objects.exclude(at=None).exists(), "nothing is asked for before its time"
    for age in Age:
        seen.later(age - (seen.now() - (post.published or seen.now())).total_seconds() / 3600 + 0.01)
        reading = seen.reading(post, age)
        assert reading.reach == pytest.approx(100 * age, abs=5)
        assert reading.likes == pytest.approx(7 * age, abs=1)
        assert (reading.wake, reading.follows) == (None, reading.likes)
        assert reading.rate == pytest.approx((reading.total_interactions or 0) / (reading.reach or 1))
        assert (reading.source, reading.watched) == (Reading.Source.ACCOUNT, None)
    assert len(seen.asked()) == 4
    entries = Entry.objects.filter(channel=seen.channel, call=fetching.CALL)
    assert set(entries.values_list("outcome", flat=True)) == {Entry.Outcome.DONE}, "calls stand in the ledger"


def test_what_is_not_told_is_asked_for_again_and_never_zero(seen: Seen) -> None:
    late: dict[str, float] = {"reach": 80.0, "total_interactions": 90.0}

    def audience(post: object, name: str, hours: float) -> float | None:
        return 7.0 if hours >= late.get(name, 0.0) else None

    seen.graph._calls.audience = audience
    post = seen.post()
    seen.later(24.1)
    day = seen.reading(post, Age.DAY)
    assert (day.likes, day.reach, day.total_interactions, day.rate) == (7, None, None, None)
    assert day.wake is not None
    seen.later(48)
    days = seen.reading(post, Age.DAYS)
    assert (days.likes, days.reach, days.rate) == (7, None, None)
    seen.later(12)
    assert (seen.reading(post, Age.DAYS).reach, seen.reading(post, Age.DAYS).rate) == (7, None)
    seen.later(12)
    assert seen.reading(post, Age.DAYS).rate == 1.0
    assert seen.reading(post, Age.DAYS).wake is None
    assert seen.reading(post, Age.DAY).rate is None, "what comes later is no number of the first day"
    hour = seen.reading(post, Age.HOUR)
    assert (hour.at, hour.wake, set(hour.numbers.values())) == (None, None, {None}), "its time was over unread"


def test_an_account_that_says_nothing_in_time_is_let_go(seen: Seen) -> None:
    seen.graph._calls.audience = lambda post, name, hours: None
    post = seen.post()
    for _ in range(60):
        seen.later(4)
    assert list(Reading.objects.filter(post=post).values_list("at", "wake", "rate")) == [(None, None, None)] * 4
    assert 10 <= len(seen.asked()) <= 60


def test_what_the_account_does_not_know_is_left_out_and_remembered(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoetrope.studio.insights.fetching.METRICS", ("impressions", *METRICS))
    one, other = seen.post(), seen.post()
    seen.later(1.1)
    for post in (one, other):
        reading = seen.reading(post, Age.HOUR)
        assert (bool(reading.reach), reading.wake) == (True, None), "nothing more is waited for"
    assert Lack.objects.get().metrics == ["impressions"]
    first, *single = seen.asked()[: 2 + len(METRICS)]
    assert (first, single.count("100"), single.count("ok")) == ("100", 1, len(METRICS))
    assert len(seen.asked()) == 2 + len(METRICS) + 1, "the second post is asked for once, without it"
    Lack.objects.update(at=seen.now() - timedelta(days=31))
    seen.later(23)
    assert seen.asked().count("100") == 4, "after weeks it may know more"


def test_a_reels_seconds_are_seconds(seen: Seen) -> None:
    seen.graph._calls.audience = lambda post, name, hours: 4200 if name == fetching.WATCHED else 3
    seen.graph.options.check_files = False
    reel = seen.post(media_type="REELS", video_url="http://media.invalid/a.mp4")
    seen.later(1.1)
    assert (seen.reading(reel, Age.HOUR).watched, seen.reading(reel, Age.HOUR).reach) == (4.2, 3)


def test_an_account_that_asks_for_patience_gets_it(seen: Seen) -> None:
    one, other = seen.post(), seen.post()
    seen.graph.faults.rest = 90
    seen.graph.faults.once("insights", Plan(before="4"))
    seen.later(1.1)
    assert len(seen.asked()) == 1, "no other post's numbers are asked for meanwhile either"
    seen.channel.refresh_from_db()
    assert seen.channel.rests is not None
    assert 80 <= (seen.channel.rests - seen.now()) / timedelta(minutes=1) <= 91
    seen.later(1)
    assert len(seen.asked()) == 1
    seen.later(1.5)
    assert {seen.reading(each, Age.HOUR).at is not None for each in (one, other)} == {True}


@pytest.mark.parametrize("plan", [Plan(before="reset"), Plan(after="500"), Plan(before="100/33"), Plan(after="hung")])
def test_a_lost_answer_is_asked_for_again(seen: Seen, plan: Plan) -> None:
    seen.graph.faults.silence = 0.2
    post = seen.post()
    seen.graph.faults.once("insights", plan)
    seen.later(1.1)
    assert (seen.reading(post, Age.HOUR).at, seen.reading(post, Age.HOUR).likes) == (None, None)
    seen.later(1)
    assert seen.reading(post, Age.HOUR).likes == 15


def test_a_token_without_the_right_stops_no_post(seen: Seen) -> None:
    text = seen.graph.truth.token(seen.caller.account, without="insights")
    Channel.objects.update(token=text)
    post = seen.post()
    seen.later(1.1)
    seen.channel.refresh_from_db()
    assert (seen.channel.error, "10" in Lack.objects.get().refused) == ("", True)
    seen.later(1)
    assert len(seen.asked()) == 1, "it is not asked in vain again"
    Channel.objects.update(token=seen.caller.token)
    seen.later(24)
    assert seen.reading(post, Age.DAY).likes is not None


def test_an_account_that_was_connected_anew_is_asked_at_once_and_is_blamed_no_more(seen: Seen) -> None:
    text = seen.graph.truth.token(seen.caller.account, without="insights")
    Channel.objects.update(token=text)
    post = seen.post()
    seen.later(1.1)
    ada = seen.cast.ada
    assert fetching.refusals(ada).count() == 1
    Channel.objects.update(token=seen.caller.token, token_made=seen.now())
    assert not fetching.refusals(ada).exists()
    seen.later(1)
    assert seen.reading(post, Age.HOUR).likes is not None
    assert Lack.objects.get().refused == ""
    Lack.objects.update(refused="It tells nothing.", at=seen.now() + HOUR)
    assert fetching.refusals(ada).count() == 1
    Channel.objects.update(retired=seen.now())
    assert not fetching.refusals(ada).exists()


def test_the_page_blames_only_accounts_in_use_for_what_they_refuse_now(cast: Cast) -> None:
    made = timezone.now() - HOUR
    about = {"space": cast.space, "persona": cast.ada, "kind": Channel.Kind.INSTAGRAM, "name": "Ada", "account": "1"}
    channel = Channel.objects.create(**about, token="t", token_made=made)
    lack = Lack.objects.create(channel=channel, kind=Post.Kind.IMAGE, refused="10: not allowed.", at=made + HOUR / 2)

    def blamed() -> bool:
        return "does not tell its numbers" in cast.clients["vic"].get("/s/studio/p/ada/insights/").content.decode()

    assert blamed()
    Channel.objects.update(token_made=timezone.now())
    assert not blamed(), "another token may be allowed more"
    Channel.objects.update(token_made=made)
    Lack.objects.filter(pk=lack.pk).update(refused="")
    assert not blamed(), "it told something"
    Lack.objects.filter(pk=lack.pk).update(refused="10: not allowed.")
    Channel.objects.update(retired=timezone.now(), token="", token_made=None)
    assert not blamed(), "nobody asks a retired one"


def test_what_was_typed_and_forgotten_is_asked_of_the_account_while_it_can_tell(seen: Seen) -> None:
    post = seen.post()
    readings.plan(seen.now())
    now = seen.now() + 73 * HOUR
    readings.typed(post, Age.DAYS, {"likes": 9}, seen.cast.user("rui"), now)
    readings.forgotten(post, Age.DAYS, now)
    seen.later(73)
    reading = seen.reading(post, Age.DAYS)
    assert (reading.source, reading.likes) == (Reading.Source.ACCOUNT, seen.reading(post, Age.DAYS).likes)
    assert reading.likes not in (None, 9)
    late = seen.now() + 300 * HOUR
    readings.typed(post, Age.WEEK, {"likes": 9}, seen.cast.user("rui"), late)
    readings.forgotten(post, Age.WEEK, late)
    assert not Reading.objects.filter(post=post, age=Age.WEEK).exists(), "it is too late to ask"


def test_a_token_that_ended_is_told_as_posting_tells_it(seen: Seen) -> None:
    seen.graph.truth.expire(seen.caller.token)
    seen.later(0)
    post = went_out(seen.cast, seen.now(), channel=seen.channel)
    seen.later(1.1)
    seen.channel.refresh_from_db()
    assert "190" in seen.channel.error
    seen.later(1)
    assert len(seen.asked()) == 1
    assert seen.reading(post, Age.HOUR).likes is None


def test_due_readings_are_handed_in_once_and_a_killed_job_is_followed_by_another(cast: Cast) -> None:
    channel = Channel.objects.create(
        space=cast.space, persona=cast.ada, kind=Channel.Kind.INSTAGRAM, name="Ada", account="1", token="t"
    )
    went_out(cast, timezone.now() - 25 * HOUR, channel=channel)
    went_out(cast, timezone.now() - 25 * HOUR)
    tasks.look()
    tasks.look()
    [job] = jobs.Job.objects.all()
    assert (job.kind, Reading.objects.count()) == (tasks.FETCH, 4), "a folder has no audience to ask"
    # As kill -9 leaves it: a try was counted, and its time is over.
    Reading.objects.filter(pk=job.args["reading"]).update(tries=1)
    tasks.look()
    assert jobs.Job.objects.count() == 2
    Channel.objects.update(rests=timezone.now() + HOUR)
    Reading.objects.update(tries=2)
    tasks.look()
    assert jobs.Job.objects.count() == 2
    tasks.fetch(Told(), 10**9)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "reach",
        [{"name": "reach"}],
        [{"name": "reach", "values": []}],
        [{"name": "reach", "values": [{"value": None}]}],
        [{"name": "reach", "values": [{"value": True}]}],
        [{"name": "reach", "values": [{"value": -1}]}],
        [{"name": "reach", "values": [{"value": float("nan")}]}],
        [{"name": "reach", "values": [{"value": 2**60}]}],
        [{"name": "reach", "values": {"value": 3}}],
        [{"name": ["reach"], "values": [{"value": 3}]}],
    ],
)
def test_what_is_no_number_is_not_known(answer: object) -> None:
    assert readings.read(answer) == {}


def test_numbers_are_read_where_they_stand() -> None:
    told = [{"name": "reach", "values": [{"value": 0}]}, {"name": "views", "total_value": {"value": 5}}]
    assert readings.read(told) == {"reach": 0.0, "views": 5.0}


@pytest.mark.parametrize(
    ("reach", "interactions", "rate"), [(None, 3, None), (10, None, None), (0, 0, None), (10, 0, 0.0), (10, 5, 0.5)]
)
def test_a_rate_needs_both(reach: int | None, interactions: int | None, rate: float | None) -> None:
    assert readings.rate_of({"reach": reach, "total_interactions": interactions}) == rate


def test_people_type_in_what_they_read_and_it_is_labelled(cast: Cast) -> None:
    post = went_out(cast, timezone.now() - 80 * HOUR)
    at = f"/s/studio/posts/{post.pk}/numbers/"
    assert "type in what you read elsewhere" in cast.clients["vic"].get(at).content.decode()
    form = {"age": "72", "reach": "200", "total_interactions": "10", "likes": "0"}
    assert cast.clients["rui"].post(at, form).status_code == 302
    reading = Reading.objects.get()
    assert (reading.reach, reading.rate, reading.likes, reading.comments) == (200, 0.05, 0, None)
    assert (reading.source, reading.by) == (Reading.Source.HAND, cast.user("rui"))
    page = cast.clients["vic"].get(at).content.decode()
    assert "typed in by hand by rui" in page
    assert "5.0%" in page
    part = cast.clients["vic"].get(at, headers={"HX-Request": "true"}).content.decode()
    assert ("<html" in part, "What came of it" in part) == (False, True)
    for wrong in (
        {"age": "168", "reach": "1"},
        {"age": "72"},
        {"age": "72", "reach": "-1"},
        {"age": "x", "reach": "1"},
    ):
        assert cast.clients["rui"].post(at, wrong).status_code == 422, wrong
    assert Reading.objects.get().reach == 200
    assert cast.clients["rui"].post(at, {"do": "forget", "age": "72"}).status_code == 302
    assert not Reading.objects.exists()
    assert cast.clients["rui"].post(at, {"do": "forget", "age": "72"}).status_code == 400


def test_what_the_account_said_is_not_typed_over(cast: Cast) -> None:
    post = went_out(cast, timezone.now() - 80 * HOUR)
    reading = Reading.objects.create(post=post, age=Age.DAYS)
    assert readings.told(reading, {"reach": 5.0, "likes": 2.0}, timezone.now())
    assert not readings.told(reading, {"reach": 9.0, "views": 2.0}, timezone.now()), "the first of two as full counts"
    assert readings.told(reading, {"reach": 9.0, "likes": 2.0, "views": 3.0}, timezone.now())
    with pytest.raises(UserError, match="told these numbers itself"):
        readings.typed(post, Age.DAYS, {"reach": 1}, cast.user("rui"))
    with pytest.raises(UserError, match="no number called"):
        readings.typed(post, Age.DAY, {"impressions": 1}, cast.user("rui"))
    with pytest.raises(UserError, match="from 0 on"):
        readings.typed(post, Age.DAY, {"reach": 1.5}, cast.user("rui"))
    readings.typed(post, Age.DAY, {"watched": 1.5}, cast.user("rui"))
    day = Reading.objects.get(age=Age.DAY)
    assert not readings.told(day, dict.fromkeys(NUMBERS, 1.0), timezone.now()), "nor is what a person typed told over"
    page = cast.clients["rui"].get(f"/s/studio/posts/{post.pk}/numbers/").content.decode()
    assert ('<option value="24"' in page, '<option value="72"' in page) == (True, False)
    draft = went_out(cast)
    Post.objects.filter(pk=draft.pk).update(state=Post.State.DRAFT)
    draft.refresh_from_db()
    with pytest.raises(UserError, match="went out"):
        readings.typed(draft, Age.DAY, {"reach": 1}, cast.user("rui"))


def test_a_posts_own_page_loads_its_numbers_once_it_is_out(cast: Cast) -> None:
    out, draft = went_out(cast, timezone.now() - 30 * HOUR), Post.objects.create(space=cast.space, persona=cast.ada)
    there, rules = f"/s/studio/posts/{out.pk}/numbers/", "insights/numbers."
    page = cast.clients["rui"].get(f"/s/studio/posts/{out.pk}/").content.decode()
    assert (f'hx-get="{there}"' in page, rules in page) == (True, True)
    other = cast.clients["rui"].get(f"/s/studio/posts/{draft.pk}/").content.decode()
    assert ("/numbers/" in other, rules in other) == (False, False)
    for who, types in (("rui", True), ("vic", False)):
        part = cast.clients[who].get(there, headers={"HX-Request": "true"}).content.decode()
        assert ("<html" in part, "What came of it" in part, f'href="{there}"' in part) == (False, True, types)
    assert cast.clients["sam"].get(there).status_code == 404
