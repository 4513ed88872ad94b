"""Comparisons, who takes part, what each drew, and the choices between them. Choices are added and never changed."""

from typing import ClassVar

from django.db import models

from zoetrope.studio.loras.models import Lora
from zoetrope.studio.making.models import Order
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space, User


class Comparison(models.Model):
    """What is drawn by each: the same prompts, each from one seed for all."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="comparisons")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="comparisons")
    prompts = models.JSONField()
    seed = models.PositiveBigIntegerField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return " or ".join(map(str, self.contenders.all()))


class Contender(models.Model):
    """A LoRA, or the base without any."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="contenders")
    lora = models.ForeignKey(Lora, null=True, on_delete=models.SET_NULL, related_name="+")
    # It is told by this also when the LoRA has left the library.
    name = models.CharField(max_length=100)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.name


class Shot(models.Model):
    """One prompt by one of them."""

    contender = models.ForeignKey(Contender, on_delete=models.CASCADE, related_name="shots")
    prompt = models.PositiveSmallIntegerField()
    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="shot")

    class Meta:
        ordering: ClassVar = ["prompt", "pk"]


class Judgement(models.Model):
    """Somebody chose between two pictures of one prompt, could not, or took their last choice back."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="judgements")
    left = models.ForeignKey(Shot, null=True, on_delete=models.CASCADE, related_name="+")
    right = models.ForeignKey(Shot, null=True, on_delete=models.CASCADE, related_name="+")
    # None: not sure.
    chosen = models.ForeignKey(Shot, null=True, on_delete=models.CASCADE, related_name="+")
    undoes = models.OneToOneField("self", null=True, on_delete=models.CASCADE, related_name="undone")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["pk"]
