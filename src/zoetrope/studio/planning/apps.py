"""How Django knows this app."""

from django.apps import AppConfig


class Planning(AppConfig):
    """Its short name is the label of its tables."""

    name = "zoetrope.studio.planning"
    label = "planning"
