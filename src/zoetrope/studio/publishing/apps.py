"""How Django knows this app."""

from django.apps import AppConfig

LOOK_SECONDS = 2.0


class Publishing(AppConfig):
    """Its one kind of job carries a post on its way; a persona's pages get its calendar."""

    name = "zoetrope.studio.publishing"
    label = "publishing"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.personas.panels import PANELS, TABS, Panel, Tab
        from zoetrope.studio.publishing.accounts import tokens
        from zoetrope.studio.publishing.panel import fill
        from zoetrope.studio.publishing.tasks import KIND, look

        # The row says what comes next: a try that failed is looked at again from there, not by the queue.
        jobs.register(KIND, "zoetrope.studio.publishing.tasks:carry", queue=jobs.Queue.OPEN, retries=())
        jobs.every(LOOK_SECONDS, look)
        tokens.register()
        PANELS.append(Panel("publishing/panel.html", fill))
        TABS.append(Tab("Calendar", "calendar"))
