"""How Django knows this app."""

from django.apps import AppConfig


class Servers(AppConfig):
    """Its short name is the label of its tables."""

    name = "zoetrope.studio.servers"
    label = "servers"
