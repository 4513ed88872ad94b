"""Kept pictures and the collections that they lie in."""

from typing import ClassVar

from django.db import models

from zoetrope.studio.making.models import Made
from zoetrope.studio.pipelines.models import Run
from zoetrope.studio.spaces.models import Space, User


class Collection(models.Model):
    """Kept pictures under a name."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="collections")
    name = models.CharField(max_length=60)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["space", "name"], name="one_collection_a_name")]

    def __str__(self) -> str:
        return self.name


class Kept(models.Model):
    """A picture of the library: the winner of a run, or one from elsewhere."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="kept")
    made = models.ForeignKey(Made, on_delete=models.CASCADE, related_name="kept")
    run = models.OneToOneField(Run, null=True, on_delete=models.SET_NULL, related_name="kept")
    title = models.CharField(max_length=80, default="")
    # What it is found by: its prompt, its run, its pipeline, its persona.
    words = models.TextField()
    # Who uploaded it.
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    # Taken out of the library, from where it can be brought back.
    aside = models.DateTimeField(null=True)
    # By which those much like it are found: a hash of what it looks like.
    look = models.BinaryField(null=True)
    collections = models.ManyToManyField(Collection, related_name="kept")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["space", "made"], name="kept_once")]

    def __str__(self) -> str:
        return self.title


class Alike(models.Model):
    """Two kept pictures that look much the same; each knows the other."""

    kept = models.ForeignKey(Kept, on_delete=models.CASCADE, related_name="alike")
    other = models.ForeignKey(Kept, on_delete=models.CASCADE, related_name="+")
    # Of what both look like, the share that differs.
    distance = models.FloatField()

    class Meta:
        ordering: ClassVar = ["distance", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["kept", "other"], name="alike_once")]
