"""What must hold of a post before anything of it is sent, a sentence a fault; and what a person may want to know."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.publishing.models import Post, PostPicture
from zoetrope.studio.publishing.outgoing import allowed

CAPTION, HASHTAGS, MENTIONS, ALT, COMMENT = 2200, 30, 20, 1000, 2200
FEWEST, MOST = 2, 10
SHORTEST, _REEL, _STORY = 3, 15 * 60, 60
"""Seconds of a clip."""
SLOWEST, FASTEST = 23, 60
"""Pictures a second."""
# What shows sixty is measured a hair above or below.
_HAIR = 0.05
# Those that touch count each; &#39; is none, and an address is no mention.
_TAGS = re.compile(r"(?<![\w&])(?:[#\uff03\ufe5f][^\s#@\uff03\ufe5f\uff20]+)+")
_MENTIONS = re.compile(r"(?<!\w)(?:[@\uff20]\w[\w.]*)+")
_SIGNS = re.compile(r"[#\uff03\ufe5f@\uff20]")
_CLOSE = timedelta(minutes=30)
# So far two ratios may differ and still look like one.
_ALIKE = 0.01


def faults(post: Post, pictures: list[PostPicture]) -> Iterator[str]:
    """Why it cannot go out."""
    if post.channel is None or post.channel.retired:
        yield "Choose a channel for it."
    if not post.persona.consent.get("kind"):
        yield f"No consent is recorded for {post.persona}."
    most = {Post.Kind.CAROUSEL: MOST}.get(Post.Kind(post.kind), 1)
    if not pictures:
        yield "It has no clip yet." if post.kind == Post.Kind.REEL else "It has no picture yet."
    elif post.kind == Post.Kind.CAROUSEL and len(pictures) < FEWEST:
        yield f"A carousel has {FEWEST} to {MOST} pictures."
    elif len(pictures) > most:
        yield f"A carousel has at most {MOST} pictures." if most > 1 else f"A post of kind {post.kind} has one picture."
    yield from _clip_faults(Post.Kind(post.kind), [each.made for each in pictures])
    yield from text_faults(post)


def _clip_faults(kind: Post.Kind, shown: list[Made]) -> Iterator[str]:
    """Whether what moves is of a kind that moves, and as channels take it."""
    clips = [made for made in shown if made.moves]
    if kind == Post.Kind.REEL and len(clips) < len(shown):
        yield "A reel is a clip: choose one, or let it be an image."
    if kind in (Post.Kind.IMAGE, Post.Kind.CAROUSEL) and clips:
        yield "A clip goes out as a reel or in a story: choose that kind, or a picture."
    longest = _STORY if kind == Post.Kind.STORY else _REEL
    for clip in clips:
        seconds, frames = clip.seconds or 0, clip.frames or 0
        if not SHORTEST <= seconds <= longest:
            yield f"The clip is {seconds:.1f} seconds long; a {kind} has {SHORTEST} to {longest:,}."
        if not SLOWEST - _HAIR <= frames <= FASTEST + _HAIR:
            yield f"The clip shows {frames:.1f} pictures a second; {SLOWEST} to {FASTEST} are taken."


def reels(of: str = "") -> Q:
    """Those clips that can go out as reels; `of` leads to what was made."""
    spans = {"seconds": (SHORTEST, _REEL), "frames": (SLOWEST - _HAIR, FASTEST + _HAIR)}
    return Q(**{f"{of}{name}__range": span for name, span in spans.items()})


def text_faults(post: Post) -> Iterator[str]:
    """What is wrong with its words."""
    tags, mentions = counts(post)
    if len(post.text) > CAPTION:
        yield f"The caption with its hashtags has {len(post.text):,} characters; {CAPTION:,} are the most."
    if tags > HASHTAGS:
        yield f"It has {tags} hashtags; {HASHTAGS} are the most."
    if mentions > MENTIONS:
        yield f"It mentions {mentions} accounts; {MENTIONS} are the most."
    if len(post.comment) > COMMENT:
        yield f"The first comment has {len(post.comment):,} characters; {COMMENT:,} are the most."


def counts(post: Post) -> tuple[int, int]:
    """Hashtags and mentions, as they are counted at the other end."""
    tags, mentions = (sum(len(_SIGNS.findall(run)) for run in runs.findall(post.text)) for runs in (_TAGS, _MENTIONS))
    return tags, mentions


def warnings(post: Post, pictures: list[PostPicture]) -> Iterator[str]:
    """What may be meant so, and may not."""
    others = Post.objects.filter(persona=post.persona).exclude(pk=post.pk).exclude(state=Post.State.FAILED)
    if post.due is not None:
        near = others.filter(channel=post.channel, due__gt=post.due - _CLOSE, due__lt=post.due + _CLOSE)
        if near.exists():
            yield "Another post goes out within half an hour of it."
    shown = [each.made_id for each in pictures]
    if others.filter(pictures__made__in=shown).exists():
        yield "One of its pictures is in another post already."
    if Kept.objects.filter(made__in=shown, space=post.space_id, aside__isnull=False).exists():
        yield "One of its pictures was put aside in the library."
    if post.caption and others.filter(caption=post.caption).exists():
        yield "Another post says the same, word for word."
    ratios = [allowed(_ratio(each)) for each in pictures]
    if post.kind == Post.Kind.CAROUSEL and ratios and max(ratios) - min(ratios) > _ALIKE:
        yield "A carousel is cropped as its first picture: the others differ in shape and lose something."
    if not post.text.strip() and post.kind != Post.Kind.STORY:
        yield "It has no caption yet."
    if not post.labelled:
        yield "It goes out without the label that says it was made with AI."


def crowded(times: Iterable[tuple[int, int | None, datetime]]) -> set[int]:
    """Of posts, each with its number, its channel and its time, those that go out soon before or after another."""
    last: dict[int | None, tuple[int, datetime]] = {}
    found = set()
    for post, channel, at in sorted(times, key=lambda each: each[2]):
        before = last.get(channel)
        if before and at - before[1] < _CLOSE:
            found |= {before[0], post}
        last[channel] = (post, at)
    return found


def _ratio(picture: PostPicture) -> float:
    width, height = picture.made.width, picture.made.height
    if picture.crop:
        width, height = width * picture.crop["width"], height * picture.crop["height"]
    return width / max(1e-6, height)
