"""What was done to posts, as a page offers to undo it; and undoing it, where nobody has gone on since."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.core import signing
from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.slots import local
from zoetrope.studio.publishing import desk, tabling, throwing
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.stamping import LATE, approved_stamp, iso, stamp
from zoetrope.studio.spaces.here import Place
from zoetrope.studio.spaces.models import Role

_SALT = "posts.undo"
_SECONDS = 60 * 60
CHANGED = "Somebody has changed the post since you opened it: look at it again; nothing was changed."


@dataclass(frozen=True)
class Done:
    """Something that was done: which, to which posts, and how they were before and are since."""

    do: str
    posts: tuple[int, ...]
    stamps: tuple[str, ...] = ()
    before: str = ""
    after: str = ""

    def ticket(self, persona: Persona) -> str:
        """As an address carries it."""
        told = [persona.pk, self.do, self.posts, self.stamps, self.before, self.after]
        return signing.dumps(told, salt=_SALT, compress=True)

    def told(self, zone: ZoneInfo) -> str:
        """What a page says of it."""
        at = f" to {_when(self.after, zone)}" if self.after else " to those without a time"
        return {
            "move": f"Moved{at}.",
            "add": "A draft was made.",
            "plan": f"{len(self.posts)} draft{'s were' if len(self.posts) > 1 else ' was'} planned.",
            "schedule": f"Approved: it goes out {_when(self.after, zone) if self.after else 'at once'}.",
            "take_back": "It is a draft again: nothing of it goes out.",
            "drop": "The post is gone, and its pictures are free again.",
            "table": self.before,
        }[self.do]


def read(persona: Persona, ticket: str) -> Done | None:
    """What an address carries; None where it is too old or somebody wrote it."""
    try:
        key, do, posts, stamps, before, after = signing.loads(ticket, salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return Done(do, tuple(posts), tuple(stamps), before, after) if key == persona.pk else None


def undo(place: Place, persona: Persona, done: Done) -> str:
    """As it was before; what then holds, in a sentence."""
    if done.do == "drop":
        back = throwing.bring_back(done.posts[0], persona.space_id)
        also = " Another post shows one of its pictures by now: look at both." if desk.shared(back) else ""
        return f"The post is back as it was.{also}"
    if done.do == "table":
        return tabling.take_out(persona, done.posts[0])
    with transaction.atomic():
        # Nobody changes them between looking and doing.
        posts = Post.objects.filter(persona=persona).select_for_update(of=("self",)).in_bulk(done.posts)
        if done.do in ("add", "plan"):
            return _removed([posts[key] for key in done.posts if key in posts], dict(_pairs(done)))
        post = posts.get(done.posts[0])
        if post is None:
            raise UserError(LATE)
        return {"move": _moved_back, "take_back": _approved_again, "schedule": _taken_back}[done.do](place, post, done)


@contextmanager
def as_seen(post: Post, seen: str) -> Iterator[None]:
    """Within it nobody else changes the post, which is what somebody saw; an empty stamp is of one who did not look."""
    with transaction.atomic():
        row = Post.objects.select_for_update(of=("self",)).select_related("persona").filter(pk=post.pk).first()
        if row is None:
            raise UserError(throwing.AWAY)
        if seen and stamp(row, row.pictures.all()) != seen:
            raise UserError(CHANGED)
        yield


def may_time(place: Place, post: Post) -> None:
    """What waits to go out is another's approval: its time is changed by those who approve."""
    place.ask(Role.owner if post.state == Post.State.SCHEDULED else Role.reviewer)


def _pairs(done: Done) -> Iterable[tuple[int, str]]:
    return zip(done.posts, done.stamps, strict=True)


def _removed(posts: list[Post], stamps: dict[int, str]) -> str:
    untouched = [post for post in posts if stamp(post, post.pictures.all()) == stamps[post.pk]]
    for post in untouched:
        desk.drop(post)
    if not untouched:
        raise UserError(LATE)
    left = len(posts) - len(untouched)
    kept = f" {left} that somebody has changed {'stay' if left > 1 else 'stays'}." if left else ""
    if len(untouched) == 1:
        return f"The draft is gone, and its pictures are free again.{kept}"
    return f"{len(untouched)} drafts are gone, and their pictures are free again.{kept}"


def _moved_back(place: Place, post: Post, done: Done) -> str:
    may_time(place, post)
    if iso(post.due) != done.after:
        raise UserError(LATE)
    before = datetime.fromisoformat(done.before) if done.before else None
    if post.state == Post.State.SCHEDULED:
        _to_come(before)
    desk.move(post, before)
    return "It is back where it was."


def _approved_again(place: Place, post: Post, done: Done) -> str:
    place.ask(Role.owner)
    if stamp(post, post.pictures.all()) != done.stamps[0]:
        raise UserError(LATE)
    _to_come(post.due)
    desk.schedule(post)
    return "It waits to go out again."


def _to_come(due: datetime | None) -> None:
    """Nothing goes out at once because somebody undid something."""
    if due is None or due <= timezone.now():
        raise UserError("The time that it had has passed: it stays as it is.")


def _taken_back(place: Place, post: Post, done: Done) -> str:
    if approved_stamp(post) != done.stamps[0]:
        raise UserError(LATE)
    desk.take_back(post)
    return "It is a draft again: nothing of it goes out."


def _when(text: str, zone: ZoneInfo) -> str:
    return f"{local(datetime.fromisoformat(text), zone):%A %Y-%m-%d at %H:%M}"
