"""From a gap to the picture that fills it: a run is started for a pillar, and its winner goes there by itself."""

import re

from django.db import transaction

from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.pipelines import runs
from zoetrope.studio.pipelines.keeping import BEGINNINGS, newest, steps_of
from zoetrope.studio.pipelines.models import Pipeline, Run
from zoetrope.studio.pipelines.variables import PROMPT, named
from zoetrope.studio.planning import clusters, ideas
from zoetrope.studio.planning.models import GapRun, Idea, Pillar
from zoetrope.studio.planning.standing import Standing
from zoetrope.studio.spaces.models import Space, User

MOST_AT_ONCE = 4
"""A click starts no more runs than somebody votes on."""
_OFFERED = 24


def offered(space: Space) -> list[Pipeline]:
    """What runs may go by: the first of those shipped where it is there, then the newest."""
    shipped = next(iter(BEGINNINGS))
    rows = Pipeline.objects.filter(space=space, retired=None).order_by("-pk")[:_OFFERED]
    return sorted(rows, key=lambda each: each.name != shipped)


def chosen(space: Space, pipeline: int | None) -> Pipeline:
    """The one of that number, or the first that is offered."""
    if pipeline is not None:
        found = Pipeline.objects.filter(space=space, retired=None, pk=pipeline).first()
        if found is None:
            raise UserError("That pipeline is not there any more: choose another; nothing was started.")
        return found
    first = next(iter(offered(space)), None)
    if first is None:
        raise UserError("There is no pipeline yet: make one first; nothing was started.")
    return first


def make(standing: Standing, pipeline: Pipeline, by: User | None) -> list[Run]:
    """Start what the pillar lacks, so much of it as a click may: by its waiting ideas, then by new ones."""
    count = min(standing.lacking, MOST_AT_ONCE)
    if not count:
        raise UserError(f"{standing.pillar} lacks nothing that is not being made already; nothing was started.")
    with transaction.atomic():
        waiting = list(Idea.objects.filter(pillar=standing.pillar, state=Idea.State.PENDING).order_by("pk")[:count])
        lacking = count - len(waiting)
        fresh = ideas.at_once(standing.pillar, lacking) if lacking else []
        return [accept(idea, pipeline, by) for idea in (*waiting, *fresh)]


def accept(idea: Idea, pipeline: Pipeline, by: User | None, prompt: str | None = None) -> Run:
    """Have it drawn: a run with its prompt, or with what somebody made of that; the winner goes to its pillar."""
    with transaction.atomic():
        if prompt is not None:
            ideas.reword(idea, prompt, by)
        ideas.moved(idea, Idea.State.USED)
        run = start(idea.pillar, pipeline, idea.title, idea.prompt, by)
        Idea.objects.filter(pk=idea.pk).update(run=run)
        idea.run = run
    return run


def start(pillar: Pillar, pipeline: Pipeline, name: str, prompt: str, by: User | None) -> Run:
    """A run for a pillar."""
    if pillar.retired is not None:
        raise UserError(f"{pillar} is retired: bring it back first; nothing was started.")
    said = as_asked(pipeline, pillar.persona.trigger, prompt)
    with transaction.atomic():
        run = runs.start(pipeline, pillar.persona, name, {PROMPT: said}, by)
        GapRun.objects.create(run=run, pillar=pillar)
    return run


def as_asked(pipeline: Pipeline, trigger: str, prompt: str) -> str:
    """The prompt as the pipeline asks for it: one that names the persona by itself is not told it twice."""
    first = steps_of(newest(pipeline))[0].asked
    if not any("trigger" in named(text) for text in first.texts):
        return prompt
    bare = re.sub(rf"(?i)(\s+of\s+|\b){re.escape(trigger)}\b", "", prompt)
    return re.sub(r"\s*,(\s*,)+\s*", ", ", bare).strip(" ,") or prompt


def follow(run: Run) -> None:
    """Its winner into the pillar that it was started for. With a winner that is none any more, its place there goes."""
    gap = GapRun.objects.filter(run=run).select_related("pillar__persona").first()
    kept = Kept.objects.filter(run=run).first() if gap else None
    if gap is None or kept is None:
        return
    clusters.fill(clusters.home_of(gap.pillar), [kept.pk])
