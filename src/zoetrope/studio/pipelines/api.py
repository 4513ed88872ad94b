"""Pipelines and runs, for programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from zoetrope.studio.bodies import Key
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines import keeping, runs, telling
from zoetrope.studio.pipelines.models import Gate, Pipeline, Run, Step
from zoetrope.studio.pipelines.steps import MOST_CHILDREN, MOST_KEPT, MOST_STEPS, StepIn
from zoetrope.studio.pipelines.views import picture_of, pipeline_of, run_of
from zoetrope.studio.spaces.api import Said, asked_place
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role

router = Router(tags=["pipelines"])
_A_PAGE = 100


class StepSaid(Said):
    """One step; its template is what its engine is asked for."""

    name: str = Field(min_length=1, max_length=40)
    engine: str = Field("local", max_length=20)
    template: dict[str, Any] = Field({})
    children: int = Field(3, ge=1, le=64)
    keep: int = Field(3, ge=1, le=MOST_KEPT)


class PipelineIn(Said):
    """A pipeline's name and steps."""

    name: str = Field(min_length=1, max_length=80)
    about: str = Field("", max_length=300)
    steps: list[StepSaid] = Field(min_length=1, max_length=MOST_STEPS)


class PipelineOut(Schema):
    """A pipeline and its newest steps."""

    id: int
    name: str
    about: str
    version: int
    steps: list[dict[str, Any]]
    retired: datetime | None


class RunIn(Said):
    """For whom, and what the variables stand for."""

    pipeline: Key
    persona: str = Field(max_length=48)
    name: str = Field("", max_length=80)
    variables: dict[str, str] = Field({})


class CandidateOut(Schema):
    """A picture of a run; `score` is told once there are votes."""

    id: int
    step: int
    parent: int | None
    state: str
    sha256: str | None
    passed: bool
    score: str


class StageOut(Schema):
    """A step that was begun."""

    step: int
    name: str
    drawn: int
    expected: int
    complete: bool
    gate: int | None
    waits: bool


class RunOut(Schema):
    """A run without its pictures."""

    id: int
    name: str
    persona: str
    pipeline: int
    version: int
    variables: dict[str, str]
    state: str
    standing: str
    error: str
    winner: int | None
    created: datetime


class WholeRunOut(RunOut):
    """A run with its stages and its tree."""

    stages: list[StageOut]
    candidates: list[CandidateOut]


class Act(Said):
    """What to do to a run; a picture, a step or a gate by its number where it takes one."""

    do: Literal["stop", "go-on", "approve", "take-back", "crown", "uncrown", "reject", "restore", "more"]
    candidate: Key | None = None
    step: Key | None = None
    keep: int = Field(1, ge=1, le=MOST_KEPT)
    count: int = Field(1, ge=1, le=MOST_CHILDREN)
    gate: Key | None = None


def _pipeline_out(pipeline: Pipeline) -> PipelineOut:
    version = keeping.newest(pipeline)
    told = {name: getattr(pipeline, name) for name in ("id", "name", "about", "retired")}
    steps = [
        {"id": row.pk, **said.model_dump()}
        for row, said in zip(version.steps.all(), keeping.steps_of(version), strict=True)
    ]
    return PipelineOut(**told, version=version.number, steps=steps)


def _run_out(run: Run) -> dict[str, Any]:
    return _runs_out([run])[0]


def _runs_out(runs: Sequence[Run]) -> list[dict[str, Any]]:
    coming = telling.coming(runs)
    return [_told(run, coming) for run in runs]


def _told(run: Run, coming: set[int]) -> dict[str, Any]:
    told = {name: getattr(run, name) for name in ("id", "name", "variables", "state", "error", "created")}
    told |= {"persona": run.persona.name, "pipeline": run.version.pipeline_id, "version": run.version.number}
    return told | {"standing": telling.standing(run, coming), "winner": run.winner_id}


def _whole(run: Run) -> WholeRunOut:
    candidates = list(run.candidates.select_related("made", "step").defer("made__recipe"))
    found = [
        StageOut(
            step=each.step.pk,
            name=each.step.name,
            gate=each.gate.pk if each.gate else None,
            **{name: getattr(each, name) for name in ("drawn", "expected", "complete", "waits")},
        )
        for each in telling.stages(run, candidates)
    ]
    pictures = [
        CandidateOut(
            id=each.pk,
            step=each.step_id,
            parent=each.parent_id,
            state=each.state,
            sha256=each.made.sha256 if each.made else None,
            passed=each.gate_id is not None,
            score=each.score,
        )
        for each in candidates
    ]
    return WholeRunOut(**_run_out(run), stages=found, candidates=pictures)


def _steps(said: PipelineIn) -> list[StepIn]:
    return [StepIn(**step.model_dump()) for step in said.steps]


@router.get("/spaces/{space}/pipelines", response=list[PipelineOut])
def list_pipelines(request: HttpRequest, space: str, retired: bool = False) -> list[PipelineOut]:
    """The first hundred, by name."""
    rows = Pipeline.objects.filter(space=asked_place(request, space).space, retired__isnull=not retired)
    return [_pipeline_out(each) for each in rows.prefetch_related("versions__steps")[:_A_PAGE]]


@router.post("/spaces/{space}/pipelines", response={201: PipelineOut})
def add_pipeline(request: HttpRequest, space: str, said: PipelineIn) -> Status[PipelineOut]:
    """Make a pipeline."""
    place = asked_place(request, space, Role.owner)
    made = keeping.make(place.space, said.name, said.about, _steps(said), member(request))
    return Status(201, _pipeline_out(made))


@router.get("/spaces/{space}/pipelines/{pipeline}", response=PipelineOut)
def one_pipeline(request: HttpRequest, space: str, pipeline: int) -> PipelineOut:
    """One pipeline."""
    return _pipeline_out(pipeline_of(asked_place(request, space), pipeline))


@router.put("/spaces/{space}/pipelines/{pipeline}", response=PipelineOut)
def change_pipeline(request: HttpRequest, space: str, pipeline: int, said: PipelineIn) -> PipelineOut:
    """Other steps for runs that start from now on."""
    found = pipeline_of(asked_place(request, space, Role.owner), pipeline)
    keeping.change(found, said.name, said.about, _steps(said), member(request))
    return _pipeline_out(Pipeline.objects.get(pk=found.pk))


@router.post("/spaces/{space}/pipelines/{pipeline}/copy", response={201: PipelineOut})
def copy_pipeline(request: HttpRequest, space: str, pipeline: int) -> Status[PipelineOut]:
    """Another of the same steps."""
    found = pipeline_of(asked_place(request, space, Role.owner), pipeline)
    return Status(201, _pipeline_out(keeping.copy(found, member(request))))


@router.delete("/spaces/{space}/pipelines/{pipeline}", response=PipelineOut)
def retire_pipeline(request: HttpRequest, space: str, pipeline: int) -> PipelineOut:
    """Put it aside; its runs stay."""
    found = pipeline_of(asked_place(request, space, Role.owner), pipeline)
    keeping.retire(found)
    return _pipeline_out(found)


@router.post("/spaces/{space}/pipelines/{pipeline}/restore", response=PipelineOut)
def restore_pipeline(request: HttpRequest, space: str, pipeline: int) -> PipelineOut:
    """Bring one back."""
    found = pipeline_of(asked_place(request, space, Role.owner), pipeline)
    keeping.retire(found, back=True)
    return _pipeline_out(found)


@router.get("/spaces/{space}/runs", response=list[RunOut])
def list_runs(
    request: HttpRequest,
    space: str,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """Runs, the newest first, a hundred at a time; `after` is how many to leave out."""
    rows = Run.objects.filter(space=asked_place(request, space).space).select_related("version", "persona")
    return _runs_out(list(rows[after : after + _A_PAGE]))


@router.post("/spaces/{space}/runs", response={201: RunOut})
def start_run(request: HttpRequest, space: str, said: RunIn) -> Status[dict[str, Any]]:
    """Start a run of a pipeline's newest version."""
    place = asked_place(request, space, Role.reviewer)
    persona = get_object_or_404(Persona, space=place.space, name=said.persona)
    pipeline = pipeline_of(place, said.pipeline)
    return Status(201, _run_out(runs.start(pipeline, persona, said.name, said.variables, member(request))))


@router.get("/spaces/{space}/runs/{run}", response=WholeRunOut)
def one_run(request: HttpRequest, space: str, run: int) -> WholeRunOut:
    """A run with its tree."""
    return _whole(run_of(asked_place(request, space), run))


@router.post("/spaces/{space}/runs/{run}", response=WholeRunOut)
def act_on_run(request: HttpRequest, space: str, run: int, said: Act) -> WholeRunOut:
    """Stop a run or go on; let a step's best go on, or take that back; draw more; crown, reject, restore a picture."""
    found = run_of(asked_place(request, space, Role.reviewer), run)
    if said.do in runs.ON_PICTURE:
        runs.ON_PICTURE[said.do](picture_of(found, said.candidate or 0))
    elif said.do == "crown":
        runs.crown(found, picture_of(found, said.candidate or 0))
    elif said.do == "approve":
        step = get_object_or_404(Step, pk=said.step or 0, version=found.version)
        runs.approve(found, step, said.keep, member(request))
    elif said.do == "more":
        step = get_object_or_404(Step, pk=said.step or 0, version=found.version)
        runs.draw_more(found, step, said.count)
    elif said.do == "take-back":
        runs.take_back(get_object_or_404(Gate, pk=said.gate or 0, run=found))
    else:
        runs.ON_RUN[said.do](found)
    return _whole(run_of(asked_place(request, space), run))
