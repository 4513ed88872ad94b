"""How Django knows this app, and what it adds to a persona's pages."""

from django.apps import AppConfig

LOOK_SECONDS = 1.0


class Pipelines(AppConfig):
    """Its jobs draw a candidate, here or where somebody else's engine is."""

    name = "zoetrope.studio.pipelines"
    label = "pipelines"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.making.apps import ELSEWHERE
        from zoetrope.studio.personas.panels import PANELS, Panel
        from zoetrope.studio.pipelines.growing import KIND, KIND_ELSEWHERE, tend
        from zoetrope.studio.pipelines.panel import fill

        draw = "zoetrope.studio.pipelines.tasks:draw"
        jobs.register(KIND, draw)
        jobs.register(KIND_ELSEWHERE, draw, queue=jobs.Queue.OPEN, retries=ELSEWHERE)
        jobs.every(LOOK_SECONDS, tend)
        PANELS.append(Panel("pipelines/panel.html", fill))
