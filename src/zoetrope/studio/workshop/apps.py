"""How Django knows this app."""

from django.apps import AppConfig


class Workshop(AppConfig):
    """It has no tables: a workspace's record is read as it is."""

    name = "zoetrope.studio.workshop"
    label = "workshop"
