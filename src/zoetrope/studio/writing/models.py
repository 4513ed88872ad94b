"""Which writer a space uses, and what people made of its captions."""

from typing import ClassVar

from django.db import models

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.sealed import SealedField
from zoetrope.studio.spaces.models import Space, User


class Kind(models.TextChoices):
    """Who writes."""

    template = "template", "Template: works offline, knows nothing of the world"
    openai = "openai", "Any OpenAI-compatible server"
    ollama = "ollama", "Ollama"
    gemini = "gemini", "Gemini"


class WriterSettings(models.Model):
    """A space's writer. Without a row, or where it is switched off, the template writer writes."""

    space = models.OneToOneField(Space, on_delete=models.CASCADE, related_name="writer")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.template)
    # Empty: where servers of this kind usually are.
    url = models.CharField(max_length=200, blank=True)
    # Whoever set the address may reach this machine and its network.
    near = models.BooleanField(default=False)
    model = models.CharField(max_length=100, blank=True)
    key = SealedField(blank=True)
    # Whether the model is shown the pictures that it writes of.
    sees = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)
    # Words that the space never uses, whoever writes.
    banned = models.JSONField(default=list, blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    changed = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.kind}: {self.model}" if self.kind != Kind.template else str(self.kind)


class Edit(models.Model):
    """What a person made of a caption; later ones are written like it."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="edits")
    before = models.TextField()
    after = models.TextField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
