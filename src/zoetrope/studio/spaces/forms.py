"""What people type to get in, and to let others in."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm, UserCreationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.spaces.models import Role, Space, User

# After so many wrong passwords a name rests for some minutes.
_TRIES = 10
_REST_SECONDS = 600


class Login(AuthenticationForm):
    """The usual form, slow to those who guess."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", "")).casefold()
        # Hashed, as a name may hold what a key may not.
        key = f"login-failures/{hash_bytes(name.encode())}"
        if cache.get(key, 0) >= _TRIES:
            raise ValidationError("Too many wrong passwords for this name: try again in ten minutes.")
        try:
            done: dict[str, Any] = super().clean()
        except ValidationError:
            cache.add(key, 0, _REST_SECONDS)
            cache.incr(key)
            raise
        cache.delete(key)
        return done


class NewAccount(UserCreationForm):  # type: ignore[type-arg] # no subscript at run time
    """A name and a password."""

    class Meta:
        model = User
        fields = ("username",)


class FirstAccount(NewAccount):
    """The owner's account and the space that it opens."""

    space = forms.CharField(max_length=80, initial="Studio", help_text="Where your personas live. You can have more.")


class NewPassword(SetPasswordForm):  # type: ignore[type-arg] # no subscript at run time
    """A new password, for whoever came by a link."""


class NewSpace(forms.Form):
    """A space by its name."""

    name = forms.CharField(max_length=80)


class Invitation(forms.Form):
    """What whoever follows the link may do."""

    role = forms.TypedChoiceField(choices=Role.choices, coerce=int, initial=Role.reviewer)


class NewToken(forms.Form):
    """What the token is for, so that it can be told apart later."""

    name = forms.CharField(max_length=80, label="What for")


def free_slug(name: str) -> str:
    """An address for a space: its name in plain letters, numbered where that is taken."""
    stem = slugify(name)[:60] or "space"
    taken = set(Space.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return numbered(stem, taken)


def numbered(stem: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where it is taken."""
    return next(
        name
        for number in range(1, len(taken) + 2)
        if (name := stem if number == 1 else f"{stem}-{number}") not in taken
    )
