"""Spaces, their members and what opens their doors, for programs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import ConfigDict, StringConstraints

from zoetrope.studio.bodies import KEPT
from zoetrope.studio.spaces import people
from zoetrope.studio.spaces.here import Place, member, place_of
from zoetrope.studio.spaces.models import ApiToken, Membership, OneTimeLink, Role

router = Router(tags=["spaces"])

# No database keeps a NUL in a text.
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=KEPT)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=KEPT)]
RoleName = Literal["viewer", "reviewer", "owner"]


class Said(Schema):
    """What a program says; a name that is not known is refused, as it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid")


class SpaceIn(Said):
    """A space to be opened."""

    name: Name


class SpaceOut(Schema):
    """A space as its member sees it."""

    slug: str
    name: str
    role: str


class RoleIn(Said):
    """What somebody may do."""

    role: RoleName


class MemberOut(Schema):
    """Who belongs to a space."""

    name: str
    role: str


class InvitationOut(Schema):
    """A link that opens once, within two days; it is told only now."""

    link: str


class OpenInvitationOut(Schema):
    """An invitation that nobody has followed yet, without its link."""

    id: int
    role: str
    made_by: str | None
    expires: datetime


class TokenIn(Said):
    """What a token is for."""

    name: Name


class TokenOut(Schema):
    """A token without its secret."""

    id: int
    name: str
    acts_as: str
    created: datetime
    seen: datetime | None


class NewTokenOut(Schema):
    """A token's secret, which is told only now."""

    name: str
    secret: str


def sends(*kinds: str) -> dict[str, Any]:
    """How the answer of an operation that sends a file is described."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"responses": {200: {"description": "The file", "content": dict.fromkeys(kinds, binary)}}}


def asked_place(request: HttpRequest, slug: str, needed: Role = Role.viewer) -> Place:
    """The place of an API call; a token opens only the space it was made for."""
    token = _token(request)
    if token is not None and token.space.slug != slug:
        raise PermissionDenied("This token is for another space.")
    return place_of(member(request), slug, needed)


def _token(request: HttpRequest) -> ApiToken | None:
    token = getattr(request, "auth", None)
    return token if isinstance(token, ApiToken) else None


def _in_person(request: HttpRequest) -> None:
    """A token cannot make doors for others: when it ends, whatever it could do ends with it."""
    if _token(request) is not None:
        raise PermissionDenied("This takes a login: a token makes no spaces, invitations or tokens.")


def _role(role: int) -> str:
    return Role(role).label.lower()


@router.get("/spaces", response=list[SpaceOut])
def list_spaces(request: HttpRequest) -> list[SpaceOut]:
    """The spaces that the caller belongs to."""
    found = Membership.objects.filter(user=member(request)).select_related("space").order_by("space__name")
    token = _token(request)
    if token is not None:
        found = found.filter(space=token.space)
    return [SpaceOut(slug=each.space.slug, name=each.space.name, role=_role(each.role)) for each in found]


@router.post("/spaces", response={201: SpaceOut})
def make_space(request: HttpRequest, said: SpaceIn) -> Status[SpaceOut]:
    """Open another space, owned by the caller; it takes a login, not a token."""
    _in_person(request)
    space = people.open_space(said.name, member(request))
    return Status(201, SpaceOut(slug=space.slug, name=space.name, role=_role(Role.owner)))


@router.get("/spaces/{space}/members", response=list[MemberOut])
def list_members(request: HttpRequest, space: str) -> list[MemberOut]:
    """Who belongs to a space."""
    return [_member_out(each) for each in people.members_of(asked_place(request, space).space)]


def _member_out(seat: Membership) -> MemberOut:
    return MemberOut(name=seat.user.username, role=_role(seat.role))


def _seat(place: Place, name: str) -> Membership:
    return get_object_or_404(people.members_of(place.space), user__username=name)


@router.patch("/spaces/{space}/members/{user}", response=MemberOut)
def change_member(request: HttpRequest, space: str, user: str, said: RoleIn) -> MemberOut:
    """Give a member another role."""
    seat = _seat(asked_place(request, space, Role.owner), user)
    people.change_role(seat, Role[said.role])
    return _member_out(seat)


@router.delete("/spaces/{space}/members/{user}", response={204: None})
def end_membership(request: HttpRequest, space: str, user: str) -> Status[None]:
    """End a membership, and the tokens and invitations that came with it; one's own anybody may end."""
    own = user == member(request).username
    people.leave(_seat(asked_place(request, space, Role.viewer if own else Role.owner), user))
    return Status(204, None)


@router.post("/spaces/{space}/invitations", response={201: InvitationOut})
def make_invitation(request: HttpRequest, space: str, said: RoleIn) -> Status[InvitationOut]:
    """A link for a new member; it takes a login, not a token."""
    place = asked_place(request, space, Role.owner)
    _in_person(request)
    link = request.build_absolute_uri(people.invite(place.space, Role[said.role], member(request)))
    return Status(201, InvitationOut(link=link))


@router.get("/spaces/{space}/invitations", response=list[OpenInvitationOut])
def list_invitations(request: HttpRequest, space: str) -> list[OpenInvitationOut]:
    """The invitations that nobody has followed yet."""
    return [_invitation_out(each) for each in people.invitations_of(asked_place(request, space, Role.owner).space)]


def _invitation_out(link: OneTimeLink) -> OpenInvitationOut:
    host = link.made_by.username if link.made_by else None
    return OpenInvitationOut(id=link.pk, role=_role(link.role), made_by=host, expires=link.expires)


@router.delete("/spaces/{space}/invitations/{int:invitation}", response={204: None})
def end_invitation(request: HttpRequest, space: str, invitation: int) -> Status[None]:
    """An invitation ends before anybody followed it."""
    people.end_invitation(asked_place(request, space, Role.owner).space, invitation)
    return Status(204, None)


@router.get("/spaces/{space}/tokens", response=list[TokenOut])
def list_tokens(request: HttpRequest, space: str) -> list[ApiToken]:
    """An owner sees the space's tokens, others their own."""
    found = people.tokens_of(asked_place(request, space), member(request))
    return list(found.annotate(acts_as=F("user__username")))


@router.post("/spaces/{space}/tokens", response={201: NewTokenOut})
def make_token(request: HttpRequest, space: str, said: TokenIn) -> Status[NewTokenOut]:
    """A token that acts as the caller in this space; it takes a login, not a token."""
    place = asked_place(request, space)
    _in_person(request)
    secret = ApiToken.make(place.space, member(request), said.name)
    return Status(201, NewTokenOut(name=said.name, secret=secret))


@router.delete("/spaces/{space}/tokens/{int:token}", response={204: None})
def end_token(request: HttpRequest, space: str, token: int) -> Status[None]:
    """A token ends at once; an owner ends anyone's, others their own."""
    people.end_token(asked_place(request, space), member(request), token)
    return Status(204, None)
