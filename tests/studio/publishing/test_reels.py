"""Reels and moving stories: a clip's bytes are sent, from where an earlier try ended, and nothing is posted twice."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.clips import film
from tests.studio.conftest import Cast
from tests.studio.publishing.graph import Clock, Graph, Options, Plan
from tests.studio.publishing.test_outbox import NOON, keep
from tests.studio.publishing.test_outbox import Way as Folder
from tests.studio.publishing.test_posting import Way, live
from tests.studio.test_clips import sent
from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.library.uploading import take
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import clip_of
from zoetrope.studio.publishing import desk, strategy
from zoetrope.studio.publishing.models import Entry, Post
from zoetrope.studio.publishing.parcels import parcel_of

State = Post.State
REEL, STORY, IMAGE = Post.Kind.REEL, Post.Kind.STORY, Post.Kind.IMAGE


@pytest.fixture
def kept(cast: Cast, tmp_path: Path) -> Kept:
    return take(cast.space, cast.ada, cast.user("rui"), [sent(film(tmp_path / "turn.mp4"))]).added[0]


@pytest.fixture
def way(cast: Cast) -> Iterator[Way]:
    """The server looks into every clip as Instagram would."""
    with Graph(3, Clock(1.0), Options(check_files=True)) as graph:
        graph.faults.delay = graph.faults.silence = 1.0
        yield Way(cast, graph)


def reel(way: Way, kept: Kept, kind: str = "", caption: str = "Once around.") -> Post:
    post = desk.draft(way.cast.ada, [kept], None, channel=way.channel, caption=caption)
    if kind:
        desk.change(post, kind=kind)
    desk.schedule(post, way.now())
    return post


@pytest.mark.parametrize(("kind", "is_there"), [(REEL, "REELS"), (STORY, "STORY")])
def test_a_clip_goes_out_as_it_lies_in_the_library(way: Way, kept: Kept, kind: str, is_there: str) -> None:
    post = reel(way, kept, "" if kind == REEL else kind)
    assert post.kind == kind
    way.go(post)
    live(way, post)
    [there] = way.account.posts
    assert there.product == is_there
    assert there.container.params["is_ai_generated"] == "true"
    assert way.truth.files[there.container.media] == clip_of(kept.made.sha256).read_bytes()
    assert Entry.objects.filter(post=post, call="clip", outcome="done").exists()


@pytest.mark.parametrize(
    "plan",
    [
        *(Plan(before=each) for each in ("reset", "cut", "500", "1", "2207053")),
        *(Plan(after=each) for each in ("lost", "500", "late")),
        Plan(twice=True),
    ],
)
def test_an_upload_that_breaks_off_goes_on_and_makes_one_reel(way: Way, kept: Kept, plan: Plan) -> None:
    post = reel(way, kept)
    way.graph.faults.once("upload", plan)
    way.go(post)
    live(way, post)
    [there] = way.account.posts
    assert way.truth.files[there.container.media] == clip_of(kept.made.sha256).read_bytes()


@pytest.mark.parametrize("plan", [Plan(after="lost"), Plan(after="hung"), Plan(before="500"), Plan(dies="2207032")])
def test_a_reel_in_doubt_is_found_or_published_again_and_never_sent_anew(way: Way, kept: Kept, plan: Plan) -> None:
    post = reel(way, kept)
    way.graph.faults.once("publish", plan)
    way.go(post)
    live(way, post)
    assert (way.calls("create"), way.calls("upload")) == (1, 1)


def test_of_two_reels_that_say_the_same_the_first_picture_tells(way: Way, kept: Kept, tmp_path: Path) -> None:
    other = film(tmp_path / "other.mp4", sides=(120, 160))
    twin = take(way.cast.space, way.cast.ada, way.cast.user("rui"), [sent(other)]).added[0]
    posts = [reel(way, kept), reel(way, twin)]
    way.graph.faults.once("publish", Plan(after="lost"))
    for post in posts:
        way.go(post, hours=1)
    for post in posts:
        way.go(post)
    assert {each.state for each in posts} == {State.PUBLISHED}
    assert len(way.account.posts) == 2


def test_while_a_long_clip_is_sent_the_post_stays_in_hand(
    way: Way, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part says that whoever sends it lives."""
    monkeypatch.setattr("zoetrope.studio.publishing.channels.instagram.client._A_PART", 1000)
    post, leases = reel(way, kept), set()
    original = Post.objects.filter(pk=post.pk)

    class Slow(way.instagram):  # type: ignore[misc, name-defined]
        def hand_over(self, parcel, container, alive):  # type: ignore[no-untyped-def]
            def told() -> None:
                way.graph.clock.advance(200)
                alive()
                leases.add(original.values_list("lease", flat=True)[0])

            super().hand_over(parcel, container, told)

    way.instagram = Slow
    way.go(post)
    live(way, post)
    assert len(leases) > 3


def test_what_cannot_be_a_reel_is_said_before_it_is_approved(cast: Cast, kept: Kept, tmp_path: Path) -> None:
    short = take(cast.space, cast.ada, cast.user("rui"), [sent(film(tmp_path / "a.mp4", seconds=1))]).added[0]
    slow = take(cast.space, cast.ada, cast.user("rui"), [sent(film(tmp_path / "b.mp4", frames=10))]).added[0]

    def refused(*shown: Kept, kind: str = "") -> str:
        post = desk.draft(cast.ada, shown, None)
        if kind:
            desk.change(post, kind=kind)
        with pytest.raises(UserError) as told:
            desk.schedule(post, NOON)
        return str(told.value)

    assert refused(short) == "The clip is 1.0 seconds long; a reel has 3 to 900."
    assert "10.0 pictures a second; 23 to 60" in refused(slow)
    assert "A clip goes out as a reel" in refused(kept, keep(cast))
    assert "A clip goes out as a reel" in refused(kept, kind=IMAGE)
    assert "A reel is a clip" in refused(keep(cast), kind=REEL)
    assert "It has no clip yet" in refused(kind=REEL)
    Made.objects.filter(pk=kept.made_id).update(seconds=61)
    kept.refresh_from_db()
    assert "a story has 3 to 60" in refused(kept, kind=STORY)


def test_the_outbox_holds_the_clip(cast: Cast, kept: Kept, tmp_path: Path) -> None:
    way = Folder(tmp_path / "outbox")
    post = desk.draft(cast.ada, [kept], None, caption="Once around.")
    desk.schedule(post, NOON + timedelta(hours=1))
    way.go(post)
    assert (post.state, post.error) == (State.PUBLISHED, "")
    names = sorted(path.name for path in (way.folder / post.media).iterdir())
    assert names == ["1.mp4", "caption.txt", "post.json"]
    assert (way.folder / post.media / "1.mp4").read_bytes() == clip_of(kept.made.sha256).read_bytes()


def test_a_clip_whose_file_is_gone_is_told(cast: Cast, kept: Kept) -> None:
    post = desk.draft(cast.ada, [kept], None, caption="Once around.")
    clip_of(kept.made.sha256).unlink()
    with pytest.raises(UserError, match="cannot be read: choose another one"):
        parcel_of(post)


def test_a_strategy_plans_clips_as_reels(cast: Cast, kept: Kept, tmp_path: Path) -> None:
    wrong = [film(tmp_path / "short.mp4", seconds=1), film(tmp_path / "slow.mp4", frames=10)]
    take(cast.space, cast.ada, cast.user("rui"), [sent(each) for each in wrong])
    # Sixty a second, as some cameras count it.
    Made.objects.filter(pk=kept.made_id).update(frames=60.01)
    keep(cast)
    assert sorted(each.format for each in strategy.options(cast.ada, {})) == ["image", "reel"]
    posts = strategy.plan(cast.ada, None, now=NOON)
    assert sorted(post.kind for post in posts) == ["image", "reel"]


def test_its_pages_play_it(cast: Cast, kept: Kept) -> None:
    post = desk.draft(cast.ada, [kept], None, caption="Once around.")
    client = cast.clients["olga"]
    page = client.get(f"/s/studio/posts/{post.pk}/").content.decode()
    assert "A clip goes out as it is" in page
    assert "data-crop" not in page
    assert f"/made/{kept.made.sha256}/clip" in client.get(f"/s/studio/posts/{post.pk}/preview/").content.decode()
