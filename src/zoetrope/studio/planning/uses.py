"""Which pictures are used up: a post takes them, lets go of them, or was posted with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import CharField, Exists, IntegerField, OuterRef, QuerySet, Subquery

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


class Stock(NamedTuple):
    """What a pillar has: pictures that no post has, and posts to come that have theirs."""

    left: int
    planned: int


def stock(pillars: Sequence[Pillar], since: datetime, until: datetime, most: int | None = None) -> dict[int, Stock]:
    """What each of them has, by its number; planned is what goes out in that time.

    Pictures are counted no further than so many, or `COUNTED`.
    """
    most = min(most or COUNTED, COUNTED)
    # A cluster after the other, the newest first, of which few were posted: a database finds these by one index.
    free = _placed().filter(~_used("kept__made"), cluster=OuterRef("clusters"), cluster__gone=None, kept__aside=None)
    listed = _Listed(free.order_by("-kept").values("kept")[:most])
    coming = Use.objects.filter(pillar=OuterRef("pk"), posted=False, at__gte=since, at__lt=until)
    posts = RowCount(coming.order_by().values("post").distinct())
    found: dict[int, tuple[set[str], int]] = {}
    rows = Pillar.objects.filter(pk__in=[each.pk for each in pillars]).order_by()
    for pillar, pictures, planned in rows.values_list("pk", listed, posts):
        found.setdefault(pillar, (set(), planned))[0].update(pictures.split(",") if pictures else ())
    return {pillar: Stock(min(len(each), most), planned) for pillar, (each, planned) in found.items()}


def _placed() -> "QuerySet[Any]":
    return Cluster.kept.through.objects.all()


def _used(made: str) -> Exists:
    return Exists(Use.objects.filter(made=OuterRef(made)))


class _Listed(Subquery):
    """The rows' numbers in one text."""

    template = "(SELECT GROUP_CONCAT(kept) FROM (%(subquery)s) AS listed)"
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL's own name for it."""
        template = "(SELECT STRING_AGG(kept::text, ',') FROM (%(subquery)s) AS listed)"
        return self.as_sql(compiler, connection, template=template, **context)


class RowCount(Subquery):
    """How many rows a query has, which may stop counting early."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
