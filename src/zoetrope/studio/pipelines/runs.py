"""Runs and what people do to them: start, stop, go on; let the best through, take that back; crown a winner."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from time import time

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines import steps as said_steps
from zoetrope.studio.pipelines.growing import MOST_FAILURES, grow, missed
from zoetrope.studio.pipelines.keeping import newest, steps_of
from zoetrope.studio.pipelines.models import Candidate, Gate, IllegalMove, Pipeline, Run, Step
from zoetrope.studio.pipelines.recipes import Moment, persona_fits, recipe_of
from zoetrope.studio.pipelines.variables import NAME, PROMPT
from zoetrope.studio.spaces.models import User

# So long after a gate opens, nothing behind it starts: whoever slipped takes it back.
GRACE = timedelta(seconds=8)
MOST_VARIABLES = 20
_LONGEST = 2000

ON_WINNER: list[Callable[[Run], None]] = []
"""What apps above do when a run has, or no longer has, a winner."""


def start(pipeline: Pipeline, persona: Persona, name: str, variables: Mapping[str, str], by: User | None) -> Run:
    """A run of the newest version; what cannot be drawn is refused before anything is kept."""
    version = newest(pipeline)
    wanted = said_steps.checked(steps_of(version))
    said = {key: value.strip() for key, value in variables.items() if value.strip()}
    if lacking := [each for each in wanted if each not in said]:
        raise UserError(f"Say what {{{{{lacking[0]}}}}} stands for: this pipeline asks for it.")
    if len(said) > MOST_VARIABLES or any(len(value) > _LONGEST for value in said.values()):
        raise UserError(f"A run has at most {MOST_VARIABLES} variables of at most {_LONGEST} characters.")
    if odd := [each for each in said if not NAME.fullmatch(each)]:
        raise UserError(f"{odd[0]!a:.60} is no name of a variable; nothing was started.")
    told = name.strip()[:80] or said.get(PROMPT, "")[:80] or pipeline.name
    with transaction.atomic():
        run = Run.objects.create(
            space=pipeline.space, version=version, persona=persona, name=told, variables=said, by=by
        )
        steps = list(version.steps.all())
        for step in steps:
            persona_fits(persona, step)
        recipe_of(run, steps[0], None, Moment(seed=0, chance=0, now=time(), job=0))
        transaction.on_commit(grow)
    return run


def stop(run: Run) -> None:
    """Nothing more of it is drawn; what is there stays."""
    _moved(run, Run.State.STOPPED, wake=None)
    for candidate in run.candidates.filter(state=Candidate.State.PENDING):
        _cancel(candidate)
        missed(candidate, "", counts=False)


def go_on(run: Run) -> None:
    """Draw again what is missing, also where too much failed."""
    if run.state == Run.State.DONE:
        return uncrown(run)
    with transaction.atomic():
        run.candidates.filter(failures__gt=0).update(failures=0)
        if not Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).exists():
            _moved(run, Run.State.RUNNING, winner=None)
        Run.objects.filter(pk=run.pk).update(wake=timezone.now(), failures=0, error="")
        transaction.on_commit(grow)


def _moved(run: Run, to: Run.State, **values: object) -> None:
    try:
        run.move(to, **values)
    except IllegalMove as error:
        raise UserError(f"{run} is {run.state} by now; nothing was changed.") from error


def _cancel(candidate: Candidate) -> None:
    """Its job is not wanted any more; one that ended meanwhile has."""
    job = jobs.Job.objects.filter(key=candidate.key).exclude(state__in=jobs.ENDED).first()
    if job:
        with suppress(jobs.IllegalMove):
            jobs.cancel(job)


def complete(run: Run, step: Step, candidates: Sequence[Candidate]) -> bool:
    """Whether all of a step's pictures that will come have come."""
    if any(each.state == Candidate.State.PENDING for each in candidates if each.step_id == step.pk):
        return False
    if step.place == 1:
        there = sum(each.step_id == step.pk and each.state != Candidate.State.FAILED for each in candidates)
        return there >= run.wanted(step) or run.failures >= MOST_FAILURES
    let_through = [each for each in candidates if each.gate_id is not None and each.step.place == step.place - 1]
    return bool(let_through) and not any(_may_have_more(each, run.wanted(step)) for each in let_through)


def _may_have_more(parent: Candidate, wanted: int) -> bool:
    alive = parent.state == Candidate.State.ACTIVE
    return alive and parent.children < wanted and parent.failures < MOST_FAILURES


def draw_more(run: Run, step: Step, count: int) -> None:
    """So many more of a step's pictures: where none of those that came is good enough."""
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        if row.state != Run.State.RUNNING:
            raise UserError(f"{run} is {row.state}: nothing more of it is drawn.")
        if row.gates.filter(step=step, undone=None).exists():
            raise UserError(f"The best of {step} have gone on already; take that back first.")
        passed = row.candidates.filter(step__place=step.place - 1, gate__undone=None, gate__isnull=False)
        if step.place > 1 and not passed.filter(state=Candidate.State.ACTIVE).exists():
            raise UserError(f"None of those that went on to {step} is left: bring one of them back first.")
        most = said_steps.MOST_CHILDREN - row.wanted(step)
        if not 1 <= count <= most:
            raise UserError(f"Of {step}, {most} more can be drawn at most; nothing was asked for.")
        row.more[str(step.place)] = row.wanted(step) - step.children + count
        row.candidates.filter(failures__gt=0).update(failures=0)
        Run.objects.filter(pk=run.pk).update(more=row.more, failures=0, wake=timezone.now())
        transaction.on_commit(grow)


def approve(run: Run, step: Step, keep: int, by: User | None) -> Gate:
    """Let the best of a step go on."""
    following = run.version.steps.filter(place__gt=step.place).first()
    if following is None or step.version_id != run.version_id:
        raise UserError("The last step's best is the winner: choose it instead.")
    if not 1 <= keep <= said_steps.MOST_KEPT:
        raise UserError(f"Let 1 to {said_steps.MOST_KEPT} pictures through.")
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        if row.state != Run.State.RUNNING:
            raise UserError(f"{run} is {row.state}: nothing of it goes on.")
        if row.gates.filter(step=step, undone=None).exists():
            raise UserError(f"The best of {step} have gone on already; take that back first.")
        if not complete(row, step, list(row.candidates.select_related("step"))):
            raise UserError(f"The pictures of {step} are not all there yet.")
        best = row.candidates.filter(step=step, state=Candidate.State.ACTIVE).order_by("-utility", "pk")[:keep]
        if not best:
            raise UserError(f"No picture of {step} is left to go on.")
        opens = timezone.now() + GRACE
        gate = Gate.objects.create(run=row, step=step, keep=keep, by=by, opens=opens)
        Candidate.objects.filter(pk__in=[each.pk for each in best]).update(gate=gate)
        Run.objects.filter(pk=run.pk).update(wake=opens)
    return gate


def take_back(gate: Gate) -> None:
    """Nobody went on; only while nothing behind the gate was begun."""
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=gate.run_id)
        behind = Candidate.objects.filter(parent__gate=gate)
        asked = jobs.Job.objects.filter(key__in=[each.key for each in behind]).exclude(state=jobs.State.WAITING)
        # One that was cancelled while it waited drew nothing.
        begun = asked.exclude(state=jobs.State.CANCELLED, started=None)
        drawn = behind.exclude(state=Candidate.State.PENDING).exclude(state=Candidate.State.FAILED, made=None)
        if begun.exists() or drawn.exists():
            raise UserError("The first picture behind this gate has been begun: it cannot be taken back any more.")
        if not Gate.objects.filter(pk=gate.pk, undone=None).update(undone=timezone.now()):
            raise UserError("It was taken back already.")
        for candidate in behind:
            _cancel(candidate)
        behind.delete()
        Candidate.objects.filter(gate=gate).update(gate=None, children=0)


def crown(run: Run, candidate: Candidate) -> None:
    """This is the one; the run is done."""
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        # As it is now: somebody may have rejected it meanwhile.
        candidate.refresh_from_db()
        if candidate.run_id != run.pk or candidate.state != Candidate.State.ACTIVE or candidate.made_id is None:
            raise UserError("Only a picture of this run that was not rejected can be its winner.")
        # First: from here on nothing more is asked for.
        _moved(run, Run.State.DONE, winner=candidate, wake=None)
        for pending in run.candidates.filter(state=Candidate.State.PENDING):
            _cancel(pending)
            missed(pending, "", counts=False)
        _told(run)


def uncrown(run: Run) -> None:
    """It was not, or not yet."""
    with transaction.atomic():
        if Run.objects.select_for_update().get(pk=run.pk).state != Run.State.DONE:
            raise UserError(f"{run} has no winner; nothing was changed.")
        _moved(run, Run.State.RUNNING, winner=None, wake=timezone.now())
        # What was let through has its moment of grace again: who slipped a minute ago may slip now.
        run.gates.filter(undone=None).update(opens=timezone.now() + GRACE)
        _told(run)


def _told(run: Run) -> None:
    for tell in ON_WINNER:
        tell(run)


def reject(candidate: Candidate) -> None:
    """It is not to be seen again, and nothing more grows from it."""
    _decided(candidate, Candidate.State.REJECTED)


def restore(candidate: Candidate) -> None:
    """Bring a rejected one back."""
    _decided(candidate, Candidate.State.ACTIVE)


def _decided(candidate: Candidate, to: Candidate.State) -> None:
    if to == Candidate.State.ACTIVE and candidate.made_id is None:
        raise UserError("There is no picture of it to bring back.")
    with transaction.atomic():
        if Run.objects.select_for_update().get(pk=candidate.run_id).winner_id == candidate.pk:
            raise UserError("This picture is the run's winner: take that back first.")
        try:
            candidate.move(to)
        except IllegalMove as error:
            raise UserError(f"The picture is {candidate.state} by now; nothing was changed.") from error
        Run.objects.filter(pk=candidate.run_id, state=Run.State.RUNNING).update(wake=timezone.now())


ON_RUN: dict[str, Callable[[Run], None]] = {"stop": stop, "go-on": go_on, "uncrown": uncrown}
ON_PICTURE: dict[str, Callable[[Candidate], None]] = {"reject": reject, "restore": restore}
"""What pages and programs do by a word."""
