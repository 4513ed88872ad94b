"""Two runs of a pipeline in the demo: one that a stand-in votes to its winner, one whose votes are left to a person."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.cli.output import console

if TYPE_CHECKING:
    from zoetrope.studio.personas.models import Persona
    from zoetrope.studio.pipelines.models import Candidate, Pipeline, Run
    from zoetrope.studio.pipelines.telling import Stage

Best = Callable[[Sequence[Path], str], int]
"""Which of some pictures shows best what was asked for."""

NAME = "Portraits: drafts, then the best finished"
FINISHED, WAITING = "smiling, front, park, warm light", "neutral, three_quarter_left, beach, soft light"
_DRAFTS, _KEPT = 6, 2
_LOOK_SECONDS = 0.2
_LONGEST_SECONDS = 180.0
_MOST_VOTES = 12


def show(persona: "Persona", best: Best) -> "tuple[Run, Run]":
    """The finished run and the one that waits for votes; runs that an earlier demo began are those."""
    from zoetrope.studio.pipelines import runs
    from zoetrope.studio.pipelines.models import Run

    pipeline = _pipeline(persona)
    found = {run.variables.get("prompt"): run for run in Run.objects.filter(version__pipeline=pipeline)}
    made = [
        found.get(prompt) or runs.start(pipeline, persona, "", {"prompt": prompt}, None)
        for prompt in (FINISHED, WAITING)
    ]
    console.print("Drawing two runs of a pipeline …", highlight=False)
    finish(made[0], best)
    _wait(made[1], lambda stage: stage.waits)
    return made[0], made[1]


def _pipeline(persona: "Persona") -> "Pipeline":
    from zoetrope.studio.pipelines import keeping
    from zoetrope.studio.pipelines.models import Pipeline
    from zoetrope.studio.pipelines.steps import StepIn

    known = Pipeline.objects.filter(space=persona.space, name=NAME).first()
    drafts = {"prompt": "portrait of {{trigger}}, {{prompt}}", "steps": 12}
    finished = {"prompt": "{{parent_prompt}}", "seed": "{{parent_seed}}", "steps": 28}
    steps = [
        StepIn(name="Drafts", template=drafts, children=_DRAFTS, keep=_KEPT),
        StepIn(name="Finished", template=finished, children=1, keep=1),
    ]
    about = "Quick drafts; those that you choose are drawn again with care, from the same seed."
    return known or keeping.make(persona.space, NAME, about, steps, None)


def finish(run: "Run", best: Best) -> None:
    """Vote, let the best go on, vote again, and crown the pick."""
    from zoetrope.studio.pipelines import runs
    from zoetrope.studio.pipelines.models import Run

    run.refresh_from_db()
    while run.state == Run.State.RUNNING:
        stage = _wait(run, lambda stage: stage.waits)
        if stage is None:
            return
        pick = _voted(run, stage, best)
        if stage.last:
            runs.crown(run, pick)
        else:
            runs.approve(run, stage.step, stage.step.keep, None)
        run.refresh_from_db()


def _voted(run: "Run", stage: "Stage", best: Best) -> "Candidate":
    """The pick, after as many votes as it takes to be sure of it."""
    from zoetrope.studio.making.store import path_of
    from zoetrope.studio.voting.casting import cast
    from zoetrope.studio.voting.heats import SIZES, heat
    from zoetrope.studio.voting.models import Vote

    now = heat(run, stage.step)
    while len(now.answers) < _MOST_VOTES and now.verdict and not now.verdict.enough:
        screen = now.screen(None, max(SIZES))
        if screen is None:
            break
        shown = [now.candidates[place] for place in screen.members]
        chosen = best([path_of(each.sha256) for each in shown], run.variables["prompt"])
        now = cast(run, stage.step, Vote.Kind.BEST, [each.key for each in shown], shown[chosen].key, None)
    assert now.pick is not None
    return run.candidates.get(pk=now.pick.key)


def _wait(run: "Run", enough: "Callable[[Stage], bool]") -> "Stage | None":
    """The newest stage once it is so; None where the run ended, or nobody draws it."""
    from zoetrope.studio.pipelines.models import Run
    from zoetrope.studio.pipelines.telling import stages

    given_up = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < given_up:
        run.refresh_from_db()
        if run.state != Run.State.RUNNING:
            return None
        newest = stages(run, list(run.candidates.select_related("step")))[-1]
        if enough(newest):
            return newest
        time.sleep(_LOOK_SECONDS)
    return None
