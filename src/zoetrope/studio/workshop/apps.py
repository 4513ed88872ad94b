"""How Django knows this app, and what it adds to a persona's pages."""

from django.apps import AppConfig


class Workshop(AppConfig):
    """It has no tables: a workspace's record is read as it is."""

    name = "zoetrope.studio.workshop"
    label = "workshop"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.personas.panels import PANELS, TABS, Panel, Tab
        from zoetrope.studio.workshop.panel import fill
        from zoetrope.studio.workshop.tasks import KIND

        jobs.register(KIND, "zoetrope.studio.workshop.tasks:turn", child=True, one_of="persona")
        PANELS.append(Panel("workshop/panel.html", fill))
        pages = ("Sources", "sources"), ("Captions", "captions"), ("Review", "review"), ("Turns", "turns")
        TABS.extend(Tab(label, address) for label, address in (*pages, ("Card", "card"), ("Exports", "exports")))
