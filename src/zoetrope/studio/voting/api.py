"""Voting, for programs: what a person is shown, and their answers."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router

from zoetrope.studio.pipelines.views import run_of
from zoetrope.studio.spaces.api import asked_place
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.voting.bodies import Said, Told, told
from zoetrope.studio.voting.heats import heat
from zoetrope.studio.voting.views import answered, stage_of

router = Router(tags=["voting"])


@router.get("/spaces/{space}/runs/{run}/vote", response=Told)
def next_screen(request: HttpRequest, space: str, run: int, size: Literal[2, 4] = 4) -> dict[str, Any]:
    """The caller's next screen of a run's newest step, and how sure the pick is."""
    found = run_of(asked_place(request, space), run)
    return told(heat(found, stage_of(found).step), member(request).pk, size, [])


@router.post("/spaces/{space}/runs/{run}/vote", response=Told)
def answer_screen(request: HttpRequest, space: str, run: int, said: Said) -> dict[str, Any]:
    """Answer a screen, or take the last answer back; the next screen after those that are `ahead`."""
    return answered(run_of(asked_place(request, space, Role.reviewer), run), member(request), said)
