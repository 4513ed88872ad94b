"""What somebody says of a post anew: only what differs is written, all of it or nothing, by whoever may."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.slots import at_local, local, moved
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.calendar import FIRST, LAST
from zoetrope.studio.publishing.desk import Shown
from zoetrope.studio.publishing.models import Post, PostPicture
from zoetrope.studio.publishing.slotting import slot_on
from zoetrope.studio.publishing.undoing import may_time
from zoetrope.studio.spaces.here import Place


def edit(
    place: Place,
    post: Post,
    said: dict[str, Any],
    shown: Sequence[Shown] | None = None,
    due: tuple[datetime | None, ...] = (),
) -> bool:
    """Write what differs; whether anything but its time did, which makes a draft of what was approved.

    `due` holds its time, or nothing where that is not said.
    """
    words = {name: value for name, value in said.items() if getattr(post, name) != value}
    pictures = list(post.pictures.all())
    with transaction.atomic():
        if dressed := shown is not None and _differs(pictures, shown):
            desk.arrange(post, shown or ())
        if words:
            desk.change(post, **words)
        for at in due:
            if at != post.due:
                retime(place, post, at)
    return bool(words or dressed)


def retime(place: Place, post: Post, due: datetime | None) -> None:
    """Another time, by whoever may; nothing goes out at once because somebody dropped it onto a past day."""
    may_time(place, post)
    if post.state == Post.State.SCHEDULED and due is not None and due <= timezone.now():
        raise UserError("That time has passed: choose one to come, or take the post back first; nothing was changed.")
    desk.move(post, due)


def wanted_time(post: Post, day: date | None, clock: time | None, rhythm: Rhythm) -> datetime | None:
    """When a post is to go out that somebody puts onto a day: at its own time of day, or else at the next slot's."""
    zone = ZoneInfo(rhythm.zone)
    if day is None:
        return None
    if not FIRST <= day <= LAST:
        raise UserError(f"The calendar reaches from {FIRST} to {LAST}; nothing was changed.")
    if clock is not None:
        same = post.due is not None and local(post.due, zone).replace(tzinfo=None) == datetime.combine(day, clock)
        # In autumn's night an hour comes twice: a post that is not moved keeps its own.
        return post.due if same else at_local(day, clock, zone)
    return moved(post.due, day, zone) if post.due else slot_on(post.persona, day, rhythm)


def _differs(pictures: list[PostPicture], shown: Sequence[Shown]) -> bool:
    return [(each.pk, each.alt, each.crop) for each in pictures] != [
        (each.picture, each.alt, dict(each.crop) if each.crop else None) for each in shown
    ]
