"""The JSON API: everything that pages do, with OpenAPI at `/api/docs`."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import HttpBearer, SessionAuth

from zoetrope import __version__
from zoetrope.errors import UserError
from zoetrope.studio import faults
from zoetrope.studio.bodies import body_of
from zoetrope.studio.loras.api import router as loras
from zoetrope.studio.making.api import router as making
from zoetrope.studio.personas.api import router as personas
from zoetrope.studio.spaces.api import router as spaces
from zoetrope.studio.spaces.jobs_api import router as jobs
from zoetrope.studio.spaces.models import ApiToken
from zoetrope.studio.workshop.api import router as workshop


class Token(HttpBearer):
    """A program's token: it acts as its maker, in its own space."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = ApiToken.find(token)
        if found is not None:
            request.user = found.user
        return found


class Plain(Parser):
    """Bodies as JSON means them."""

    def parse_body(self, request: HttpRequest) -> Any:
        return body_of(request)


class Described(NinjaAPI):
    """What it says of itself is put together once: it is the same for everybody."""

    def __init__(self, **about: Any) -> None:
        super().__init__(**about)
        self._schemas: dict[str, OpenAPISchema] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        where = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if where not in self._schemas:
            self._schemas[where] = super().get_openapi_schema(path_prefix=where)
        return self._schemas[where]


api = Described(
    title="Zoetrope",
    version=__version__,
    description="Everything the studio's pages do. A token is made on a space's members page.",
    parser=Plain(),
    auth=[Token(), SessionAuth(csrf=True)],
)
for router in (spaces, jobs, personas, making, loras, workshop):
    api.add_router("", router)


@api.exception_handler(UserError)
def _mistake(request: HttpRequest, error: Exception) -> HttpResponse:
    # As pages do: what the machine cannot do now is no mistake of whoever asked.
    status = HTTPStatus.SERVICE_UNAVAILABLE if faults.sentence(error) else HTTPStatus.BAD_REQUEST
    return api.create_response(request, {"detail": str(error)}, status=status)


@api.exception_handler(PermissionDenied)
def _not_yours(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=HTTPStatus.FORBIDDEN)


@api.exception_handler(ValidationError)
def _not_so(request: HttpRequest, error: Exception) -> HttpResponse:
    assert isinstance(error, ValidationError)
    return api.create_response(request, {"detail": " ".join(error.messages)}, status=HTTPStatus.BAD_REQUEST)


@api.exception_handler(DataError)
def _not_to_be_kept(request: HttpRequest, error: Exception) -> HttpResponse:
    said = "Some of this is too long or too large, or holds a character that cannot be kept; nothing was changed."
    return api.create_response(request, {"detail": said}, status=HTTPStatus.BAD_REQUEST)
