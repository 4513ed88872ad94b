"""Pictures as browsers load them: by content, so that they never go stale."""

from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse

from zoetrope.home import home
from zoetrope.media.decode import Limits
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.media.thumbnails import cached_thumbnail
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import path_of
from zoetrope.studio.spaces.models import Space

SIDES = (160, 320, 1280)
_FOREVER = "private, max-age=31536000, immutable"
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


def sent(request: HttpRequest, path: Path, sha256: str, side: int) -> HttpResponse:
    """One picture, small or (side 0) as it is; whoever asks has seen to it that the visitor may."""
    if side not in (0, *SIDES):
        raise Http404("There is no such size.")
    tag = f'"{sha256}-{side}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304)
    try:
        file = _small(path, sha256, side) if side else path
        # Whole, as a picture is small and a stream would be read whole before it is sent anyway.
        response = HttpResponse(read_limited(file, Limits().max_bytes), content_type=_TYPES[file.suffix.lower()])
    except (OSError, MediaError) as error:
        raise Http404("This picture cannot be read.") from error
    if side and file == path:
        # Another time there may be a small one.
        response.headers["Cache-Control"] = "no-store"
        return response
    response.headers["Cache-Control"] = _FOREVER
    response.headers["ETag"] = tag
    return response


def _small(path: Path, sha256: str, side: int) -> Path:
    """The thumbnail's file; the picture itself where none can be written, as on a full disk."""
    try:
        return cached_thumbnail(path, home() / "cache" / "thumbnails", side, digest=sha256)
    except OSError:
        return path


def sent_made(request: HttpRequest, space: Space, sha256: str, side: int) -> HttpResponse:
    """One made picture of a space."""
    if not Made.objects.filter(space=space, sha256=sha256).exists():
        raise Http404("There is no such picture.")
    return sent(request, path_of(sha256), sha256, side)
