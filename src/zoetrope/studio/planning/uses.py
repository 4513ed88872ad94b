"""Which pictures are used up: a post takes them, lets go of them, or was posted with them."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, IntegerField, OuterRef, QuerySet, Subquery

from zoetrope.studio.library.models import Kept
from zoetrope.studio.planning.models import Cluster, Pillar, Use

COUNTED = 300
"""So far are pictures counted: more than the longest look ahead can need, whatever the rhythm."""


def take(kept: Kept, pillar: Pillar | None, post: int, at: datetime) -> Use:
    """A post is to show this picture, at that time; told twice, it is the same."""
    said = {"kept": kept, "pillar": pillar, "at": at}
    return Use.objects.update_or_create(made_id=kept.made_id, post=post, defaults=said)[0]


def release(post: int) -> int:
    """A post that never went out lets go of its pictures; how many are free again."""
    return Use.objects.filter(post=post, posted=False).delete()[0]


def moved(post: int, at: datetime) -> None:
    """It shall go out at another time."""
    Use.objects.filter(post=post, posted=False).update(at=at)


def posted(post: int, at: datetime) -> None:
    """It went out: its pictures are used for good."""
    Use.objects.filter(post=post).update(posted=True, at=at)


def free(pillar: Pillar) -> "QuerySet[Kept]":
    """The pillar's pictures that no post has and that are not put aside, the newest first."""
    lying = _placed().filter(cluster__pillars=pillar, cluster__gone=None).values("kept")
    return Kept.objects.filter(~_used("made"), pk__in=lying, space=pillar.space, aside=None)


def counted(pillars: "QuerySet[Pillar]") -> "QuerySet[Pillar]":
    """The same, each with how many pictures it has left as `there`, counted no further than `COUNTED`."""
    rows = _placed().filter(~_used("kept__made"), cluster__pillars=OuterRef("pk"), cluster__gone=None)
    rows = rows.filter(kept__aside=None).order_by().values("kept").distinct()[:COUNTED]
    return pillars.annotate(there=RowCount(rows))


def _placed() -> "QuerySet[Any]":
    return Cluster.kept.through.objects.all()


def _used(made: str) -> Exists:
    return Exists(Use.objects.filter(made=OuterRef(made)))


class RowCount(Subquery):
    """How many rows a query has, which may stop counting early."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
