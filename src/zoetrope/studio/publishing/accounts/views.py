"""The pages of a persona's channels: which there are and how each is, one of them, the outbox."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.files import Handed
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.publishing import hosting
from zoetrope.studio.publishing.accounts import folders, forms, keeping, login, tokens
from zoetrope.studio.publishing.accounts.health import health, renewals
from zoetrope.studio.publishing.accounts.quota import quota
from zoetrope.studio.publishing.calendar import wall
from zoetrope.studio.publishing.channels.instagram.connecting import SCOPES
from zoetrope.studio.publishing.models import Channel
from zoetrope.studio.spaces.here import Place, in_space, member, place_of
from zoetrope.studio.spaces.models import Role

_A_PAGE = 24


def channel_of(persona: Persona, channel: int) -> Channel:
    """One of the persona's channels that is still in use."""
    rows = Channel.objects.select_related("persona", "space")
    return get_object_or_404(rows, pk=channel, persona=persona, retired=None)


@in_space()
def channels(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """How each is; another account is connected."""
    found = persona_of(place, persona)
    form = forms.Connect(request.POST or None)
    if request.method == "POST":
        place.ask(Role.owner)
        if form.is_valid():
            try:
                added = keeping.connect(found, **form.cleaned_data)
            except UserError as error:
                form.add_error("token", str(error))
            else:
                messages.success(request, f"{added} is connected.")
                return redirect("channels", place.space.slug, found.name)
    return _channels(request, found, form)


def _channels(request: HttpRequest, persona: Persona, form: forms.Connect) -> HttpResponse:
    rows, now = keeping.channels_of(persona), timezone.now()
    renewed = renewals(rows)
    listed = [(each, health(each, now, renewed.get(each.pk))) for each in rows]
    said: dict[str, Any] = {"persona": persona, "listed": listed, "form": form, "app": tokens.app() is not None}
    said |= {"lying": folders.lying(persona), "folder": f"outbox/{persona.folder}", "trouble": hosting.trouble()}
    said |= {"login": forms.Login(auto_id="by_login_%s"), "kinds": Channel.Kind}
    return render(request, "publishing/accounts/channels.html", said, status=422 if form.errors else 200)


@in_space()
def channel(request: HttpRequest, place: Place, persona: str, channel: int) -> HttpResponse:
    """One channel: how it is, another name, another token."""
    found = persona_of(place, persona)
    row = channel_of(found, channel)
    posted = request.POST.get("form") if request.method == "POST" else None
    about = forms.About(request.POST if posted == "about" else None, row)
    token = forms.Token(request.POST if posted == "token" else None)
    if request.method == "POST":
        place.ask(Role.owner)
        if _changed(row, about, token):
            messages.success(request, "Saved.")
            return redirect("channel", place.space.slug, found.name, row.pk)
    words = health(row, timezone.now(), renewals([row]).get(row.pk))
    said = {"persona": found, "channel": row, "words": words, "about": about, "token": token, "kinds": Channel.Kind}
    bad = request.method == "POST"
    return render(request, "publishing/accounts/channel.html", said, status=422 if bad else 200)


def _changed(row: Channel, about: forms.About, token: forms.Token) -> bool:
    """Whether either form was sent and taken."""
    form: forms.About | forms.Token = about if about.is_bound else token
    if not form.is_valid():
        return False
    try:
        if form is about:
            keeping.rename(row, **form.cleaned_data)
        else:
            keeping.replace(row, form.cleaned_data["token"])
    except UserError as error:
        form.add_error(None, str(error))
        return False
    return True


@require_POST
@in_space(Role.owner)
def act(request: HttpRequest, place: Place, persona: str, channel: int) -> HttpResponse:
    """All is well again, or nothing is to go out there any more."""
    found = persona_of(place, persona)
    row, do = channel_of(found, channel), request.POST.get("do", "")
    if do not in keeping.ACTS:
        raise UserError("A channel can be declared well again or retired; nothing was changed.")
    keeping.ACTS[do](row)
    if do == "retire":
        messages.info(request, f"{row} is retired; its ledger stays, and connecting the account again brings it back.")
        return redirect("channels", place.space.slug, found.name)
    messages.success(request, f"{row} answers: posts go out again.")
    return redirect("channel", place.space.slug, found.name, row.pk)


@require_GET
@in_space()
def used(request: HttpRequest, place: Place, persona: str, channel: int) -> HttpResponse:
    """How much of a day's posts is used up: the pages ask for this when they are shown."""
    row = channel_of(persona_of(place, persona), channel)
    told = quota(row, timezone.now())
    return render(request, "publishing/accounts/used.html", {"channel": row, "quota": told})


@require_GET
@in_space()
def outbox(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """What went to the outbox."""
    found = persona_of(place, persona)
    page = Paginator(folders.posts(found), _A_PAGE).get_page(request.GET.get("page"))
    zone = ZoneInfo(rhythm_of(found).zone)
    listed = [(each, folders.is_there(found, each), wall(each.published, zone)) for each in page]
    said = {"persona": found, "page": page, "listed": listed, "folder": f"outbox/{found.folder}", "zone": zone.key}
    return render(request, "publishing/accounts/outbox.html", said | {"lying": folders.lying(found)})


@require_GET
@in_space()
def download(request: HttpRequest, place: Place, persona: str, post: int) -> HttpResponseBase:
    """One post of the outbox, as an archive."""
    found = persona_of(place, persona)
    row = get_object_or_404(folders.posts(found), pk=post)
    return Handed(folders.packed(found, row), as_attachment=True, filename=f"{row.media}.zip")


@require_POST
@in_space(Role.owner)
def log_in(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """On the way to a login with Instagram or Facebook: what will be asked for there, and the link."""
    found = persona_of(place, persona)
    form = forms.Login(request.POST)
    if not form.is_valid():
        raise UserError("Say which login, and of an account at most its number; nothing was changed.")
    # A page with a link: the content policy lets no form lead elsewhere.
    back = request.build_absolute_uri(reverse("channel-logged-in"))
    way = login.begin(request.session, found, **form.cleaned_data, back=back)
    said = {"persona": found, "way": way, "back": back, "scopes": SCOPES[form.cleaned_data["login"]]}
    return render(request, "publishing/accounts/login.html", said)


@require_GET
def logged_in(request: HttpRequest) -> HttpResponse:
    """Back from there."""
    begun = login.came_back(request.session, request.GET.get("state", ""))
    persona = get_object_or_404(Persona.objects.select_related("space"), pk=begun.pop("persona"))
    place = place_of(member(request), persona.space.slug, Role.owner)
    added = login.finish(persona, **begun, code=request.GET.get("code", ""))
    messages.success(request, f"{added} is connected.")
    return redirect("channels", place.space.slug, persona.name)
