"""Pages that follow a job: a part of them asks again by itself; when the job ended the whole page is loaded anew."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def followed(request: HttpRequest, page: str, part: str, said: Mapping[str, Any], going: bool) -> HttpResponse:
    """The page, or the part that asked for itself; what stands around that part knows of the job too."""
    asked = bool(request.headers.get("HX-Request"))
    answer = render(request, part if asked else page, dict(said))
    if asked and not going:
        answer.headers["HX-Refresh"] = "true"
    return answer
