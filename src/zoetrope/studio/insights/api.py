"""What came of posts, for programs."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status

from zoetrope.studio.insights import effects, groups, learnings, readings, tasks, training
from zoetrope.studio.insights.disagreement import disagreement
from zoetrope.studio.insights.models import NUMBERS, Age, Learning, Look, Proposal, Reading
from zoetrope.studio.insights.outcomes import outcomes
from zoetrope.studio.insights.readings import MOST
from zoetrope.studio.insights.views import age_named, learning_of, proposal_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.post_views import post_of
from zoetrope.studio.spaces.api import Said, asked_place
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role

router = Router(tags=["insights"])
_A_PAGE = 100
_OF = "/spaces/{space}/personas/{persona}/insights"
_POST = "/spaces/{space}/posts/{post}/numbers"


class ReadingOut(Schema):
    """A post's numbers at one age; null is not known, which is not zero."""

    age: int
    at: datetime | None
    source: str
    reach: int | None
    views: int | None
    likes: int | None
    comments: int | None
    saved: int | None
    shares: int | None
    follows: int | None
    profile_visits: int | None
    total_interactions: int | None
    watched: float | None
    rate: float | None


class NumbersIn(Said):
    """Numbers that were read elsewhere, so many hours after the post went out; what is left out is not known."""

    age: Literal[1, 24, 72, 168]
    reach: int | None = Field(None, ge=0, lt=MOST)
    views: int | None = Field(None, ge=0, lt=MOST)
    likes: int | None = Field(None, ge=0, lt=MOST)
    comments: int | None = Field(None, ge=0, lt=MOST)
    saved: int | None = Field(None, ge=0, lt=MOST)
    shares: int | None = Field(None, ge=0, lt=MOST)
    follows: int | None = Field(None, ge=0, lt=MOST)
    profile_visits: int | None = Field(None, ge=0, lt=MOST)
    total_interactions: int | None = Field(None, ge=0, lt=MOST)
    watched: float | None = Field(None, ge=0, lt=MOST)


class RewardOut(Schema):
    """One reward of one part of the posts; without numbers where there are not enough posts."""

    posts: int
    mean: float | None
    low: float | None
    high: float | None
    drawn: float | None


class PartOut(Schema):
    """One part of the posts: those of a pillar, an hour, a format, a LoRA version."""

    kind: str
    key: str
    label: str
    posts: int
    audience: RewardOut
    taste: RewardOut


class AgreementOut(Schema):
    """How far votes and audience agree: a rank correlation with its interval, and the posts most apart."""

    posts: int
    value: float | None
    low: float | None
    high: float | None
    torn: list[int]


class InsightsOut(Schema):
    """All that is known of a persona's posts of the last year."""

    posts: int
    measured: int
    parts: list[PartOut]
    agreement: AgreementOut


class LearningOut(Schema):
    """A difference that is hardly chance, and what people made of it."""

    id: int
    kind: str
    key: str
    more: bool
    sentence: str
    evidence: dict[str, Any]
    effect: str
    state: str
    by: str | None
    at: datetime | None
    created: datetime


class LearningAct(Said):
    """What becomes of it."""

    do: Literal["approve", "reject", "reopen", "take-back"]


class WinnerOut(Schema):
    """A picture that the wheel could learn from."""

    id: int
    sha256: str
    post: int | None
    lora: str
    taste: float | None
    audience: float | None
    state: str
    round: int | None
    at: datetime | None


class WinnerAct(Said):
    """What becomes of it."""

    do: Literal["accept", "decline", "take-back"]


class LookOut(Schema):
    """All numbers were gone through: at so many measured posts, so many differences, and what was left for chance."""

    number: int
    measured: int
    asked: int
    level: float
    at: datetime


class LookingOut(Schema):
    """The job that looks for more."""

    job: int
    state: str


def _persona(request: HttpRequest, space: str, persona: str, needed: Role = Role.viewer) -> Persona:
    return persona_of(asked_place(request, space, needed), persona)


def _post(request: HttpRequest, space: str, post: int, needed: Role = Role.viewer) -> Post:
    return post_of(asked_place(request, space, needed), post)


def _reading(reading: Reading) -> dict[str, Any]:
    return {name: getattr(reading, name) for name in (*NUMBERS, "age", "at", "source", "rate")}


def _reward(told: groups.Told) -> dict[str, Any]:
    numbers = dict.fromkeys(("mean", "low", "high")) if told.mean is None else vars(told.mean)
    return {"posts": told.count, "drawn": told.drawn} | {name: numbers[name] for name in ("mean", "low", "high")}


def _learning(row: Learning) -> dict[str, Any]:
    names = ("kind", "key", "more", "sentence", "evidence", "state", "at", "created")
    said = {name: getattr(row, name) for name in names}
    return said | {"id": row.pk, "effect": effects.words(row), "by": row.by.username if row.by else None}


def _winner(row: Proposal) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in ("lora", "taste", "audience", "state", "round", "at")}
    return said | {"id": row.pk, "sha256": row.made.sha256, "post": row.post_id}


@router.get(_OF, response=InsightsOut)
def what_came(request: HttpRequest, space: str, persona: str) -> dict[str, Any]:
    """Means of both rewards with 95 % intervals, and how far the two agree."""
    seen = outcomes(_persona(request, space, persona))
    parts = [
        {"kind": table.kind.value, "key": row.key, "label": row.label, "posts": row.posts}
        | {"audience": _reward(row.audience), "taste": _reward(row.taste)}
        for table in groups.tables(seen)
        for row in table.rows
    ]
    known = disagreement(seen)
    numbers = dict.fromkeys(("value", "low", "high")) if known.agreement is None else vars(known.agreement)
    agreement = {"posts": known.count, "torn": [each.outcome.post for each in known.torn], **numbers}
    return {"posts": len(seen.rows), "measured": len(seen.measured), "parts": parts, "agreement": agreement}


@router.get(f"{_OF}/learnings", response=list[LearningOut])
def list_learnings(
    request: HttpRequest,
    space: str,
    persona: str,
    state: Literal["proposed", "approved", "rejected", "taken back"] | None = None,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """What was learned, the newest first, a hundred at a time; `after` is how many to leave out."""
    rows = Learning.objects.filter(persona=_persona(request, space, persona)).select_related("by")
    rows = rows.filter(state=state) if state else rows
    return [_learning(each) for each in rows[after : after + _A_PAGE]]


@router.post(f"{_OF}/learnings/{{learning}}", response=LearningOut)
def act_on_learning(request: HttpRequest, space: str, persona: str, learning: int, said: LearningAct) -> dict[str, Any]:
    """Let it count, let it count no more, reject it, bring it back."""
    row = learning_of(_persona(request, space, persona, Role.owner), learning)
    return _learning(learnings.ACTS[said.do](row, member(request)))


@router.get(f"{_OF}/training", response=list[WinnerOut])
def list_winners(
    request: HttpRequest,
    space: str,
    persona: str,
    state: Literal["proposed", "accepted", "declined"] | None = None,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """Training pictures, the newest first, a hundred at a time; `after` is how many to leave out."""
    rows = Proposal.objects.filter(persona=_persona(request, space, persona)).select_related("made")
    rows = rows.filter(state=state) if state else rows
    return [_winner(each) for each in rows.defer("made__recipe")[after : after + _A_PAGE]]


@router.post(f"{_OF}/training", response={202: LookingOut})
def look_for_winners(request: HttpRequest, space: str, persona: str) -> Status[dict[str, Any]]:
    """Have more of them looked for."""
    job = tasks.ask_for_winners(_persona(request, space, persona, Role.reviewer))
    return Status(202, {"job": job.pk, "state": job.state})


@router.post(f"{_OF}/training/{{proposal}}", response=WinnerOut)
def act_on_winner(request: HttpRequest, space: str, persona: str, proposal: int, said: WinnerAct) -> dict[str, Any]:
    """Take it into the workspace, decline it, take that back."""
    row = proposal_of(_persona(request, space, persona, Role.reviewer), proposal)
    return _winner(training.ACTS[said.do](row, member(request)))


@router.get(_POST, response=list[ReadingOut])
def numbers_of_post(request: HttpRequest, space: str, post: int) -> list[dict[str, Any]]:
    """What became of a post so far, by age."""
    found = _post(request, space, post)
    return [_reading(reading) for _, reading in readings.of_post(found) if reading is not None]


@router.post(_POST, response=ReadingOut)
def type_in(request: HttpRequest, space: str, post: int, said: NumbersIn) -> dict[str, Any]:
    """Numbers that were read elsewhere; they are kept as typed in by hand."""
    found = _post(request, space, post, Role.reviewer)
    reading = readings.typed(found, Age(said.age), said.model_dump(exclude={"age"}), member(request))
    tasks.ask_to_learn(found.persona)
    return _reading(reading)


@router.delete(f"{_POST}/{{age}}", response={204: None})
def forget_numbers(request: HttpRequest, space: str, post: int, age: int) -> Status[None]:
    """Away with what was typed in for an age."""
    readings.forgotten(_post(request, space, post, Role.reviewer), age_named(str(age)))
    return Status(204, None)


@router.get(f"{_OF}/looks", response=list[LookOut])
def list_looks(request: HttpRequest, space: str, persona: str) -> list[Look]:
    """When all numbers were gone through, the newest first."""
    return list(Look.objects.filter(persona=_persona(request, space, persona))[:_A_PAGE])
