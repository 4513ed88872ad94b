"""What people say of pillars, of a persona's rhythm, and of clusters."""

from functools import cache
from typing import Any

from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from zoetrope.studio.planning import pillars, rhythm
from zoetrope.studio.planning.clustering import MOST_GROUPS
from zoetrope.studio.planning.models import LONGEST_NAME, Pillar, Rhythm
from zoetrope.studio.planning.strategies import STRATEGIES

_DAY = {"type": "date"}


class PillarForm(forms.Form):
    """A subject, and how much of the posts it takes."""

    name = forms.CharField(max_length=LONGEST_NAME)
    weight = forms.IntegerField(
        min_value=0,
        max_value=pillars.WHOLE,
        help_text="Of a hundred, which all pillars share.",
    )
    priority = forms.IntegerField(
        min_value=1, max_value=pillars.PRIORITIES, initial=3, help_text="1 matters most: it decides between equals."
    )
    posts_per_week = forms.FloatField(
        min_value=0.01,
        max_value=rhythm.MOST_A_WEEK,
        required=False,
        label="Posts a week",
        help_text="Empty: by its weight.",
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    starts = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    ends = forms.DateField(required=False, label="Until", widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    guidelines = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What its posts are like: ideas and captions are written by them.",
    )

    @property
    def first(self) -> list[forms.BoundField]:
        """What most people say."""
        return [self[name] for name in ("name", "weight")]

    @property
    def more(self) -> list[forms.BoundField]:
        """What few do."""
        return [self[name] for name in ("priority", "posts_per_week", "starts", "ends", "guidelines")]

    def said(self) -> pillars.Wanted:
        return pillars.Wanted(**self.cleaned_data)


def pillar_said(pillar: Pillar) -> dict[str, Any]:
    """A pillar as its form begins with it."""
    return {name: getattr(pillar, name) for name in PillarForm.base_fields}


class RhythmForm(forms.Form):
    """How often, by whose clock, how far ahead."""

    zone = forms.CharField(max_length=64, label="Time zone", help_text="As Europe/Rome.")
    posts_per_week = forms.FloatField(
        min_value=0.01,
        max_value=rhythm.MOST_A_WEEK,
        label="Posts a week",
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    strategy = forms.ChoiceField()
    days = forms.IntegerField(min_value=1, max_value=rhythm.MOST_DAYS, label="Days looked ahead")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["strategy"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.name, each.about) for each in STRATEGIES.values()]
        self.fields["zone"].widget.attrs["list"] = "zones"

    def said(self) -> rhythm.Wanted:
        return rhythm.Wanted(**self.cleaned_data)


@cache
def zone_options() -> SafeString:
    """Every time zone to choose from, put together once: a template would take longer than for the rest of its page."""
    return format_html_join("", '<option value="{}"></option>', ((zone,) for zone in rhythm.zones()))


def rhythm_said(row: Rhythm) -> dict[str, Any]:
    """A rhythm as its form begins with it."""
    return {name: getattr(row, name) for name in RhythmForm.base_fields}


class ClusterForm(forms.Form):
    """What a cluster is called."""

    name = forms.CharField(max_length=LONGEST_NAME)
    note = forms.CharField(max_length=300, required=False)


class GroupsForm(forms.Form):
    """How many groups are looked for, among which pictures."""

    wanted = forms.IntegerField(
        min_value=2, max_value=MOST_GROUPS, required=False, label="How many", help_text="Empty: as many as there seem."
    )
    loose = forms.BooleanField(required=False, label="Only pictures that lie in no cluster yet")
