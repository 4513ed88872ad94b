"""How Django knows this app."""

from django.apps import AppConfig


class Making(AppConfig):
    """Its one kind of job draws an order."""

    name = "zoetrope.studio.making"
    label = "making"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.making.orders import KIND

        jobs.register(KIND, "zoetrope.studio.making.tasks:draw")
