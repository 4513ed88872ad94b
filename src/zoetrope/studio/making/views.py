"""Made pictures for browsers."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_GET

from zoetrope.studio.making.models import Made
from zoetrope.studio.making.pictures import sent
from zoetrope.studio.making.store import path_of
from zoetrope.studio.spaces.here import Place, in_space


@require_GET
@in_space()
def picture(request: HttpRequest, place: Place, sha256: str, side: int) -> HttpResponseBase:
    """One made picture of this space."""
    if not Made.objects.filter(space=place.space, sha256=sha256).exists():
        raise Http404("There is no such picture.")
    return sent(request, path_of(sha256), sha256, side)
