"""What people say of an account."""

from typing import Any

from django import forms

from zoetrope.studio.publishing.accounts.keeping import LONGEST_NAME, VERSION
from zoetrope.studio.publishing.models import Channel

_NUMBER = {"inputmode": "numeric", "autocomplete": "off"}
# Never filled in again, nor remembered by a browser.
_TOKEN = {"autocomplete": "off", "spellcheck": "false"}


class Login(forms.Form):
    """By which door, and to which account."""

    login = forms.ChoiceField(choices=Channel.Login.choices, label="Login", initial=Channel.Login.INSTAGRAM)
    account = forms.RegexField(
        r"^[0-9]{1,40}$",
        required=False,
        label="Account number",
        help_text="Empty: the login's own account. It is needed where a login has several.",
        widget=forms.TextInput(attrs=_NUMBER),
    )


class Token(forms.Form):
    """A token, typed in once and never shown again."""

    token = forms.CharField(
        max_length=1000,
        label="Access token",
        help_text="It is kept encrypted and never shown again.",
        widget=forms.PasswordInput(attrs=_TOKEN),
    )


class Connect(Login, Token):
    """An account by its token."""

    name = forms.CharField(max_length=LONGEST_NAME, required=False, help_text="Empty: as the account calls itself.")
    field_order = ("login", "token", "account", "name")


class About(forms.Form):
    """What a channel is called, and which version of the API it speaks to."""

    name = forms.CharField(max_length=LONGEST_NAME)
    version = forms.RegexField(f"^{VERSION}$", label="Version of the API", help_text="Such as v26.0.")

    def __init__(self, data: Any, channel: Channel) -> None:
        super().__init__(data, initial={"name": channel.name, "version": channel.version})
        if channel.kind == Channel.Kind.OUTBOX:
            del self.fields["version"]
