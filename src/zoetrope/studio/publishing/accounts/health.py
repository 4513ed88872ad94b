"""How a channel is, in sentences: what stops it, what will, and otherwise that all is well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from zoetrope.studio.publishing.accounts.tokens import CALL, ENDED, app
from zoetrope.studio.publishing.models import Channel, Entry

WARNED = timedelta(days=10)
"""So long before its end a person is told about a token."""


@dataclass(frozen=True)
class Word:
    """One thing about a channel, and how bad it is: success, info, warning or error."""

    tone: str
    text: str


def health(channel: Channel, now: datetime, renewal: Entry | None = None) -> list[Word]:
    """What a person wants to know; `renewal` is how its token was renewed last, if it ever was."""
    if channel.kind == Channel.Kind.OUTBOX:
        return [Word("success", "All is well.")]
    found = [*_stopped(channel, now), *_token(channel, now), *_renewal(channel, renewal)]
    bad = any(each.tone in ("warning", "error") for each in found)
    return found if bad else [Word("success", "All is well."), *found]


def _stopped(channel: Channel, now: datetime) -> list[Word]:
    found = []
    if channel.error:
        found.append(Word("error", f"Nothing goes out until somebody has seen to this: {channel.error}"))
    if channel.rests and channel.rests > now:
        found.append(Word("warning", f"The account asked to be left alone until {channel.rests:%Y-%m-%d %H:%M} UTC."))
    return found


def _token(channel: Channel, now: datetime) -> list[Word]:
    if channel.token_ends is None:
        soon = " yet: it is asked for when the token is a day old" if channel.login == Channel.Login.INSTAGRAM else ""
        return [Word("info", f"When its token ends is not known{soon}.")]
    left = channel.token_ends - now
    if left <= timedelta(0):
        return [] if channel.error == ENDED else [Word("error", ENDED)]
    days = left.days
    said = f"Its token ends in {days} {'day' if days == 1 else 'days'}" if days else "Its token ends within a day"
    itself = channel.login == Channel.Login.INSTAGRAM or app() is not None
    if left > WARNED:
        then = "it is renewed by itself" if itself else "put in a new one before"
        return [Word("info", f"{said}; {then}.")]
    why = ", and could not be renewed by itself" if itself else ""
    return [Word("warning", f"{said}{why}: put in a new one.")]


def _renewal(channel: Channel, renewal: Entry | None) -> list[Word]:
    """A failure counts until another token is there."""
    if renewal is None or renewal.outcome == Entry.Outcome.DONE:
        return []
    if channel.token_made and renewal.at <= channel.token_made:
        return []
    return [Word("warning", f"Renewing its token failed on {renewal.at:%Y-%m-%d}. {renewal.note}")]


def renewals(channels: list[Channel]) -> dict[int, Entry]:
    """How each channel's token was renewed last."""
    last = Q()
    for each in channels:
        if each.kind == Channel.Kind.INSTAGRAM:
            rows = Entry.objects.filter(channel=each, post=None, call=CALL).order_by("-pk")
            last |= Q(pk__in=rows.values("pk")[:1])
    return {entry.channel_id: entry for entry in Entry.objects.filter(last)} if last else {}
