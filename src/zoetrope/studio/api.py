"""The JSON API: everything that pages do, with OpenAPI at `/api/docs`."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import HttpBearer, SessionAuth

from zoetrope import __version__
from zoetrope.errors import UserError
from zoetrope.studio.bodies import body_of
from zoetrope.studio.comparing.api import router as comparing
from zoetrope.studio.insights.api import router as insights
from zoetrope.studio.library.api import router as library
from zoetrope.studio.loras.api import router as loras
from zoetrope.studio.making.api import router as making
from zoetrope.studio.middleware import UNKEPT, status_of
from zoetrope.studio.personas.api import router as personas
from zoetrope.studio.pipelines.api import router as pipelines
from zoetrope.studio.planning.api import router as planning
from zoetrope.studio.publishing.accounts.api import router as channels
from zoetrope.studio.publishing.api import router as posts
from zoetrope.studio.servers.api import router as servers
from zoetrope.studio.spaces.api import router as spaces
from zoetrope.studio.spaces.jobs_api import router as jobs
from zoetrope.studio.spaces.models import ApiToken
from zoetrope.studio.voting.api import router as voting
from zoetrope.studio.workshop.api import router as workshop
from zoetrope.studio.writing.api import router as writing


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


def _refusal(said: str, kind: dict[str, Any]) -> dict[str, Any]:
    shape = {"type": "object", "properties": {"detail": kind}, "required": ["detail"]}
    return {"description": said, "content": {"application/json": {"schema": shape}}}


_SENTENCE = {"type": "string"}
_REFUSALS = {
    400: _refusal("A mistake, in one sentence", _SENTENCE),
    401: _refusal("Neither a login nor a token", _SENTENCE),
    403: _refusal("It takes another role, or a login", _SENTENCE),
    404: _refusal("There is no such thing, or not for the caller", _SENTENCE),
    409: _refusal("Somebody else is at work there: try again", _SENTENCE),
    422: _refusal("What was said is not of the form described here", {"type": "array", "items": {"type": "object"}}),
    503: _refusal("The machine cannot just now, as when its disk is full", _SENTENCE),
}


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
            self._schemas[where] = _with_refusals(super().get_openapi_schema(path_prefix=where))
        return self._schemas[where]


def _with_refusals(schema: OpenAPISchema) -> OpenAPISchema:
    """The same with what each operation may answer when it does not do it."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"] = operation["responses"] | _REFUSALS
    return schema


api = Described(
    title="Zoetrope",
    version=__version__,
    description="Everything the studio's pages do. A token is made on a space's members page.",
    parser=Plain(),
    auth=[Token(), SessionAuth(csrf=True)],
)
_APPS = (spaces, jobs, personas, servers, making, loras, workshop, pipelines, voting, comparing, library)
_OUTWARD = (writing, planning, channels, posts, insights)
for router in (*_APPS, *_OUTWARD):
    api.add_router("", router)


@api.exception_handler(UserError)
def _mistake(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=status_of(error))


@api.exception_handler(PermissionDenied)
def _not_yours(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=HTTPStatus.FORBIDDEN)


@api.exception_handler(ValidationError)
def _not_so(request: HttpRequest, error: Exception) -> HttpResponse:
    assert isinstance(error, ValidationError)
    return api.create_response(request, {"detail": " ".join(error.messages)}, status=HTTPStatus.BAD_REQUEST)


@api.exception_handler(DataError)
def _not_to_be_kept(request: HttpRequest, error: Exception) -> HttpResponse:
    return api.create_response(request, {"detail": UNKEPT}, status=HTTPStatus.BAD_REQUEST)


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, error: Exception) -> HttpResponse:
    said = "This takes a login, or a token that has not ended; nothing was changed."
    return api.create_response(request, {"detail": said}, status=HTTPStatus.UNAUTHORIZED)
