"""What people say of a server."""

from django import forms


class Add(forms.Form):
    """Where it is, and what to call it."""

    url = forms.CharField(max_length=200, label="Address", help_text="Such as http://127.0.0.1:8188.")
    name = forms.CharField(max_length=60, required=False, help_text="Empty: its address.")
