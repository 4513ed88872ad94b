"""What is to be compared."""

from typing import Any

from django import forms

from zoetrope.studio.comparing.beginning import MOST_CONTENDERS, MOST_PROMPTS, WITHOUT
from zoetrope.studio.loras.models import Lora, called
from zoetrope.studio.personas.models import Persona

_OFFERED = 40
_NONE = "none"


class New(forms.Form):
    """LoRAs that fit a persona's base, and prompts."""

    loras = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="Which",
        help_text=f"Two to {MOST_CONTENDERS}.",
        error_messages={"required": f"Choose two to {MOST_CONTENDERS} of them."},
    )
    prompts = forms.CharField(
        max_length=30_000,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text=f"One a line, at most {MOST_PROMPTS}: each is drawn by each from the same seed.",
    )

    def __init__(self, *args: Any, persona: Persona, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Lora.objects.filter(space=persona.space, base=persona.base, retired=None)
        self._known = {str(lora.pk): lora for lora in rows.defer("sheet")[:_OFFERED]}
        named = [(key, called(lora.name, lora.version)) for key, lora in self._known.items()]
        field = self.fields["loras"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [*named, (_NONE, WITHOUT)]

    def contenders(self) -> list[Lora | None]:
        """Those that were chosen."""
        return [self._known.get(key) for key in self.cleaned_data["loras"]]
