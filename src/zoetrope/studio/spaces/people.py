"""What changes who may do what; pages and API call these."""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse

from zoetrope.errors import UserError
from zoetrope.studio.spaces.forms import free_slug
from zoetrope.studio.spaces.here import Place
from zoetrope.studio.spaces.models import ApiToken, Membership, OneTimeLink, Role, Space, User


@transaction.atomic
def open_space(name: str, owner: User) -> Space:
    """A new space, owned by whoever opened it."""
    space = Space.objects.create(name=name, slug=free_slug(name))
    Membership.objects.create(space=space, user=owner, role=Role.owner)
    return space


def invite(space: Space, role: Role, host: User) -> str:
    """The path of an invitation; it is told this once."""
    return reverse("link", args=[OneTimeLink.make(OneTimeLink.Purpose.invite, space, role, made_by=host)])


def invitations_of(space: Space) -> QuerySet[OneTimeLink]:
    """The invitations that nobody has followed yet, the newest first."""
    found = OneTimeLink.usable().filter(space=space, purpose=OneTimeLink.Purpose.invite)
    return found.select_related("made_by").order_by("-expires")


def end_invitation(space: Space, invitation: int) -> None:
    """Its link opens nothing from now on."""
    get_object_or_404(invitations_of(space), pk=invitation).delete()


@transaction.atomic
def begin(link: OneTimeLink, user: User, name: str) -> Space:
    """The first account, and its space: the one that the link is for, or a new one of this name."""
    _arrive(user)
    if link.space:
        join(link, user)
        return link.space
    if not link.use():
        raise UserError("This link was used already: log in.")
    return open_space(name, user)


@transaction.atomic
def welcome(link: OneTimeLink, user: User) -> None:
    """A new account, by an invitation."""
    _arrive(user)
    join(link, user)


def _arrive(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise UserError(f"Somebody took the name {user} just now: go back and choose another.") from error


@transaction.atomic
def join(link: OneTimeLink, user: User) -> None:
    """Use an invitation; who is a member already keeps the higher of both roles."""
    if link.space is None or not link.use():
        raise UserError("This invitation was used already: ask for another.")
    found, made = Membership.objects.get_or_create(space=link.space, user=user, defaults={"role": link.role})
    if not made and found.role < link.role:
        found.role = link.role
        found.save(update_fields=["role"])


@transaction.atomic
def renew(link: OneTimeLink, user: User) -> None:
    """Keep a new password that a link let in; the person's other links open nothing any more."""
    if not link.use():
        raise UserError("This link was used already: ask for another.")
    user.save(update_fields=["password"])
    OneTimeLink.end_of(user)


@transaction.atomic
def change_role(membership: Membership, role: Role) -> None:
    """Give a member another role; who owns no longer, invites no longer."""
    if role < Role.owner:
        _keep_an_owner(membership)
        _uninvite(membership)
    membership.role = role
    membership.save(update_fields=["role"])


@transaction.atomic
def leave(membership: Membership) -> None:
    """End a membership, and the tokens and invitations that came with it."""
    _keep_an_owner(membership)
    _uninvite(membership)
    membership.space.tokens.filter(user=membership.user).delete()
    membership.delete()


def _uninvite(membership: Membership) -> None:
    invitations_of(membership.space).filter(made_by=membership.user).delete()


def _keep_an_owner(membership: Membership) -> None:
    others = Membership.objects.select_for_update().filter(space=membership.space, role=Role.owner)
    if not others.exclude(pk=membership.pk).exists():
        raise UserError(f"{membership.space.name} needs an owner: make someone else one first.")


def members_of(space: Space) -> QuerySet[Membership]:
    """Who belongs to a space, those who may do most first."""
    return Membership.objects.filter(space=space).select_related("user").order_by("-role", "user__username")


def tokens_of(place: Place, user: User) -> QuerySet[ApiToken]:
    """An owner's view is every token of the space, anyone else's their own."""
    tokens = ApiToken.objects.filter(space=place.space).select_related("user")
    return tokens if place.owns else tokens.filter(user=user)


def end_token(place: Place, user: User, token: int) -> ApiToken:
    """A token opens nothing from now on."""
    found = get_object_or_404(tokens_of(place, user), pk=token)
    found.delete()
    return found
