"""A post's whole way into the outbox, by the same steps that lead to any channel."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.studio.conftest import Cast
from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import path_of
from zoetrope.studio.planning.models import Use
from zoetrope.studio.publishing import desk, posting
from zoetrope.studio.publishing.channels.outbox.driver import Outbox
from zoetrope.studio.publishing.channels.seam import Driver
from zoetrope.studio.publishing.models import Channel, Entry, Post

State = Post.State
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock:
    """Goes on when told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Way:
    """A folder as a channel, a clock, and whoever carries posts on."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.folder = Clock(), folder
        self.outbox: type[Outbox] = Outbox

    @contextmanager
    def driver_of(self, channel: Channel) -> Iterator[Driver]:
        yield self.outbox(self.folder, self.clock)

    def go(self, post: Post, most: int = 50) -> Post:
        """Until nothing more is to be done, as time goes by."""
        for _ in range(most):
            post.refresh_from_db()
            if post.wake is None:
                break
            self.clock.now = max(self.clock.now, post.wake)
            posting.advance(post.pk, self.driver_of, self.clock)
        post.refresh_from_db()
        return post


@pytest.fixture
def way(tmp_path: Path) -> Way:
    return Way(tmp_path / "out")


def keep(cast: Cast, colour: str = "teal", size: tuple[int, int] = (600, 600)) -> Kept:
    """A picture of the library."""
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    sha256 = hash_bytes(buffer.getvalue())
    write_atomic(path_of(sha256), buffer.getvalue(), durable=False)
    made = Made.objects.create(space=cast.space, persona=cast.ada, sha256=sha256, width=size[0], height=size[1])
    return Kept.objects.create(space=cast.space, made=made, words=colour, title=colour)


def drafted(cast: Cast, *kept: Kept, caption: str = "At the sea.") -> Post:
    return desk.draft(cast.ada, kept or (keep(cast),), cast.user("olga"), caption=caption, hashtags=["sea", "sun"])


def test_a_post_appears_whole_with_all_that_is_needed(cast: Cast, way: Way) -> None:
    post = drafted(cast)
    desk.change(post, comment="More tomorrow.")
    desk.schedule(post, NOON + timedelta(hours=1))
    assert not posting.advance(post.pk, way.driver_of, way.clock), "its time has not come"
    way.go(post)
    assert (post.state, post.error) == (State.PUBLISHED, "")
    folder = way.folder / post.media
    assert sorted(path.name for path in folder.iterdir()) == ["1.jpg", "caption.txt", "first-comment.txt", "post.json"]
    assert (folder / "caption.txt").read_text() == "At the sea.\n\n#sea #sun\n"
    sheet = json.loads((folder / "post.json").read_text())
    assert (sheet["kind"], sheet["made_with_ai"]) == ("image", True)
    with Image.open(folder / "1.jpg") as image:
        assert (image.format, image.size, len(image.getexif())) == ("JPEG", (600, 600), 0)
    assert Use.objects.get().posted
    assert {each.call for each in Entry.objects.all()} >= {"container", "status", "publish", "link"}
    assert not list((way.folder / ".staged").iterdir())


class KilledBefore(Outbox):
    """Its process ends before the call is carried out."""

    def publish(self, container: str) -> str:
        raise KeyboardInterrupt


class KilledAfter(Outbox):
    """Its process ends before the answer is written down."""

    def publish(self, container: str) -> str:
        super().publish(container)
        raise KeyboardInterrupt


@pytest.mark.parametrize("killed", [KilledBefore, KilledAfter])
def test_killed_before_or_after_the_call_it_appears_once(cast: Cast, way: Way, killed: type[Outbox]) -> None:
    post = drafted(cast)
    desk.schedule(post, NOON)
    way.outbox = killed
    with pytest.raises(KeyboardInterrupt):
        way.go(post)
    way.outbox = Outbox
    post.refresh_from_db()
    assert (post.state, post.lease is not None) == (State.PUBLISHING, True)
    assert not posting.advance(post.pk, way.driver_of, way.clock), "whoever holds it may still be at it"
    way.clock.now += posting.PACE.lease + timedelta(seconds=1)
    way.go(post)
    assert post.state == State.PUBLISHED
    assert [path.name for path in way.folder.iterdir() if path.name != ".staged"] == [post.media]


def test_a_fault_of_its_content_frees_its_picture(cast: Cast, way: Way) -> None:
    kept = keep(cast)
    post = drafted(cast, kept)
    desk.schedule(post, NOON)
    path_of(kept.made.sha256).unlink()
    way.go(post)
    assert (post.state, "cannot be read" in post.error, Use.objects.count()) == (State.FAILED, True, 0)
    write_atomic(path_of(kept.made.sha256), _png("teal"), durable=False)
    desk.again(post, NOON)
    way.go(post)
    assert (post.state, Use.objects.count()) == (State.PUBLISHED, 1)


def _png(colour: str) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (600, 600), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_taken_back_in_time_it_does_not_go_out(cast: Cast, way: Way) -> None:
    post = drafted(cast)
    desk.schedule(post, NOON)
    posting.advance(post.pk, way.driver_of, way.clock)
    post.refresh_from_db()
    assert post.state == State.CONTAINERS
    desk.take_back(post)
    way.clock.now += timedelta(hours=1)
    way.go(post)
    assert (post.state, way.folder.joinpath(post.media).exists() and bool(post.media)) == (State.DRAFT, False)
    desk.schedule(post, NOON)
    way.go(post)
    assert post.state == State.PUBLISHED
    with pytest.raises(UserError, match="cannot be taken back"):
        desk.take_back(post)


def test_what_cannot_go_out_is_not_scheduled(cast: Cast) -> None:
    for said, sentence in (
        ({"caption": "a" * 2201}, "2,200 are the most"),
        ({"hashtags": [f"t{n}" for n in range(31)]}, "30 are the most"),
        ({"caption": "@a " * 21}, "20 are the most"),
        ({"kind": "reel"}, "A reel is a clip"),
        ({"kind": "carousel"}, "2 to 10 pictures"),
    ):
        post = drafted(cast)
        desk.change(post, **said)
        with pytest.raises(UserError, match=sentence):
            desk.schedule(post, NOON)
        desk.drop(post)
    post = desk.draft(cast.ada, (), None)
    with pytest.raises(UserError, match="no picture yet"):
        desk.schedule(post, NOON)
    with pytest.raises(UserError, match="when it is to go out"):
        desk.schedule(drafted(cast))


def test_a_changed_post_is_a_draft_again(cast: Cast) -> None:
    post = drafted(cast)
    desk.schedule(post, NOON)
    desk.change(post, caption="Otherwise.")
    post.refresh_from_db()
    assert (post.state, post.caption, post.wake) == (State.DRAFT, "Otherwise.", None)


def test_moved_it_waits_for_its_new_time(cast: Cast, way: Way) -> None:
    post = drafted(cast)
    desk.schedule(post, NOON)
    desk.move(post, NOON + timedelta(days=1))
    assert not posting.advance(post.pk, way.driver_of, way.clock)
    assert Use.objects.get().at == NOON + timedelta(days=1)
    way.go(post)
    assert way.clock.now >= NOON + timedelta(days=1)
    with pytest.raises(UserError, match="take it back"):
        desk.move(post, NOON)
