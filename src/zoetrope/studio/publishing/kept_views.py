"""What publishing shows on the page of a library picture: the posts that show it, and the way to another one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.library.views import kept_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.agenda import WORDS
from zoetrope.studio.publishing.calendar import wall
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.post_views import zone_of
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_SHOWN, _ALL = 8, 200


@in_space()
def posts(request: HttpRequest, place: Place, kept: int) -> HttpResponse:
    """The posts that show a picture; one more is made of it."""
    found = kept_of(place, kept)
    if request.method == "POST":
        place.ask(Role.reviewer)
        return _made(request, place, found)
    rows = Post.objects.filter(space=place.space, pictures__made=found.made_id).distinct()
    whole = not request.headers.get("HX-Request")
    most = _ALL if whole else _SHOWN
    shown = list(rows.select_related("persona__rhythm").order_by("-pk")[: most + 1])
    told = [(each, wall(each.due, zone_of(each)), WORDS[Post.State(each.state)]) for each in shown[:most]]
    said = {"kept": found, "told": told, "personas": _who(place, found), "whole": whole, "more": len(shown) > most}
    return render(request, f"publishing/kept_{'page' if whole else 'block'}.html", said)


def _who(place: Place, kept: Kept) -> list[Persona]:
    """Whose post it can be: that of the persona it shows, or of any where it shows nobody."""
    own = kept.made.persona
    return [own] if own else list(Persona.objects.filter(space=place.space).order_by("title"))


def _made(request: HttpRequest, place: Place, kept: Kept) -> HttpResponse:
    """A draft of the picture, on its own page."""
    if kept.aside:
        raise UserError("It is put aside: bring it back into the library first; nothing was made.")
    persona = next((each for each in _who(place, kept) if each.name == request.POST.get("persona")), None)
    if persona is None:
        raise UserError("Say whose post it is to be: that of whom it shows; nothing was made.")
    post = desk.draft(persona, [kept], member(request))
    messages.success(request, "A draft of it, without a time yet: write its words, and say when.")
    return redirect("post", place.space.slug, post.pk)
