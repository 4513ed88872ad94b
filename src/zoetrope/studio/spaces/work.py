"""The jobs page of a space: what waits, runs, failed; live, with cancel and another try."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.keeper import Keeper
from zoetrope.studio.spaces.here import Place, in_space
from zoetrope.studio.spaces.models import Membership, Role, Space

# So many of each state at a glance, and so many when one state is looked through.
_A_GLANCE, _A_PAGE = 12, 50
# What needs a person comes first.
_ORDER = ("failed", "stuck", "lost", "running", "waiting", "done", "cancelled")
_LOOK_SECONDS = 0.5
# So soon does whoever was logged out or removed hear nothing more.
_ASK_SECONDS = 3
# A browser opens the stream again by itself.
_LONGEST_SECONDS = 300
_NOBODY = "No worker is alive: what waits stays safe and starts when `zoetrope studio` runs again."
_SILENT = (
    "The worker has not been able to write to the database for a while: see that the disk is not full and that no "
    "other program holds the database; what waits is safe."
)


def scope_of(space: Space) -> str:
    """What jobs call a space."""
    return f"space:{space.pk}"


def around(request: HttpRequest) -> dict[str, Any]:
    """For every template: a sentence when jobs of this space wait and no worker takes them."""
    place = getattr(request, "place", None)
    # Called by whoever shows it; parts of pages do not.
    return {} if place is None else {"stalled": partial(_stalled, place.space)}


def _stalled(space: Space) -> str:
    told = _trouble(jobs.alive_workers().exists())
    waiting = told and jobs.Job.objects.filter(scope=scope_of(space), state=jobs.State.WAITING).exists()
    return told if waiting else ""


def _trouble(alive: bool) -> str:
    """What keeps the worker from working, and what to do; empty while one works or is on its way."""
    keeper = Keeper.current
    if keeper is None:
        return "" if alive else _NOBODY
    return keeper.trouble() or ("" if alive or keeper.starting() else _SILENT)


def job_of(place: Place, job: int) -> jobs.Job:
    """One of the space's jobs."""
    return get_object_or_404(jobs.Job, pk=job, scope=scope_of(place.space))


def moved(job: jobs.Job, act_on: Callable[[jobs.Job], jobs.Job]) -> jobs.Job:
    """The job after it was cancelled or tried again, or one sentence on why it could not be."""
    try:
        return act_on(job)
    except jobs.IllegalMove as error:
        raise UserError(f"{job} is {job.state} by now; nothing was changed.") from error


def log_of(place: Place, job: jobs.Job | None = None) -> SafeString:
    """The newest lines of the space's jobs, or of one; each with its id, by which a page goes on from them."""
    lines = jobs.last_lines(scope_of(place.space), job=job.pk if job else None)
    # Through a template a hundred lines would take as long as the rest of the page.
    return format_html_join(
        "",
        '<span data-line="{}">{} {}\n</span>',
        ((line["id"], f"{line['at']:%H:%M:%S}", line["text"]) for line in lines),
    )


@require_GET
@in_space()
def work(request: HttpRequest, place: Place) -> HttpResponse:
    """The space's jobs by their state, each state told apart; of one state all, page by page."""
    chosen, after = request.GET.get("state", ""), request.GET.get("after", "")
    if chosen in _ORDER:
        start = int(after) if after.isdecimal() and len(after) < 18 else 0
        seen = jobs.overview(scope_of(place.space), states=(jobs.State(chosen),), after=start, limit=_A_PAGE)
    else:
        seen = jobs.overview(scope_of(place.space), limit=_A_GLANCE)
    shown = [(state, seen.counts[state], seen.jobs[state]) for state in map(jobs.State, _ORDER) if state in seen.jobs]
    said: dict[str, Any] = {"states": [each for each in shown if each[2]], "cursor": seen.cursor}
    said |= {"chosen": chosen in _ORDER, "most": _A_PAGE if chosen in _ORDER else _A_GLANCE}
    said |= {"trouble": _trouble(bool(seen.workers)), "log": log_of(place)}
    page = "spaces/work_now.html" if request.headers.get("HX-Request") else "spaces/work.html"
    return render(request, page, said)


@require_GET
@in_space()
def one(request: HttpRequest, place: Place, job: int) -> HttpResponse:
    """A job with its log, live while it goes on."""
    since = jobs.overview(scope_of(place.space), states=(), limit=1).cursor
    found = job_of(place, job)
    said = {"job": found, "over": found.state in jobs.ENDED, "since": since, "log": log_of(place, found)}
    page = "spaces/job_now.html" if request.headers.get("HX-Request") else "spaces/job.html"
    return render(request, page, said)


@require_POST
@in_space(Role.owner)
def act(request: HttpRequest, place: Place, job: int) -> HttpResponse:
    """Cancel a job, or give it another try."""
    found = job_of(place, job)
    act_on = {"cancel": jobs.cancel, "again": jobs.resubmit}.get(request.POST.get("do", ""))
    if act_on is None:
        raise UserError("A job can be cancelled or tried again; nothing was changed.")
    moved(found, act_on)
    messages.info(request, f"{found} is {found.state}.")
    return redirect("work", place.space.slug)


@require_GET
@in_space()
def live(request: HttpRequest, place: Place) -> HttpResponseBase:
    """What changes in the space's jobs, as server-sent events."""
    # A browser that comes back says what it heard last, and a page what it shows already.
    since = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    cursor = since if since.isdecimal() and len(since) < 18 else ""
    welcome = partial(_welcome, place.space, request.session)
    events = _events(scope_of(place.space), cursor, welcome)
    stream = StreamingHttpResponse(events, content_type="text/event-stream")
    stream.headers["Cache-Control"] = "no-cache"
    # Compression would hold events back until there are enough of them.
    stream.headers["Content-Encoding"] = "identity"
    return stream


async def _events(scope: str, cursor: str, welcome: Callable[[], bool]) -> AsyncIterator[bytes]:
    cursor = cursor or (await sync_to_async(_newest)(scope))
    told: dict[int, object] = {}
    lines = 0
    yield b"retry: 2000\n\n"
    for look in range(round(_LONGEST_SECONDS / _LOOK_SECONDS)):
        if look % round(_ASK_SECONDS / _LOOK_SECONDS) == 0 and not await sync_to_async(welcome)():
            return
        seen = await sync_to_async(_look)(scope, cursor)
        cursor = seen.cursor
        fresh = [row for row in seen.jobs if told.get(row["id"]) != row["changed"]]
        told |= {row["id"]: row["changed"] for row in fresh}
        said = [line for line in seen.lines if line["id"] > lines]
        lines = max([lines, *(line["id"] for line in said)])
        if fresh or said:
            data = json.dumps({"jobs": fresh, "lines": said}, cls=DjangoJSONEncoder)
            yield f"id: {cursor}\ndata: {data}\n\n".encode()
        await asyncio.sleep(_LOOK_SECONDS)


def _welcome(space: Space, session: SessionBase) -> bool:
    """Whether whoever came with this login is still logged in, and a member."""
    again = HttpRequest()
    again.session = type(session)(session.session_key)
    with closing(connection):
        return Membership.objects.filter(space=space, user__in=[get_user(again).pk]).exists()


def _newest(scope: str) -> str:
    with closing(connection):
        return jobs.overview(scope, states=(), limit=1).cursor


def _look(scope: str, cursor: str) -> jobs.Changes:
    # A page that is left open for an hour keeps no connection for itself between two looks.
    with closing(connection):
        return jobs.since(scope, cursor)
