"""Drafts that were thrown away, and bringing one back just as it was: its row, its pictures, its campaign's idea."""

from datetime import timedelta

from django.core import serializers
from django.core.serializers.base import DeserializationError, DeserializedObject
from django.db import IntegrityError, transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.models import CampaignIdea, Entry, Post, Thrown
from zoetrope.studio.spaces.models import User

KEPT = timedelta(hours=1)
AWAY = "Somebody has thrown the post away meanwhile: nothing was changed."
_GONE = "It can be brought back no more: make another; nothing was changed."


def throw(post: Post) -> Thrown:
    """Away with a draft, or with one that failed; what brings it back."""
    now = timezone.now()
    with transaction.atomic():
        row = Post.objects.select_for_update(of=("self",)).filter(pk=post.pk).first()
        if row is None:
            raise UserError(AWAY)
        calls = list(Entry.objects.filter(post=row).values_list("pk", flat=True))
        rows = serializers.serialize("json", [row, *row.pictures.all()])
        idea = CampaignIdea.objects.filter(post=row).values_list("pk", flat=True).first()
        desk.drop(row)
        Thrown.objects.filter(at__lt=now - KEPT).delete()
        said = {"post": post.pk, "rows": rows, "idea": idea, "entries": calls, "at": now}
        return Thrown.objects.create(persona_id=row.persona_id, **said)


def bring_back(post: int, space: int) -> Post:
    """The post as it was; its pictures are not free any more."""
    try:
        with transaction.atomic():
            thrown = Thrown.objects.select_for_update().filter(post=post, persona__space=space).first()
            if thrown is None or thrown.at < timezone.now() - KEPT:
                raise UserError(_GONE)
            for each in serializers.deserialize("json", thrown.rows):
                _keep(each)
            Entry.objects.filter(pk__in=thrown.entries, post=None).update(post=post)
            if thrown.idea:
                ideas = CampaignIdea.objects.filter(pk=thrown.idea, state=CampaignIdea.State.CHOSEN, post=None)
                ideas.update(post=post)
            thrown.delete()
            found = Post.objects.get(pk=post)
            # What failed let go of its pictures before.
            if found.state == Post.State.DRAFT:
                desk.hold_pictures(found)
            return found
    except (IntegrityError, DeserializationError) as error:
        # A picture or a channel of it has gone for good since.
        raise UserError(_GONE) from error


def _keep(row: DeserializedObject) -> None:
    """As it was; whoever made it may have left."""
    post = row.object
    if isinstance(post, Post) and post.by_id and not User.objects.filter(pk=post.by_id).exists():
        post.by = None
    row.save()
