"""The jobs app as Django sees it."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Knows no other app: those that have work register it."""

    name = "zoetrope.studio.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
