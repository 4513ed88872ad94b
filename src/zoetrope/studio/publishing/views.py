"""Publishing's pages: the calendar with what is done on it, tables, the feed, and pictures on their way out."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from zoetrope.errors import UserError
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.planning.asked import keys, number
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.rhythm import rhythm_of, today
from zoetrope.studio.publishing import captioning, desk, exchange, feed, shelf, slotting, strategy, tabling
from zoetrope.studio.publishing.agenda import A_DAY, MOST, agenda
from zoetrope.studio.publishing.calendar import Span, View, bounds, read_day, read_time, span, wall
from zoetrope.studio.publishing.checks import MOST as MOST_PICTURES
from zoetrope.studio.publishing.checks import warnings
from zoetrope.studio.publishing.editing import retime, wanted_time
from zoetrope.studio.publishing.forms import TableForm
from zoetrope.studio.publishing.hosting import named
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.outgoing import LARGEST, file_of
from zoetrope.studio.publishing.slotting import slot_on
from zoetrope.studio.publishing.stamping import iso, stamps
from zoetrope.studio.publishing.undoing import Done, read, undo
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_CSV = "text/csv; charset=utf-8"
_CALENDAR = "text/calendar; charset=utf-8"
_FEED_SECONDS = 300


@dataclass(frozen=True)
class Opened:
    """A persona's calendar as somebody opened it."""

    persona: Persona
    rhythm: Rhythm
    zone: ZoneInfo
    today: date
    span: Span

    @property
    def address(self) -> str:
        return reverse("calendar", args=[self.persona.space.slug, self.persona.name])

    def at(self, view: View, day: date) -> str:
        """The same calendar elsewhere."""
        return f"{self.address}?{urlencode({'view': view.value, 'day': day})}"

    @property
    def neighbours(self) -> dict[str, str]:
        """Where the days before, after and around today are."""
        view = self.span.view
        there = {"previous": self.span.previous, "following": self.span.following, "today": self.today}
        return {name: self.at(view, day) for name, day in there.items()}

    @property
    def views(self) -> list[tuple[str, str, bool]]:
        """The ways to look at it: its name, where it is, whether it is this one."""
        # A month opens at its first day: a week of it, or a list, at today where that is in it.
        day = self.today if self.span.inside(self.today) else self.span.opens
        return [(view.value, self.at(view, day), view is self.span.view) for view in View]

    @property
    def slots(self) -> list[str]:
        """When posts go out if nobody says when."""
        return [f"{_WEEKDAYS[each.weekday]} {each.clock:%H:%M}" for each in slotting.week(self.rhythm)]


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def opened(request: HttpRequest, place: Place, persona: str) -> Opened:
    """The calendar that an address names."""
    found = persona_of(place, persona)
    # It is at hand, and asking for it again would cost a query.
    found.space = place.space
    rhythm = rhythm_of(found)
    day = today(rhythm)
    asked = request.GET.get("view", "")
    view = View(asked) if asked in list(View) else View.MONTH
    shown = span(view, read_day(request.GET.get("day", ""), day))
    return Opened(found, rhythm, ZoneInfo(rhythm.zone), day, shown)


@require_GET
@in_space()
def calendar(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """A persona's posts by day, and what could be posted."""
    seen = opened(request, place, persona)
    here_now = here(request)
    mover = f"{here_now}{'&' if '?' in here_now else '?'}move=" if place.reviews else ""
    most = A_DAY if seen.span.view is View.MONTH else MOST
    said: dict[str, Any] = {"persona": seen.persona, "seen": seen, "days": _WEEKDAYS, "back": here_now}
    said |= {"agenda": agenda(seen.persona, seen.span, seen.zone, seen.today, mover, most)}
    said |= {"done": done(request, seen.persona, seen.zone), "plan_days": strategy.DAYS}
    said |= {"moving": _moving(request, seen)}
    said |= {"wordless": len(captioning.wordless(seen.persona)[: captioning.MOST]) if place.reviews else 0}
    return render(request, "publishing/calendar.html", said)


def done(request: HttpRequest, persona: Persona, zone: ZoneInfo) -> dict[str, Any] | None:
    """What was done last, told with its undo, and what a person may want to know of the post that it was done to."""
    ticket = request.GET.get("done", "")
    told = read(persona, ticket) if ticket else None
    if told is None:
        return None
    said: dict[str, Any] = {"ticket": ticket, "told": told.told(zone), "warnings": []}
    if len(told.posts) == 1 and told.do in ("move", "add"):
        post = Post.objects.filter(persona=persona, pk=told.posts[0]).first()
        pictures = list(post.pictures.select_related("made")) if post else []
        said["warnings"] = list(warnings(post, pictures)) if post else []
    return said


def _moving(request: HttpRequest, seen: Opened) -> dict[str, Any] | None:
    """The post that somebody wants to put elsewhere without dragging it."""
    key = number(request.GET.get("move", ""))
    post = Post.objects.filter(persona=seen.persona, pk=key).first() if key else None
    return {"post": post, "when": wall(post.due, seen.zone)} if post else None


@require_POST
@in_space(Role.reviewer)
def add(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Make a draft of pictures, on a day or without one."""
    found = persona_of(place, persona)
    pictures = shelf.picked(found, keys(request, "kept"))
    if not pictures:
        raise UserError("Choose a picture first; nothing was changed.")
    if len(pictures) > MOST_PICTURES:
        raise UserError(f"A post has at most {MOST_PICTURES} pictures: choose fewer; nothing was changed.")
    rhythm, day = rhythm_of(found), request.POST.get("day", "")
    due = slot_on(found, read_day(day, today(rhythm)), rhythm) if day else None
    post = desk.draft(found, pictures, member(request), due=due)
    return back(request, found, Done("add", (post.pk,), stamps([post])))


@require_POST
@in_space(Role.reviewer)
def move(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Put a post onto another day, at its own time of day unless another is said."""
    found = persona_of(place, persona)
    post = get_object_or_404(Post, persona=found, pk=number(request.POST.get("post", "")))
    rhythm, before = rhythm_of(found), post.due
    day, clock = request.POST.get("day", ""), request.POST.get("time", "")
    wanted = read_day(day, today(rhythm)) if day else None
    retime(place, post, wanted_time(post, wanted, read_time(clock) if clock else None, rhythm))
    return back(request, found, Done("move", (post.pk,), before=iso(before), after=iso(post.due)))


@require_POST
@in_space(Role.reviewer)
def undone(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Take back what was done last."""
    found = persona_of(place, persona)
    what = read(found, request.POST.get("ticket", ""))
    if what is None:
        raise UserError("That was too long ago to be undone; everything stays as it is.")
    messages.info(request, undo(place, found, what))
    return back(request, found)


@require_POST
@in_space(Role.reviewer)
def plan(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Fill the next days by the persona's strategy."""
    found = persona_of(place, persona)
    days = number(request.POST.get("days", "")) or strategy.DAYS
    posts = strategy.plan(found, member(request), days)
    if not posts:
        free = shelf.free(found).exists()
        why = "the next days have their posts already" if free else "no picture is free; Plan shows what is missing"
        messages.info(request, f"Nothing was planned: {why}.")
        return back(request, found)
    return back(request, found, Done("plan", tuple(each.pk for each in posts), stamps(posts)))


@require_POST
@in_space(Role.reviewer)
def write(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Have captions written for drafts that have none."""
    found = persona_of(place, persona)
    count = captioning.ask_all(found)
    if not count:
        raise UserError("Every draft with a picture has its words; nothing was asked for.")
    one = "A caption is being written: it appears in its post"
    messages.info(request, f"{one if count == 1 else f'{count} captions are being written: each appears in its post'}.")
    return back(request, found)


@require_GET
@in_space()
def pictures(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Library pictures that are free, a page at a time; for a post, or for the calendar."""
    found = persona_of(place, persona)
    words, before = request.GET.get("q", "")[:80], number(request.GET.get("before", ""))
    rows, following = shelf.page(found, before, words)
    post = number(request.GET.get("post", ""))
    said = {"persona": found, "rows": rows, "following": following, "words": words, "before": before, "for_post": post}
    said |= {"back": request.GET.get("back", "")}
    part = "strip_more" if before else "strip"
    whole = not request.headers.get("HX-Request")
    return render(request, "publishing/pictures.html" if whole else f"publishing/{part}.html", said)


@in_space()
def tables(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Posts as a table and as a calendar for other programs; a table is taken in."""
    found = persona_of(place, persona)
    form = TableForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        place.ask(Role.reviewer)
        if form.is_valid():
            try:
                table = tabling.take_in(found, read_table(form.cleaned_data["file"]), member(request))
            except UserError as error:
                form.add_error(None, str(error))
            else:
                return back(request, found, Done("table", (table.pk,), before=tabling.told(table)))
    path = feed.path_of(found) if place.owns else ""
    address = request.build_absolute_uri(path) if path else ""
    said = {
        "persona": found,
        "form": form,
        "columns": exchange.COLUMNS,
        "address": address,
        "zone": (zone := rhythm_of(found).zone),
        "most": exchange.MOST_LINES,
        "done": done(request, found, ZoneInfo(zone)),
        "back": request.path,
    }
    return render(request, "publishing/tables.html", said, status=422 if form.errors else 200)


def read_table(file: Any) -> bytes:
    """An uploaded table, if it is no larger than may be."""
    if file.size > exchange.LARGEST:
        raise UserError(f"A table has at most {exchange.LARGEST // 10**6} MB; nothing was taken in.")
    data: bytes = file.read()
    return data


@require_GET
@in_space()
def export(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Posts as a table: all, or those of the days that are asked for."""
    return sent_table(persona_of(place, persona), request.GET.get("since", ""), request.GET.get("until", ""))


def sent_table(persona: Persona, since: str, until: str) -> HttpResponse:
    """A persona's posts between two days, both included, on its own clocks."""
    rhythm = rhythm_of(persona)
    zone, day = ZoneInfo(rhythm.zone), today(rhythm)
    narrowed: dict[str, datetime] = {}
    if since:
        narrowed["due__gte"] = bounds(first := read_day(since, day), first, zone)[0]
    if until:
        last = read_day(until, day)
        narrowed["due__lt"] = bounds(last, date.fromordinal(min(last.toordinal() + 1, date.max.toordinal())), zone)[1]
    text = exchange.table(exchange.whole(persona, **narrowed), zone)
    # With its mark a spreadsheet knows that it is UTF-8.
    response = HttpResponse(text.encode("utf-8-sig"), content_type=_CSV)
    response.headers["Content-Disposition"] = f'attachment; filename="{persona.name}-posts.csv"'
    return response


@require_POST
@in_space(Role.owner)
def renew_feed(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Another address for the calendar that other programs read."""
    found = persona_of(place, persona)
    feed.renew(found)
    messages.success(
        request, "There is a new address for calendars; one that was given out before shows nothing any more."
    )
    return redirect("posts-table", place.space.slug, found.name)


@login_not_required
@require_safe
def ical(request: HttpRequest, feed_secret: str) -> HttpResponse:
    """A persona's posts, for whoever was given the address."""
    persona = feed.opened(feed_secret)
    if persona is None:
        raise Http404("There is no such calendar, or it has another address by now.")
    data = feed.calendar(persona, feed.posts_of(persona, timezone.now()))
    headers = {"Cache-Control": f"private, max-age={_FEED_SECONDS}", "X-Robots-Tag": "noindex"}
    return HttpResponse(data, content_type=_CALENDAR, headers=headers)


def back(request: HttpRequest, persona: Persona, done: Done | None = None) -> HttpResponse:
    """To the page that somebody came from, which tells what was done and offers to undo it."""
    there = request.POST.get("back", "")
    if not there.startswith("/s/") or not url_has_allowed_host_and_scheme(there, allowed_hosts=None):
        there = reverse("calendar", args=[persona.space.slug, persona.name])
    if done:
        there += f"{'&' if '?' in there else '?'}{urlencode({'done': done.ticket(persona)})}"
    return redirect(there)


def here(request: HttpRequest) -> str:
    """This page, without what was done on it before."""
    asked = request.GET.copy()
    for name in ("done", "move"):
        asked.pop(name, None)
    return f"{request.path}?{asked.urlencode()}" if asked else request.path


@login_not_required
@require_safe
def outgoing(request: HttpRequest, signed: str) -> HttpResponse:
    """A picture that is about to be posted, for whoever was given its address."""
    name = named(signed)
    try:
        data = read_limited(file_of(name), LARGEST) if name else b""
    except (OSError, MediaError):
        data = b""
    if not data:
        raise Http404("There is no such picture, or it was fetched too late.")
    return HttpResponse(data, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})
