"""What lies in a persona's outbox, and one post of it as an archive, for people whose studio runs elsewhere."""

import os
import tempfile
import zipfile
from pathlib import Path
from typing import IO

from django.db.models import QuerySet
from django.http import Http404

from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing.drivers import outbox_of
from zoetrope.studio.publishing.models import Channel, Post
from zoetrope.studio.publishing.outgoing import LARGEST

_IN_MEMORY = 16 * 2**20
GONE = "Its folder was moved or thrown away: only what lies in the outbox can be downloaded."


def folder(persona: Persona) -> Path:
    """Where its posts appear."""
    return outbox_of(Channel(persona=persona))


def lying(persona: Persona) -> int:
    """How many posts lie there now."""
    try:
        with os.scandir(folder(persona)) as there:
            return sum(not each.name.startswith(".") and each.is_dir(follow_symlinks=False) for each in there)
    except OSError:
        return 0


def posts(persona: Persona) -> "QuerySet[Post]":
    """What went there, the newest first."""
    there = Post.objects.filter(persona=persona, channel__kind=Channel.Kind.OUTBOX, state=Post.State.PUBLISHED)
    return there.exclude(media="").order_by("-published", "-pk")


def is_there(persona: Persona, post: Post) -> bool:
    """Whether its folder still lies in the outbox."""
    return (folder(persona) / post.media).is_dir()


def packed(persona: Persona, post: Post) -> IO[bytes]:
    """All files of a post, in one archive."""
    where = folder(persona) / post.media
    archive = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - whoever sends it closes it
    try:
        files = sorted(each for each in where.iterdir() if each.is_file() and not each.is_symlink())
        with zipfile.ZipFile(archive, "w") as target:
            for each in files:
                target.writestr(f"{post.media}/{each.name}", read_limited(each, LARGEST))
    except (OSError, MediaError):
        archive.close()
        raise Http404(GONE) from None
    archive.seek(0)
    return archive
