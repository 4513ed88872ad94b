"""What a person types in of a post."""

from collections.abc import Sequence

from django import forms

from zoetrope.studio.insights.models import METRICS, Age
from zoetrope.studio.insights.readings import MOST
from zoetrope.studio.publishing.models import Post

_HELP = {
    "reach": "How many accounts saw it. With the interactions, this is what posts are compared by.",
    "total_interactions": "Likes, comments, saves and shares, as the account adds them up.",
}


class NumbersForm(forms.Form):
    """The numbers of one age; what is left empty is not known."""

    age = forms.TypedChoiceField(coerce=int, label="So long after it went out")

    def __init__(self, ages: Sequence[Age], kind: str, *said: object, **more: object) -> None:
        super().__init__(*said, **more)  # type: ignore[arg-type]
        self.fields["age"].choices = [(each.value, each.label) for each in ages]  # type: ignore[attr-defined]
        for name in ("reach", "total_interactions", *(each for each in METRICS if each not in _HELP)):
            label = name.replace("_", " ").capitalize()
            self.fields[name] = forms.IntegerField(
                required=False, min_value=0, max_value=MOST - 1, label=label, help_text=_HELP.get(name, "")
            )
        if kind == Post.Kind.REEL:
            self.fields["watched"] = forms.FloatField(
                required=False, min_value=0, max_value=MOST - 1, label="Seconds watched on average"
            )

    @property
    def first(self) -> list[forms.BoundField]:
        """What posts are compared by."""
        return [self[name] for name in ("age", *_HELP)]

    @property
    def more(self) -> list[forms.BoundField]:
        """Everything else."""
        return [self[name] for name in self.fields if name not in ("age", *_HELP)]

    def numbers(self) -> dict[str, float | None]:
        return {name: value for name, value in self.cleaned_data.items() if name != "age"}
