"""What people do with posts: make, change, schedule, take back, answer what became of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import IllegalMove
from zoetrope.studio.planning import uses
from zoetrope.studio.planning.models import Pillar, Use
from zoetrope.studio.publishing.checks import faults
from zoetrope.studio.publishing.models import Channel, Post, PostPicture
from zoetrope.studio.publishing.wording import check_ratio
from zoetrope.studio.spaces.models import User

MOST_POSTS = 20_000
_WORDS = ("caption", "hashtags", "comment", "kind", "labelled", "channel", "pillar")
_LONGEST = 300
# Whoever has it in hand does nothing more with it.
_LET_GO: Mapping[str, Any] = {"wake": None, "lease": None, "holder": ""}
_IDLE = (Post.State.DRAFT, Post.State.FAILED)
# What it is at the other end follows what it shows; a story may show either.
_COUNTED = (Post.Kind.IMAGE, Post.Kind.CAROUSEL, Post.Kind.REEL)


@dataclass(frozen=True)
class Shown:
    """A picture of a post by the number of its row, and how it is to be shown: cropped, and told to blind people."""

    picture: int
    alt: str
    crop: Mapping[str, float] | None


def outbox(persona: Persona) -> Channel:
    """The channel that every persona has."""
    known = persona.channels.filter(kind=Channel.Kind.OUTBOX, retired=None).first()
    return known or Channel.objects.create(space=persona.space, persona=persona, name="Outbox")


def draft(
    persona: Persona,
    kept: Sequence[Kept],
    by: User | None,
    *,
    due: datetime | None = None,
    pillar: Pillar | None = None,
    channel: Channel | None = None,
    caption: str = "",
    hashtags: Sequence[str] = (),
    why: Mapping[str, Any] | None = None,
) -> Post:
    """A post that nobody has approved yet; without pictures it waits for them."""
    kind = kind_of([each.made for each in kept])
    with transaction.atomic():
        if persona.posts.count() >= MOST_POSTS:
            raise UserError(f"{persona} has {MOST_POSTS:,} posts: that is the most.")
        about = {"caption": caption, "hashtags": list(hashtags), "why": dict(why or {}), "due": due, "pillar": pillar}
        post = Post.objects.create(
            space=persona.space, persona=persona, channel=channel or outbox(persona), kind=kind, by=by, **about
        )
        show(post, kept)
    return post


def duplicate(post: Post, by: User | None) -> Post:
    """A draft that says and shows the same, as far as its pictures lie in the library still; it has no time."""
    rows = list(post.pictures.all())
    lying = Kept.objects.filter(space=post.space_id, made__in=[each.made_id for each in rows])
    kept = {each.made_id: each for each in lying.select_related("made")}
    there = [each for each in rows if each.made_id in kept]
    with transaction.atomic():
        copy = draft(post.persona, [kept[each.made_id] for each in there], by, pillar=post.pillar, channel=post.channel)
        words = {name: getattr(post, name) for name in ("caption", "hashtags", "comment", "kind", "labelled")}
        change(copy, **words)
        pairs = zip(copy.pictures.all(), there, strict=True)
        arrange(copy, [Shown(new.pk, old.alt, old.crop) for new, old in pairs])
    return copy


def show(post: Post, kept: Sequence[Kept]) -> None:
    """These pictures, in this order, instead of those it had; whoever approved it has not seen them."""
    if any(each.space_id != post.space_id for each in kept):
        raise UserError("A post shows pictures of its own space's library.")
    with transaction.atomic():
        _reopen(post)
        known = {each.made_id: each for each in post.pictures.all()}
        post.pictures.all().delete()
        uses.release(post.pk)
        for place, each in enumerate(kept):
            old = known.get(each.made_id)
            said = {"crop": old.crop, "alt": old.alt} if old else {"alt": ""}
            PostPicture.objects.create(post=post, made=each.made, place=place, **said)
            uses.take(each, post.pillar, post.pk, post.due or timezone.now())
        _count(post, [each.made for each in kept])


def arrange(post: Post, shown: Sequence[Shown]) -> None:
    """Its pictures in another order, cropped and told otherwise; those that are not named are taken out."""
    with transaction.atomic():
        _reopen(post)
        known = {each.pk: each for each in post.pictures.select_related("made")}
        if len({each.picture for each in shown}) < len(shown) or any(each.picture not in known for each in shown):
            raise UserError("The post's pictures have changed meanwhile: look at it again; nothing was changed.")
        for place, each in enumerate(shown):
            row = known.pop(each.picture)
            if each.crop != row.crop:
                check_ratio(each.crop, row.made.width, row.made.height, post.kind == Post.Kind.STORY)
            row.place, row.alt, row.crop = place, each.alt, dict(each.crop) if each.crop else None
            row.save()
        if known:
            post.pictures.filter(pk__in=known).delete()
            uses.release(post.pk)
            hold_pictures(post)
            _count(post, [each.made for each in post.pictures.select_related("made")])


def change(post: Post, **said: Any) -> None:
    """Other words, another channel; what waits to go out is a draft again, as nobody approved this."""
    strangers = said.keys() - set(_WORDS)
    if strangers:
        raise UserError(f"{min(strangers)} of a post cannot be changed.")
    with transaction.atomic():
        _reopen(post)
        for name, value in said.items():
            setattr(post, name, value)
        post.save(update_fields=[*said])
        if "pillar" in said:
            hold_pictures(post)


def move(post: Post, due: datetime | None) -> None:
    """Another time; a post that waits to go out goes on waiting, and only a draft may have no time at all."""
    _open(post)
    waiting = post.state == Post.State.SCHEDULED
    if due is None and post.state != Post.State.DRAFT:
        raise UserError("Only a draft goes without a time: take the post back first.")
    values: dict[str, Any] = {"due": due, "wake": due if waiting else None}
    if not Post.objects.filter(pk=post.pk, state=post.state).update(**values):
        raise UserError("The post has gone on meanwhile; nothing was changed.")
    post.due = due
    uses.moved(post.pk, due or timezone.now())


def schedule(post: Post, due: datetime | None = None) -> None:
    """Approve it: it goes out when its time comes."""
    due = due or post.due
    if due is None:
        raise UserError("Say when it is to go out.")
    if fault := next(faults(post, list(post.pictures.select_related("made"))), None):
        raise UserError(fault)
    values: dict[str, Any] = {"due": due, "wake": due, "error": "", "asks": False, "tries": 0}
    values |= {"container": "", "parts": [], "contained": None, "began": None, "polls": 0}
    let_go = post.state == Post.State.FAILED
    with transaction.atomic():
        _moved(post, Post.State.SCHEDULED, **values)
        if let_go:
            hold_pictures(post)
        uses.moved(post.pk, due)


def take_back(post: Post) -> None:
    """A draft again: nothing of it goes out. Too late once it is being published."""
    if post.state not in Post.WAITING:
        raise UserError(f"The post is {post.state}: it cannot be taken back any more.")
    _moved(post, Post.State.DRAFT, **_LET_GO, container="", parts=[])


def again(post: Post, due: datetime | None = None) -> None:
    """One that could not go out is tried once more, from the beginning."""
    if post.state != Post.State.FAILED:
        raise UserError("Only a post that could not go out is tried again.")
    with transaction.atomic():
        if shared(post):
            raise UserError(
                "Another post has one of its pictures by now: look at it, and approve it if it is to go out."
            )
        schedule(post, due or timezone.now())


def drop(post: Post) -> None:
    """Away with a draft, or with one that failed."""
    with transaction.atomic():
        # Whoever approves it meanwhile waits, or was first.
        if not Post.objects.filter(pk=post.pk, state__in=_IDLE).update(wake=None):
            raise UserError("Take it back first: only a draft can be thrown away.")
        uses.release(post.pk)
        post.delete()


def answer(post: Post, *, live: bool, link: str = "") -> None:
    """A person looked: it is there, or it is not."""
    if not post.asks or post.state not in (Post.State.UNCONFIRMED, Post.State.PUBLISHED):
        raise UserError("Nobody asked what became of this post.")
    _check_link(link)
    if live:
        # Nobody knows better when that was than who sent it.
        at = post.published or post.began or timezone.now()
        with transaction.atomic():
            if post.state == Post.State.UNCONFIRMED:
                went = {"published": at, "due": at.replace(microsecond=0), "link": link}
                _moved(post, Post.State.PUBLISHED, asks=False, error="", **went, **_LET_GO)
            else:
                Post.objects.filter(pk=post.pk).update(asks=False, error="", link=link)
            uses.posted(post.pk, at)
    elif post.state == Post.State.PUBLISHED:
        raise UserError("The account itself says that this post is live.")
    else:
        said = "A person looked: it never appeared."
        with transaction.atomic():
            _moved(post, Post.State.FAILED, asks=False, error=said, **_LET_GO)
            uses.release(post.pk)


def linked(post: Post, link: str) -> None:
    """Where somebody posted it by hand, out of the outbox; without a link it lies in its folder."""
    if not post.by_hand:
        raise UserError("Only a post in the outbox is posted by hand.")
    _check_link(link)
    Post.objects.filter(pk=post.pk).update(link=link or post.media)


def _check_link(link: str) -> None:
    if len(link) > _LONGEST or (link and not link.startswith("https://")):
        raise UserError("A link begins with https:// and is no longer than 300 characters.")


def under_way(persona: Persona) -> str:
    """Why a persona cannot be taken out of its space now: posts that wait, or whose fate is open."""
    count = persona.posts.filter(state__in=Post.MOVING).count()
    if not count:
        return ""
    several = "posts of it wait" if count > 1 else "post of it waits"
    return (
        f"{count} {several} to go out, or may be live already: take back what waits, and see what became of the rest."
    )


def _open(post: Post) -> None:
    if post.state not in (Post.State.DRAFT, Post.State.SCHEDULED, Post.State.FAILED):
        raise UserError(f"The post is {post.state}: take it back before you change it.")


def _reopen(post: Post) -> None:
    """What somebody changes is a draft, which nobody approves meanwhile."""
    _open(post)
    if post.state == Post.State.SCHEDULED:
        take_back(post)
    elif post.state == Post.State.FAILED:
        _moved(post, Post.State.DRAFT, asks=False, error="", wake=None)
        hold_pictures(post)
    elif not Post.objects.filter(pk=post.pk, state=Post.State.DRAFT).update(wake=None):
        raise UserError("The post has gone on meanwhile; nothing was changed.")


def hold_pictures(post: Post) -> None:
    """Its pictures are not free, as far as they lie in the library still."""
    made = post.pictures.values("made")
    for kept in Kept.objects.filter(space=post.space_id, made__in=made):
        uses.take(kept, post.pillar, post.pk, post.due or timezone.now())


def shared(post: Post) -> bool:
    """Whether another post has one of its pictures too."""
    return Use.objects.filter(made__in=post.pictures.values("made")).exclude(post=post.pk).exists()


def kind_of(shown: Sequence[Made]) -> Post.Kind:
    """What shows this: one picture or several, or a clip."""
    if len(shown) == 1 and shown[0].moves:
        return Post.Kind.REEL
    return Post.Kind.CAROUSEL if len(shown) > 1 else Post.Kind.IMAGE


def _count(post: Post, shown: Sequence[Made]) -> None:
    if post.kind in _COUNTED and shown:
        post.kind = kind_of(shown)
        post.save(update_fields=["kind"])


def _moved(post: Post, to: Post.State, **values: Any) -> None:
    try:
        post.move(to, **values)
    except IllegalMove as error:
        raise UserError(f"The post is {post.state} by now; nothing was changed.") from error
