"""How Django knows this app."""

from django.apps import AppConfig


class Spaces(AppConfig):
    """Its short name is the label of its tables."""

    name = "zoetrope.studio.spaces"
    label = "spaces"
