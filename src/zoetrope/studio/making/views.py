"""Made pictures and clips for browsers."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from zoetrope.studio.making.clips import sent_clip
from zoetrope.studio.making.pictures import sent_made
from zoetrope.studio.spaces.here import Place, in_space


@require_GET
@in_space()
def picture(request: HttpRequest, place: Place, sha256: str, side: int) -> HttpResponse:
    """One made picture of this space."""
    return sent_made(request, place.space, sha256, side)


@require_GET
@in_space()
def clip(request: HttpRequest, place: Place, sha256: str) -> HttpResponseBase:
    """One clip of this space, or the part of it that a player asks for."""
    return sent_clip(request, place.space, sha256)
