"""Tables of posts that were taken in, and taking them out again: new drafts go, changed ones are as they were."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.publishing import desk, exchange
from zoetrope.studio.publishing.models import Post, TakenTable
from zoetrope.studio.publishing.stamping import LATE, stamp
from zoetrope.studio.publishing.throwing import KEPT
from zoetrope.studio.spaces.models import User

_GONE = "The table was taken in too long ago to be taken out; everything stays as it is."


def take_in(persona: Persona, data: bytes, by: User | None) -> TakenTable:
    """Take a table in, all lines or none; what takes it out again."""
    now = timezone.now()
    with transaction.atomic():
        taken = exchange.take_in(persona, data, by, rhythm_of(persona).zone)
        posts = Post.objects.in_bulk([each.pk for each in (*taken.added, *taken.changed)])
        TakenTable.objects.filter(at__lt=now - KEPT).delete()
        return TakenTable.objects.create(
            persona=persona,
            stamps={key: stamp(post, post.pictures.all()) for key, post in posts.items()},
            before=taken.before,
            at=now,
        )


def counted(table: TakenTable) -> tuple[int, int]:
    """How many posts it made, and how many it changed."""
    return len(table.stamps) - len(table.before), len(table.before)


def told(table: TakenTable) -> str:
    """What a page says of it."""
    added, changed = counted(table)
    return f"Taken in: {added} new, {changed} changed."


def take_out(persona: Persona, key: int) -> str:
    """As if it had never come, but for what somebody has changed since; what then holds, in a sentence."""
    with transaction.atomic():
        table = TakenTable.objects.select_for_update().filter(pk=key, persona=persona).first()
        if table is None or table.at < timezone.now() - KEPT:
            raise UserError(_GONE)
        posts = Post.objects.filter(persona=persona).select_for_update(of=("self",)).in_bulk(map(int, table.stamps))
        same = [post for key, post in posts.items() if stamp(post, post.pictures.all()) == table.stamps[str(key)]]
        if not same:
            raise UserError(LATE)
        _out(persona, table, same)
        left = len(table.stamps) - len(same)
        table.delete()
    others = f", but for {left} that somebody has gone on with" if left else ""
    return f"The table is out again{others}: its new drafts are gone, and the others are as they were."


def _out(persona: Persona, table: TakenTable, posts: Sequence[Post]) -> None:
    before = {int(line["id"]): line for line in table.before}
    exchange.restore(persona, [before[post.pk] for post in posts if post.pk in before])
    for post in posts:
        if post.pk not in before:
            desk.drop(post)
