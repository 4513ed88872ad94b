"""Comparisons, for programs."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema, Status

from zoetrope.studio.comparing import beginning, judging
from zoetrope.studio.comparing.models import Comparison
from zoetrope.studio.comparing.views import answered, comparison_of, told
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.api import Said as Body
from zoetrope.studio.spaces.api import asked_place
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.voting.bodies import Said, Shown

router = Router(tags=["comparing"])
_A_PAGE = 100


class ComparisonIn(Body):
    """LoRAs by their numbers, `null` for the base alone, and what each draws; without prompts the persona's card's."""

    loras: list[int | None] = Field(min_length=2, max_length=beginning.MOST_CONTENDERS)
    prompts: list[str] = Field([], max_length=beginning.MOST_PROMPTS)


class ComparisonOut(Schema):
    """What is compared."""

    id: int
    contenders: list[str]
    prompts: list[str]
    created: datetime


class ContenderOut(Schema):
    """How one stands; the interval holds its score 95 times of 100."""

    contender: str
    chosen: int
    shown: int
    score: float
    low: float
    high: float


class ResultOut(ComparisonOut):
    """What the choices of everybody come to."""

    ordered: int
    drawn: int
    judged: int
    clear: bool
    sentence: str
    standings: list[ContenderOut]


class PairsOut(Schema):
    """The caller's next pair, without names, and how many are left."""

    screens: list[list[Shown]]
    votes: int
    left: int
    back: list[Shown] | None = None


def _out(comparison: Comparison) -> dict[str, Any]:
    names = [str(each) for each in comparison.contenders.all()]
    told = {name: getattr(comparison, name) for name in ("id", "prompts", "created")}
    return told | {"contenders": names}


@router.get("/spaces/{space}/personas/{persona}/comparisons", response=list[ComparisonOut])
def list_comparisons(request: HttpRequest, space: str, persona: str) -> list[dict[str, Any]]:
    """The newest hundred."""
    found = get_object_or_404(Persona, space=asked_place(request, space).space, name=persona)
    return [_out(each) for each in found.comparisons.prefetch_related("contenders")[:_A_PAGE]]


@router.post("/spaces/{space}/personas/{persona}/comparisons", response={201: ComparisonOut})
def begin_comparison(request: HttpRequest, space: str, persona: str, said: ComparisonIn) -> Status[dict[str, Any]]:
    """Have all of them drawn."""
    place = asked_place(request, space, Role.reviewer)
    found = get_object_or_404(Persona, space=place.space, name=persona)
    rows = Lora.objects.filter(space=place.space, retired=None)
    loras = [get_object_or_404(rows, pk=key) if key is not None else None for key in said.loras]
    prompts = said.prompts or beginning.proposed(found)
    return Status(201, _out(beginning.begin(found, loras, prompts, member(request))))


@router.get("/spaces/{space}/comparisons/{comparison}", response=ResultOut)
def one_comparison(request: HttpRequest, space: str, comparison: int) -> dict[str, Any]:
    """How far it is, and who is how good."""
    found = comparison_of(asked_place(request, space), comparison)
    shots, judged = judging.shots_of(found), judging.standing_judgements(found)
    result = judging.result(found, shots, judged)
    rows = [vars(each) | {"contender": str(each.contender)} for each in result.standings]
    counts = {"ordered": len(shots), "drawn": len(judging.drawn(shots)), "judged": result.judged}
    return _out(found) | counts | {"clear": result.clear, "sentence": result.sentence, "standings": rows}


@router.get("/spaces/{space}/comparisons/{comparison}/pair", response=PairsOut)
def next_pair(request: HttpRequest, space: str, comparison: int) -> dict[str, Any]:
    """The caller's next pair."""
    return told(comparison_of(asked_place(request, space), comparison), member(request), [])


@router.post("/spaces/{space}/comparisons/{comparison}/pair", response=PairsOut)
def answer_pair(request: HttpRequest, space: str, comparison: int, said: Said) -> dict[str, Any]:
    """Choose between two, be not sure, or take the last choice back."""
    return answered(comparison_of(asked_place(request, space, Role.reviewer), comparison), member(request), said)
