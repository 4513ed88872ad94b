"""Spaces and their members, for programs."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Router, Schema

from zoetrope.studio.spaces.here import Place, member, place_of
from zoetrope.studio.spaces.models import ApiToken, Membership, Role

router = Router(tags=["spaces"])


class SpaceOut(Schema):
    """A space as its member sees it."""

    slug: str
    name: str
    role: str


class MemberOut(Schema):
    """Who belongs to a space."""

    name: str
    role: str


def asked_place(request: HttpRequest, slug: str, needed: Role = Role.viewer) -> Place:
    """The place of an API call; a token opens only the space it was made for."""
    token = getattr(request, "auth", None)
    if isinstance(token, ApiToken) and token.space.slug != slug:
        raise PermissionDenied("This token is for another space.")
    return place_of(member(request), slug, needed)


@router.get("/spaces", response=list[SpaceOut])
def list_spaces(request: HttpRequest) -> list[SpaceOut]:
    """The spaces that the caller belongs to."""
    found = Membership.objects.filter(user=member(request)).select_related("space").order_by("space__name")
    token = getattr(request, "auth", None)
    if isinstance(token, ApiToken):
        found = found.filter(space=token.space)
    return [SpaceOut(slug=each.space.slug, name=each.space.name, role=Role(each.role).label.lower()) for each in found]


@router.get("/spaces/{space}/members", response=list[MemberOut])
def list_members(request: HttpRequest, space: str) -> list[MemberOut]:
    """Who belongs to a space."""
    place = asked_place(request, space)
    found = Membership.objects.filter(space=place.space).select_related("user").order_by("user__username")
    return [MemberOut(name=each.user.username, role=Role(each.role).label.lower()) for each in found]
