"""Pictures and clips from elsewhere into the library."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.template.defaultfilters import pluralize

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits, Picture, decode
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.library.clips import Stored, moves, parted, ready_clips
from zoetrope.studio.library.likeness import compare, look_of
from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space, User
from zoetrope.studio.workshop.uploads import received
from zoetrope.wheel.intake import Found

MOST = 200
_LIMITS = Limits(max_pixels=24_000_000)


@dataclass(frozen=True)
class Uploaded:
    """What came in, what was there already, and how many of the new ones look like another."""

    added: tuple[Kept, ...]
    known: tuple[Kept, ...]
    alike: int

    def told(self) -> str:
        """In a sentence or two."""
        count = len(self.added)
        clips = sum(each.made.moves for each in self.added)
        kinds = [(count - clips, "picture"), (clips, "clip")]
        named = [f"{many} {kind}{pluralize(many)}" for many, kind in kinds if many] or ["0 pictures"]
        said = f"{' and '.join(named)} added."
        if self.known:
            said += f" {len(self.known)} {'was' if len(self.known) == 1 else 'were'} there already."
        if self.alike:
            said += f" {self.alike} of them look{'s' if self.alike == 1 else ''} much like one that is here."
        return said


def take(space: Space, persona: Persona | None, by: User, files: "Sequence[UploadedFile[bytes]]") -> Uploaded:
    """Keep what was sent: all of it or nothing."""
    clips, pictures = parted(files)
    found = received(pictures) if pictures or not clips else []
    if len(found) + sum(moves(each) for each in clips) > MOST:
        raise UserError(f"That is too much at once: {MOST} pictures are taken. Nothing was added.")
    # Pictures take seconds, in which nobody else could write.
    ready = [*(_ready(space, picture) for picture in found), *ready_clips(clips)]
    added: list[Kept] = []
    known: list[Kept] = []
    alike = 0
    with transaction.atomic():
        for file in ready:
            kept, new = _kept(space, persona, by, file)
            (added if new else known).append(kept)
            alike += new and compare(kept, file.look) > 0
    return Uploaded(tuple(added), tuple(known), alike)


def _kept(space: Space, persona: Persona | None, by: User, file: Stored) -> tuple[Kept, bool]:
    """One that was drawn here comes back with all that is known of it."""
    made = _drawn(space, file.sha256)
    if made is None:
        made = Made.objects.create(space=space, persona=persona, sha256=file.sha256, recipe=None, **file.about)
    # No database keeps a NUL in a text.
    name, caption = (text.replace("\0", "") for text in (file.name, file.caption))
    words = "\n".join(each for each in (caption, name, persona.title if persona else "") if each)
    said = {"by": by, "words": words, "title": (caption or name)[:80]}
    kept, new = Kept.objects.get_or_create(space=space, made=made, defaults=said)
    if kept.aside is not None:
        Kept.objects.filter(pk=kept.pk).update(aside=None)
    return kept, new


def _drawn(space: Space, sha256: str) -> Made | None:
    return Made.objects.filter(space=space, sha256=sha256).order_by("pk").first()


def _ready(space: Space, picture: Found) -> Stored:
    """The picture alone, upright and without what its file said of where and when it was taken."""
    called: dict[str, Any] = {"name": PurePath(picture.name).stem, "caption": picture.caption or ""}
    if _drawn(space, picture.sha256):
        return Stored(**called, sha256=picture.sha256, look=look_of(picture.sha256))
    decoded = decode(picture.data, _LIMITS)
    data = _png(decoded)
    if len(data) > _LIMITS.max_bytes:
        raise UserError(f"{picture.name} is too large for the library: make it smaller first. Nothing was added.")
    sha256 = hash_bytes(data)
    write_atomic(path_of(sha256), data)
    width, height = decoded.image.size
    return Stored(**called, sha256=sha256, look=look_of(sha256), about={"width": width, "height": height})


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    picture.merged().save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
