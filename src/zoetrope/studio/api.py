"""The JSON API: everything that pages do, with OpenAPI at `/api/docs`."""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.security import HttpBearer, SessionAuth

from zoetrope import __version__
from zoetrope.errors import UserError
from zoetrope.studio.loras.api import router as loras
from zoetrope.studio.making.api import router as making
from zoetrope.studio.personas.api import router as personas
from zoetrope.studio.spaces.api import router as spaces
from zoetrope.studio.spaces.models import ApiToken


class Token(HttpBearer):
    """A program's token: it acts as its maker, in its own space."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = ApiToken.find(token)
        if found is not None:
            request.user = found.user
        return found


api = NinjaAPI(
    title="Zoetrope",
    version=__version__,
    description="Everything the studio's pages do. A token is made on a space's members page.",
    auth=[Token(), SessionAuth(csrf=True)],
)
api.add_router("", spaces)
api.add_router("", personas)
api.add_router("", making)
api.add_router("", loras)


@api.exception_handler(UserError)
def _mistake(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=400)
