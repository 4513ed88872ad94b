"""Posts, for programs."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, File, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import AwareDatetime, StringConstraints

from zoetrope.errors import UserError
from zoetrope.studio.bodies import KEPT, Key
from zoetrope.studio.library.models import Kept
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import (
    captioning,
    desk,
    feed,
    shelf,
    slotting,
    strategy,
    suggesting,
    tabling,
    throwing,
    wording,
)
from zoetrope.studio.publishing.calendar import FIRST, LAST
from zoetrope.studio.publishing.campaigns.api import router as campaigns
from zoetrope.studio.publishing.checks import ALT, MOST, faults, warnings
from zoetrope.studio.publishing.desk import Shown
from zoetrope.studio.publishing.editing import edit
from zoetrope.studio.publishing.models import Channel, Entry, Post, PostPicture
from zoetrope.studio.publishing.post_views import counted, post_of
from zoetrope.studio.publishing.stamping import stamp
from zoetrope.studio.publishing.undoing import as_seen
from zoetrope.studio.publishing.views import read_table, sent_table
from zoetrope.studio.spaces.api import Said, asked_place, sends
from zoetrope.studio.spaces.here import Place, member
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.writing.seam import Length

router = Router(tags=["publishing"])
router.add_router("", campaigns)
_A_PAGE, _ENTRIES = 100, 200
# Clocks differ, and people take a while.
_LATE = timedelta(minutes=10)
_OF, _POST = "/spaces/{space}/personas/{persona}/posts", "/spaces/{space}/posts/{post}"
_SLOTS = "/spaces/{space}/personas/{persona}/slots"
Words = Annotated[str, StringConstraints(max_length=wording.LONGEST_TEXT, pattern=KEPT)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=wording.LONGEST_TAG, pattern=KEPT)]


class CropBody(Schema):
    """What is shown of a picture, as shares of it."""

    left: float
    top: float
    width: float
    height: float


class ShownIn(Said):
    """A picture of the library as a post shows it; no crop is as much as the channel takes."""

    kept: Key
    alt: str = Field("", max_length=ALT, pattern=KEPT)
    crop: CropBody | None = None


class PostIn(Said):
    """A draft. Without a channel it goes to the outbox; without a time it waits for one."""

    caption: Words = ""
    hashtags: list[Tag] = Field([], max_length=wording.MOST_TAGS)
    comment: Words = ""
    kind: Literal["image", "carousel", "reel", "story"] | None = None
    labelled: bool = True
    channel: Key | None = None
    pillar: Key | None = None
    due: AwareDatetime | None = None
    pictures: list[ShownIn] = Field([], max_length=MOST)


class PostChange(Said):
    """What is to be said otherwise; what is left away stays. A post that was approved is a draft again.

    Its time alone makes no draft of it, and takes the role owner where it is approved. Pictures are said all together.
    """

    caption: Words | None = None
    hashtags: list[Tag] | None = Field(None, max_length=wording.MOST_TAGS)
    comment: Words | None = None
    kind: Literal["image", "carousel", "reel", "story"] | None = None
    labelled: bool | None = None
    channel: Key | None = None
    pillar: Key | None = None
    due: AwareDatetime | None = None
    pictures: list[ShownIn] | None = Field(None, max_length=MOST)


class PostActIn(Said):
    """What is to become of it: `live` and `not_live` answer a post that asks; `due` is for `schedule` and `again`.

    `linked` says where a post of the outbox was posted by hand; without a link that is forgotten."""

    do: Literal["schedule", "take_back", "again", "duplicate", "live", "not_live", "linked"]
    due: AwareDatetime | None = None
    link: str = Field("", max_length=300, pattern=KEPT)
    # Of the post as it was read: what somebody has changed since is not approved.
    stamp: str = Field("", max_length=16)


class PlanIn(Said):
    """How many days ahead."""

    days: int = Field(strategy.DAYS, ge=1, le=strategy.MOST_DAYS)


class LengthIn(Said):
    """How long captions are to be."""

    length: Literal["short", "medium", "long"] = "medium"


class ShownOut(Schema):
    """A picture of a post; `kept` is null where it has left the library."""

    kept: int | None
    sha256: str
    alt: str
    crop: CropBody | None


class PostOut(Schema):
    """A post; times are in UTC. `asks` means that only a person can tell what became of it, or mend it."""

    id: int
    persona: str
    state: str
    kind: str
    caption: str
    hashtags: list[str]
    comment: str
    labelled: bool
    channel: int | None
    pillar: int | None
    due: datetime | None
    published: datetime | None
    link: str
    error: str
    asks: bool


class CallOut(Schema):
    """One call of an account."""

    at: datetime
    call: str
    outcome: str
    status: int | None
    code: int | None
    subcode: int | None
    note: str
    milliseconds: int


class CountsOut(Schema):
    """How much of what a caption may hold is there."""

    characters: int
    hashtags: int
    mentions: int
    comment: int


class WholePostOut(PostOut):
    """The same with all that its page shows; `why` is the card of the strategy that chose it."""

    pictures: list[ShownOut]
    faults: list[str]
    warnings: list[str]
    counts: CountsOut
    why: dict[str, Any]
    entries: list[CallOut]
    # Handed back with `schedule`, only what was read here is approved.
    stamp: str


class VariantOut(Schema):
    """A caption to choose, and who wrote it."""

    text: str
    hashtags: list[str]
    alt: str
    by: str


class AskedOut(Schema):
    """How many captions are being written."""

    asked: int


class TakenOut(Schema):
    """What a table brought."""

    added: int
    changed: int
    # By which it is taken out again.
    table: int


class ToldOut(Schema):
    """What holds now, in a sentence."""

    told: str


class SlotBody(Schema):
    """A weekday, 0 being Monday, and a time on the persona's own clocks, to the minute."""

    weekday: int = Field(ge=0, le=6)
    clock: time


class SlotsIn(Said):
    """A week's slots; none for the defaults."""

    slots: list[SlotBody] = Field([], max_length=slotting.MOST)


class SlotsOut(Schema):
    """A week's slots, whether they are its own, and whose clocks they are read on."""

    slots: list[SlotBody]
    own: bool
    zone: str


class FeedOut(Schema):
    """Where other programs read the calendar; empty as long as nobody asked for an address."""

    path: str


def _out(post: Post) -> dict[str, Any]:
    names = ("state", "kind", "caption", "hashtags", "comment", "labelled", "due", "published", "link", "error", "asks")
    told = {name: getattr(post, name) for name in names}
    return told | {"id": post.pk, "persona": post.persona.name, "channel": post.channel_id, "pillar": post.pillar_id}


def _whole(post: Post) -> WholePostOut:
    pictures = list(PostPicture.objects.filter(post=post).select_related("made"))
    kept = Kept.objects.filter(space=post.space_id, made__in=[each.made_id for each in pictures])
    known = dict(kept.values_list("made", "pk"))
    shown = [
        ShownOut(
            kept=known.get(each.made_id),
            sha256=each.made.sha256,
            alt=each.alt,
            crop=CropBody(**each.crop) if each.crop else None,
        )
        for each in pictures
    ]
    entries = [CallOut.from_orm(each) for each in Entry.objects.filter(post=post)[:_ENTRIES]]
    return WholePostOut(
        **_out(post),
        pictures=shown,
        faults=list(faults(post, pictures)),
        warnings=list(warnings(post, pictures)),
        counts=CountsOut(**counted(post)),
        why=post.why,
        entries=entries,
        stamp=stamp(post, pictures),
    )


@router.get(_OF, response=list[PostOut])
def list_posts(
    request: HttpRequest,
    space: str,
    persona: str,
    since: datetime | None = None,
    until: datetime | None = None,
    state: str = Query("", max_length=12),  # type: ignore[type-arg]
    timeless: bool = False,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """A persona's posts by their time, a hundred at a time; `after` is how many to leave out.

    `since` is included and `until` is not, in UTC where they say no zone; `timeless` lists drafts without a time.
    """
    rows = Post.objects.filter(persona=persona_of(asked_place(request, space), persona)).select_related("persona")
    narrowed = {"due__gte": _moment(since), "due__lt": _moment(until), "state": state}
    rows = rows.filter(due__isnull=timeless, **{name: value for name, value in narrowed.items() if value})
    return [_out(each) for each in rows.order_by("due", "pk")[after : after + _A_PAGE]]


def _moment(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if not FIRST <= at.date() <= LAST:
        raise UserError(f"Posts are listed from {FIRST} to {LAST}.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@router.post(_OF, response={201: WholePostOut})
def make_post(request: HttpRequest, space: str, persona: str, said: PostIn) -> Status[WholePostOut]:
    """Make a draft."""
    place = asked_place(request, space, Role.reviewer)
    found = persona_of(place, persona)
    told = _names(found, said.model_dump(exclude={"pictures", "due", "kind"}))
    told |= {"kind": said.kind} if said.kind else {}
    with transaction.atomic():
        post = desk.draft(found, _pictures(found, said.pictures), member(request))
        edit(place, post, told, _shown(post, said.pictures), (_checked(said.due),))
    return Status(201, _whole(post))


@router.get(_POST, response=WholePostOut)
def one_post(request: HttpRequest, space: str, post: int) -> WholePostOut:
    """One post, with the calls that were made for it."""
    return _whole(post_of(asked_place(request, space), post))


@router.patch(_POST, response=WholePostOut)
def change_post(request: HttpRequest, space: str, post: int, said: PostChange) -> WholePostOut:
    """Say some of it otherwise; a time, a channel or a pillar may be null."""
    place = asked_place(request, space, Role.reviewer)
    found = post_of(place, post)
    told = said.model_dump(exclude_unset=True, exclude={"pictures", "due"})
    told = {name: value for name, value in told.items() if value is not None or name in ("channel", "pillar")}
    due = (_checked(said.due),) if "due" in said.model_fields_set else ()
    told = _names(found.persona, told)
    with transaction.atomic():
        if said.pictures is not None:
            desk.show(found, _pictures(found.persona, said.pictures))
        edit(place, found, told, _shown(found, said.pictures), due)
    return _whole(found)


@router.post(_POST, response=WholePostOut)
def act_on_post(request: HttpRequest, space: str, post: int, said: PostActIn) -> WholePostOut:
    """Approve it, take it back, try it again, make another like it, or say what became of it."""
    place = asked_place(request, space, Role.reviewer)
    found = post_of(place, post)
    return _whole(_acted(request, place, found, said))


def _acted(request: HttpRequest, place: Place, post: Post, said: PostActIn) -> Post:
    if said.do in ("schedule", "again"):
        place.ask(Role.owner)
    if said.do == "schedule":
        with as_seen(post, said.stamp):
            desk.schedule(post, _to_come(said.due))
            suggesting.learn(post, member(request))
    elif said.do == "again":
        desk.again(post, _to_come(said.due))
    elif said.do == "take_back":
        desk.take_back(post)
    elif said.do == "duplicate":
        return desk.duplicate(post, member(request))
    elif said.do == "linked":
        desk.linked(post, said.link)
    else:
        desk.answer(post, live=said.do == "live", link=said.link)
    post.refresh_from_db()
    return post


@router.delete(_POST, response={204: None})
def drop_post(request: HttpRequest, space: str, post: int) -> Status[None]:
    """Throw away a draft, or a post that failed; its pictures are free again. Within the hour it can come back."""
    throwing.throw(post_of(asked_place(request, space, Role.reviewer), post))
    return Status(204, None)


@router.post(f"{_POST}/back", response=WholePostOut)
def bring_post_back(request: HttpRequest, space: str, post: int) -> WholePostOut:
    """Bring back what was thrown away in the last hour, as it was."""
    return _whole(throwing.bring_back(post, asked_place(request, space, Role.reviewer).space.pk))


@router.post(f"{_POST}/captions", response=list[VariantOut])
def write_post_captions(request: HttpRequest, space: str, post: int, said: LengthIn) -> list[VariantOut]:
    """Three captions for it to choose from; nothing is kept."""
    found = post_of(asked_place(request, space, Role.reviewer), post)
    told = suggesting.variants(found, Length(said.length))
    return [VariantOut(text=each.text, hashtags=list(each.hashtags), alt=each.alt, by=each.by) for each in told]


@router.post(f"{_OF}/plan", response={201: list[PostOut]})
def plan_posts(request: HttpRequest, space: str, persona: str, said: PlanIn) -> Status[list[dict[str, Any]]]:
    """Fill the next days by the persona's strategy; the drafts that were made."""
    found = persona_of(asked_place(request, space, Role.reviewer), persona)
    return Status(201, [_out(each) for each in strategy.plan(found, member(request), said.days)])


@router.post(f"{_OF}/captions", response={202: AskedOut})
def write_captions(request: HttpRequest, space: str, persona: str) -> Status[AskedOut]:
    """Have captions written for drafts that have none; how many were asked for."""
    found = persona_of(asked_place(request, space, Role.reviewer), persona)
    return Status(202, AskedOut(asked=captioning.ask_all(found)))


@router.get(f"{_OF}.csv", openapi_extra=sends("text/csv"))
def export_posts(
    request: HttpRequest,
    space: str,
    persona: str,
    since: str = Query("", max_length=10),  # type: ignore[type-arg]
    until: str = Query("", max_length=10),  # type: ignore[type-arg]
) -> HttpResponse:
    """Posts as a table, all or those between two days, both included, on the persona's own clocks."""
    return sent_table(persona_of(asked_place(request, space), persona), since, until)


@router.post(f"{_OF}.csv", response=TakenOut)
def import_posts(request: HttpRequest, space: str, persona: str, file: File[UploadedFile]) -> TakenOut:
    """Take a table in: all lines or none."""
    found = persona_of(asked_place(request, space, Role.reviewer), persona)
    table = tabling.take_in(found, read_table(file), member(request))
    added, changed = tabling.counted(table)
    return TakenOut(added=added, changed=changed, table=table.pk)


@router.delete(f"{_OF}.csv/{{table}}", response=ToldOut)
def take_table_out(request: HttpRequest, space: str, persona: str, table: int) -> ToldOut:
    """Undo it within the hour: its new drafts go, those that it changed are as they were."""
    found = persona_of(asked_place(request, space, Role.reviewer), persona)
    return ToldOut(told=tabling.take_out(found, table))


@router.get(f"{_OF}/feed", response=FeedOut)
def post_feed(request: HttpRequest, space: str, persona: str) -> FeedOut:
    """Where other programs read the calendar without a login."""
    return FeedOut(path=feed.path_of(persona_of(asked_place(request, space, Role.owner), persona)))


@router.post(f"{_OF}/feed", response=FeedOut)
def renew_post_feed(request: HttpRequest, space: str, persona: str) -> FeedOut:
    """Another address, or the first; an old one shows nothing any more."""
    found = persona_of(asked_place(request, space, Role.owner), persona)
    feed.renew(found)
    return FeedOut(path=feed.path_of(found))


@router.get(_SLOTS, response=SlotsOut)
def list_slots(request: HttpRequest, space: str, persona: str) -> SlotsOut:
    """When posts go out if nobody says when, every week."""
    return _slots(persona_of(asked_place(request, space), persona))


@router.put(_SLOTS, response=SlotsOut)
def set_slots(request: HttpRequest, space: str, persona: str, said: SlotsIn) -> SlotsOut:
    """These and no others; without any the defaults hold again."""
    found = persona_of(asked_place(request, space, Role.owner), persona)
    slotting.put(found, [Slot(each.weekday, each.clock) for each in said.slots])
    return _slots(found)


def _slots(persona: Persona) -> SlotsOut:
    rhythm = rhythm_of(persona)
    week = [SlotBody(weekday=each.weekday, clock=each.clock) for each in slotting.week(rhythm)]
    return SlotsOut(slots=week, own=persona.slots.exists(), zone=rhythm.zone)


def _checked(due: datetime | None) -> datetime | None:
    if due is not None and not FIRST <= due.date() <= LAST:
        raise UserError(f"A post's time is from {FIRST} to {LAST}; nothing was changed.")
    return due.astimezone(UTC) if due else None


def _to_come(due: datetime | None) -> datetime | None:
    if due is not None and due < timezone.now() - _LATE:
        raise UserError("That time has passed: say one to come, or none; nothing was changed.")
    return _checked(due)


def _names(persona: Persona, told: dict[str, Any]) -> dict[str, Any]:
    """With rows in place of their numbers, and hashtags as they are kept."""
    if "hashtags" in told:
        told["hashtags"] = wording.read_tags(" ".join(told["hashtags"]))
    if told.get("pillar"):
        told["pillar"] = get_object_or_404(Pillar, persona=persona, pk=told["pillar"])
    if "channel" in told:
        own = told["channel"]
        told["channel"] = (
            get_object_or_404(Channel, persona=persona, retired=None, pk=own) if own else desk.outbox(persona)
        )
    return told


def _pictures(persona: Persona, said: list[ShownIn]) -> list[Kept]:
    found = shelf.picked(persona, [each.kept for each in said])
    if len(found) < len(said):
        raise UserError("One of the pictures is not in the library, or is named twice; nothing was changed.")
    return found


def _shown(post: Post, said: list[ShownIn] | None) -> list[Shown] | None:
    """Its new pictures as they were said."""
    if said is None:
        return None
    rows = PostPicture.objects.filter(post=post)
    crops = [wording.read_crop(each.crop.model_dump()) if each.crop else None for each in said]
    return [Shown(row.pk, wording.read_alt(each.alt), crop) for row, each, crop in zip(rows, said, crops, strict=True)]
