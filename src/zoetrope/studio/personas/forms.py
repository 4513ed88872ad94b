"""What people say about a persona."""

from typing import Any

from django import forms

from zoetrope.studio.personas.models import (
    MOST_ATTRIBUTES,
    MOST_EXAMPLES,
    MOST_TOPICS,
    Drawing,
    Emoji,
    Persona,
    Tone,
    Voice,
)
from zoetrope.wheel.persona import NAME, NAME_LIMIT, ConsentKind, PersonaKind

_KINDS = [
    (PersonaKind.drawn, "Drawn: an illustrated character or a mascot"),
    (PersonaKind.photoreal, "Photoreal: looks like a photograph"),
    (PersonaKind.style, "Style: a look rather than a character"),
]
_CONSENTS = [
    ("", "Say why it may be drawn"),
    (ConsentKind.fictional, "It is made up"),
    (ConsentKind.self, "It is me"),
    (ConsentKind.granted, "Someone allowed it: I add the signed document"),
]


class Lines(forms.CharField):
    """A list, one entry a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self._most = most

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        if len(value) > self._most:
            raise forms.ValidationError(f"These are {len(value)} lines: {self._most} are the most.")


class NewPersona(forms.Form):
    """Who it is, and why it may be drawn."""

    title = forms.CharField(max_length=80, label="Name", help_text="As people read it.")
    name = forms.CharField(
        max_length=NAME_LIMIT,
        required=False,
        label="Short name",
        help_text="For files and commands. Made from the name if empty.",
    )
    kind = forms.ChoiceField(choices=_KINDS, initial=PersonaKind.drawn)
    consent = forms.ChoiceField(choices=_CONSENTS, label="Consent")
    document = forms.FileField(required=False, label="Signed document", help_text="Only for a granted consent.")
    base = forms.ChoiceField(label="Base model", help_text="The model that learns it.")
    trigger = forms.CharField(
        max_length=48, required=False, help_text="The word that stands for it in prompts. The short name if empty."
    )
    looks = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Who it is in words: helps to draw whole figures, and the first version is compared with it.",
    )

    def __init__(self, *args: Any, bases: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["base"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name) for name in bases]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name and not NAME.fullmatch(name):
            raise forms.ValidationError("Use small letters, digits, and - _ between them.")
        return name


class About(forms.ModelForm):  # type: ignore[type-arg] # no subscript at run time
    """How it is called here."""

    class Meta:
        model = Persona
        fields = ("title", "about")
        widgets = {"about": forms.Textarea(attrs={"rows": 3})}  # noqa: RUF012


class VoiceForm(forms.Form):
    """How its captions are written."""

    kind = Voice
    tone = forms.ChoiceField(choices=Tone.choices)
    emoji = forms.ChoiceField(choices=Emoji.choices)
    attributes = Lines(most=MOST_ATTRIBUTES, help_text="Such as warm, curious, dry. One a line.")
    topics = Lines(most=MOST_TOPICS, help_text="What it talks about. One a line.")
    avoid = Lines(most=MOST_TOPICS, help_text="What it never talks about. One a line.")
    examples = Lines(most=MOST_EXAMPLES, label="Example captions", help_text="Up to three, one a line.")


class DrawingForm(forms.Form):
    """What its pictures are made with."""

    kind = Drawing
    steps = forms.IntegerField(required=False, min_value=1, max_value=1000)
    true_guidance = forms.FloatField(required=False, min_value=0, max_value=100, label="Guidance")
    width = forms.IntegerField(required=False, min_value=16, max_value=4096)
    height = forms.IntegerField(required=False, min_value=16, max_value=4096)
    negative_prompt = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
