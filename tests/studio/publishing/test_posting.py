"""Each way in which a post can go wrong on its way to Instagram, one by one; the soak has them all at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from tests.studio.conftest import Cast
from tests.studio.publishing.graph import Clock, Graph, Options, Plan
from tests.studio.publishing.test_outbox import keep
from zoetrope.errors import UserError
from zoetrope.studio.planning.models import Use
from zoetrope.studio.publishing import desk, posting
from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.instagram.driver import Instagram
from zoetrope.studio.publishing.channels.seam import Driver, Shot
from zoetrope.studio.publishing.models import Channel, Entry, Post

State = Post.State


class Way:
    """Ada's account at a Graph API, on a clock that goes on when told to."""

    def __init__(self, cast: Cast, graph: Graph) -> None:
        self.cast, self.graph, self.truth = cast, graph, graph.truth
        self.instagram: type[Instagram] = Instagram
        self.pace = posting.PACE
        self.account = graph.truth.account("ada")
        self.channel = Channel.objects.create(
            space=cast.space,
            persona=cast.ada,
            kind=Channel.Kind.INSTAGRAM,
            login=Channel.Login.INSTAGRAM,
            name="Ada",
            account=self.account.id,
            token=graph.truth.token(self.account),
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.graph.clock.now(), UTC)

    @contextmanager
    def driver_of(self, channel: Channel) -> Iterator[Driver]:
        base = self.graph.instagram_url
        client = Client(channel.token.tell(), channel.version, base, self.graph.rupload_url, timeout=0.5)
        yield self.instagram(client, channel.account, self.address)
        client.close()

    def address(self, shot: Shot) -> str:
        """The server looks at what it fetches only where a test serves it."""
        return f"https://pictures.example/{shot.sha256}.jpg"

    def post(self, *colours: str, caption: str = "At the sea.", kind: str = "") -> Post:
        kept = [keep(self.cast, colour) for colour in colours or ("teal",)]
        made = desk.draft(self.cast.ada, kept, None, channel=self.channel, caption=caption)
        if kind:
            desk.change(made, kind=kind)
        desk.schedule(made, self.now())
        return made

    def go(self, post: Post, most: int = 80, hours: float = 0) -> Post:
        """On with it as time goes by, until nothing more is to be done or so many hours are over."""
        ends = self.now() + timedelta(hours=hours) if hours else None
        for _ in range(most):
            post.refresh_from_db()
            if post.wake is None or (ends and post.wake > ends):
                break
            self.graph.clock.advance(max(0.0, (post.wake - self.now()).total_seconds()) + 0.01)
            posting.advance(post.pk, self.driver_of, self.now, self.pace)
        post.refresh_from_db()
        return post

    def calls(self, name: str) -> int:
        return len(self.truth.calls_of(name))


@pytest.fixture
def way(cast: Cast) -> Iterator[Way]:
    # One second here is one second there, and time is told to go on.
    with Graph(3, Clock(1.0), Options(check_files=False)) as graph:
        graph.faults.delay = graph.faults.silence = 1.0
        yield Way(cast, graph)


def live(way: Way, post: Post) -> None:
    """It is there once, and known by its own number."""
    there = way.truth.posts_with(post.text) if post.kind != Post.Kind.STORY else list(way.account.posts)
    assert [each.id for each in there] == [post.media]
    assert (post.state, post.error, post.asks) == (State.PUBLISHED, "", False)


@pytest.mark.parametrize(("colours", "kind"), [(("teal",), "image"), (("teal", "red", "gold"), "carousel")])
def test_a_post_goes_out_and_tells_where(way: Way, colours: tuple[str, ...], kind: str) -> None:
    post = way.post(*colours)
    desk.change(post, comment="More tomorrow.")
    desk.schedule(post, way.now())
    way.go(post)
    live(way, post)
    [there] = way.truth.posts_with(post.text)
    assert (post.kind, post.link, [each.text for each in there.comments]) == (kind, there.permalink, ["More tomorrow."])
    assert there.container.params["is_ai_generated"] == "true"
    assert all("is_ai_generated" not in child.params for child in there.container.children)
    assert post.media != post.container
    assert Use.objects.filter(posted=True).count() == len(colours)


@pytest.mark.parametrize(
    "plan", [Plan(after="lost"), Plan(after="500"), Plan(after="late"), Plan(after="hung"), Plan(twice=True)]
)
def test_an_answer_that_is_lost_makes_no_second_post(way: Way, plan: Plan) -> None:
    post = way.post()
    way.graph.faults.once("publish", plan)
    way.go(post)
    live(way, post)
    assert way.calls("publish") == 1


@pytest.mark.parametrize("before", ["reset", "500", "1", "2207001", "2207003", "2207052"])
def test_a_call_that_was_not_carried_out_is_made_again_for_the_same_container(way: Way, before: str) -> None:
    post = way.post()
    way.graph.faults.once("publish", Plan(before=before))
    way.go(post)
    live(way, post)
    assert (way.calls("publish"), way.calls("create")) == (2, 1), "never a new container once it was published"
    assert Entry.objects.filter(call="recent").count() >= posting.PACE.sure, (
        "first it is looked for, longer than what is shown can be old"
    )


def test_a_post_that_is_live_although_its_container_failed_is_found(way: Way) -> None:
    post = way.post()
    way.graph.faults.once("publish", Plan(dies="2207032"))
    way.go(post)
    live(way, post)
    assert way.calls("create") == 1


@pytest.mark.parametrize("fails", ["2207001", "2207032", "2207053"])
def test_a_container_that_fails_is_made_anew_before_anything_was_published(way: Way, fails: str) -> None:
    post = way.post()
    way.graph.faults.once("create", Plan(fails=fails))
    way.go(post)
    live(way, post)
    assert (way.calls("create"), way.calls("publish")) == (2, 1)


def test_a_picture_that_instagram_never_takes_comes_back_to_people(way: Way) -> None:
    post = way.post()
    for _ in range(posting.PACE.tries):
        way.graph.faults.once("create", Plan(fails="2207053"))
    way.go(post)
    assert (post.state, post.asks, Use.objects.count()) == (State.FAILED, True, 0)
    assert way.calls("publish") == 0
    desk.again(post, way.now())
    way.go(post)
    live(way, post)


def test_what_the_content_is_to_blame_for_is_not_tried_again(way: Way) -> None:
    post = way.post()
    way.graph.faults.once("create", Plan(before="2207009"))
    way.go(post)
    assert (post.state, "2207009" in post.error, way.calls("create")) == (State.FAILED, True, 1)


def test_an_account_that_asks_for_patience_gets_it(way: Way) -> None:
    post, other = way.post(), way.post("red", caption="Another.")
    way.graph.faults.rest = 30
    way.graph.faults.once("create", Plan(before="4"))
    began = way.now()
    posting.advance(post.pk, way.driver_of, way.now)
    posting.advance(other.pk, way.driver_of, way.now)
    assert way.calls("create") == 1, "no other post of the account asks meanwhile either"
    way.go(post)
    way.go(other)
    live(way, post)
    live(way, other)
    assert way.now() - began >= timedelta(minutes=30)


def test_an_expired_token_stops_the_account_until_somebody_saw_to_it(way: Way) -> None:
    post = way.post()
    way.truth.expire(way.channel.token.tell())
    way.go(post, hours=2)
    way.channel.refresh_from_db()
    assert (post.state in Post.WAITING, "190" in way.channel.error, way.calls("create")) == (True, True, 1)
    Channel.objects.update(error="", token=way.truth.token(way.account))
    way.go(post)
    live(way, post)


def test_two_that_say_the_same_are_told_apart_by_what_they_show(way: Way) -> None:
    one, other = way.post("teal"), way.post("gold")
    for _ in range(2):
        way.graph.faults.once("publish", Plan(after="lost"))
    for _ in range(60):
        for post in (one, other):
            way.go(post, most=1)
    one.refresh_from_db()
    other.refresh_from_db()
    assert {one.state, other.state} <= {State.PUBLISHED, State.UNCONFIRMED}
    assert len(way.truth.posts_with(one.text)) == 2, "each went out once"
    assert way.calls("publish") == 2


def test_a_container_that_is_forgotten_while_the_account_is_silent_ends_with_a_person(way: Way) -> None:
    post = way.post()
    way.graph.faults.once("publish", Plan(before="reset"))
    way.go(post, most=3)
    assert post.state == State.UNCONFIRMED
    way.graph.clock.advance(25 * 60 * 60)
    way.go(post, hours=4)
    assert (post.state, post.asks, way.truth.posts_with(post.text)) == (State.UNCONFIRMED, True, [])
    assert way.calls("create") == 1, "nobody knows that it is not live, so nothing new is sent"
    with pytest.raises(UserError, match="begins with https"):
        desk.answer(post, live=True, link="javascript:alert(1)")
    desk.answer(post, live=False)
    assert (post.state, Use.objects.count()) == (State.FAILED, 0)
    desk.again(post, way.now())
    way.go(post)
    live(way, post)


def test_a_person_who_found_it_says_so(way: Way) -> None:
    post = way.post()
    way.graph.faults.once("publish", Plan(before="reset"))
    way.go(post, most=3)
    with pytest.raises(UserError, match="Nobody asked"):
        desk.answer(post, live=True)
    Post.objects.update(asks=True)
    post.refresh_from_db()
    desk.answer(post, live=True, link="https://www.instagram.com/p/abc/")
    assert (post.state, post.link, post.wake) == (State.PUBLISHED, "https://www.instagram.com/p/abc/", None)
    assert Use.objects.get().posted


class Hung(Instagram):
    """Hangs at the worst moment for so long that another worker took the post over."""

    def publish(self, container: str) -> str:
        media = super().publish(container)
        Post.objects.update(holder="another", lease=F("lease") + timedelta(minutes=5))
        return media


def test_whoever_lost_its_lease_writes_nothing(way: Way) -> None:
    post = way.post()
    way.instagram = Hung
    way.go(post, most=4)
    assert (post.state, post.holder, post.media) == (State.PUBLISHING, "another", "")
    way.instagram = Instagram
    way.graph.clock.advance(3600)
    way.go(post)
    live(way, post)
    assert way.calls("publish") == 1


def test_no_token_stands_anywhere_but_sealed_in_its_channel(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    token = way.channel.token.tell()
    post = way.post()
    way.graph.faults.once("create", Plan(before="190"))
    way.go(post, hours=1)
    told = [str(each) for each in Entry.objects.values_list("note", flat=True)]
    told += [*map(str, Channel.objects.values_list("error", "token").first() or ()), caplog.text, repr(way.channel)]
    assert all(token not in each for each in told)
