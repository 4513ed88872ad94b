"""The demo in the studio: Ada is there, her turn runs as a job, and the terminal tells how far it has come."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from zoetrope.cli.demo_runs import Best
from zoetrope.cli.output import console, paper
from zoetrope.cli.studio import open_studio

if TYPE_CHECKING:
    from zoetrope.studio.jobs.seam import Job
    from zoetrope.studio.personas.models import Persona
    from zoetrope.wheel.workspace import Workspace

SPACE = "Ada's studio"
_LOOK_SECONDS = 0.5
# So soon after its turn a LoRA is in the library.
_ARRIVES_SECONDS = 30.0


class Showing:
    """What is shown: whose workspace, how its turn is to be, and what is printed when it has ended."""

    def __init__(
        self,
        workspace: "Callable[[], Workspace]",
        steps: int | None,
        count: int,
        ended: "Callable[[Workspace, str], None]",
        best: Best,
    ) -> None:
        self._workspace = workspace
        self._steps = steps
        self._count = count
        self._ended = ended
        self._best = best

    def open(self, host: str, port: int, browser: bool) -> None:
        """Until Ctrl-C."""
        open_studio(host, port, browser, False, self._begin)

    def _begin(self, address: str) -> None:
        from zoetrope.errors import UserError
        from zoetrope.studio.workshop import turns

        console.print("Drawing Ada's sources …", highlight=False)
        workspace = self._workspace()
        persona = _persona(workspace)
        pages = f"{address}/s/{persona.space.slug}/p/{persona.name}"
        try:
            job = turns.start(persona, anyway=True, steps=self._steps, count=self._count)
        except UserError as error:
            # After her first turn it is a person who decides what she goes on with.
            console.print(f"{error} See {pages}/", highlight=False, soft_wrap=True)
            # An earlier demo may have been stopped before it had shown all.
            if workspace.state().cards:
                threading.Thread(target=self._runs, args=(persona, pages), daemon=True).start()
        else:
            told = (job, workspace, persona, pages)
            threading.Thread(target=self._follow, args=told, daemon=True).start()

    def _follow(self, job: "Job", workspace: "Workspace", persona: "Persona", pages: str) -> None:
        """Show the job's stages as bars; print the end of it."""
        from zoetrope.cli.train import TrainingBar
        from zoetrope.studio.jobs import seam as jobs

        with TrainingBar(as_json=False) as bar:
            while job.state not in jobs.ENDED:
                time.sleep(_LOOK_SECONDS)
                job.refresh_from_db()
                if job.stage and job.total:
                    bar.stage(job.stage, job.done, job.total)
        if job.state == jobs.State.DONE:
            self._runs(persona, pages)
            self._ended(workspace, pages)
        else:
            paper.print(f"Her turn is {job.state}. {job.error}".strip(), highlight=False)

    def _runs(self, persona: "Persona", pages: str) -> None:
        """Her LoRA is at work: a run with its winner, one that waits, and a week of posts."""
        from zoetrope.cli.demo_runs import show
        from zoetrope.cli.demo_week import plan_week

        given_up = time.monotonic() + _ARRIVES_SECONDS
        while not persona.worn.exists() and time.monotonic() < given_up:
            time.sleep(_LOOK_SECONDS)
        finished, waiting = show(persona, self._best)
        week = plan_week(persona, finished, self._best)
        runs = f"{pages.rpartition('/p/')[0]}/runs"
        paper.print(f"A run and its winner: {runs}/{finished.pk}/", highlight=False)
        paper.print(f"Another waits for your votes: {runs}/{waiting.pk}/vote/", highlight=False)
        if week:
            paper.print(f"Her week is planned, {week.posts} posts: {pages}/calendar/", highlight=False)
        if week and week.folder:
            paper.print(f"The first of them is ready to post: {week.folder}", highlight=False)


def _persona(workspace: "Workspace") -> "Persona":
    """Her row, in the first space there is, or in one that is made for her."""
    from zoetrope.studio.personas.models import Persona
    from zoetrope.studio.personas.workspaces import adopt
    from zoetrope.studio.spaces.forms import free_slug
    from zoetrope.studio.spaces.models import Space

    known = Persona.objects.select_related("space").filter(folder=workspace.folder.name).first()
    if known is not None:
        return known
    space = Space.objects.order_by("pk").first() or Space.objects.create(name=SPACE, slug=free_slug(SPACE))
    return adopt(space, workspace.folder.name)
