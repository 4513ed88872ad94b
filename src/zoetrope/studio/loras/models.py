"""LoRAs as the studio keeps them, and who wears which."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space
from zoetrope.training.settings import LoraType

KINDS = [(kind.value, kind.value) for kind in LoraType]


class Origin(models.TextChoices):
    """How a LoRA came into the library."""

    upload = "upload", "uploaded"
    turn = "turn", "from a turn in the studio"
    folder = "folder", "found in an exports folder"


class Lora(models.Model):
    """One LoRA file of a space, by the hash of its bytes; a retired one stays for what was drawn with it."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="loras")
    # Whose workspace exported it; none for an upload.
    persona = models.ForeignKey(Persona, null=True, on_delete=models.SET_NULL, related_name="exported")
    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=10, choices=KINDS)
    trigger = models.CharField(max_length=100, blank=True)
    base = models.CharField(max_length=100)
    family = models.CharField(max_length=40)
    rank = models.PositiveIntegerField(null=True)
    licence = models.CharField(max_length=100, blank=True)
    consent = models.CharField(max_length=10, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    # The hash of the picture that shows what it draws.
    card = models.CharField(max_length=64, blank=True)
    sheet = models.JSONField(default=dict)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    created = models.DateTimeField(auto_now_add=True)
    retired = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["space", "sha256"], name="one_row_a_lora")]
        indexes = (models.Index(fields=["space", "name", "version"], name="loras_space_name"),)

    def __str__(self) -> str:
        return called(self.name, self.version)


def called(name: str, version: int) -> str:
    """What a LoRA is called wherever one is named."""
    return f"{name} v{version}"


class Worn(models.Model):
    """A persona draws with this LoRA; one of them is the primary, the persona itself."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="worn")
    lora = models.ForeignKey(Lora, on_delete=models.CASCADE, related_name="worn")
    weight = models.FloatField(default=1.0)
    primary = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["-primary", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["persona", "lora"], name="worn_once"),
            models.UniqueConstraint(fields=["persona"], condition=Q(primary=True), name="one_primary"),
        ]

    def __str__(self) -> str:
        return f"{self.lora} at {self.weight:g}"
