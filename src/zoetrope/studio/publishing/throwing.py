"""Drafts that were thrown away, and bringing one back just as it was: its row, its pictures, its campaign's idea."""

from datetime import timedelta

from django.core import serializers
from django.core.serializers.base import DeserializationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.models import CampaignIdea, Post, Thrown

KEPT = timedelta(hours=1)
_GONE = "It can be brought back no more: make another; nothing was changed."


def throw(post: Post) -> Thrown:
    """Away with a draft, or with one that failed; what brings it back."""
    now = timezone.now()
    with transaction.atomic():
        row = Post.objects.select_for_update(of=("self",)).get(pk=post.pk)
        rows = serializers.serialize("json", [row, *row.pictures.all()])
        idea = CampaignIdea.objects.filter(post=row).values_list("pk", flat=True).first()
        desk.drop(row)
        Thrown.objects.filter(at__lt=now - KEPT).delete()
        return Thrown.objects.create(persona_id=row.persona_id, post=post.pk, rows=rows, idea=idea, at=now)


def bring_back(post: int, persona: int) -> Post:
    """The post as it was; its pictures are not free any more."""
    try:
        with transaction.atomic():
            thrown = Thrown.objects.select_for_update().filter(post=post, persona=persona).first()
            if thrown is None or thrown.at < timezone.now() - KEPT:
                raise UserError(_GONE)
            for each in serializers.deserialize("json", thrown.rows):
                each.save()
            if thrown.idea:
                ideas = CampaignIdea.objects.filter(pk=thrown.idea, state=CampaignIdea.State.CHOSEN, post=None)
                ideas.update(post=post)
            thrown.delete()
            found = Post.objects.get(pk=post)
            # What failed let go of its pictures before.
            if found.state == Post.State.DRAFT:
                desk.hold_pictures(found)
            return found
    except (DatabaseError, DeserializationError) as error:
        # A picture or a channel of it has gone for good since.
        raise UserError(_GONE) from error
