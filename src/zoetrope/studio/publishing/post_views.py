"""A post's own page: its pictures, its words, when it goes out, what stands against that, and what became of it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.media.files import read_limited
from zoetrope.studio.library.models import Kept
from zoetrope.studio.planning.asked import keys
from zoetrope.studio.planning.models import Pillar, Rhythm
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.publishing import checks, desk, outgoing, shelf, suggesting, throwing
from zoetrope.studio.publishing.agenda import WORDS, first_pictures
from zoetrope.studio.publishing.calendar import wall
from zoetrope.studio.publishing.editing import edit, wanted_time
from zoetrope.studio.publishing.forms import PictureForm, PostForm, arranged, post_said
from zoetrope.studio.publishing.models import Channel, Entry, Post, PostPicture
from zoetrope.studio.publishing.slotting import slot_on
from zoetrope.studio.publishing.stamping import approved_stamp, iso, stamp, stamps
from zoetrope.studio.publishing.undoing import Done, as_seen
from zoetrope.studio.publishing.views import done, here
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.writing.seam import Length

FOLD = 125
"""So many letters of a caption a phone shows before its "more"."""
_ENTRIES, _AROUND, _ROW = 30, 8, 3


def post_of(place: Place, post: int) -> Post:
    """One post of the space."""
    rows = Post.objects.select_related("persona__rhythm", "channel", "pillar", "by", "campaign_idea__campaign")
    found = get_object_or_404(rows, pk=post, space=place.space)
    found.space = found.persona.space = place.space
    return found


def rhythm(post: Post) -> Rhythm:
    """Its persona's rhythm, which came along with it."""
    return getattr(post.persona, "rhythm", None) or Rhythm(persona=post.persona)


def zone_of(post: Post) -> ZoneInfo:
    """By whose clocks its time is told."""
    return ZoneInfo(rhythm(post).zone)


@dataclass(frozen=True)
class Sheet:
    """A post with its forms."""

    post: Post
    pictures: list[PostPicture]
    form: PostForm
    rows: list[PictureForm]
    # What they looked at who sent the forms: until they look again, that is what they have seen.
    seen: str = ""

    @property
    def stamp(self) -> str:
        return self.seen or stamp(self.post, self.pictures)

    def valid(self) -> bool:
        return all([self.form.is_valid(), *(each.is_valid() for each in self.rows)])


def sheet(request: HttpRequest, post: Post) -> Sheet:
    """What the page shows, and what somebody said on it."""
    data = request.POST if request.method == "POST" else None
    pictures = list(post.pictures.select_related("made"))
    channels = list(Channel.objects.filter(persona=post.persona, retired=None))
    own = Q(retired=None) | Q(pk=post.pillar_id)
    pillars = list(Pillar.objects.filter(own, persona=post.persona))
    form = PostForm(channels, pillars, data, initial=post_said(post, wall(post.due, zone_of(post))))
    seen = request.POST.get("stamp", "")
    return Sheet(post, pictures, form, [PictureForm(each, data) for each in pictures], seen)


@in_space()
def one(request: HttpRequest, place: Place, post: int) -> HttpResponse:
    """A post; what is said on its page is saved, and approved where that was asked for."""
    found = post_of(place, post)
    seen = sheet(request, found)
    if request.method != "POST":
        return _page(request, place, seen)
    place.ask(Role.owner if request.POST.get("do") == "schedule" else Role.reviewer)
    if seen.valid():
        try:
            return _saved(request, place, seen)
        except UserError as error:
            seen.form.add_error(None, str(error))
            # What was saved before the fault was found is not kept.
            seen = replace(seen, post=post_of(place, post))
    return _page(request, place, seen, status=422)


def _saved(request: HttpRequest, place: Place, seen: Sheet) -> HttpResponse:
    post, approve = seen.post, request.POST.get("do") == "schedule"
    before = post.state
    said = seen.form.cleaned_data
    untouched = not {"day", "time"} & set(seen.form.changed_data)
    due = None if untouched else _due(post, said["day"], said["time"])
    if approve and due is not None and due <= timezone.now():
        raise UserError("That time has passed: choose one to come, or save it first and approve it then.")
    with as_seen(post, request.POST.get("stamp") or "none"):
        changed = edit(place, post, seen.form.words(), arranged(seen.rows), () if untouched else (due,))
        if written := request.POST.get("written"):
            suggesting.written(post, suggesting.read(post, written))
        if approve:
            return approved(request, post)
    if changed and before == Post.State.SCHEDULED:
        messages.info(request, "Saved. It is a draft again, as nobody has approved it like this.")
    else:
        messages.success(request, "Saved.")
    return redirect("post", place.space.slug, post.pk)


def _due(post: Post, day: date | None, clock: time | None) -> datetime | None:
    """When a person wants it; without a time of day at the day's next slot."""
    rhythm = rhythm_of(post.persona)
    return slot_on(post.persona, day, rhythm) if day and clock is None else wanted_time(post, day, clock, rhythm)


def approved(request: HttpRequest, post: Post) -> HttpResponse:
    """Let it go out when its time comes."""
    desk.schedule(post)
    suggesting.learn(post, member(request))
    late = post.due is not None and post.due <= timezone.now()
    return _told(post, Done("schedule", (post.pk,), (approved_stamp(post),), after="" if late else iso(post.due)))


def _told(post: Post, what: Done) -> HttpResponse:
    """Its page, which tells what was done and offers to undo it."""
    answer = redirect("post", post.space.slug, post.pk)
    answer.headers["Location"] += f"?{urlencode({'done': what.ticket(post.persona)})}"
    return answer


def _page(request: HttpRequest, place: Place, seen: Sheet, status: int = 200) -> HttpResponse:
    post, zone = seen.post, zone_of(seen.post)
    said: dict[str, Any] = {"persona": post.persona, "post": post, "sheet": seen, "zone": zone.key}
    said |= {"back": here(request), "word": WORDS[Post.State(post.state)]}
    said |= {"when": wall(post.due, zone), "went": wall(post.published, zone)}
    said |= {"late": post.due is not None and post.due <= timezone.now(), "done": done(request, post.persona, zone)}
    said |= {"open": post.state in (Post.State.DRAFT, Post.State.SCHEDULED, Post.State.FAILED)}
    said |= {"waits": post.state in Post.WAITING, "lengths": list(Length), "counts": counted(post), "limits": checks}
    said |= {"faults": list(checks.faults(post, seen.pictures)), "warnings": list(checks.warnings(post, seen.pictures))}
    said |= {"retimed": post.published is None and post.why.get("at", iso(post.due)) != iso(post.due)}
    entries = Entry.objects.filter(post=post)[:_ENTRIES]
    said |= {"entries": [(each, wall(each.at, zone)) for each in entries]} | _library(post, seen.pictures)
    return render(request, "publishing/post.html", said, status=status)


def counted(post: Post) -> dict[str, int]:
    """How much of what there may be at most is there."""
    tags, mentions = checks.counts(post)
    return {"characters": len(post.text), "hashtags": tags, "mentions": mentions, "comment": len(post.comment)}


def _library(post: Post, pictures: list[PostPicture]) -> dict[str, Any]:
    """Its pictures in the library, and those that the strategy nearly chose; read at once."""
    nearly = [each for each in post.why.get("next", []) if isinstance(each, dict)]
    named = [each.get("kept") for each in nearly]
    rows = Kept.objects.filter(space=post.space_id)
    found = rows.filter(Q(made__in=[each.made_id for each in pictures]) | Q(pk__in=named)).select_related("made")
    known = {each.pk: each for each in found.defer("words", "made__recipe")}
    by_made = {each.made_id: each for each in known.values()}
    following = [(known.get(each.get("kept", 0)), each.get("why", "")) for each in nearly]
    return {"kept": {each.pk: by_made.get(each.made_id) for each in pictures}, "nearly": following}


@require_POST
@in_space(Role.reviewer)
def act(request: HttpRequest, place: Place, post: int) -> HttpResponse:
    """Take it back, try it again, throw it away, make another like it, say what became of it or where it is."""
    found = post_of(place, post)
    do = request.POST.get("do", "")
    if do not in _ACTS:
        raise UserError("A post can be taken back, tried again, duplicated or thrown away; nothing was changed.")
    return _ACTS[do](request, place, found)


def _take_back(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    desk.take_back(post)
    return _told(post, Done("take_back", (post.pk,), stamps([post])))


def _again(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    place.ask(Role.owner)
    desk.again(post)
    messages.success(request, "It is tried again from the beginning.")
    return redirect("post", place.space.slug, post.pk)


def _drop(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    gone = Done("drop", (throwing.throw(post).post,))
    calendar = reverse("calendar", args=[place.space.slug, post.persona.name])
    return redirect(f"{calendar}?{urlencode({'done': gone.ticket(post.persona)})}")


def _duplicate(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    copy = desk.duplicate(post, member(request))
    messages.success(request, "A draft with the same words and pictures, without a time yet.")
    return redirect("post", place.space.slug, copy.pk)


def _live(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    desk.answer(post, live=True, link=request.POST.get("link", "").strip())
    messages.success(request, "It counts as published.")
    return redirect("post", place.space.slug, post.pk)


def _not_live(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    desk.answer(post, live=False)
    messages.info(request, "It counts as never sent, and can be tried again.")
    return redirect("post", place.space.slug, post.pk)


def _linked(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    desk.linked(post, link := request.POST.get("link", "").strip())
    messages.success(request, "Its link is kept." if link else "It has no link any more.")
    return redirect("post", place.space.slug, post.pk)


def _choose(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    chosen = suggesting.read(post, request.POST.get("ticket", ""))
    suggesting.choose(post, chosen)
    messages.success(request, f"The caption is the one that {chosen.by} wrote.")
    return redirect("post", place.space.slug, post.pk)


def _add(request: HttpRequest, place: Place, post: Post) -> HttpResponse:
    """More pictures; or these instead of its own."""
    new = shelf.picked(post.persona, keys(request, "kept"))
    if not new:
        raise UserError("Choose a picture first; nothing was changed.")
    add_pictures(post, new, instead=request.POST.get("instead") == "1")
    return redirect("post", place.space.slug, post.pk)


def add_pictures(post: Post, new: list[Kept], *, instead: bool) -> None:
    """After those that it has, or in their place."""
    made = [] if instead else list(post.pictures.values_list("made", flat=True))
    rows = {
        each.made_id: each for each in Kept.objects.filter(space=post.space_id, made__in=made).select_related("made")
    }
    if len(rows) < len(made):
        raise UserError("One of its pictures has left the library: put others in their place; nothing was changed.")
    kept = [rows[key] for key in made] + [each for each in new if each.made_id not in rows]
    if len(kept) > checks.MOST:
        raise UserError(f"A post has at most {checks.MOST} pictures; nothing was changed.")
    desk.show(post, kept)


_ACTS = {
    "take_back": _take_back,
    "again": _again,
    "drop": _drop,
    "duplicate": _duplicate,
    "live": _live,
    "not_live": _not_live,
    "linked": _linked,
    "choose": _choose,
    "add": _add,
}


@require_POST
@in_space(Role.reviewer)
def captions(request: HttpRequest, place: Place, post: int) -> HttpResponse:
    """Three captions to choose from."""
    found = post_of(place, post)
    length = request.POST.get("length", "")
    told = suggesting.variants(found, Length(length) if length in list(Length) else Length.medium)
    said = {"persona": found.persona, "post": found, "variants": [(each, each.ticket(found)) for each in told]}
    said |= {"lengths": list(Length)}
    part = request.headers.get("HX-Request")
    return render(request, "publishing/variants.html" if part else "publishing/captions.html", said)


@require_GET
@in_space()
def preview(request: HttpRequest, place: Place, post: int) -> HttpResponse:
    """As a phone shows it, and among its neighbours on the profile."""
    found = post_of(place, post)
    said: dict[str, Any] = {"persona": found.persona, "post": found, "grid": neighbours(found), "fold": FOLD}
    said |= {
        "pictures": list(found.pictures.select_related("made")),
        "shown": found.text[:FOLD],
        "rest": found.text[FOLD:],
    }
    part = request.headers.get("HX-Request")
    return render(request, "publishing/preview.html" if part else "publishing/preview_page.html", said)


def neighbours(post: Post) -> list[tuple[Post, str]]:
    """The profile's grid around a post, the newest first, as if all that is planned had gone out."""
    at = post.published or post.due
    rows = Post.objects.filter(persona=post.persona, channel=post.channel).exclude(pk=post.pk)
    rows = rows.exclude(state=Post.State.FAILED).exclude(kind=Post.Kind.STORY).only("due", "caption", "state")
    if at is None:
        before, after = list(rows.exclude(due=None).order_by("-due")[:_AROUND]), []
    else:
        before = list(rows.filter(due__lte=at).order_by(F("due").desc())[:_AROUND])
        after = list(rows.filter(due__gt=at).order_by("due")[:_ROW])[::-1]
    around = [*after, post, *before]
    shown = around[: len(around) - len(around) % _ROW] if len(around) > _ROW else around
    if post not in shown:
        shown = around[:_ROW]
    first = first_pictures(each.pk for each in shown)
    return [(each, first.get(each.pk, "")) for each in shown]


@require_GET
@in_space()
def picture(request: HttpRequest, place: Place, post: int, number: int) -> HttpResponse:
    """One of its pictures as it goes out: cropped, and a JPEG."""
    found = post_of(place, post)
    row = get_object_or_404(PostPicture.objects.select_related("made"), post=found, pk=number)
    try:
        made = outgoing.ready(row.made.sha256, row.crop, found.kind == Post.Kind.STORY)
        data = read_limited(made.path, outgoing.LARGEST)
    except (OSError, UserError) as error:
        raise Http404("The picture cannot be read.") from error
    # Under one address it looks otherwise when it is cropped otherwise.
    return HttpResponse(data, content_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})
