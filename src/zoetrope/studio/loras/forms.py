"""What people say of a LoRA, and what they have drawn to try it."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from html import escape
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.choices import BaseChoiceIterator
from django.utils.safestring import SafeString, mark_safe

from zoetrope.errors import UserError
from zoetrope.studio.loras.models import KINDS, Lora
from zoetrope.studio.loras.wearing import STRONGEST
from zoetrope.wheel.persona import ConsentKind

MOST_AT_ONCE = 8
SLOTS = 4
_CONSENTS = [
    ("", "As its sheet says"),
    (ConsentKind.fictional.value, "Whom it shows is made up"),
    (ConsentKind.self.value, "It shows me"),
    (ConsentKind.granted.value, "Whom it shows has allowed it"),
]


class Pairs(BaseChoiceIterator):
    """Choices that several fields share: Django would look through them once more for each."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    @cached_property
    def options(self) -> SafeString:
        """As HTML."""
        parts = (f'<option value="{escape(key)}">{escape(label)}</option>' for key, label in self._pairs)
        return mark_safe("".join(parts))


class LongSelect(forms.Select):
    """A select of hundreds of `Pairs`, for each of which Django's own would render a template."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        assert isinstance(self.choices, Pairs)
        chosen = f'<option value="{escape("" if value is None else str(value))}"'
        options = self.choices.options.replace(chosen, f"{chosen} selected", 1)
        about = flatatt(self.build_attrs(self.attrs, {"name": name} | (attrs or {})))
        return mark_safe(f"<select{about}>{options}</select>")


class Upload(forms.Form):
    """An export pair, or a LoRA from elsewhere with what a sheet would say."""

    lora = forms.FileField(label="LoRA", help_text="A .safetensors file.")
    sheet = forms.FileField(
        required=False, help_text="The .json beside it, if it was exported here; then no more is needed."
    )
    card = forms.FileField(required=False, help_text="The .png beside it, or any picture of what it draws.")
    name = forms.CharField(max_length=80, required=False)
    version = forms.IntegerField(min_value=1, max_value=10**6, required=False)
    kind = forms.ChoiceField(choices=[("", "As its sheet says"), *KINDS], required=False, label="Type")
    trigger = forms.CharField(max_length=100, required=False)
    base = forms.ChoiceField(required=False, label="Base model", help_text="The model that it was trained on.")
    consent = forms.ChoiceField(choices=_CONSENTS, required=False)

    def __init__(self, *args: Any, bases: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["base"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "As its sheet says"), *((name, name) for name in bases)]

    def said(self) -> dict[str, Any]:
        """What was filled in, as a sheet says it."""
        given = self.cleaned_data
        plain = {name: given[name] for name in ("name", "version", "trigger") if given[name]}
        plain |= {"type": given["kind"]} if given["kind"] else {}
        plain |= {"base": {"model": given["base"]}} if given["base"] else {}
        return plain | ({"consent": {"kind": given["consent"]}} if given["consent"] else {})


class Wear(forms.Form):
    """Who draws with a LoRA, and how strongly."""

    weight = forms.FloatField(min_value=-STRONGEST, max_value=STRONGEST, initial=1.0)
    primary = forms.BooleanField(required=False, help_text="It is the persona itself.")


class Try(forms.Form):
    """A drawing with any LoRAs."""

    prompt = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    negative_prompt = forms.CharField(max_length=2000, required=False, label="Without")
    model = forms.ChoiceField()
    count = forms.IntegerField(min_value=1, max_value=MOST_AT_ONCE, initial=4, label="How many")
    seed = forms.IntegerField(
        min_value=0, max_value=2**62, initial=0, help_text="The next pictures have the next seeds."
    )
    steps = forms.IntegerField(min_value=1, max_value=1000, required=False)
    true_guidance = forms.FloatField(min_value=0, max_value=100, required=False, label="Guidance")
    width = forms.IntegerField(min_value=16, max_value=4096, required=False)
    height = forms.IntegerField(min_value=16, max_value=4096, required=False)

    def __init__(self, *args: Any, models: Sequence[str], loras: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["model"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name) for name in models]
        choices = Pairs([("", "none"), *loras])
        for slot in range(SLOTS):
            self.fields[f"lora_{slot}"] = forms.ChoiceField(
                choices=choices, required=False, label=f"LoRA {slot + 1}", widget=LongSelect
            )
            self.fields[f"weight_{slot}"] = forms.FloatField(
                min_value=-STRONGEST,
                max_value=STRONGEST,
                required=False,
                label=f"Weight {slot + 1}",
                widget=forms.NumberInput(attrs={"step": "any"}),
            )

    @property
    def slots(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Each LoRA's two fields, for the page."""
        return [(self[f"lora_{slot}"], self[f"weight_{slot}"]) for slot in range(SLOTS)]

    @property
    def more(self) -> list[forms.BoundField]:
        """What is seldom changed."""
        return [self[name] for name in ("negative_prompt", "steps", "true_guidance", "width", "height")]

    def stack(self) -> list[tuple[Lora, float]]:
        """The chosen LoRAs with their weights; without one it is 1."""
        given = [(self.cleaned_data[f"lora_{slot}"], self.cleaned_data[f"weight_{slot}"]) for slot in range(SLOTS)]
        chosen = [(int(key), 1.0 if weight is None else weight) for key, weight in given if key]
        if len({key for key, _ in chosen}) < len(chosen):
            raise UserError("The same LoRA is chosen twice: choose it once, with one weight.")
        loras = Lora.objects.in_bulk([key for key, _ in chosen])
        return [(loras[key], weight) for key, weight in chosen]
