"""How Django knows this app."""

from django.apps import AppConfig


class Writing(AppConfig):
    """Its short name is the label of its tables."""

    name = "zoetrope.studio.writing"
    label = "writing"
