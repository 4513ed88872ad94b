"""Every call that was made, the newest first: looked through by a cursor, and handed out as a table."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Q, QuerySet

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing.models import Channel, Entry

A_PAGE = 50
_AT_ONCE = 2000
_COLUMNS = ("number", "at", "channel", "post", "call", "outcome", "status", "code", "subcode", "milliseconds", "note")
# A spreadsheet would take what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Asked:
    """What narrows it down; empty is everything."""

    # A channel's number, an outcome, a post's number.
    channel: str = ""
    outcome: str = ""
    post: str = ""


def all_channels(persona: Persona) -> list[Channel]:
    """Those too that were retired: their calls stay."""
    return list(Channel.objects.filter(persona=persona))


def page(channels: Sequence[Channel], asked: Asked, before: int | None = None, most: int = A_PAGE) -> list[Entry]:
    """So many entries that are older than the one with this number, or the newest."""
    # Of each channel its own newest: an index answers that, however many there are.
    newest = Q()
    for channel in channels:
        if asked.channel in ("", str(channel.pk)):
            newest |= Q(pk__in=_narrowed(channel, asked, before).order_by("-pk").values("pk")[:most])
    rows = Entry.objects.filter(newest).select_related("channel").order_by("-pk")
    return list(rows[:most]) if newest else []


def _narrowed(channel: Channel, asked: Asked, before: int | None) -> "QuerySet[Entry]":
    rows = Entry.objects.filter(channel=channel)
    if asked.outcome:
        rows = rows.filter(outcome=asked.outcome)
    if asked.post:
        # Whatever is no number is no post's.
        rows = rows.filter(post=int(asked.post) if asked.post.isdecimal() and len(asked.post) < 19 else 0)
    return rows.filter(pk__lt=before) if before is not None else rows


async def table(channels: Sequence[Channel], asked: Asked) -> AsyncIterator[bytes]:
    """All of them as CSV, piece by piece."""
    yield _lines([_COLUMNS])
    before = None
    while rows := await sync_to_async(page)(channels, asked, before, _AT_ONCE):
        yield _lines([_cells(entry) for entry in rows])
        before = rows[-1].pk


def _cells(entry: Entry) -> list[Any]:
    numbers = [entry.status, entry.code, entry.subcode, entry.milliseconds]
    about = [entry.pk, entry.at.isoformat(), _plain(entry.channel.name), entry.post_id, entry.call, entry.outcome]
    return [*about, *numbers, _plain(entry.note)]


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
