"""How Django knows this app, and what it adds to a persona's pages."""

from django.apps import AppConfig


class Planning(AppConfig):
    """Its jobs look for groups of pictures and write ideas; a winner goes to the pillar that its run was for."""

    name = "zoetrope.studio.planning"
    label = "planning"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.personas.panels import PANELS, TABS, Panel, Tab
        from zoetrope.studio.pipelines.runs import ON_WINNER
        from zoetrope.studio.planning import filling, grouping, ideas
        from zoetrope.studio.planning.panel import fill

        # Tens of thousands of pictures in memory: in a process of its own, which gives them back.
        jobs.register(grouping.KIND, "zoetrope.studio.planning.grouping:find", queue=jobs.Queue.OPEN, child=True)
        jobs.register(ideas.KIND, "zoetrope.studio.planning.ideas:write", queue=jobs.Queue.OPEN, one_of="persona")
        # The library comes before this app and has kept the picture by then.
        ON_WINNER.append(filling.follow)
        PANELS.append(Panel("planning/panel.html", fill))
        TABS.append(Tab("Plan", "plan"))
