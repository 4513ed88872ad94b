"""A post's readings: when each is taken, how an answer becomes one, and what people type in. Missing is not zero."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isfinite

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.insights.models import METRICS, NUMBERS, Age, Reading
from zoetrope.studio.publishing.models import Channel, Post
from zoetrope.studio.spaces.models import User

# A later answer would be that of another age. Numbers may come 48 hours late: those of three days on wait for that.
_UNTIL = {Age.HOUR: 6, Age.DAY: 48, Age.DAYS: 72 + 48, Age.WEEK: 168 + 48}
# So long after an answer that lacks something it is asked for again.
_AGAIN = {Age.HOUR: 0.5, Age.DAY: 3.0, Age.DAYS: 6.0, Age.WEEK: 6.0}
_A_WHILE = timedelta(minutes=1)
_LAST = timedelta(hours=max(_UNTIL.values()))
MOST = 2**53
"""No number is larger than what JSON can say."""


def plan(now: datetime) -> int:
    """Rows for posts that went out lately through an account; how many."""
    # All four are made together; a person can type in the last alone only when it is too late for the others.
    there = Exists(Reading.objects.filter(post=OuterRef("pk"), age=Age.WEEK))
    rows = Post.objects.filter(~there, state=Post.State.PUBLISHED, published__gt=now - _LAST).exclude(media="")
    posts = rows.filter(channel__kind=Channel.Kind.INSTAGRAM).values_list("pk", "published")[:500]
    new = [Reading(post_id=key, age=age, wake=_first(at, age, now)) for key, at in posts if at for age in Age]
    return len(Reading.objects.bulk_create(new, ignore_conflicts=True))


def due(now: datetime, most: int = 100) -> "QuerySet[Reading]":
    """Readings to be asked for now, through accounts that may be asked."""
    rows = Reading.objects.filter(wake__lte=now, post__channel__retired=None, post__channel__error="")
    rows = rows.exclude(post__channel__rests__gt=now).exclude(post__channel=None)
    return rows.select_related("post__space").order_by("wake", "pk")[:most]


def put_off(reading: Reading, now: datetime) -> None:
    """A job that ended before it asked counts as a try; another one comes in a while."""
    there = Reading.objects.filter(pk=reading.pk, tries=reading.tries, wake=reading.wake)
    there.update(tries=F("tries") + 1, wake=now + _A_WHILE)


def closes(reading: Reading) -> datetime:
    """From when on an answer is too late for its age."""
    assert reading.post.published is not None
    return reading.post.published + timedelta(hours=_UNTIL[Age(reading.age)])


def next_look(reading: Reading, now: datetime) -> datetime | None:
    """When it is asked for again; None where its time is over by then."""
    again = now + timedelta(hours=_AGAIN[Age(reading.age)])
    return again if again < closes(reading) else None


def told(reading: Reading, numbers: Mapping[str, float], now: datetime) -> bool:
    """Take an account's answer, if it says more than the one before; the first of two that say as much counts."""
    known = sum(value is not None for value in reading.numbers.values())
    if len(numbers) <= known or reading.source == Reading.Source.HAND:
        return False
    _write(reading, numbers, source=Reading.Source.ACCOUNT, at=now, by=None)
    return True


def typed(post: Post, age: Age, numbers: Mapping[str, float | None], by: User, now: datetime | None = None) -> Reading:
    """Take what a person read elsewhere; a number that was left empty is not known."""
    now = now or timezone.now()
    if post.state != Post.State.PUBLISHED or post.published is None:
        raise UserError("Only a post that went out has numbers.")
    if post.published + timedelta(hours=age) > now:
        raise UserError(f"The post is not {age.label} old yet; nothing was changed.")
    said = {name: _checked(name, value) for name, value in numbers.items() if value is not None}
    if not said:
        raise UserError("Type in one number at least: what is left empty counts as not known.")
    with transaction.atomic():
        reading = _row(post, age)
        if reading.source == Reading.Source.ACCOUNT:
            raise UserError("The account told these numbers itself; nothing was changed.")
        _write(reading, said, source=Reading.Source.HAND, at=now, by=by, wake=None)
    return reading


def forgotten(post: Post, age: Age, now: datetime | None = None) -> None:
    """Away with what was typed in; an account that can still tell is asked."""
    reading = Reading.objects.filter(post=post, age=age, source=Reading.Source.HAND).first()
    if reading is None:
        raise UserError("Nothing was typed in for this age; nothing was changed.")
    tells = post.channel is not None and post.channel.kind == Channel.Kind.INSTAGRAM and post.media
    wake = _first(post.published, age, now or timezone.now()) if tells and post.published else None
    if wake is None:
        reading.delete()
    else:
        _write(reading, {}, source="", at=None, by=None, wake=wake)


def rate_of(numbers: Mapping[str, float | None]) -> float | None:
    """Interactions for each one reached: None where either is not known, or nobody was."""
    reach, interactions = numbers.get("reach"), numbers.get("total_interactions")
    return interactions / reach if reach and interactions is not None else None


def read(answer: object) -> dict[str, float]:
    """The numbers of an account's answer; what is left out, or is no number, is not known."""
    rows = answer if isinstance(answer, list) else []
    found = {}
    for row in rows:
        name = row.get("name") if isinstance(row, dict) else None
        value = _value(row) if name else None
        if isinstance(name, str) and value is not None:
            found[name] = value
    return found


def of_post(post: Post) -> list[tuple[Age, Reading | None]]:
    """Every age with its reading, where there are numbers or will be."""
    known = {reading.age: reading for reading in post.readings.all()}
    return [(age, known.get(age)) for age in Age]


def _first(published: datetime, age: Age, now: datetime) -> datetime | None:
    """When it is asked for first; None where that is too late already."""
    return published + timedelta(hours=age) if published + timedelta(hours=_UNTIL[age]) > now else None


def _value(row: Mapping[str, object]) -> float | None:
    """It stands in a list of values, or in a total."""
    values, total = row.get("values"), row.get("total_value")
    last = values[-1] if isinstance(values, list) and values else total
    value = last.get("value") if isinstance(last, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and 0 <= value < MOST else None


def _checked(name: str, value: float) -> float:
    if name not in NUMBERS:
        raise UserError(f"There is no number called {name!a:.40}; nothing was changed.")
    if not (isfinite(value) and 0 <= value < MOST) or (name in METRICS and value != int(value)):
        raise UserError(f"{name.replace('_', ' ').capitalize()} is a number from 0 on; nothing was changed.")
    return value


def _row(post: Post, age: Age) -> Reading:
    try:
        with transaction.atomic():
            row, _ = Reading.objects.get_or_create(post=post, age=age)
    except IntegrityError:
        # A worker was faster.
        row = Reading.objects.get(post=post, age=age)
    return row


def _write(reading: Reading, numbers: Mapping[str, float], **about: object) -> None:
    plain = {name: numbers.get(name) for name in NUMBERS}
    whole = {name: None if plain[name] is None else int(plain[name] or 0) for name in METRICS}
    values = {**whole, "watched": plain["watched"], "rate": rate_of(plain), **about}
    for name, value in values.items():
        setattr(reading, name, value)
    reading.save(update_fields=[*values])
