"""What holds for every page: what a browser may load, and how a user's mistake or a machine's fault is told."""

import re
import sys
from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import server_error

from zoetrope.errors import UserError
from zoetrope.studio import faults

GetResponse = Callable[[HttpRequest], HttpResponse]
API = "/api/"
_TEXT = re.compile(r"text/(?!event-stream)|application/(json|javascript)|image/svg")
# Everything comes from this site, so that not even a caption with HTML in it could call elsewhere.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def content_policy(get_response: GetResponse) -> GetResponse:
    """Tell the browser to load from this site alone."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return handle


class Compressed(GZipMiddleware):
    """Text travels compressed. Pictures and LoRAs are as small as they get: trying costs more than sending them."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if _TEXT.match(response.headers.get("Content-Type", "")) is None:
            return response
        return super().process_response(request, response)


class Gate(LoginRequiredMiddleware):
    """Every page asks for a login, unless it says otherwise; the API asks by itself and answers programs plainly."""

    def process_view(self, request: HttpRequest, *rest: Any) -> HttpResponseBase | None:
        return None if request.path.startswith(API) else super().process_view(request, *rest)


class Mistakes:
    """A `UserError` in a view becomes its one sentence, with status 400; 503 if a full disk is behind it."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, UserError):
            return None
        status = 503 if faults.sentence(exception) else 400
        if request.path.startswith(API):
            return JsonResponse({"detail": str(exception)}, status=status)
        whole = not request.headers.get("HX-Request")
        page = "studio/mistake.html" if whole else "studio/mistake_part.html"
        return render(request, page, {"sentence": str(exception)}, status=status)


def broken(request: HttpRequest) -> HttpResponse:
    """The machine's own faults are told with what to do, and status 503; any other fault is ours."""
    told = faults.sentence(sys.exc_info()[1])
    if not told:
        return server_error(request)
    if request.path.startswith(API):
        answer: HttpResponse = JsonResponse({"detail": told}, status=503)
    else:
        # Without the request, as what surrounds a page would be read from the database.
        page = "studio/mistake_part.html" if request.headers.get("HX-Request") else "503.html"
        answer = HttpResponse(render_to_string(page, {"sentence": told}), status=503)
    answer.headers["Retry-After"] = "5"
    return answer
