"""How Django knows this app."""

from django.apps import AppConfig


class Comparing(AppConfig):
    """Its short name is the label of its tables."""

    name = "zoetrope.studio.comparing"
    label = "comparing"
