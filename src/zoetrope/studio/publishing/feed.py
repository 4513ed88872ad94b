"""A persona's posts as a calendar that other programs subscribe to, at an address that only its readers know."""

import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing.models import Feed, Post
from zoetrope.studio.sealed import Secret

BEHIND, AHEAD, MOST = timedelta(days=60), timedelta(days=400), 1000
"""So much of the past and of what is to come is told, and so many posts of it."""
_LINE = 75
_LASTS = "PT15M"
_ADDRESS = re.compile(r"https://[!-~]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# With a point between its parts a secret is one word, as the log knows secrets.
_signer = Signer(salt="feed", sep=".")


def secret_of(persona: Persona) -> str:
    """What the address of its calendar ends with; empty as long as nobody asked for one."""
    known = Feed.objects.filter(persona=persona).first()
    return _signed(known) if known else ""


def path_of(persona: Persona) -> str:
    """Where its calendar is on this site; empty as long as nobody asked for an address."""
    secret = secret_of(persona)
    return reverse("feed", args=[secret]) if secret else ""


def renew(persona: Persona) -> str:
    """Another address, or the first; whoever knew the last one is told nothing any more."""
    token = Secret.of(secrets.token_urlsafe(16))
    return _signed(Feed.objects.update_or_create(persona=persona, defaults={"token": token})[0])


def opened(secret: str) -> Persona | None:
    """Whose calendar an address shows; None where it was not given out, or was renewed since."""
    try:
        key, _, token = _signer.unsign(secret).partition("-")
        known = Feed.objects.select_related("persona").filter(persona=int(key)).first()
    except (BadSignature, ValueError):
        return None
    return known.persona if known and constant_time_compare(known.token.tell(), token) else None


def posts_of(persona: Persona, now: datetime) -> list[Post]:
    """The posts that its calendar shows."""
    rows = Post.objects.filter(persona=persona, due__gte=now - BEHIND, due__lt=now + AHEAD).select_related("pillar")
    return list(rows.order_by("due")[:MOST])


def calendar(persona: Persona, posts: Iterable[Post]) -> bytes:
    """As RFC 5545 wants it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Zoetrope//Posts//EN", "CALSCALE:GREGORIAN"]
    lines += [f"NAME:{escaped(persona.title)}", f"X-WR-CALNAME:{escaped(persona.title)}"]
    lines += ["REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"]
    for post in posts:
        lines += _event(post)
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"]).encode()


def escaped(text: str) -> str:
    """A text as a value."""
    said = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return _CONTROL.sub("", said.replace("\n", "\\n"))


def folded(line: str) -> str:
    """In pieces of at most 75 bytes, none of which ends within a letter."""
    pieces: list[str] = []
    piece, size = "", 0
    for letter in line:
        length = len(letter.encode())
        # From the second piece on, a space comes before it.
        if size + length > _LINE - bool(pieces):
            pieces.append(piece)
            piece, size = "", 0
        piece, size = piece + letter, size + length
    return "\r\n ".join([*pieces, piece])


def _event(post: Post) -> Iterator[str]:
    assert post.due is not None
    yield "BEGIN:VEVENT"
    yield f"UID:post-{post.pk}-{salted_hmac('feed', str(post.pk)).hexdigest()[:16]}@zoetrope"
    yield f"DTSTAMP:{_moment(post.created)}"
    yield f"DTSTART:{_moment(post.due)}"
    yield f"DURATION:{_LASTS}"
    yield f"SUMMARY:{escaped(f'{post} ({post.state})')}"
    if post.text:
        yield f"DESCRIPTION:{escaped(post.text)}"
    if post.pillar:
        yield f"CATEGORIES:{escaped(post.pillar.name)}"
    yield f"STATUS:{'TENTATIVE' if post.state in (Post.State.DRAFT, Post.State.FAILED) else 'CONFIRMED'}"
    if _ADDRESS.fullmatch(post.link):
        yield f"URL:{post.link}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _signed(feed: Feed) -> str:
    return _signer.sign(f"{feed.persona_id}-{feed.token.tell()}")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
