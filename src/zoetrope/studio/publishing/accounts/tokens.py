"""Tokens are renewed long before they end, by a job a day; how that came out is told on the channel."""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.publishing.accounts.calls import asked
from zoetrope.studio.publishing.channels.instagram import connecting
from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.instagram.connecting import App, Granted
from zoetrope.studio.publishing.channels.seam import Do, Lost, Refused
from zoetrope.studio.publishing.models import Channel
from zoetrope.studio.spaces.work import scope_of

KIND, CALL = "renew-access", "renew"
APP, SECRET = "ZOETROPE_INSTAGRAM_APP", "ZOETROPE_INSTAGRAM_SECRET"
"""In the environment: the number and the secret of one's own app at Meta."""
YOUNG = timedelta(hours=24)
"""A token that is younger is not renewed."""
EARLY = timedelta(days=20)
"""So long before its end it is renewed for the first time."""
_LOOK_SECONDS = 600.0
# An hour later it may answer again; after that, tomorrow.
_RETRIES = (300, 3600)
ENDED = "Its token has ended: connect the account again or put in a new token."


@dataclass(frozen=True)
class Held:
    """A token as a channel keeps it."""

    token: str = field(repr=False)
    made: datetime
    ends: datetime | None


def register() -> None:
    """Have tokens looked after by the workers."""
    function = "zoetrope.studio.publishing.accounts.tokens:carry"
    jobs.register(KIND, function, queue=jobs.Queue.OPEN, retries=_RETRIES)
    jobs.every(_LOOK_SECONDS, look)


def app() -> App | None:
    """One's own app at Meta, if there is one."""
    number, secret = os.environ.get(APP, "").strip(), os.environ.get(SECRET, "").strip()
    return App(number, secret) if number and secret else None


def held(granted: Granted) -> Held:
    """What was granted just now."""
    now = timezone.now()
    return Held(granted.token, now, now + timedelta(seconds=granted.seconds) if granted.seconds else None)


def settled(channel: Channel) -> Held:
    """The token that a person typed in, renewed at once if that can be: only so its end is known.

    One that is younger than a day cannot; its end is asked for tomorrow.
    """
    own, token = app(), channel.token.tell()
    ways = [connecting.refreshed] if channel.login == Channel.Login.INSTAGRAM else []
    if own is not None:
        ways.append(lambda client: connecting.lengthened(client, channel.login, own, token))
    for way in ways:
        try:
            return held(asked(channel, CALL, way))
        except (Lost, Refused):
            continue
    return Held(token, timezone.now(), None)


def look() -> None:
    """Hand in a job a day for each token that is to be renewed; nothing goes out by one that has ended."""
    now = timezone.now()
    ended = Channel.objects.filter(retired=None, error="", token_ends__lte=now)
    ended.exclude(token="").update(error=ENDED)
    for channel in due(now):
        key, title = f"{KIND}-{channel.pk}-{now:%Y-%m-%d}", f"Renew the token of {channel}"
        jobs.enqueue(KIND, key, {"channel": channel.pk}, scope=scope_of(channel.space), title=title)


def due(now: datetime) -> list[Channel]:
    """Whose token can be renewed now and ought to be."""
    rows = Channel.objects.filter(retired=None, kind=Channel.Kind.INSTAGRAM, token_made__lte=now - YOUNG)
    instagram = Q(login=Channel.Login.INSTAGRAM)
    # Facebook's are renewed in the name of an app, and may have no end.
    mine = instagram if app() is None else instagram | Q(token_ends__isnull=False)
    soon = Q(token_ends__gt=now, token_ends__lte=now + EARLY) | Q(token_ends=None)
    return list(rows.filter(soon, mine).exclude(token="").select_related("space"))


def carry(work: jobs.Work, channel: int) -> None:
    """The job: renew the token of one channel, if that is still to be done."""
    row = next((each for each in due(timezone.now()) if each.pk == channel), None)
    if row is None:
        return
    try:
        renew(row)
    except Lost as error:
        raise jobs.Fault(f"The token of {row} was not renewed: {error}") from None
    except Refused as error:
        raise UserError(f"The token of {row} was not renewed: {error}") from None
    row.refresh_from_db()
    work.log(f"good until {row.token_ends:%Y-%m-%d}" if row.token_ends else "renewed")


def renew(channel: Channel) -> None:
    """Another token instead of this one, unless a person put in another meanwhile."""
    before = channel.token
    try:
        new = held(asked(channel, CALL, lambda client: _renewed(client, channel)))
    except Refused as error:
        if error.do is Do.STOP:
            Channel.objects.filter(pk=channel.pk, token=before).update(error=str(error)[:300])
        raise
    unchanged = Channel.objects.filter(pk=channel.pk, token=before)
    unchanged.update(token=new.token, token_made=new.made, token_ends=new.ends)


def _renewed(client: Client, channel: Channel) -> Granted:
    if channel.login == Channel.Login.INSTAGRAM:
        return connecting.refreshed(client)
    own = app()
    if own is None:
        raise UserError(f"With Facebook, tokens are renewed in the name of an app: set {APP} and {SECRET}.")
    return connecting.lengthened(client, channel.login, own, channel.token.tell())
