"""Made pictures for browsers."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from zoetrope.studio.making.pictures import sent_made
from zoetrope.studio.spaces.here import Place, in_space


@require_GET
@in_space()
def picture(request: HttpRequest, place: Place, sha256: str, side: int) -> HttpResponse:
    """One made picture of this space."""
    return sent_made(request, place.space, sha256, side)
