"""What holds for every page: what a browser may load, and how a user's mistake or a machine's fault is told."""

import re
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFilesSent
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import server_error

from zoetrope.errors import UserError
from zoetrope.studio import faults
from zoetrope.wheel.intake import MOST_FILES
from zoetrope.wheel.workspace import Busy

GetResponse = Callable[[HttpRequest], HttpResponse]
API = "/api/"
LOGGED_OUT = "You are logged out: log in, then try again."
FORM_ALONE = "This address takes what a form sends, and shows nothing by itself."
UNSENT = "You were logged out, so what you sent was not saved: log in, then send it again."
UNKEPT = "Some of this is too long or too large, or holds a character that cannot be kept; nothing was changed."
_TEXT = re.compile(r"text/(?!event-stream)|application/(json|javascript)|image/svg")
# Everything comes from this site, so that not even a caption with HTML in it could call elsewhere.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_UNREADABLE: dict[type[Exception], str] = {
    TooManyFilesSent: f"At most {MOST_FILES:,} files are taken at once: send them in several goes; nothing was added.",
    RequestDataTooBig: "That is more text than is taken at once: send less of it; nothing was changed.",
    DisallowedHost: "The studio is not to be reached under this name: open it under this machine's own, or start it "
    "with the name in ZOETROPE_HOSTS.",
    MultiPartParserError: "What was sent came in broken: send it again; nothing was added.",
}


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
        to_login = None if request.path.startswith(API) else super().process_view(request, *rest)
        if to_login is None or request.method in ("GET", "HEAD"):
            return to_login and (_logged_out(request) or to_login)
        return _logged_out(request) or _unsent(request)


def _unsent(request: HttpRequest) -> HttpResponse:
    """A form of somebody who is logged out: after the login its page is shown, as what was sent opens none."""
    messages.warning(request, UNSENT)
    there = urlsplit(request.headers.get("Referer", ""))
    same = there.netloc == request.get_host()
    back = there._replace(scheme="", netloc="").geturl() if same else settings.LOGIN_REDIRECT_URL
    return redirect_to_login(back)


def _logged_out(request: HttpRequest) -> HttpResponse | None:
    """A script would take the login page for its answer: it is told in words, and htmx where to go."""
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"detail": LOGGED_OUT}, status=401)
    if not _in_part(request):
        return None
    try:
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))._replace(scheme="", netloc="").geturl()
    except ValueError:
        shown = ""
    back = shown or settings.LOGIN_REDIRECT_URL
    answer = _part(LOGGED_OUT, 401)
    answer.headers["HX-Redirect"] = redirect_to_login(back).url
    return answer


class Mistakes:
    """What is no fault of the program's is told in its one sentence."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._get_response(request)
        if answer.status_code != 405 or request.path.startswith(API):
            return answer
        told = _bare(request, "Nothing to open here", FORM_ALONE, 405)
        told.headers["Allow"] = answer.headers.get("Allow", "")
        return told

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if _unkept(exception):
            sentence, status = UNKEPT, 400
        elif isinstance(exception, UserError):
            sentence, status = str(exception), status_of(exception)
        else:
            return None
        if request.path.startswith(API):
            return JsonResponse({"detail": sentence}, status=status)
        if _in_part(request):
            return _part(sentence, status)
        return render(request, "studio/mistake.html", {"sentence": sentence}, status=status)


def status_of(error: Exception) -> int:
    """Of a mistake 400; 409 while somebody else is at work there; 503 if the machine, as with a full disk, cannot."""
    if faults.sentence(error):
        return 503
    return 409 if isinstance(error, Busy) else 400


def _unkept(error: Exception) -> bool:
    """PostgreSQL takes no NUL in a text, and no file's name has one."""
    return isinstance(error, DataError) or (isinstance(error, ValueError) and "null byte" in str(error))


def _in_part(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _part(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(render_to_string("studio/mistake_part.html", {"sentence": sentence}), status=status)


def broken(request: HttpRequest) -> HttpResponse:
    """The machine's own faults are told with what to do, and status 503; any other fault is ours."""
    told = faults.sentence(sys.exc_info()[1])
    if not told:
        return server_error(request)
    answer = _bare(request, "Not just now", told, 503)
    answer.headers["Retry-After"] = "5"
    return answer


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What was sent is refused before any view sees it."""
    told = next((said for kind, said in _UNREADABLE.items() if isinstance(exception, kind)), "")
    return _bare(request, "That did not work", told or "The studio cannot read this request; nothing was changed.", 400)


def _bare(request: HttpRequest, title: str, sentence: str, status: int) -> HttpResponse:
    """Without what surrounds a page, as that would be read from the database."""
    if request.path.startswith(API):
        return JsonResponse({"detail": sentence}, status=status)
    if _in_part(request):
        return _part(sentence, status)
    return HttpResponse(render_to_string("studio/bare.html", {"title": title, "sentence": sentence}), status=status)
