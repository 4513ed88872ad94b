"""How Django knows this app."""

from django.apps import AppConfig


class Personas(AppConfig):
    """Its short name is the label of its tables."""

    name = "zoetrope.studio.personas"
    label = "personas"
