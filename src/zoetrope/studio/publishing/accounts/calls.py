"""Calls for an account itself, not for a post: they stand in the ledger too."""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import TypeVar

from django.utils import timezone

from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.seam import Lost, Refused
from zoetrope.studio.publishing.drivers import client_of
from zoetrope.studio.publishing.models import Channel, Entry

T = TypeVar("T")
_LONGEST = 300


def asked(channel: Channel, call: str, ask: Callable[[Client], T]) -> T:
    """What the account answers; how that came out is written down, if there is a channel yet."""
    at, began = timezone.now(), time.perf_counter()
    with closing(client_of(channel)) as client:
        try:
            answer = ask(client)
        except Lost as error:
            _tell(channel, call, at, began, outcome=Entry.Outcome.LOST, note=str(error)[:_LONGEST])
            raise
        except Refused as error:
            codes = {"status": error.status, "code": error.code, "subcode": error.subcode}
            _tell(channel, call, at, began, outcome=Entry.Outcome.REFUSED, note=str(error)[:_LONGEST], **codes)
            raise
    _tell(channel, call, at, began, outcome=Entry.Outcome.DONE)
    return answer


def _tell(channel: Channel, call: str, at: datetime, began: float, **told: object) -> None:
    took = round(1000 * (time.perf_counter() - began))
    if channel.pk:
        Entry.objects.create(channel=channel, call=call, at=at, milliseconds=took, **told)
