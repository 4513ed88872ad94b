"""The jobs page of a space: what waits, runs, failed; live, with cancel and another try."""

import asyncio
import json
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.spaces.here import Place, in_space
from zoetrope.studio.spaces.models import Role, Space

_A_PAGE = 100
_LOOK_SECONDS = 0.5
# A browser opens the stream again by itself; so none outlives a login for long.
_LONGEST_SECONDS = 300


def scope_of(space: Space) -> str:
    """What jobs call a space."""
    return f"space:{space.pk}"


@require_GET
@in_space()
def work(request: HttpRequest, place: Place) -> HttpResponse:
    """Every job of the space by its state, each state told apart."""
    seen = jobs.overview(scope_of(place.space), limit=_A_PAGE)
    # What needs a person comes first.
    order = ("failed", "stuck", "lost", "running", "waiting", "done", "cancelled")
    shown = [(state, seen.counts[jobs.State(state)], seen.jobs.get(jobs.State(state), [])) for state in order]
    said = {"states": [each for each in shown if each[1]], "workers": seen.workers, "cursor": seen.cursor}
    page = "spaces/work_now.html" if request.headers.get("HX-Request") else "spaces/work.html"
    return render(request, page, said)


@require_GET
@in_space()
def one(request: HttpRequest, place: Place, job: int) -> HttpResponse:
    """A job with its log."""
    found = get_object_or_404(jobs.Job, pk=job, scope=scope_of(place.space))
    return render(request, "spaces/job.html", {"job": found, "lines": jobs.lines_of(found.pk)})


@require_POST
@in_space(Role.owner)
def act(request: HttpRequest, place: Place, job: int) -> HttpResponse:
    """Cancel a job, or give it another try."""
    found = get_object_or_404(jobs.Job, pk=job, scope=scope_of(place.space))
    act_on = {"cancel": jobs.cancel, "again": jobs.resubmit}.get(request.POST.get("do", ""))
    if act_on is None:
        raise UserError("A job can be cancelled or tried again; nothing was changed.")
    try:
        found = act_on(found)
    except jobs.IllegalMove as error:
        raise UserError(f"{found} is {found.state} by now; nothing was changed.") from error
    messages.info(request, f"{found} is {found.state}.")
    return redirect("work", place.space.slug)


@require_GET
@in_space()
def live(request: HttpRequest, place: Place) -> HttpResponseBase:
    """What changes in the space's jobs, as server-sent events."""
    stream = StreamingHttpResponse(_events(scope_of(place.space)), content_type="text/event-stream")
    stream.headers["Cache-Control"] = "no-cache"
    # Compression would hold events back until there are enough of them.
    stream.headers["Content-Encoding"] = "identity"
    return stream


async def _events(scope: str) -> AsyncIterator[bytes]:
    look = sync_to_async(jobs.since)
    cursor = (await sync_to_async(jobs.overview)(scope, states=(), limit=1)).cursor
    told: dict[int, object] = {}
    lines = 0
    yield b"retry: 2000\n\n"
    for _ in range(round(_LONGEST_SECONDS / _LOOK_SECONDS)):
        seen = await look(scope, cursor)
        cursor = seen.cursor
        fresh = [row for row in seen.jobs if told.get(row["id"]) != row["changed"]]
        told |= {row["id"]: row["changed"] for row in fresh}
        said = [line for line in seen.lines if line["id"] > lines]
        lines = max([lines, *(line["id"] for line in said)])
        if fresh or said:
            data = json.dumps({"jobs": fresh, "lines": said}, cls=DjangoJSONEncoder)
            yield f"data: {data}\n\n".encode()
        await asyncio.sleep(_LOOK_SECONDS)
