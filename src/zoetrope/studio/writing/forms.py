"""What people say of their writer."""

from typing import Any

from django import forms

from zoetrope.studio.personas.forms import Lines
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space
from zoetrope.studio.writing.keeping import MOST_BANNED, Said
from zoetrope.studio.writing.models import Kind, WriterSettings
from zoetrope.studio.writing.seam import Length


class WriterForm(forms.Form):
    """Who writes, where, and with which key."""

    kind = forms.ChoiceField(choices=Kind.choices, label="Who writes")
    url = forms.CharField(max_length=200, required=False, label="Address", help_text="Empty: where it usually is.")
    model = forms.CharField(max_length=100, required=False, help_text="As its server calls it.")
    key = forms.CharField(
        max_length=500,
        required=False,
        help_text="Kept encrypted and never shown again. Empty: as it is. Another address needs it anew.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    forget = forms.BooleanField(required=False, label="Forget the key")
    sees = forms.BooleanField(required=False, label="Show it the pictures", help_text="If the model can see.")
    enabled = forms.BooleanField(required=False, label="In use", help_text="Otherwise the template writes.")
    banned = Lines(most=MOST_BANNED, label="Banned words", help_text="No caption has them, whoever writes. One a line.")

    @classmethod
    def of(cls, row: WriterSettings) -> "WriterForm":
        """As it is set; the key is not among it."""
        return cls(initial={name: getattr(row, name) for name in ("kind", "url", "model", "sees", "enabled", "banned")})

    def said(self) -> Said:
        """What was filled in."""
        told = self.cleaned_data
        return Said(**{**told, "banned": tuple(told["banned"])})


class TryForm(forms.Form):
    """Whom one caption is written for, and of what."""

    persona = forms.ChoiceField()
    says = forms.CharField(
        max_length=1000,
        required=False,
        label="What the picture shows",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Such as: smiling, on a beach, warm light.",
    )
    length = forms.ChoiceField(choices=[(each, each.capitalize()) for each in Length], initial=Length.medium)

    def __init__(self, *args: Any, space: Space, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["persona"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(Persona.objects.filter(space=space).values_list("name", "title"))
