"""Servers of a space, and what each is at work on."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from zoetrope.studio.spaces.models import Space, User

# So long a server that did not answer is left alone.
REST = timedelta(seconds=30)


class Server(models.Model):
    """A ComfyUI, by its address, and how it was when it was asked last."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="servers")
    name = models.CharField(max_length=60)
    url = models.CharField(max_length=200)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    # Whoever added it may reach this machine and its network.
    near = models.BooleanField(default=False)
    paused = models.BooleanField(default=False)
    version = models.CharField(max_length=40, blank=True)
    # Why it could not be used; empty when it can.
    error = models.CharField(max_length=300, blank=True)
    asked = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["space", "url"], name="one_server_an_address")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def usable(cls, space: Space) -> "QuerySet[Server]":
        """Those that may draw now: well when they were asked, or not asked for a while."""
        rested = Q(error="") | Q(asked__lt=timezone.now() - REST)
        return cls.objects.filter(rested, space=space, paused=False)


class Errand(models.Model):
    """What a server is at work on for us: the same work goes to the same server again."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="errands")
    key = models.CharField(max_length=80, unique=True)
    since = models.DateTimeField(auto_now=True)
