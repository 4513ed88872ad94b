"""What a post looks like, as a word: whoever brings the same word has seen what is there."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from zoetrope.studio.publishing.models import Post, PostPicture

LATE = "Somebody has gone on with it meanwhile: it stays as it is."
"""What is said where the word is another one by now."""


def stamp(post: Post, pictures: Iterable[PostPicture], state: str | None = None) -> str:
    """The same as long as nobody changed anything that is seen of a post; its state may be left to go on."""
    shown = [[each.made_id, each.crop, each.alt] for each in pictures]
    said: list[Any] = [post.caption, post.hashtags, post.comment, post.kind, post.labelled, shown]
    said += [post.channel_id, post.pillar_id, iso(post.due), post.state if state is None else state]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def stamps(posts: Sequence[Post]) -> tuple[str, ...]:
    """Those of several posts."""
    return tuple(stamp(post, post.pictures.all()) for post in posts)


def approved_stamp(post: Post) -> str:
    """The same while it waits to go out, and goes out, as it was approved."""
    return stamp(post, post.pictures.all(), "")


def iso(at: datetime | None) -> str:
    """A moment as text, or nothing."""
    return at.isoformat() if at else ""
