"""The doors: logging in, the first account, spaces and who belongs to them."""

from functools import cache
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from zoetrope.studio.spaces import forms, people
from zoetrope.studio.spaces.here import LAST, Place, in_space, member
from zoetrope.studio.spaces.models import ApiToken, OneTimeLink, Role, User


class Enter(LoginView):
    """The login page; before there is any account it tells where the first one's link is."""

    template_name = "spaces/login.html"
    authentication_form = forms.Login
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"nobody": not User.objects.exists()}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """To the space where the visitor was last."""
    slugs = list(member(request).spaces.values_list("slug", flat=True))
    last = request.session.get(LAST)
    if not slugs:
        return redirect("space-new")
    return redirect("space", last if last in slugs else slugs[0])


@login_not_required
def follow(request: HttpRequest, secret: str) -> HttpResponse:
    """Where a one-time link leads: to a first account, an invitation, a new password."""
    link = OneTimeLink.find(secret)
    if link is None:
        return render(request, "spaces/link_gone.html", status=404)
    pages = {
        OneTimeLink.Purpose.first.value: _first,
        OneTimeLink.Purpose.invite.value: _invited,
        OneTimeLink.Purpose.password.value: _password,
    }
    return pages[link.purpose](request, link)


# Hashing a password takes a while on purpose: it is done before the database is held, so that others need not wait.


def _first(request: HttpRequest, link: OneTimeLink) -> HttpResponse:
    form = (forms.NewAccount if link.space else forms.FirstAccount)(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _door(request, form, "Welcome to Zoetrope", "Make the owner's account.", "Open the studio")
    user = form.save(commit=False)
    space = people.begin(link, user, form.cleaned_data.get("space", ""))
    login(request, user)
    return redirect("space", space.slug)


def _invited(request: HttpRequest, link: OneTimeLink) -> HttpResponse:
    assert link.space is not None
    role = Role(link.role).label.lower()
    if request.user.is_authenticated:
        if request.method == "POST":
            people.join(link, member(request))
            return redirect("space", link.space.slug)
        return _door(request, None, f"Join {link.space}", f"You are invited as {role}.", "Join")
    form = forms.NewAccount(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        lead = f"You are invited as {role}. Have an account already? Log in first, then follow the link again."
        return _door(request, form, f"Join {link.space}", lead, "Join")
    user = form.save(commit=False)
    people.welcome(link, user)
    login(request, user)
    return redirect("space", link.space.slug)


def _password(request: HttpRequest, link: OneTimeLink) -> HttpResponse:
    assert link.user is not None
    form = forms.NewPassword(link.user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _door(request, form, "A new password", f"For {link.user.username}.", "Set it and log in")
    user = form.save(commit=False)
    people.renew(link, user)
    login(request, user)
    return redirect("home")


def _door(request: HttpRequest, form: Any, title: str, lead: str, button: str) -> HttpResponse:
    said = {"form": form, "title": title, "lead": lead, "button": button}
    return render(request, "spaces/door.html", said, status=422 if form is not None and form.is_bound else 200)


def new_space(request: HttpRequest) -> HttpResponse:
    """Open another space."""
    form = forms.NewSpace(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("space", people.open_space(form.cleaned_data["name"], member(request)).slug)
    return _door(request, form, "A new space", "Its personas are seen by its members alone.", "Open it")


@in_space()
def members(request: HttpRequest, place: Place) -> HttpResponse:
    """Who belongs to the space, what they may do, and the tokens of its programs."""
    return _members(request, place)


def _members(request: HttpRequest, place: Place, what: str = "", secret: str = "") -> HttpResponse:
    """The members page, with a secret that is told only in this answer: kept anywhere, others might read it."""
    said = {
        "memberships": [(each, _role_options(each.role)) for each in people.members_of(place.space)],
        "tokens": people.tokens_of(place, member(request)),
        "invitation": forms.Invitation(),
        "new_token": forms.NewToken(),
        "invited": people.invitations_of(place.space) if place.owns else (),
        "me": member(request),
        "what": what,
        "secret": secret,
    }
    return render(request, "spaces/members.html", said)


@cache
def _role_options(held: int) -> SafeString:
    """A member's choice of roles; in a template the choices of many members were half of the page's time."""
    rows = ((value, mark_safe(" selected") if value == held else "", label) for value, label in Role.choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


@never_cache
@in_space(Role.owner)
def invite(request: HttpRequest, place: Place) -> HttpResponse:
    """Make an invitation; its link is shown this once, and whoever only comes by its address sees the members."""
    form = forms.Invitation(request.POST or None)
    if not form.is_valid():
        return redirect("members", place.space.slug)
    path = people.invite(place.space, Role(form.cleaned_data["role"]), member(request))
    what = "An invitation that opens once, within two days. It is told only now:"
    return _members(request, place, what, request.build_absolute_uri(path))


@require_POST
@in_space(Role.owner)
def end_invitation(request: HttpRequest, place: Place, invitation: int) -> HttpResponse:
    """An invitation ends before anybody followed it."""
    people.end_invitation(place.space, invitation)
    messages.info(request, "That invitation opens nothing any more.")
    return redirect("members", place.space.slug)


@require_POST
@in_space()
def set_role(request: HttpRequest, place: Place, membership: int) -> HttpResponse:
    """Change a member's role, or end the membership; one's own anybody may end."""
    found = get_object_or_404(people.members_of(place.space), pk=membership)
    own = found.user == member(request)
    if "leave" in request.POST:
        place.ask(Role.viewer if own else Role.owner)
        people.leave(found)
        messages.info(request, f"{found.user} is no longer a member of {place.space}.")
        return redirect("home") if own else redirect("members", place.space.slug)
    place.ask(Role.owner)
    form = forms.Invitation(request.POST)
    if form.is_valid():
        people.change_role(found, Role(form.cleaned_data["role"]))
        messages.info(request, f"{found.user} is now {found.get_role_display().lower()}.")
    return redirect("members", place.space.slug)


@never_cache
@in_space()
def new_token(request: HttpRequest, place: Place) -> HttpResponse:
    """Make a token that acts as its maker in this space; it is shown this once, as an invitation is."""
    form = forms.NewToken(request.POST or None)
    if not form.is_valid():
        return redirect("members", place.space.slug)
    secret = ApiToken.make(place.space, member(request), form.cleaned_data["name"])
    return _members(request, place, "The token. It is told only now:", secret)


@require_POST
@in_space()
def end_token(request: HttpRequest, place: Place, token: int) -> HttpResponse:
    """A token ends at once; an owner ends anyone's, others their own."""
    found = people.end_token(place, member(request), token)
    messages.info(request, f"The token {found.name} opens nothing any more.")
    return redirect("members", place.space.slug)
