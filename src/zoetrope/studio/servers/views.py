"""The page of a space's ComfyUI servers."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.servers import forms, keeping
from zoetrope.studio.servers.models import Server
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role


def server_of(place: Place, server: int) -> Server:
    """One of the space's servers."""
    return get_object_or_404(Server, pk=server, space=place.space)


@in_space()
def servers(request: HttpRequest, place: Place) -> HttpResponse:
    """Which there are, and another one."""
    form = forms.Add(request.POST or None)
    if request.method == "POST":
        place.ask(Role.owner)
        if form.is_valid():
            try:
                added = keeping.add(place.space, form.cleaned_data["name"], form.cleaned_data["url"], member(request))
            except UserError as error:
                form.add_error("url", str(error))
            else:
                _told(request, added)
                return redirect("servers", place.space.slug)
    rows = list(place.space.servers.all())
    return render(request, "servers/servers.html", {"servers": rows, "form": form}, status=422 if form.errors else 200)


def _told(request: HttpRequest, server: Server) -> None:
    if server.error:
        messages.warning(request, f"{server} is kept, but cannot be used yet: {server.error}")
    else:
        messages.success(request, f"{server} answers: ComfyUI {server.version}.")


@require_GET
@in_space()
def one(request: HttpRequest, place: Place, server: int) -> HttpResponse:
    """How one is just now: its row asks for this when it is shown."""
    found = server_of(place, server)
    keeping.ask(found)
    return render(request, "servers/one.html", {"server": found})


@require_POST
@in_space(Role.owner)
def act(request: HttpRequest, place: Place, server: int) -> HttpResponse:
    """Pause a server, go on with it, leave it."""
    found = server_of(place, server)
    do = request.POST.get("do", "")
    keeping.act(found, do)
    if do == "remove":
        messages.info(request, f"{found} is not used any more; what it drew stays.")
    return redirect("servers", place.space.slug)
