"""How Django knows this app."""

from django.apps import AppConfig


class Publishing(AppConfig):
    """Its short name is the label of its tables."""

    name = "zoetrope.studio.publishing"
    label = "publishing"
