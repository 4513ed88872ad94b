"""How a post goes out exactly once: its row says what was done, and from one call on nothing sends it as a new one.

    scheduled → claimed → containers → ready → publishing → published
                                                   └→ unconfirmed → published, the same container again, or a person

Whatever is about to be done stands in the row before it is done. A worker holds a post for as long as its lease; when
it is killed, whoever comes next finds in the row how far it came. There is no way to make a second post out of one:
after `publishing` was written, only the container that was named then is ever published.
"""

import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Q

from zoetrope.errors import UserError
from zoetrope.media.kinds import MediaKind
from zoetrope.studio.planning import uses
from zoetrope.studio.publishing.channels.seam import Do, Driver, Lost, Parcel, Refused, Seen, Standing
from zoetrope.studio.publishing.models import Channel, Post, changed
from zoetrope.studio.publishing.noting import noted
from zoetrope.studio.publishing.outgoing import NotNow, ready_of
from zoetrope.studio.publishing.parcels import parcel_of, unfit

T = TypeVar("T")
Now = Callable[[], datetime]
DriverOf = Callable[[Channel], AbstractContextManager[Driver]]
State = Post.State
_AT_ONCE = timedelta(0)
# Of the bits of what two pictures look like, so few differ where one is the other as the account keeps it.
_SAME_LOOK = 0.12
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How long things take; tests live on a faster clock."""

    # Longer than any step with all its calls.
    lease: timedelta = timedelta(minutes=5)
    poll: timedelta = timedelta(minutes=1)
    first_poll: timedelta = timedelta(seconds=5)
    polls: int = 5
    tries: int = 6
    again: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=1)
    # A container lives a day; one that is nearly so old is made anew.
    life: timedelta = timedelta(hours=23)
    # What the account shows may be so old.
    stale: timedelta = timedelta(minutes=5)
    # So many looks, one a poll, before a finished container counts as never published.
    sure: int = 8
    # Of an account that does not say how many posts it takes.
    a_day: int = 100
    # After so long without a trace a person is asked; it is looked for still.
    asks: timedelta = timedelta(hours=2)
    looks: timedelta = timedelta(days=2)


PACE = Pace()


@dataclass
class _Hand:
    """A post in hand, and all that carrying it on takes."""

    post: Post
    holder: str
    driver: Driver
    now: Now
    pace: Pace
    until: datetime

    def write(self, *states: Post.State, **values: object) -> None:
        """Into the row, if it is still ours and in one of these states."""
        if not changed(self.post, self.holder, states, **values):
            raise _TakenOver

    def renew(self) -> None:
        """Hold it on, once half of the lease is over."""
        if self.until - self.now() < self.pace.lease / 2:
            self.until = self.now() + self.pace.lease
            self.write(*State, lease=self.until)

    def parcel(self) -> Parcel:
        return parcel_of(self.post)

    def call(self, name: str, function: Callable[..., T], *args: object) -> T:
        """Ask the channel, and write into the ledger how that came out."""
        return noted(self.post.channel_id, self.post.pk, name, self.now(), partial(function, *args))


class _TakenOver(Exception):
    """Its lease ran out and somebody else carries it on."""


def due(now: datetime, most: int = 100) -> list[Post]:
    """Posts with which something is to be done, the longest waiting first."""
    rows = Post.objects.filter(wake__lte=now).filter(Q(lease=None) | Q(lease__lt=now))
    return list(rows.exclude(channel=None).select_related("space").order_by("wake", "pk")[:most])


def advance(key: int, driver_of: DriverOf, now: Now, pace: Pace = PACE) -> bool:
    """Carry a post on as far as it goes just now; false where there is nothing to do, or somebody else does it."""
    holder, until = secrets.token_hex(16), now() + pace.lease
    free = Post.objects.filter(Q(lease=None) | Q(lease__lt=now()), pk=key, wake__lte=now()).exclude(channel=None)
    if not free.update(holder=holder, lease=until, turns=F("turns") + 1):
        return False
    post = Post.objects.select_related("channel", "persona").get(pk=key)
    assert post.channel is not None
    wait: timedelta | None
    try:
        wait = _resting(post.channel, now(), pace)
        if wait is None:
            with driver_of(post.channel) as driver:
                wait = _through(_Hand(post, holder, driver, now, pace, until))
        elif post.state == State.UNCONFIRMED and post.began and now() - post.began > pace.asks:
            # An account that cannot be asked tells nobody what became of it: a person may know.
            changed(post, holder, (State.UNCONFIRMED,), asks=True)
    except _TakenOver:
        return True
    except UserError as error:
        Post.objects.filter(pk=key, holder=holder).update(error=str(error)[:400])
        wait = pace.longest
    except Exception:
        # A fault of ours at one post must not stop it for good, nor any other.
        _log.exception("post %s could not be carried on", key)
        wait = pace.longest
    wake = None if wait is None else now() + wait
    Post.objects.filter(pk=key, holder=holder).update(holder="", lease=None, wake=wake)
    return True


def _resting(channel: Channel, now: datetime, pace: Pace) -> timedelta | None:
    """How long nothing may be asked of the account."""
    if channel.error:
        return pace.again
    return channel.rests - now if channel.rests and channel.rests > now else None


def _through(hand: _Hand) -> timedelta | None:
    """Step after step; how long until the next one, None where nothing more is to be done."""
    while True:
        wait = _STEPS[Post.State(hand.post.state)](hand)
        if wait != _AT_ONCE:
            return wait
        hand.renew()


def _scheduled(hand: _Hand) -> timedelta | None:
    hand.write(State.SCHEDULED, state=State.CLAIMED, tries=0, delays=0, parts=[], container="", error="", began=None)
    return _AT_ONCE


def _claimed(hand: _Hand) -> timedelta | None:
    """One container at a time; each is written down before the next is asked for."""
    post = hand.post
    try:
        parcel = hand.parcel()
    except NotNow as error:
        return _not_yet(hand, Lost(str(error)), State.CLAIMED)
    except UserError as error:
        # The picture is free again, and a person sees why.
        return _failed(hand, str(error), State.CLAIMED)
    try:
        if len(post.parts) < hand.driver.parts(parcel):
            part = hand.call("part", hand.driver.part, parcel, len(post.parts))
            hand.write(State.CLAIMED, parts=[*post.parts, part])
            return _AT_ONCE
        container = hand.call("container", hand.driver.whole, parcel, post.parts)
    except (Lost, Refused) as error:
        return _not_yet(hand, error, State.CLAIMED)
    hand.write(State.CLAIMED, state=State.CONTAINERS, container=container, contained=hand.now(), polls=0, delays=0)
    return hand.pace.first_poll


def _containers(hand: _Hand) -> timedelta | None:
    """Until it can be published."""
    try:
        told = hand.call("status", hand.driver.stands, hand.post.container)
        if told.standing == Standing.IN_PROGRESS and _moves(hand.post):
            hand.call("clip", hand.driver.hand_over, hand.parcel(), hand.post.container, hand.renew)
    except UserError as error:
        return _failed(hand, str(error), State.CONTAINERS)
    except (Lost, Refused) as error:
        return _not_yet(hand, error, State.CONTAINERS)
    if told.standing == Standing.FINISHED:
        hand.write(State.CONTAINERS, state=State.READY, delays=0)
        return _AT_ONCE
    if told.standing == Standing.PUBLISHED:
        # Not by us, as far as the row knows; that it is live is what counts.
        hand.write(State.CONTAINERS, state=State.UNCONFIRMED, began=hand.post.contained, polls=0)
        return _AT_ONCE
    if told.standing != Standing.IN_PROGRESS:
        if told.do is Do.MEND:
            return _failed(hand, told.sentence, State.CONTAINERS)
        return _anew(hand, told.sentence or "The account could not take the pictures.", State.CONTAINERS)
    if hand.post.polls + 1 >= hand.pace.polls:
        return _anew(hand, "The account did not finish with the pictures.", State.CONTAINERS)
    hand.write(State.CONTAINERS, polls=hand.post.polls + 1)
    return hand.pace.poll


def _moves(post: Post) -> bool:
    return post.kind in (Post.Kind.REEL, Post.Kind.STORY) and post.pictures.filter(made__media=MediaKind.clip).exists()


def _ready(hand: _Hand) -> timedelta | None:
    """The one call that cannot be taken back: first it is written down, then made."""
    post = hand.post
    if post.contained is None or hand.now() - post.contained > hand.pace.life:
        return _anew(hand, "It waited for so long that the account forgot it.", State.READY)
    if fault := unfit(post):
        # As a consent that was withdrawn since.
        return _failed(hand, fault, State.READY)
    if not _has_room(hand):
        return hand.pace.longest
    hand.write(State.READY, state=State.PUBLISHING, began=hand.now(), polls=0)
    return _publish(hand)


def _has_room(hand: _Hand) -> bool:
    """Whether the account takes another post today; who cannot be asked says so at the next step."""
    try:
        room = hand.call("room", hand.driver.room)
    except (Lost, Refused):
        room = None
    if room is None:
        day = Post.objects.filter(channel=hand.post.channel, published__gt=hand.now() - timedelta(days=1))
        room = hand.pace.a_day - day.count()
    return room > 0


def _publish(hand: _Hand) -> timedelta | None:
    """However this ends, from here on the post may be live."""
    try:
        media = hand.call("publish", hand.driver.publish, hand.post.container)
    except (Lost, Refused) as error:
        hand.write(State.PUBLISHING, state=State.UNCONFIRMED, error=str(error)[:400], polls=0)
        return max(hand.pace.poll, _heeded(hand, error))
    return _live(hand, media, State.PUBLISHING)


def _publishing(hand: _Hand) -> timedelta | None:
    """Whoever was about to publish it is gone: it was called or not."""
    hand.write(State.PUBLISHING, state=State.UNCONFIRMED, error="Zoetrope stopped while it was published.", polls=0)
    return hand.pace.poll


def _unconfirmed(hand: _Hand) -> timedelta | None:
    """Is it live? The account is asked until that is known; only its own container is ever published again."""
    post, pace = hand.post, hand.pace
    try:
        standing = hand.call("status", hand.driver.stands, post.container).standing
    except Refused as error:
        if error.do not in (Do.ANEW, Do.MEND):
            return _asked(hand, _heeded(hand, error))
        # A container that is not known any more says nothing; a post of it would be seen.
        standing = Standing.EXPIRED
    except Lost:
        return _asked(hand)
    try:
        found = _found(hand)
    except (Lost, Refused) as error:
        return _asked(hand, _heeded(hand, error))
    if found is not None:
        return _live(hand, found.media, State.UNCONFIRMED, found.at)
    hand.write(State.UNCONFIRMED, polls=post.polls + 1)
    looked = post.polls >= pace.sure
    if standing == Standing.PUBLISHED and looked:
        # Live, though the account does not show which: its number is looked for still.
        return _live(hand, "", State.UNCONFIRMED)
    assert post.channel is not None
    if standing == Standing.FINISHED and looked and not post.channel.retired and not unfit(post):
        hand.write(State.UNCONFIRMED, state=State.PUBLISHING, polls=0)
        return _publish(hand)
    return _asked(hand)


def _asked(hand: _Hand, wait: timedelta = _AT_ONCE) -> timedelta | None:
    """Where nothing tells, a person is asked, and it is looked for on."""
    post, pace = hand.post, hand.pace
    since = hand.now() - (post.began or hand.now())
    if since > pace.asks and not post.asks:
        hand.write(State.UNCONFIRMED, asks=True)
    if since > pace.looks:
        return None
    return max(wait, pace.longest if since > pace.asks else pace.poll)


def _found(hand: _Hand) -> Seen | None:
    """The one post of the account that can only be this one."""
    post, pace = hand.post, hand.pace
    assert post.began is not None
    since = post.began - pace.stale
    text, kind = post.text.strip(), post.kind
    seen = hand.call("recent", hand.driver.recent, since)
    # A story shows no words.
    alike = [each for each in seen if each.kind == kind and (each.text.strip() == text or kind == Post.Kind.STORY)]
    owned = Post.objects.filter(channel=post.channel, media__in=[each.media for each in alike]).exclude(pk=post.pk)
    taken = set(owned.values_list("media", flat=True))
    free = [each for each in alike if each.at >= since and each.media not in taken]
    if len(free) == 1 and not _has_twin(post):
        return free[0]
    near = [each for each in free if _looks_like(hand, each)]
    return near[0] if len(near) == 1 else None


def _has_twin(post: Post) -> bool:
    """Whether another post in doubt reads the same: then words alone do not tell them apart."""
    if post.kind == Post.Kind.STORY:
        return True
    live = (State.PUBLISHING, State.UNCONFIRMED)
    nameless = Q(state__in=live) | Q(state=State.PUBLISHED, media="")
    doubtful = Post.objects.filter(nameless, channel=post.channel, kind=post.kind).exclude(pk=post.pk)
    text = post.text.strip()
    return any(each.text.strip() == text for each in doubtful.only("caption", "hashtags"))


def _looks_like(hand: _Hand, seen: Seen) -> bool:
    shown, ours = hand.call("look", hand.driver.look, seen), _look(hand.post)
    if not shown or len(shown) != len(ours):
        return False
    differ = sum((one ^ other).bit_count() for one, other in zip(shown, ours, strict=True))
    return differ / (8 * len(ours)) <= _SAME_LOOK


def _look(post: Post) -> bytes:
    """What it shows, whatever may stand against it by now; nothing where that cannot be read."""
    first = post.pictures.select_related("made").first()
    try:
        return ready_of(first, post.kind == Post.Kind.STORY).look if first else b""
    except UserError:
        return b""


def _live(hand: _Hand, media: str, state: Post.State, since: datetime | None = None) -> timedelta | None:
    """It is out; the number by which its insights are asked for is never its container's."""
    at, well = min(since or hand.now(), hand.now()), {"error": "", "asks": False, "delays": 0, "polls": 0}
    with transaction.atomic():
        # From now on it stands in calendars where it went out, whatever was planned.
        hand.write(state, state=State.PUBLISHED, media=media, published=at, due=_seconds(at), **well)
        uses.posted(hand.post.pk, at)
    return _AT_ONCE


def _seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _published(hand: _Hand) -> timedelta | None:
    """What comes after: its number where that is not known, its link, the first comment."""
    post, pace = hand.post, hand.pace
    try:
        if not post.media:
            found = _found(hand)
            if found is None:
                hand.write(State.PUBLISHED, polls=post.polls + 1)
                return pace.longest if post.polls < pace.sure else _nameless(hand)
            hand.write(State.PUBLISHED, media=found.media)
        if not post.link:
            hand.write(State.PUBLISHED, link=hand.call("link", hand.driver.link, post.media))
        if post.comment and not post.commented:
            # An answer may have been lost before: what stands there is not said again.
            if not hand.call("comments", hand.driver.commented, post.media, post.comment):
                hand.call("comment", hand.driver.comment, post.media, post.comment)
            hand.write(State.PUBLISHED, commented=True)
    except (Lost, Refused) as error:
        hand.write(State.PUBLISHED, delays=post.delays + 1, error=f"It is live; after that: {error}"[:400])
        return _backoff(hand, post.delays) if post.delays < pace.tries else None
    hand.write(State.PUBLISHED, error="")
    return None


def _nameless(hand: _Hand) -> timedelta | None:
    hand.write(State.PUBLISHED, asks=True, error="It is live, but the account does not show which post it is.")
    return None


def _not_yet(hand: _Hand, error: Lost | Refused, state: Post.State) -> timedelta | None:
    """Something before publishing did not work: nothing is live, so it may simply be tried again."""
    do = error.do if isinstance(error, Refused) else Do.AGAIN
    if do is Do.MEND:
        return _failed(hand, str(error), state)
    if do is Do.ANEW:
        return _anew(hand, str(error), state)
    if do is Do.POLL:
        return hand.pace.poll
    if do in (Do.WAIT, Do.LATER, Do.STOP):
        return _heeded(hand, error)
    # An account that does not answer for hours is no fault of the post's: it waits for as long as that lasts.
    hand.write(state, delays=hand.post.delays + 1, error=str(error)[:400])
    return _backoff(hand, hand.post.delays)


def _heeded(hand: _Hand, error: Lost | Refused) -> timedelta:
    """What the account asks of all posts: to be left alone, or for a person."""
    channel, pace = hand.post.channel, hand.pace
    assert channel is not None
    if not isinstance(error, Refused):
        return _AT_ONCE
    if error.do is Do.STOP:
        # A token that was put in meanwhile is another.
        Channel.objects.filter(pk=channel.pk, token_made=channel.token_made).update(error=str(error)[:300])
        return pace.again
    if error.do in (Do.WAIT, Do.LATER):
        wait = timedelta(seconds=error.seconds) if error.seconds else pace.longest
        Channel.objects.filter(pk=channel.pk).update(rests=hand.now() + wait)
        return wait
    return _AT_ONCE


def _anew(hand: _Hand, sentence: str, state: Post.State) -> timedelta | None:
    """Other containers; the old ones were never published and end by themselves."""
    post = hand.post
    if post.tries + 1 >= hand.pace.tries:
        return _failed(hand, sentence, state)
    values: dict[str, Any] = {"parts": [], "container": "", "contained": None, "polls": 0}
    hand.write(state, state=State.CLAIMED, tries=post.tries + 1, error=sentence[:400], **values)
    return _backoff(hand, hand.post.tries)


def _failed(hand: _Hand, sentence: str, state: Post.State) -> timedelta | None:
    """It never went out; its pictures are free for another post."""
    with transaction.atomic():
        hand.write(state, state=State.FAILED, error=sentence[:400], asks=True)
        uses.release(hand.post.pk)
    return None


def _backoff(hand: _Hand, times: int) -> timedelta:
    wait: timedelta = hand.pace.again * 2 ** min(times, 8)
    return min(wait, hand.pace.longest)


_STEPS: "dict[Post.State, Callable[[_Hand], timedelta | None]]" = {
    State.SCHEDULED: _scheduled,
    State.CLAIMED: _claimed,
    State.CONTAINERS: _containers,
    State.READY: _ready,
    State.PUBLISHING: _publishing,
    State.UNCONFIRMED: _unconfirmed,
    State.PUBLISHED: _published,
}
