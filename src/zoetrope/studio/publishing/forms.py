"""What people say of a post, of its pictures, and of tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from zoetrope.errors import UserError
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import wording
from zoetrope.studio.publishing.calendar import FIRST, LAST
from zoetrope.studio.publishing.checks import ALT
from zoetrope.studio.publishing.desk import Shown
from zoetrope.studio.publishing.models import Channel, Post, PostPicture
from zoetrope.studio.publishing.slotting import WEEKDAYS

_SHARE = {"step": "any", "inputmode": "decimal"}


class PostForm(forms.Form):
    """Its words, where it goes, and when."""

    caption = forms.CharField(
        required=False, strip=False, widget=forms.Textarea(attrs={"rows": 8, "data-count": "caption"})
    )
    hashtags = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text="With a space between them."
    )
    comment = forms.CharField(
        required=False,
        strip=False,
        label="First comment",
        widget=forms.Textarea(attrs={"rows": 2, "data-count": "comment"}),
    )
    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in Post.Kind])
    channel = forms.ChoiceField()
    pillar = forms.ChoiceField(required=False)
    day = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="Without one it goes out at the day's next slot.",
    )
    labelled = forms.BooleanField(required=False, label="Say that it was made with AI")

    def __init__(self, channels: Sequence[Channel], pillars: Sequence[Pillar], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._channels = {str(each.pk): each for each in channels}
        self._pillars: dict[str, Pillar | None] = {"": None} | {str(each.pk): each for each in pillars}
        for name, offered in (
            ("channel", [(key, str(each)) for key, each in self._channels.items()]),
            ("pillar", [(key, str(each or "none")) for key, each in self._pillars.items()]),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = offered

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("time") and not said.get("day") and "day" not in self.errors:
            self.add_error("day", "A time needs its day.")
        if (day := said.get("day")) and not FIRST <= day <= LAST:
            self.add_error("day", f"The calendar reaches from {FIRST} to {LAST}.")
        for name, read in (
            ("caption", lambda text: wording.read_text(text, "A caption")),
            ("comment", lambda text: wording.read_text(text, "A first comment")),
            ("hashtags", wording.read_tags),
        ):
            try:
                said[name] = read(said.get(name, ""))
            except UserError as error:
                self.add_error(name, str(error))
        return said

    def words(self) -> dict[str, Any]:
        """As a post keeps them."""
        said = self.cleaned_data
        told = {name: said[name] for name in ("caption", "hashtags", "comment", "kind", "labelled")}
        # What nobody touched stays as it is to the last letter.
        told = {name: value for name, value in told.items() if name in self.changed_data}
        return told | {"channel": self._channels[said["channel"]], "pillar": self._pillars[said["pillar"]]}


def post_said(post: Post, when: datetime | None) -> dict[str, Any]:
    """A post as its form begins with it; `when` is its local time."""
    told: dict[str, Any] = {name: getattr(post, name) for name in ("caption", "comment", "kind", "labelled")}
    told |= {
        "hashtags": " ".join(post.hashtags),
        "channel": str(post.channel_id or ""),
        "pillar": str(post.pillar_id or ""),
    }
    if when:
        told |= {"day": when.date(), "time": when.time().replace(microsecond=0)}
    return told


class PictureForm(forms.Form):
    """One of its pictures: at which place, told how, cropped how, or taken out. A crop is said in per cent."""

    place = forms.IntegerField(min_value=1, max_value=99, widget=forms.NumberInput(attrs={"data-place": ""}))
    alt = forms.CharField(
        max_length=ALT,
        required=False,
        label="Alt text",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What blind people hear.",
    )
    left = forms.FloatField(min_value=0, max_value=100, widget=forms.NumberInput(attrs=_SHARE))
    top = forms.FloatField(min_value=0, max_value=100, widget=forms.NumberInput(attrs=_SHARE))
    width = forms.FloatField(min_value=0, max_value=100, widget=forms.NumberInput(attrs=_SHARE))
    height = forms.FloatField(min_value=0, max_value=100, widget=forms.NumberInput(attrs=_SHARE))
    out = forms.BooleanField(required=False, label="Take it out")

    def __init__(self, picture: PostPicture, data: Mapping[str, Any] | None = None) -> None:
        self.picture = picture
        crop = picture.crop or {"left": 0, "top": 0, "width": 1, "height": 1}
        told = {side: _per_cent(crop[side]) for side in wording.SIDES} | {
            "alt": picture.alt,
            "place": picture.place + 1,
        }
        super().__init__(data, prefix=f"picture-{picture.pk}", initial=told)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if not set(wording.SIDES) & self.errors.keys():
            try:
                said["crop"] = self._crop(said)
            except UserError as error:
                self.add_error(None, str(error))
        return said

    def shown(self) -> Shown:
        alt = wording.read_alt(self.cleaned_data["alt"]) if "alt" in self.changed_data else self.picture.alt
        return Shown(self.picture.pk, alt, self.cleaned_data["crop"])

    def _crop(self, said: Mapping[str, Any]) -> dict[str, float] | None:
        # What nobody touched stays as it is to the last digit.
        if not {side for side in wording.SIDES if said[side] != self.initial[side]}:
            return dict(self.picture.crop) if self.picture.crop else None
        return wording.read_crop({side: said[side] / 100 for side in wording.SIDES})


def arranged(forms_: Sequence[PictureForm]) -> list[Shown]:
    """The pictures that stay, in the order that was said."""
    staying = [each for each in forms_ if not each.cleaned_data["out"]]
    return [each.shown() for each in sorted(staying, key=lambda each: each.cleaned_data["place"])]


class TableForm(forms.Form):
    """A table to take in."""

    file = forms.FileField(label="CSV", widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))


def _per_cent(share: float) -> float:
    return round(100 * share, 2)


class SlotForm(forms.Form):
    """A time of the week."""

    weekday = forms.TypedChoiceField(choices=list(enumerate(WEEKDAYS)), coerce=int)
    clock = forms.TimeField(label="Time", widget=forms.TimeInput(attrs={"type": "time"}))

    def said(self) -> Slot:
        return Slot(**self.cleaned_data)
