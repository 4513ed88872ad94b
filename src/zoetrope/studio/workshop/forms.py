"""How a turn is to be."""

from django import forms

from zoetrope.studio.workshop.turns import MOST_SCENES, MOST_STEPS


class TurnForm(forms.Form):
    """All are the wheel's own choice where nothing is said."""

    steps = forms.IntegerField(
        min_value=1, max_value=MOST_STEPS, required=False, label="Training steps", help_text="As advised if empty."
    )
    count = forms.IntegerField(
        min_value=1, max_value=MOST_SCENES, required=False, label="New scenes", help_text="For your next review."
    )
    keep = forms.IntegerField(
        min_value=1,
        max_value=MOST_STEPS,
        required=False,
        label="Keep a checkpoint every",
        help_text="So many steps: to be compared afterwards.",
    )

    def told(self) -> str:
        """Its first fault in one sentence."""
        name, faults = next(iter(self.errors.get_json_data().items()))
        return f"{self.fields[name].label}: {faults[0]['message'].lower()}"
