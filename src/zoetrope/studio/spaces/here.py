"""Which space a request is in, and what its sender may do there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase

from zoetrope.studio.spaces.models import Membership, Role, Space, User

P = ParamSpec("P")
LAST = "last_space"
Here = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Place:
    """The space a page belongs to, and the visitor's role in it."""

    space: Space
    role: Role

    def ask(self, needed: Role) -> None:
        """Refuse where the visitor's role does not reach."""
        if self.role < needed:
            raise PermissionDenied(f"This takes the role {needed.label.lower()} in {self.space.name}.")

    @property
    def reviews(self) -> bool:
        return self.role >= Role.reviewer

    @property
    def owns(self) -> bool:
        return self.role >= Role.owner


def place_of(user: User, slug: str, needed: Role = Role.viewer) -> Place:
    """The space by its slug. To a stranger it does not exist; a member who may not do this is told so."""
    found = Membership.objects.select_related("space").filter(user=user, space__slug=slug).first()
    if found is None:
        raise Http404("There is no such space.")
    place = Place(found.space, Role(found.role))
    place.ask(needed)
    return place


def in_space(
    needed: Role = Role.viewer,
) -> Callable[[Callable[Concatenate[HttpRequest, Place, P], HttpResponseBase]], Here]:
    """A view of one space: its URL names the space, and the view gets the place."""

    def decorate(view: Callable[Concatenate[HttpRequest, Place, P], HttpResponseBase]) -> Here:
        @wraps(view)
        def wrapped(request: HttpRequest, space: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            place = place_of(member(request), space, needed)
            request.place = place  # type: ignore[attr-defined]
            if request.session.get(LAST) != space:
                request.session[LAST] = space
            return view(request, place, *args, **kwargs)

        return wrapped

    return decorate


def member(request: HttpRequest) -> User:
    """Whoever is logged in; the login middleware let nobody else through."""
    return cast(User, request.user)


def around(request: HttpRequest) -> dict[str, Any]:
    """For every template: where this is, and where else its visitor could be."""
    if not request.user.is_authenticated:
        return {}
    return {"place": getattr(request, "place", None), "spaces": list(member(request).spaces.all())}
