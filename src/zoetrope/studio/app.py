"""The studio as an app that a browser can install: its service worker. The manifest and the icons are static files."""

import hashlib

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

# What every page needs; other static files are kept when they are first used.
KEPT = ("tokens.css", "site.css", "theme.js", "site.js", "mark.svg")


@login_not_required
@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """From the root, since a service worker watches only over what lies beneath its own address."""
    offline = staticfiles_storage.url("studio/offline.html")
    kept = [offline, *(staticfiles_storage.url(f"studio/{name}") for name in KEPT)]
    build = hashlib.sha256("".join(kept).encode()).hexdigest()[:12]
    said = {"offline": offline, "kept": kept, "build": build}
    answer = render(request, "studio/service-worker.js", said, content_type="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
