"""The plan, for programs."""

from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from zoetrope.studio.bodies import KEPT, MOST_KEY, Key
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning import clusters, filling, grouping, ideas, pillars
from zoetrope.studio.planning.cluster_views import cluster_of
from zoetrope.studio.planning.clustering import MOST_GROUPS
from zoetrope.studio.planning.models import LONGEST_NAME, Cluster, Grouping, Idea, Pillar, Proposal, Rhythm
from zoetrope.studio.planning.rhythm import MOST_A_WEEK, MOST_DAYS, rhythm_of, set_rhythm
from zoetrope.studio.planning.rhythm import Wanted as RhythmWanted
from zoetrope.studio.planning.standing import Standing, outlook
from zoetrope.studio.planning.views import idea_of, pillar_of, standing_of
from zoetrope.studio.spaces.api import Said, Text, asked_place
from zoetrope.studio.spaces.here import Place, member
from zoetrope.studio.spaces.models import Role

router = Router(tags=["planning"])
_A_PAGE = 100
_OF = "/spaces/{space}/personas/{persona}"


class RhythmIn(Said):
    """How often, by whose clock, by which strategy, how far ahead."""

    zone: str = Field("UTC", max_length=64, pattern=KEPT)
    posts_per_week: float = Field(3.0, gt=0, le=MOST_A_WEEK)
    strategy: str = Field("thematic_rotation", max_length=40, pattern=KEPT)
    days: int = Field(28, ge=1, le=MOST_DAYS)


class RhythmOut(Schema):
    """A persona's rhythm, its own or the default."""

    zone: str
    posts_per_week: float
    strategy: str
    days: int


class PillarIn(Said):
    """A pillar; `starts` and `ends` are days in the persona's zone, both included."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, pattern=KEPT)
    weight: int = Field(25, ge=0, le=pillars.WHOLE)
    priority: int = Field(3, ge=1, le=pillars.PRIORITIES)
    starts: date | None = None
    ends: date | None = None
    guidelines: Text = ""
    posts_per_week: float | None = Field(None, gt=0, le=MOST_A_WEEK)


class PillarOut(Schema):
    """A pillar as it is."""

    id: int
    name: str
    weight: int
    priority: int
    starts: date | None
    ends: date | None
    guidelines: str
    posts_per_week: float | None
    retired: datetime | None


class GapOut(Schema):
    """How a pillar of the time ahead stands; `there` is what is left, counted up to 300, and what is `planned`.

    `seconds` is null where nobody knows yet.
    """

    pillar: int
    name: str
    needed: int
    there: int
    planned: int
    gap: int
    status: Literal["exhausted", "critical", "low", "ready", "minimal"]
    runs_dry: date | None
    seconds: float | None
    under_way: int


class PlanOut(Schema):
    """What is missing, the thinnest pillar first."""

    today: date
    rhythm: RhythmOut
    gaps: list[GapOut]


class MakeIn(Said):
    """By which pipeline; without one by the first that pages offer."""

    pipeline: Key | None = None


class StartedOut(Schema):
    """The runs whose winners go to the pillar."""

    runs: list[int]


class RetireIn(Said):
    """Out of the plan or back into it."""

    do: Literal["retire", "restore"]


class ClusterIn(Said):
    """What a cluster is called, and the pillars that it serves."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, pattern=KEPT)
    note: str = Field("", max_length=300, pattern=KEPT)
    pillars: list[int] = Field([], max_length=pillars.MOST_PILLARS)


class ClusterOut(Schema):
    """A cluster without its pictures."""

    id: int
    name: str
    note: str
    pillars: list[int]
    pictures: int
    gone: datetime | None


class PlacedOut(Schema):
    """A picture of a cluster; `used` where a post has it."""

    kept: int
    sha256: str
    title: str
    used: bool
    aside: bool


class PicturesIn(Said):
    """Kept pictures to put in or take out, by their numbers."""

    do: Literal["put", "take-out"]
    kept: list[int] = Field(min_length=1, max_length=clusters.MOST_AT_ONCE)


class MovedOut(Schema):
    """How many came or went."""

    pictures: int


class GroupsIn(Said):
    """How many groups to look for, or as many as there seem; `loose` for pictures that lie in no cluster."""

    wanted: int | None = Field(None, ge=2, le=MOST_GROUPS)
    loose: bool = False


class ProposalOut(Schema):
    """A group that was found; `typical` are the most typical of its pictures, `cluster` where it was taken."""

    id: int
    name: str
    words: list[str]
    pictures: int
    typical: list[int]
    cluster: int | None


class GroupsOut(Schema):
    """What was looked for, and what was found: nothing while `state` is no done."""

    state: str
    wanted: int | None
    pictures: int
    looked: str
    why: str
    proposals: list[ProposalOut]


class TakeIn(Said):
    """Under which name; empty is the one that was proposed."""

    name: str = Field("", max_length=LONGEST_NAME, pattern=KEPT)


class IdeaOut(Schema):
    """An idea, and who wrote it."""

    id: int
    pillar: int
    title: str
    description: str
    prompt: str
    state: str
    run: int | None
    by: str
    created: datetime


class AskedOut(Schema):
    """The job that is at it now."""

    job: int


class IdeaIn(Said):
    """Have it drawn, by that pipeline and with another prompt if one is said; reject it; bring it back."""

    do: Literal["accept", "reject", "restore"]
    pipeline: Key | None = None
    prompt: Text | None = None


def _persona(place: Place, name: str) -> Persona:
    return get_object_or_404(Persona.objects.select_related("space"), space=place.space, name=name)


def _pillar_out(pillar: Pillar) -> dict[str, Any]:
    return {name: getattr(pillar, name) for name in PillarOut.model_fields}


def _rhythm_out(row: Rhythm) -> dict[str, Any]:
    return {name: getattr(row, name) for name in RhythmOut.model_fields}


def _gap_out(standing: Standing) -> dict[str, Any]:
    gap, ahead = standing.gap, standing.ahead
    told = {
        "pillar": standing.pillar.pk,
        "name": standing.pillar.name,
        "there": gap.plan.there,
        "planned": gap.plan.planned,
    }
    told |= {"needed": gap.needed, "gap": gap.gap, "status": gap.status.value, "under_way": standing.under_way}
    return told | {"runs_dry": ahead.runs_dry, "seconds": ahead.seconds}


def _cluster_out(cluster: Cluster) -> dict[str, Any]:
    told = {name: getattr(cluster, name) for name in ("id", "name", "note", "gone")}
    count = cluster.pictures if hasattr(cluster, "pictures") else cluster.kept.count()
    return told | {"pillars": [each.pk for each in cluster.pillars.all()], "pictures": count or 0}


def _idea_out(idea: Idea) -> dict[str, Any]:
    told = {name: getattr(idea, name) for name in ("id", "title", "description", "prompt", "state", "by", "created")}
    return told | {"pillar": idea.pillar_id, "run": idea.run_id}


def _groups_out(row: Grouping | None) -> dict[str, Any]:
    if row is None:
        return {"state": "none", "wanted": None, "pictures": 0, "looked": "", "why": "", "proposals": []}
    job = grouping.job_of(row) if row.done is None else None
    told = {name: getattr(row, name) for name in ("wanted", "pictures", "looked", "why")}
    state = "done" if row.done else str(job.state) if job else "failed"
    rows = row.proposals.defer("members")
    return told | {"state": state, "proposals": [_proposal_out(each) for each in rows]}


def _proposal_out(each: Proposal) -> dict[str, Any]:
    told = {name: getattr(each, name) for name in ("id", "name", "words", "typical")}
    return told | {"pictures": each.count, "cluster": each.taken_id}


def _own_pillars(persona: Persona, keys: list[int]) -> list[Pillar]:
    rows = Pillar.objects.filter(persona=persona)
    return [get_object_or_404(rows, pk=key) for key in dict.fromkeys(keys)]


@router.get(f"{_OF}/plan", response=PlanOut)
def what_is_missing(request: HttpRequest, space: str, persona: str) -> dict[str, Any]:
    """Every current pillar's gap, when it runs dry, what is being made for it."""
    place = asked_place(request, space)
    seen = outlook(_persona(place, persona), next(iter(filling.offered(place.space)), None))
    gaps = [_gap_out(each) for each in seen.standings]
    return {"today": seen.today, "rhythm": _rhythm_out(seen.rhythm), "gaps": gaps}


@router.put(f"{_OF}/rhythm", response=RhythmOut)
def change_rhythm(request: HttpRequest, space: str, persona: str, said: RhythmIn) -> dict[str, Any]:
    """Post in another rhythm."""
    found = _persona(asked_place(request, space, Role.owner), persona)
    return _rhythm_out(set_rhythm(found, RhythmWanted(**said.model_dump())))


@router.get(f"{_OF}/rhythm", response=RhythmOut)
def read_rhythm(request: HttpRequest, space: str, persona: str) -> dict[str, Any]:
    """Its own rhythm, or the default."""
    return _rhythm_out(rhythm_of(_persona(asked_place(request, space), persona)))


@router.get(f"{_OF}/pillars", response=list[PillarOut])
def list_pillars(request: HttpRequest, space: str, persona: str, retired: bool = False) -> list[dict[str, Any]]:
    """The first hundred, by priority."""
    found = _persona(asked_place(request, space), persona)
    rows = Pillar.objects.filter(persona=found, retired__isnull=not retired)
    return [_pillar_out(each) for each in rows[:_A_PAGE]]


@router.post(f"{_OF}/pillars", response={201: PillarOut})
def add_pillar(request: HttpRequest, space: str, persona: str, said: PillarIn) -> Status[dict[str, Any]]:
    """Another subject to post about."""
    found = _persona(asked_place(request, space, Role.owner), persona)
    return Status(201, _pillar_out(pillars.add(found, pillars.Wanted(**said.model_dump()))))


@router.put(f"{_OF}/pillars/{{pillar}}", response=PillarOut)
def change_pillar(request: HttpRequest, space: str, persona: str, pillar: int, said: PillarIn) -> dict[str, Any]:
    """Say all of it otherwise."""
    row = pillar_of(_persona(asked_place(request, space, Role.owner), persona), pillar)
    return _pillar_out(pillars.change(row, pillars.Wanted(**said.model_dump())))


@router.post(f"{_OF}/pillars/{{pillar}}", response=PillarOut)
def act_on_pillar(request: HttpRequest, space: str, persona: str, pillar: int, said: RetireIn) -> dict[str, Any]:
    """Retire it, or bring it back."""
    row = pillar_of(_persona(asked_place(request, space, Role.owner), persona), pillar)
    {"retire": pillars.retire, "restore": pillars.restore}[said.do](row)
    return _pillar_out(row)


@router.post(f"{_OF}/pillars/{{pillar}}/runs", response={201: StartedOut})
def make_what_is_missing(
    request: HttpRequest, space: str, persona: str, pillar: int, said: MakeIn
) -> Status[dict[str, Any]]:
    """Start runs for what a current pillar lacks, a few at once."""
    place = asked_place(request, space, Role.reviewer)
    standing = standing_of(_persona(place, persona), pillar)
    started = filling.make(standing, filling.chosen(place.space, said.pipeline), member(request))
    return Status(201, {"runs": [each.pk for each in started]})


@router.get(f"{_OF}/clusters", response=list[ClusterOut])
def list_clusters(
    request: HttpRequest,
    space: str,
    persona: str,
    gone: bool = False,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """By name, a hundred at a time; `after` is how many to leave out, `gone` for those that were deleted."""
    found = _persona(asked_place(request, space), persona)
    return [_cluster_out(each) for each in clusters.listed(found, gone=gone)[after : after + _A_PAGE]]


@router.post(f"{_OF}/clusters", response={201: ClusterOut})
def add_cluster(request: HttpRequest, space: str, persona: str, said: ClusterIn) -> Status[dict[str, Any]]:
    """A new one without pictures."""
    found = _persona(asked_place(request, space, Role.reviewer), persona)
    added = clusters.add(found, said.name, said.note, _own_pillars(found, said.pillars))
    return Status(201, _cluster_out(added))


@router.put(f"{_OF}/clusters/{{cluster}}", response=ClusterOut)
def change_cluster(request: HttpRequest, space: str, persona: str, cluster: int, said: ClusterIn) -> dict[str, Any]:
    """Call it otherwise, and say which pillars it serves."""
    found = _persona(asked_place(request, space, Role.reviewer), persona)
    row, joined = cluster_of(found, cluster), _own_pillars(found, said.pillars)
    clusters.change(row, said.name, said.note)
    clusters.join(row, joined)
    return _cluster_out(row)


@router.delete(f"{_OF}/clusters/{{cluster}}", response=ClusterOut)
def delete_cluster(request: HttpRequest, space: str, persona: str, cluster: int) -> dict[str, Any]:
    """Delete it; its pictures stay, and it can be brought back."""
    row = cluster_of(_persona(asked_place(request, space, Role.reviewer), persona), cluster)
    clusters.delete(row)
    return _cluster_out(row)


@router.post(f"{_OF}/clusters/{{cluster}}/restore", response=ClusterOut)
def restore_cluster(request: HttpRequest, space: str, persona: str, cluster: int) -> dict[str, Any]:
    """Bring it back as it was."""
    row = cluster_of(_persona(asked_place(request, space, Role.reviewer), persona), cluster)
    clusters.restore(row)
    return _cluster_out(row)


@router.get(f"{_OF}/clusters/{{cluster}}/pictures", response=list[PlacedOut])
def list_pictures(
    request: HttpRequest,
    space: str,
    persona: str,
    cluster: int,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """The newest first, a hundred at a time; `after` is how many to leave out."""
    row = cluster_of(_persona(asked_place(request, space), persona), cluster)
    return [_placed_out(each) for each in clusters.lying_in(row)[after : after + _A_PAGE]]


def _placed_out(each: Any) -> dict[str, Any]:
    told = {"kept": each.kept_id, "sha256": each.kept.made.sha256, "title": each.kept.title}
    return told | {"used": each.used, "aside": each.kept.aside is not None}


@router.post(f"{_OF}/clusters/{{cluster}}/pictures", response=MovedOut)
def move_pictures(request: HttpRequest, space: str, persona: str, cluster: int, said: PicturesIn) -> dict[str, Any]:
    """Put pictures in, or take them out; those of another space are no pictures here."""
    row = cluster_of(_persona(asked_place(request, space, Role.reviewer), persona), cluster)
    move = clusters.put if said.do == "put" else clusters.take_out
    return {"pictures": move(row, [key for key in said.kept if 0 < key <= MOST_KEY])}


@router.get(f"{_OF}/groups", response=GroupsOut)
def read_groups(request: HttpRequest, space: str, persona: str) -> dict[str, Any]:
    """The groups that were looked for last."""
    return _groups_out(grouping.newest(_persona(asked_place(request, space), persona)))


@router.post(f"{_OF}/groups", response={202: GroupsOut})
def look_for_groups(request: HttpRequest, space: str, persona: str, said: GroupsIn) -> Status[dict[str, Any]]:
    """Have groups looked for; a job finds them."""
    found = _persona(asked_place(request, space, Role.reviewer), persona)
    return Status(202, _groups_out(grouping.ask(found, member(request), said.wanted, loose=said.loose)))


@router.delete(f"{_OF}/groups", response=GroupsOut)
def forget_groups(request: HttpRequest, space: str, persona: str) -> dict[str, Any]:
    """Forget what was proposed; clusters that were taken stay."""
    row = grouping.newest(_persona(asked_place(request, space, Role.reviewer), persona))
    if row is not None:
        grouping.dismiss(row)
    return _groups_out(None)


@router.post(f"{_OF}/groups/{{proposal}}", response={201: ClusterOut})
def take_group(request: HttpRequest, space: str, persona: str, proposal: int, said: TakeIn) -> Status[dict[str, Any]]:
    """Make a group a cluster."""
    found = _persona(asked_place(request, space, Role.reviewer), persona)
    rows = Proposal.objects.select_related("grouping__persona__space").filter(grouping__persona=found)
    return Status(201, _cluster_out(grouping.take(get_object_or_404(rows, pk=proposal), said.name)))


@router.get(f"{_OF}/ideas", response=list[IdeaOut])
def list_ideas(
    request: HttpRequest,
    space: str,
    persona: str,
    state: Literal["pending", "used", "rejected"] = "pending",
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """The newest first, a hundred at a time; `after` is how many to leave out."""
    rows = Idea.objects.filter(persona=_persona(asked_place(request, space), persona), state=state)
    return [_idea_out(each) for each in rows[after : after + _A_PAGE]]


@router.post(f"{_OF}/ideas", response={202: AskedOut})
def ask_for_ideas(request: HttpRequest, space: str, persona: str) -> Status[dict[str, Any]]:
    """Have one written for each of the thinnest pillars."""
    found = _persona(asked_place(request, space, Role.reviewer), persona)
    return Status(202, {"job": ideas.ask(found).pk})


@router.post(f"{_OF}/ideas/{{idea}}", response=IdeaOut)
def act_on_idea(request: HttpRequest, space: str, persona: str, idea: int, said: IdeaIn) -> dict[str, Any]:
    """Have it drawn, reject it, or bring it back."""
    place = asked_place(request, space, Role.reviewer)
    row = idea_of(_persona(place, persona), idea)
    if said.do == "accept":
        filling.accept(row, filling.chosen(place.space, said.pipeline), member(request), said.prompt)
    else:
        ideas.moved(row, Idea.State.REJECTED if said.do == "reject" else Idea.State.PENDING)
    return _idea_out(row)
