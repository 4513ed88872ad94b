"""How Django knows this app, and what it adds to a persona's pages."""

from django.apps import AppConfig

LOOK_SECONDS = 60.0


class Insights(AppConfig):
    """Its jobs ask accounts for numbers, and go through them; the sampler learns from what they say."""

    name = "zoetrope.studio.insights"
    label = "insights"

    def ready(self) -> None:
        from zoetrope.studio.insights import effects, outcomes, tasks
        from zoetrope.studio.insights.panel import fill
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.personas.panels import PANELS, PARTS, TABS, Panel, Part, Tab
        from zoetrope.studio.planning.rhythm import HOURS
        from zoetrope.studio.publishing.strategy import REWARDS

        # The row says when it is asked for again: a try that failed is looked at from there, not by the queue.
        jobs.register(tasks.FETCH, "zoetrope.studio.insights.tasks:fetch", queue=jobs.Queue.OPEN, retries=())
        jobs.register(tasks.LEARN, "zoetrope.studio.insights.tasks:learn", queue=jobs.Queue.OPEN)
        jobs.register(tasks.PICK, "zoetrope.studio.insights.tasks:pick", queue=jobs.Queue.OPEN, one_of="persona")
        jobs.every(LOOK_SECONDS, tasks.look)
        REWARDS.append(outcomes.rewards)
        HOURS.append(effects.hours)
        PANELS.append(Panel("insights/panel.html", fill))
        TABS.append(Tab("Insights", "insights"))
        PARTS.setdefault("post", []).append(Part("What came of it", "post-numbers", "insights/numbers.css"))
