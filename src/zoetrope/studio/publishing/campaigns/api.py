"""Campaigns, for programs."""

from datetime import date, datetime
from typing import Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from zoetrope.errors import UserError
from zoetrope.studio.bodies import KEPT, Key
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.planning.filling import chosen
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.planning.pillars import MOST_PILLARS
from zoetrope.studio.publishing.campaigns import briefs, filling, stages, thinking
from zoetrope.studio.publishing.campaigns.views import campaign_of
from zoetrope.studio.publishing.models import Campaign, CampaignIdea
from zoetrope.studio.spaces.api import Said, Text, asked_place
from zoetrope.studio.spaces.here import Place, member
from zoetrope.studio.spaces.models import Role, User

router = Router(tags=["campaigns"])
_OF = "/spaces/{space}/personas/{persona}/campaigns"
_ONE = f"{_OF}/{{campaign}}"
_A_PAGE = 100
_PENDING, _REJECTED = CampaignIdea.State.PENDING, CampaignIdea.State.REJECTED


class BriefIn(Said):
    """A brief; both days are the persona's own and included."""

    name: str = Field(min_length=1, max_length=briefs.LONGEST_NAME, pattern=KEPT)
    about: Text = Field(min_length=1)
    starts: date
    ends: date
    posts: int = Field(5, ge=1, le=briefs.MOST_POSTS)
    pillars: list[Key] = Field([], max_length=MOST_PILLARS)


class CampaignActIn(Said):
    """What is to become of a campaign; `make` starts runs for what waits, a few at once."""

    do: Literal["ideas", "make", "end", "resume"]
    pipeline: Key | None = None


class IdeasIn(Said):
    """What is to become of ideas: drafts that wait for pictures, nothing, or ideas again; `draw` begins their runs."""

    do: Literal["choose", "reject", "restore", "put-back", "draw"]
    ideas: list[Key] = Field(min_length=1, max_length=thinking.MOST)
    pipeline: Key | None = None


class CampaignOut(Schema):
    """A campaign; `stages` says how many of its ideas and posts stand where."""

    id: int
    name: str
    about: str
    starts: date
    ends: date
    posts: int
    pillars: list[int]
    ended: datetime | None
    stages: dict[str, int]


class CampaignIdeaOut(Schema):
    """One of its ideas, and where that or its post stands."""

    id: int
    title: str
    description: str
    prompt: str
    by: str
    pillar: int | None
    stage: str
    post: int | None
    due: datetime | None
    run: int | None


class WholeCampaignOut(CampaignOut):
    """The same with its ideas; `job` writes some now."""

    ideas: list[CampaignIdeaOut]
    job: int | None


def _out(campaign: Campaign, told: stages.Progress) -> dict[str, Any]:
    names = ("name", "about", "starts", "ends", "posts", "ended")
    said: dict[str, Any] = {name: getattr(campaign, name) for name in names}
    said |= {"id": campaign.pk, "pillars": [each.pk for each in campaign.pillars.all()]}
    return said | {"stages": {str(stage): count for stage, count in told.counts.items()}}


def _whole(campaign: Campaign) -> dict[str, Any]:
    job = thinking.under_way(campaign)
    ideas = stages.staged(campaign)
    told = {"ideas": [_idea_out(*each) for each in ideas], "job": job.pk if job else None}
    return _out(campaign, stages.progress_of(campaign, ideas)) | told


def _idea_out(idea: CampaignIdea, stage: stages.Stage) -> dict[str, Any]:
    said = {name: getattr(idea, name) for name in ("title", "description", "prompt", "by")}
    said |= {"id": idea.pk, "pillar": idea.pillar_id, "post": idea.post_id, "run": idea.run_id}
    return said | {"stage": str(stage), "due": idea.post.due if idea.post else None}


@router.get(_OF, response=list[CampaignOut])
def list_campaigns(
    request: HttpRequest,
    space: str,
    persona: str,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """The newest first, a hundred at a time; `after` is how many to leave out."""
    found = persona_of(asked_place(request, space), persona)
    rows = list(found.campaigns.prefetch_related("pillars")[after : after + _A_PAGE])
    told = stages.progress(rows)
    return [_out(each, told[each.pk]) for each in rows]


@router.post(_OF, response={201: WholeCampaignOut})
def begin_campaign(request: HttpRequest, space: str, persona: str, said: BriefIn) -> Status[dict[str, Any]]:
    """Begin one with its brief."""
    found = persona_of(asked_place(request, space, Role.reviewer), persona)
    row = briefs.add(found, _wanted(said), _pillars(found.pk, said.pillars), member(request))
    return Status(201, _whole(row))


@router.get(_ONE, response=WholeCampaignOut)
def one_campaign(request: HttpRequest, space: str, persona: str, campaign: int) -> dict[str, Any]:
    """A campaign with its ideas, and where each stands."""
    return _whole(campaign_of(asked_place(request, space), persona, campaign))


@router.put(_ONE, response=WholeCampaignOut)
def change_campaign(request: HttpRequest, space: str, persona: str, campaign: int, said: BriefIn) -> dict[str, Any]:
    """Say all of its brief otherwise; posts that it has stay at their times."""
    row = _acted_on(request, space, persona, campaign)
    briefs.change(row, _wanted(said), _pillars(row.persona_id, said.pillars))
    return _whole(row)


@router.post(_ONE, response=WholeCampaignOut)
def act_on_campaign(
    request: HttpRequest, space: str, persona: str, campaign: int, said: CampaignActIn
) -> dict[str, Any]:
    """Have ideas written by a job, start runs for what waits, end it, resume it."""
    row = _acted_on(request, space, persona, campaign)
    if said.do == "ideas":
        thinking.ask(row)
    elif said.do == "make":
        filling.make(row, chosen(row.space, said.pipeline), member(request))
    else:
        {"end": briefs.end, "resume": briefs.resume}[said.do](row)
    return _whole(row)


@router.delete(_ONE, response={204: None})
def drop_campaign(request: HttpRequest, space: str, persona: str, campaign: int) -> Status[None]:
    """Throw one away that has ended; its posts stay."""
    briefs.drop(_acted_on(request, space, persona, campaign))
    return Status(204, None)


@router.post(f"{_ONE}/ideas", response=WholeCampaignOut)
def act_on_campaign_ideas(
    request: HttpRequest, space: str, persona: str, campaign: int, said: IdeasIn
) -> dict[str, Any]:
    """Make drafts of ideas, reject them, bring them back, put drafts back, have them drawn: all of them or none."""
    row = _acted_on(request, space, persona, campaign)
    if said.do == "choose":
        filling.choose(row, said.ideas, member(request))
    elif said.do in ("reject", "restore"):
        thinking.moved(thinking.named(row, said.ideas), _REJECTED if said.do == "reject" else _PENDING)
    else:
        _each(row, said, member(request))
    return _whole(row)


def _each(campaign: Campaign, said: IdeasIn, by: User) -> None:
    """All of them or none."""
    with transaction.atomic():
        for idea in thinking.named(campaign, said.ideas):
            if said.do == "draw":
                filling.draw(idea, chosen(campaign.space, said.pipeline), by)
            else:
                filling.put_back(idea)


def _acted_on(request: HttpRequest, space: str, persona: str, campaign: int) -> Campaign:
    place: Place = asked_place(request, space, Role.reviewer)
    return campaign_of(place, persona, campaign)


def _wanted(said: BriefIn) -> briefs.Wanted:
    return briefs.Wanted(**said.model_dump(exclude={"pillars"}))


def _pillars(persona: int, keys: list[int]) -> list[Pillar]:
    found = list(Pillar.objects.filter(persona=persona, pk__in=keys))
    if len(found) < len(set(keys)):
        raise UserError("One of these pillars is none of the persona's; nothing was changed.")
    return found
