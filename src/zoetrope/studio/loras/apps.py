"""How Django knows this app, and what it adds to a persona's pages."""

from django.apps import AppConfig

LOOK_SECONDS = 4.0


class Loras(AppConfig):
    """Its one kind of job takes an export into the library."""

    name = "zoetrope.studio.loras"
    label = "loras"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.loras.bridge import KIND, look
        from zoetrope.studio.loras.panel import fill
        from zoetrope.studio.personas.panels import PANELS, TABS, Panel, Tab

        jobs.register(KIND, "zoetrope.studio.loras.bridge:bring", queue=jobs.Queue.OPEN)
        jobs.every(LOOK_SECONDS, look)
        PANELS.append(Panel("loras/panel.html", fill))
        TABS.extend((Tab("LoRAs", "persona-loras"), Tab("Try it", "try-persona")))
