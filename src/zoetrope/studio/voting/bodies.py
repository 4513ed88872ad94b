"""What a voting page says and is told, checked."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zoetrope.errors import UserError
from zoetrope.studio.voting.heats import Drawn, Heat
from zoetrope.studio.voting.models import Vote

Members = list[int]


class Said(BaseModel):
    """An answer, and the screens that are on their way to the voter already."""

    model_config = ConfigDict(extra="forbid")

    do: Literal["best", "unsure", "bad", "undo"]
    # The step that is voted on; without it the newest with pictures.
    step: int | None = None
    members: Members = Field(default=[], max_length=4)
    chosen: int | None = None
    milliseconds: int = Field(default=0, ge=0, le=2**31 - 1)
    size: Literal[2, 4] = 4
    ahead: list[Members] = Field(default=[], max_length=4)

    @property
    def kind(self) -> Vote.Kind:
        return Vote.Kind(self.do)


def said(body: bytes) -> Said:
    """What was sent, or a sentence."""
    try:
        return Said.model_validate_json(body)
    except ValidationError as error:
        raise UserError("This answer could not be read; nothing was recorded.") from error


class Shown(BaseModel):
    """A picture on a screen. Nothing of a model, a prompt or a score: who votes sees pictures."""

    key: int
    sha256: str


class Steady(BaseModel):
    """Screens that came to this voter twice, and how many were answered alike."""

    again: int
    alike: int


class Told(BaseModel):
    """How sure the pick is by now, and the next screens."""

    screens: list[list[Shown]]
    votes: int
    sure: int | None
    more: int | None
    enough: bool
    pick: Shown | None
    steady: Steady
    back: list[Shown] | None = None


def shown(candidates: Iterable[Drawn]) -> list[dict[str, Any]]:
    """As a screen shows them."""
    return [{"key": each.key, "sha256": each.sha256} for each in candidates]


def told(heat: Heat, voter: int, size: int, ahead: list[Members], screens: int = 1) -> dict[str, Any]:
    """As `Told` has it."""
    coming = [list(each) for each in ahead]
    found = []
    for _ in range(screens):
        screen = heat.screen(voter, size, coming)
        if screen is None:
            break
        members = [heat.candidates[place] for place in screen.members]
        coming.append([each.key for each in members])
        found.append(shown(members))
    # Before anybody voted, whoever came first would be the pick.
    verdict, pick = (heat.verdict, heat.pick) if heat.choices else (None, None)
    own = heat.steadiness(voter)
    return {
        "screens": found,
        "votes": len(heat.choices),
        "sure": round(100 * verdict.sure) if verdict else None,
        "more": verdict.more if verdict else None,
        "enough": bool(verdict and verdict.enough),
        "pick": shown([pick])[0] if pick else None,
        "steady": {"again": own.again, "alike": own.alike},
    }
