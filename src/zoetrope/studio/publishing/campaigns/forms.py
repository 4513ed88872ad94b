"""What people say of a campaign."""

from collections.abc import Sequence
from typing import Any

from django import forms

from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.publishing.campaigns.briefs import LONGEST, LONGEST_NAME, MOST_POSTS, Wanted
from zoetrope.studio.publishing.models import Campaign

_DAY = {"type": "date"}


class BriefForm(forms.Form):
    """A brief."""

    name = forms.CharField(max_length=LONGEST_NAME)
    about = forms.CharField(
        max_length=LONGEST,
        label="What it is about",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Ideas and captions are written by it.",
    )
    starts = forms.DateField(label="First day", widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    ends = forms.DateField(label="Last day", widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    posts = forms.IntegerField(min_value=1, max_value=MOST_POSTS, initial=5, label="How many posts")
    pillars = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Pillars",
        help_text="None: its ideas are for no pillar.",
    )

    def __init__(self, pillars: Sequence[Pillar], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pillars = {str(each.pk): each for each in pillars}
        field = self.fields["pillars"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(key, str(each)) for key, each in self._pillars.items()]
        if not pillars:
            del self.fields["pillars"]

    def said(self) -> Wanted:
        told = {name: value for name, value in self.cleaned_data.items() if name != "pillars"}
        return Wanted(**told)

    def chosen(self) -> list[Pillar]:
        return [self._pillars[key] for key in self.cleaned_data.get("pillars", [])]


def brief_said(campaign: Campaign) -> dict[str, Any]:
    """A campaign as its form begins with it."""
    told = {name: getattr(campaign, name) for name in ("name", "about", "starts", "ends", "posts")}
    return told | {"pillars": [str(each.pk) for each in campaign.pillars.all()]}
