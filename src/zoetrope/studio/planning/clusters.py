"""Clusters by hand: made, named, joined to pillars, filled and emptied, deleted and brought back."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import LONGEST_NAME, Cluster, Pillar, Use

MOST_CLUSTERS, MOST_AT_ONCE = 200, 500
SHOWN = 4
_LONGEST_NOTE = 300
_BATCH = 2_000

# A picture's place in a cluster.
Placed: Any = Cluster.kept.through


def add(persona: Persona, name: str, note: str = "", pillars: Iterable[Pillar] = ()) -> Cluster:
    """A new one without pictures."""
    name, note = _checked(name, note)
    with transaction.atomic():
        _fits(persona, name, None)
        cluster = Cluster.objects.create(space=persona.space, persona=persona, name=name, note=note)
        join(cluster, pillars)
    return cluster


def change(cluster: Cluster, name: str, note: str) -> Cluster:
    """Call it otherwise."""
    cluster.name, cluster.note = _checked(name, note)
    with transaction.atomic():
        if cluster.gone is None:
            _fits(cluster.persona, cluster.name, cluster)
        cluster.save(update_fields=["name", "note"])
    return cluster


def join(cluster: Cluster, pillars: Iterable[Pillar]) -> None:
    """It serves these pillars from now on, and no others but those that are retired: they may come back."""
    pillars = list(pillars)
    if any(each.persona_id != cluster.persona_id for each in pillars):
        raise UserError("A cluster serves pillars of its own persona; nothing was changed.")
    with transaction.atomic():
        cluster.pillars.set([*pillars, *cluster.pillars.exclude(retired=None)])


def put(cluster: Cluster, kept: Collection[int]) -> int:
    """Put pictures in; how many were not there before."""
    _few(kept)
    return fill(cluster, Kept.objects.filter(space=cluster.space_id, pk__in=kept).values_list("pk", flat=True))


def fill(cluster: Cluster, kept: Iterable[int]) -> int:
    """The same for as many as there are, of the cluster's space."""
    with transaction.atomic():
        before = Placed.objects.filter(cluster=cluster).count()
        rows = (Placed(cluster_id=cluster.pk, kept_id=key) for key in list(kept))
        Placed.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_BATCH)
        return int(Placed.objects.filter(cluster=cluster).count() - before)


def take_out(cluster: Cluster, kept: Collection[int]) -> int:
    """Take pictures out; how many lay there."""
    _few(kept)
    return int(Placed.objects.filter(cluster=cluster, kept__in=list(kept)).delete()[0])


def delete(cluster: Cluster) -> None:
    """Away, until somebody brings it back; its pictures stay in the library."""
    cluster.gone = timezone.now()
    cluster.save(update_fields=["gone"])


def restore(cluster: Cluster) -> None:
    """As it was, where nothing else has its name by now."""
    with transaction.atomic():
        _fits(cluster.persona, cluster.name, cluster)
        cluster.gone = None
        cluster.save(update_fields=["gone"])


def home_of(pillar: Pillar) -> Cluster:
    """Where a pillar's new pictures go: its first cluster, or one of its own name that is made now."""
    known = pillar.clusters.filter(gone=None).order_by("pk").first()
    if known is None:
        live = Cluster.objects.filter(persona=pillar.persona_id, gone=None)
        known = live.filter(name=pillar.name).first() or add(pillar.persona, pillar.name)
        known.pillars.add(pillar)
    return known


def listed(persona: Persona, *, gone: bool = False) -> "QuerySet[Cluster]":
    """A persona's clusters, each with how many `pictures` it has and the newest of them as `newest_0` and on."""
    rows = Cluster.objects.filter(persona=persona, gone__isnull=not gone).prefetch_related("pillars")
    lying = Placed.objects.filter(cluster=OuterRef("pk")).order_by("-kept_id").values("kept_id")
    newest = {f"newest_{place}": Subquery(lying[place : place + 1]) for place in range(SHOWN)}
    # Counted for itself: joined, each picture would be counted once a pillar.
    count = Placed.objects.filter(cluster=OuterRef("pk")).order_by().values("cluster").annotate(all=Count("pk"))
    return rows.annotate(pictures=Subquery(count.values("all")), **newest)


def pictures_of(clusters: Iterable[Cluster]) -> dict[int, list[Kept]]:
    """The newest pictures of clusters that were `listed`, by the clusters' numbers."""
    keys = {each.pk: [getattr(each, f"newest_{place}") for place in range(SHOWN)] for each in clusters}
    known = (
        Kept.objects.select_related("made")
        .defer("words", "look", "made__recipe")
        .in_bulk({key for each in keys.values() for key in each if key is not None})
    )
    return {cluster: [known[key] for key in each if key in known] for cluster, each in keys.items()}


def lying_in(cluster: Cluster) -> "QuerySet[Any]":
    """Its places, the newest picture first, each with whether its picture is `used`."""
    used = Exists(Use.objects.filter(made=OuterRef("kept__made")))
    rows: QuerySet[Any] = Placed.objects.filter(cluster=cluster).select_related("kept__made").order_by("-kept_id")
    told: QuerySet[Any] = rows.defer("kept__words", "kept__look", "kept__made__recipe").annotate(used=used)
    return told


def others(cluster: Cluster, words: str = "") -> "QuerySet[Kept]":
    """The persona's pictures, and those of nobody's, that do not lie in it; each word narrows it down."""
    mine = Q(made__persona=cluster.persona_id) | Q(made__persona=None)
    rows = Kept.objects.filter(mine, space=cluster.space_id, aside=None)
    for word in words.split():
        rows = rows.filter(words__icontains=word)
    there = Exists(Placed.objects.filter(cluster=cluster, kept=OuterRef("pk")))
    return rows.filter(~there).select_related("made").defer("words", "look", "made__recipe")


def _checked(name: str, note: str) -> tuple[str, str]:
    name, note = name.strip(), note.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise UserError(f"A cluster needs a name of 1 to {LONGEST_NAME} characters.")
    if len(note) > _LONGEST_NOTE:
        raise UserError(f"A note has at most {_LONGEST_NOTE} characters.")
    return name, note


def _few(kept: Collection[int]) -> None:
    if not kept:
        raise UserError("Choose at least one picture; nothing was changed.")
    if len(kept) > MOST_AT_ONCE:
        raise UserError(f"That is too much at once: {MOST_AT_ONCE} pictures can be moved; nothing was changed.")


def _fits(persona: Persona, name: str, own: Cluster | None) -> None:
    Persona.objects.select_for_update().get(pk=persona.pk)
    live = Cluster.objects.filter(persona=persona, gone=None).exclude(pk=own.pk if own else 0)
    if live.filter(name=name).exists():
        raise UserError(f"{persona} has a cluster called {name} already; nothing was changed.")
    if live.count() >= MOST_CLUSTERS:
        raise UserError(f"A persona has at most {MOST_CLUSTERS} clusters: delete one first.")
