"""Library pictures that a persona could post: those that no post has, a page at a time."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from zoetrope.studio.library.models import Kept
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import Cluster, Use

A_PAGE = 24


def free(persona: Persona) -> "QuerySet[Kept]":
    """Pictures of it, of nobody, and in its clusters, that no post has and that are not put aside; the newest first."""
    used = Exists(Use.objects.filter(made=OuterRef("made")))
    lies = Exists(Cluster.kept.through.objects.filter(kept=OuterRef("pk"), cluster__persona=persona))
    shows = Q(made__persona=persona) | Q(made__persona=None) | Q(lies)
    return Kept.objects.filter(~used, shows, space=persona.space_id, aside=None)


def page(persona: Persona, before: int = 0, words: str = "") -> tuple[list[Kept], int]:
    """The newest of them that are older than this one, and before which the next page begins; 0 where none does."""
    rows = free(persona).select_related("made").defer("words", "made__recipe")
    if before:
        rows = rows.filter(pk__lt=before)
    for word in words.split():
        rows = rows.filter(words__icontains=word)
    found = list(rows[: A_PAGE + 1])
    return found[:A_PAGE], found[A_PAGE - 1].pk if len(found) > A_PAGE else 0


def picked(persona: Persona, keys: list[int]) -> list[Kept]:
    """These pictures of the persona's space, in the order in which they were named."""
    found = {each.pk: each for each in Kept.objects.filter(space=persona.space_id, pk__in=keys).select_related("made")}
    return [found[key] for key in dict.fromkeys(keys) if key in found]
