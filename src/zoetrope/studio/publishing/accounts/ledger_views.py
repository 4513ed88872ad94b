"""The page of the ledger, and the whole of it as a table."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.publishing.accounts import ledger
from zoetrope.studio.publishing.models import Entry
from zoetrope.studio.spaces.here import Place, in_space

_DIGITS = 18


def asked_of(request: HttpRequest) -> ledger.Asked:
    """What narrows it down, as the address says."""
    said = {name: request.GET.get(name, "") for name in ("channel", "outcome", "post")}
    return ledger.Asked(**{name: value.replace("\x00", "")[:20] for name, value in said.items()})


@require_GET
@in_space()
def calls(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """The newest calls, or those before one."""
    found, asked = persona_of(place, persona), asked_of(request)
    before = request.GET.get("before", "")
    cursor = int(before) if before.isascii() and before.isdecimal() and len(before) <= _DIGITS else None
    channels = ledger.all_channels(found)
    rows = ledger.page(channels, asked, cursor, ledger.A_PAGE + 1)
    shown, more = rows[: ledger.A_PAGE], len(rows) > ledger.A_PAGE
    narrowed = urlencode({name: value for name, value in vars(asked).items() if value})
    said: dict[str, Any] = {"persona": found, "rows": shown, "asked": asked, "channels": channels, "cursor": cursor}
    said |= {"older": shown[-1].pk if more else None, "narrowed": narrowed, "outcomes": Entry.Outcome.values}
    return render(request, "publishing/accounts/ledger.html", said)


@require_GET
@in_space()
def table(request: HttpRequest, place: Place, persona: str) -> HttpResponseBase:
    """All calls as CSV."""
    found = persona_of(place, persona)
    lines = ledger.table(ledger.all_channels(found), asked_of(request))
    sent = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    sent.headers["Content-Disposition"] = f'attachment; filename="{found.name}-ledger.csv"'
    return sent
