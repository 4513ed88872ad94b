"""Orders and what was made of them. A made thing keeps its recipe for ever, whatever becomes of its model or LoRAs."""

from typing import ClassVar

from django.db import models

from zoetrope.media.kinds import MediaKind
from zoetrope.media.recipe import Recipe
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space, User

MEDIA = [(kind.value, kind.value) for kind in MediaKind]


class Order(models.Model):
    """So many pictures of one recipe, the seeds counting up."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="orders")
    persona = models.ForeignKey(Persona, null=True, on_delete=models.SET_NULL, related_name="orders")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    recipe = models.JSONField()
    count = models.PositiveIntegerField()
    # Somebody asked for it to try something, and no run of a pipeline did.
    tried = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes = (models.Index(fields=["space", "-id"], condition=models.Q(tried=True), name="orders_tried"),)

    def __str__(self) -> str:
        return f"{self.count} × {self.said_recipe.prompt}"[:120]

    @property
    def said_recipe(self) -> Recipe:
        return Recipe.model_validate(self.recipe)

    @property
    def key(self) -> str:
        """Its job's key."""
        return key_of(self.pk)


def key_of(order: int) -> str:
    """The key of an order's job, by the order's number."""
    return f"draw-{order}"


class Made(models.Model):
    """A picture or clip, by the hash of its bytes, and the recipe that makes it again."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="made")
    persona = models.ForeignKey(Persona, null=True, on_delete=models.SET_NULL, related_name="made")
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="made")
    # Its place among what the order asked for, so that a job that runs twice writes the same rows.
    number = models.PositiveIntegerField(default=0)
    media = models.CharField(max_length=10, choices=MEDIA, default=MediaKind.image.value)
    sha256 = models.CharField(max_length=64)
    # None of a picture that was made elsewhere.
    recipe = models.JSONField(null=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    # Of a clip: how long it is, and how many pictures a second.
    seconds = models.FloatField(null=True)
    frames = models.FloatField(null=True)
    # A crop or a stripped copy says what it was made from.
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="derived")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "number"], name="one_picture_a_place")]
        indexes = (models.Index(fields=["space", "sha256"], name="made_space_sha256"),)

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def said_recipe(self) -> Recipe:
        return Recipe.model_validate(self.recipe)

    @property
    def moves(self) -> bool:
        return self.media == MediaKind.clip


class MadeLora(models.Model):
    """Which LoRA a made thing was drawn with, by hash: it holds also when the LoRA has left the library."""

    made = models.ForeignKey(Made, on_delete=models.CASCADE, related_name="loras")
    sha256 = models.CharField(max_length=64, db_index=True)
    weight = models.FloatField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["made", "sha256"], name="each_lora_once")]
