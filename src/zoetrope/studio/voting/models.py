"""Votes. They are added and never changed; what they amount to is worked out from all of them each time."""

from typing import ClassVar

from django.db import models

from zoetrope.studio.pipelines.models import Candidate, Run, Step
from zoetrope.studio.spaces.models import User


class Vote(models.Model):
    """One answer to one screen, or the taking back of one."""

    class Kind(models.TextChoices):
        """What was answered."""

        BEST = "best"
        UNSURE = "unsure"
        # None of them is any good: a rejection, and nothing about which is better.
        BAD = "bad"
        UNDO = "undo"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="votes")
    step = models.ForeignKey(Step, on_delete=models.RESTRICT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # The candidates' numbers, in the order of their places on the screen.
    members = models.JSONField(default=list)
    chosen = models.ForeignKey(Candidate, null=True, on_delete=models.CASCADE, related_name="+")
    undoes = models.OneToOneField("self", null=True, on_delete=models.CASCADE, related_name="undone")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    milliseconds = models.PositiveIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes = (models.Index(fields=["run", "step", "id"], name="votes_run_step"),)
