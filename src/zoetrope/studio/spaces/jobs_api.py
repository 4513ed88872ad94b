"""A space's jobs, for programs."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import BaseModel, ConfigDict, Field

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.spaces.api import asked_place
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.spaces.work import job_of, moved, scope_of

router = Router(tags=["jobs"])

MOST = 500
Number = Annotated[int, Field(ge=0, le=2**62)]


class Row(BaseModel):
    """One of many: ninja's own kind takes twice as long, as it asks Django about every value."""

    model_config = ConfigDict(from_attributes=True)


class JobOut(Row):
    """How a job stands."""

    id: int
    key: str
    kind: str
    title: str
    state: jobs.State
    stage: str
    done: int
    total: int
    error: str
    attempts: int
    worker: str
    created: datetime
    changed: datetime
    due: datetime | None
    started: datetime | None
    heartbeat: datetime | None
    finished: datetime | None


class LineOut(Row):
    """A log line; ids grow."""

    id: int
    job_id: int
    at: datetime
    text: str


class JobsOut(Schema):
    """How many jobs stand where, the first of each, who could carry them out, and where `changes` goes on."""

    counts: dict[jobs.State, int]
    jobs: dict[jobs.State, list[JobOut]]
    workers: list[str]
    cursor: str


class ChangesOut(Schema):
    """What changed, oldest first; with `much` read the overview again."""

    jobs: list[JobOut]
    lines: list[LineOut]
    much: bool
    cursor: str


class JobLogOut(Schema):
    """A job and what it said."""

    job: JobOut
    lines: list[LineOut]


@router.get("/spaces/{space}/jobs", response=JobsOut)
def list_jobs(
    request: HttpRequest,
    space: str,
    state: jobs.State | None = None,
    after: Number = 0,
    most: Annotated[int, Field(ge=1, le=MOST)] = 50,
) -> jobs.Overview:
    """The space's jobs by state; with one state, `after` the last id shown gives the next page."""
    states = tuple(jobs.State) if state is None else (state,)
    return jobs.overview(scope_of(asked_place(request, space).space), states=states, after=after, limit=most)


@router.get("/spaces/{space}/jobs/changes", response=ChangesOut)
def list_job_changes(
    request: HttpRequest, space: str, cursor: Annotated[str, Query(pattern=r"^[0-9]{1,16}$")] = "0"
) -> jobs.Changes:
    """What changed since a cursor; its last two seconds are told again."""
    return jobs.since(scope_of(asked_place(request, space).space), cursor)


@router.get("/spaces/{space}/jobs/{int:job}", response=JobLogOut)
def one_job(request: HttpRequest, space: str, job: int, after: Number = 0) -> dict[str, object]:
    """A job and its log, from behind a line's id."""
    found = job_of(asked_place(request, space), job)
    return {"job": found, "lines": jobs.lines_of(found.pk, after=after)}


@router.post("/spaces/{space}/jobs/{int:job}/cancel", response=JobOut)
def cancel_job(request: HttpRequest, space: str, job: int) -> jobs.Job:
    """Nobody shall carry this out any more."""
    return moved(job_of(asked_place(request, space, Role.owner), job), jobs.cancel)


@router.post("/spaces/{space}/jobs/{int:job}/resubmit", response=JobOut)
def resubmit_job(request: HttpRequest, space: str, job: int) -> jobs.Job:
    """Another chance for a failed or cancelled job."""
    return moved(job_of(asked_place(request, space, Role.owner), job), jobs.resubmit)
