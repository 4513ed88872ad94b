"""Clips as players load them: a part at a time, so that one can jump about in them."""

import re
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from zoetrope.media.kinds import MediaKind
from zoetrope.studio.files import Handed
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import clip_of
from zoetrope.studio.spaces.models import Space

TYPE = "video/mp4"
_A_PART = 2 * 2**20
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


def sent_clip(request: HttpRequest, space: Space, sha256: str) -> HttpResponseBase:
    """A clip of a space, or what is asked for of it."""
    if not Made.objects.filter(space=space, sha256=sha256, media=MediaKind.clip).exists():
        raise Http404("There is no such clip.")
    path = clip_of(sha256)
    try:
        size = path.stat().st_size
        response = _part(path, size, request.headers.get("Range", "")) or Handed(path.open("rb"))
    except OSError as error:
        raise Http404("This clip cannot be read.") from error
    said = {"Content-Type": TYPE, "Accept-Ranges": "bytes", "Cache-Control": "private, max-age=31536000, immutable"}
    for name, value in said.items():
        response.headers[name] = value
    return response


def _part(path: Path, size: int, asked: str) -> HttpResponse | None:
    """At most two megabytes from where they are asked for: players ask again for what follows."""
    found = _RANGE.fullmatch(asked)
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    begins = int(first) if first else max(0, size - int(last))
    ends = min(int(last) if first and last else size - 1, begins + _A_PART - 1, size - 1)
    if begins > ends:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    with path.open("rb") as file:
        file.seek(begins)
        data = file.read(ends - begins + 1)
    return HttpResponse(data, status=206, headers={"Content-Range": f"bytes {begins}-{ends}/{size}"})
