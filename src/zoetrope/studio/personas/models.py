"""A persona's rows. The workspace owns identity, trigger and consent: they are mirrored here, by hash."""

from typing import Any, ClassVar

from django.db import models
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zoetrope.errors import UserError, first_fault
from zoetrope.studio.spaces.models import Space

MOST_ATTRIBUTES, MOST_TOPICS, MOST_EXAMPLES = 12, 30, 3


class Tone(models.TextChoices):
    """How a persona sounds."""

    casual = "casual"
    professional = "professional"
    playful = "playful"
    inspirational = "inspirational"
    edgy = "edgy"


class Emoji(models.TextChoices):
    """How many emoji its captions hold."""

    none = "none"
    low = "low"
    moderate = "moderate"
    high = "high"


class Voice(BaseModel):
    """How captions are written for it."""

    model_config = ConfigDict(extra="forbid")

    tone: Tone = Tone.casual
    emoji: Emoji = Emoji.low
    attributes: list[str] = Field(default=[], max_length=MOST_ATTRIBUTES)
    topics: list[str] = Field(default=[], max_length=MOST_TOPICS)
    avoid: list[str] = Field(default=[], max_length=MOST_TOPICS)
    examples: list[str] = Field(default=[], max_length=MOST_EXAMPLES)


class Drawing(BaseModel):
    """What its pictures are made with unless something else is asked for; None is the model's own default."""

    model_config = ConfigDict(extra="forbid")

    steps: int | None = Field(default=None, ge=1, le=1000)
    true_guidance: float | None = Field(default=None, ge=0, le=100)
    width: int | None = Field(default=None, ge=16, le=4096)
    height: int | None = Field(default=None, ge=16, le=4096)
    negative_prompt: str = Field(default="", max_length=2000)


class Persona(models.Model):
    """One persona in a space, and where its workspace lies."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="personas")
    name = models.SlugField(max_length=48, help_text="As the command line calls it.")
    title = models.CharField(max_length=80)
    about = models.TextField(blank=True, max_length=2000)
    # The workspace's folder within the home's `personas/`: no two rows share one.
    folder = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10)
    trigger = models.CharField(max_length=48)
    base = models.CharField(max_length=100)
    consent = models.JSONField(default=dict)
    mirrored = models.CharField(max_length=64, blank=True)
    voice = models.JSONField(default=dict)
    drawing = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["title"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["space", "name"], name="one_name_a_space")]

    def __str__(self) -> str:
        return self.title

    @property
    def said_voice(self) -> Voice:
        return Voice.model_validate(self.voice)

    @property
    def said_drawing(self) -> Drawing:
        return Drawing.model_validate(self.drawing)


def checked(kind: type[BaseModel], said: dict[str, Any]) -> dict[str, Any]:
    """Settings as a row keeps them, or one sentence on what cannot be."""
    try:
        return kind.model_validate(said).model_dump(mode="json")
    except ValidationError as error:
        raise UserError(first_fault(error)) from error
