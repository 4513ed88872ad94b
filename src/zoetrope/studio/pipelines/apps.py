"""How Django knows this app, and what it adds to a persona's pages."""

from django.apps import AppConfig

LOOK_SECONDS = 1.0


class Pipelines(AppConfig):
    """Its one kind of job draws a candidate."""

    name = "zoetrope.studio.pipelines"
    label = "pipelines"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.personas.panels import PANELS, Panel
        from zoetrope.studio.pipelines.growing import KIND, tend
        from zoetrope.studio.pipelines.panel import fill

        jobs.register(KIND, "zoetrope.studio.pipelines.tasks:draw")
        jobs.every(LOOK_SECONDS, tend)
        PANELS.append(Panel("pipelines/panel.html", fill))
