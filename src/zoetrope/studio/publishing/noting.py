"""Every call to a channel stands in the ledger: when it was made, how it came out, how long it took."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from zoetrope.studio.publishing.channels.seam import Lost, Refused
from zoetrope.studio.publishing.models import Entry

T = TypeVar("T")
_LONGEST = 300


def noted(channel: int | None, post: int | None, call: str, at: datetime, ask: Callable[[], T]) -> T:
    """The answer, once how it came out is written down; of what is no channel yet nothing is."""
    began = time.perf_counter()

    def write(outcome: Entry.Outcome, **told: object) -> None:
        if channel is not None:
            took = round(1000 * (time.perf_counter() - began))
            about = {"channel_id": channel, "post_id": post, "call": call, "at": at}
            Entry.objects.create(**about, outcome=outcome, milliseconds=took, **told)

    try:
        answer = ask()
    except Lost as error:
        write(Entry.Outcome.LOST, note=str(error)[:_LONGEST])
        raise
    except Refused as error:
        codes = {"status": error.status, "code": error.code, "subcode": error.subcode}
        write(Entry.Outcome.REFUSED, note=str(error)[:_LONGEST], **codes)
        raise
    write(Entry.Outcome.DONE)
    return answer
