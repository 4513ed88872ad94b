"""How Django knows this app."""

from django.apps import AppConfig

LOOK_SECONDS, FILL_SECONDS = 2.0, 30.0


class Publishing(AppConfig):
    """Its jobs carry posts on their way and write for campaigns; a persona's pages get its calendar."""

    name = "zoetrope.studio.publishing"
    label = "publishing"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.personas.panels import PANELS, PARTS, TABS, Panel, Part, Tab
        from zoetrope.studio.personas.workspaces import AGAINST_LEAVING
        from zoetrope.studio.pipelines.runs import ON_WINNER
        from zoetrope.studio.publishing import captioning, desk
        from zoetrope.studio.publishing.accounts import tokens
        from zoetrope.studio.publishing.campaigns import filling, thinking
        from zoetrope.studio.publishing.panel import fill
        from zoetrope.studio.publishing.tasks import KIND, look

        # The row says what comes next: a try that failed is looked at again from there, not by the queue.
        jobs.register(KIND, "zoetrope.studio.publishing.tasks:carry", queue=jobs.Queue.OPEN, retries=())
        jobs.every(LOOK_SECONDS, look)
        tokens.register()
        inside = "zoetrope.studio.publishing.campaigns"
        jobs.register(thinking.KIND, f"{inside}.thinking:write", queue=jobs.Queue.OPEN, one_of="campaign")
        writes = "zoetrope.studio.publishing.captioning:write"
        jobs.register(captioning.KIND, writes, queue=jobs.Queue.OPEN, one_of="post")
        # The library comes before this app and has kept the picture by then.
        ON_WINNER.append(filling.follow)
        jobs.every(FILL_SECONDS, filling.look)
        AGAINST_LEAVING.append(desk.under_way)
        PANELS.append(Panel("publishing/panel.html", fill))
        PARTS.setdefault("kept", []).append(Part("Posts", "kept-posts"))
        TABS.append(Tab("Calendar", "calendar"))
