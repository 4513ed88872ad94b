"""Jobs of the workshop, as workers carry them out."""

from functools import partial
from typing import TYPE_CHECKING

from zoetrope.studio.jobs.seam import Work
from zoetrope.studio.loras.bridge import import_all
from zoetrope.studio.loras.models import Origin
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of

if TYPE_CHECKING:
    from zoetrope.training.loop import Moment
    from zoetrope.training.preflight import Preflight
    from zoetrope.wheel.workspace import Workspace

KIND = "turn"
_LOOKS = 4


def turn(
    work: Work,
    persona: int,
    anyway: bool = False,
    steps: int | None = None,
    count: int | None = None,
    keep: int | None = None,
) -> None:
    """Turn a persona's wheel to its next gate; a turn that was interrupted goes on where it was."""
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.wheel.synthesize import COUNT
    from zoetrope.wheel.turn import turn as turn_wheel

    told = Telling(work)
    row = Persona.objects.select_related("space").get(pk=persona)
    workspace = workspace_of(row)
    turned = turn_wheel(
        workspace,
        LocalEngine(),
        told,
        {"steps": steps, "sample_every": _sample_every(workspace, steps), "keep_every": keep},
        COUNT if count is None else count,
        on_stage=lambda name: partial(told.stage, name),
        anyway=anyway,
    )
    for lora in import_all(row, Origin.turn):
        work.log(f"{lora} is in the library.")
    for line in turned.done:
        work.log(f"Round {turned.round}: {line}.")
    if turned.alarm:
        work.log(f"Stopped: {turned.alarm}.")
    work.log(f"Waits for {turned.waits_for}")


def _sample_every(workspace: "Workspace", steps: int | None) -> int:
    """Steps between two looks at what it has learned: a few in all, as each takes its time on a large base."""
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.training.settings import make_settings

    steps = steps or make_settings(Catalogue().find(workspace.persona.base).notes.training).steps
    return max(1, steps // _LOOKS)


class Telling:
    """A training's watcher that tells the job, and stops where the job is no longer wanted."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def preflight(self, said: "Preflight") -> None:
        self._work.log(f"{said.pictures} pictures, about {said.memory_bytes / 1e9:.1f} GB and {said.seconds:.0f} s")
        for remark in said.remarks:
            self._work.log(remark)

    def stage(self, name: str, done: int, total: int) -> None:
        self._work.check()
        self._work.progress(name, done, total)

    def moment(self, moment: "Moment") -> None:
        self.stage("training", moment.step, moment.steps)
        if moment.step % 50 == 0:
            self._work.log(f"step {moment.step}: loss {moment.loss:.4f}")
