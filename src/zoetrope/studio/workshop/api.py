"""The wheel, for programs."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponseBase
from ninja import File, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.loras.api import LoraOut
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.making.pictures import sent
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.api import Said, asked_place, sends
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.jobs_api import JobOut, LineOut
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.workshop import checkpoints, gate, panel, shelf, turns, uploads, words
from zoetrope.wheel.events import Origin, Reason
from zoetrope.wheel.state import Decision, Entry
from zoetrope.wheel.words import LONGEST
from zoetrope.wheel.workspace import Workspace

router = Router(tags=["workshop"])

AT = "/spaces/{space}/personas/{persona}"
Start = Annotated[int, Field(ge=0, le=10**9)]
Most = Annotated[int, Field(ge=1, le=500)]
Round = Annotated[int, Field(ge=0, le=10**6)]


class PictureOut(Schema):
    """A picture of the workspace."""

    sha256: str
    file: str
    origin: Origin
    depth: int
    round: int
    caption: str
    decision: Decision
    reason: Reason | None
    instruction: str
    replacement: str | None


class WheelOut(Schema):
    """What a persona has, and the page and words of what is to be done now."""

    round: int
    sources: int
    kept: int
    waiting: int
    versions: int
    page: str
    next: str


class CoverageOut(Schema):
    """How many sources are like each of the card's scenes, and what none of them shows."""

    scenes: dict[str, int]
    missing: list[str]


class SourcesOut(Schema):
    """One page of sources."""

    total: int
    pictures: list[PictureOut]
    coverage: CoverageOut


class IntakeOut(Schema):
    """What came in, and what was there already, by file names."""

    added: list[str]
    known: list[str]


class CaptionsOut(Schema):
    """One page of pictures with their words, those without any first; remarks; the most frequent phrases."""

    total: int
    pictures: list[PictureOut]
    remarks: list[str]
    tags: dict[str, int]


class CaptionIn(Said):
    """A picture's words."""

    text: str = Field(max_length=LONGEST)


class WaitingOut(Schema):
    """How many pictures wait for a decision, and the first of them."""

    left: int
    pictures: list[PictureOut]


class DecisionIn(Said):
    """A decision about pictures: a rejection has a reason, a correction an instruction and one picture."""

    do: Literal["keep", "reject", "correct"]
    pictures: list[str] = Field(min_length=1, max_length=gate.MOST)
    reason: Reason | None = None
    instruction: str = Field(default="", max_length=LONGEST)


class DecisionOut(Schema):
    """The step's number, by which it can be taken back, and how many pictures still wait."""

    step: int
    left: int


class UndoIn(Said):
    """Which step; the last one if none is named."""

    step: int | None = Field(default=None, ge=1)


class UndoneOut(Schema):
    """How much was taken back, and what it was."""

    taken: int
    kind: str


class RoundOut(Schema):
    """A round and what came of it."""

    number: int
    versions: list[int]
    card: dict[str, float] | None
    verdict: str
    # After how many steps an earlier checkpoint was kept.
    checkpoints: list[int]


class TurnsOut(Schema):
    """What the wheel waits for and what stopped it, empty where nothing does; the rounds, the newest first."""

    round: int
    waits_for: str
    alarm: str
    rounds: list[RoundOut]


class TurnIn(Said):
    """Whether to go on although the last round raised an alarm; how long, and how many scenes, if not as advised."""

    anyway: bool = False
    steps: int | None = Field(default=None, ge=1, le=turns.MOST_STEPS)
    count: int | None = Field(default=None, ge=1, le=turns.MOST_SCENES)
    # A checkpoint every so many steps.
    keep: int | None = Field(default=None, ge=1, le=turns.MOST_STEPS)


class SamplesOut(Schema):
    """The pictures that a training drew at one of its steps, by their files' names."""

    step: int
    files: list[str]


class TurnOut(Schema):
    """The turn that was handed in last, what it said, its training's losses and samples, its card's scenes."""

    job: JobOut | None
    running: bool
    lines: list[LineOut]
    losses: list[tuple[int, float]]
    samples: list[SamplesOut]
    scenes: list[str]


class SceneOut(Schema):
    """A scene that both cards show."""

    name: str
    label: str


class CardOut(Schema):
    """A card by its round; round 0 is the base's."""

    round: int
    title: str


class ScoreOut(Schema):
    """What was measured of both."""

    name: str
    left: float | None
    right: float | None
    meaning: str


class CardsOut(Schema):
    """Every card there is, and two of them side by side."""

    cards: list[CardOut]
    left: int | None
    right: int | None
    scores: list[ScoreOut]
    scenes: list[SceneOut]


class ExportOut(Schema):
    """A version, and its files' names."""

    version: int
    round: int
    sha256: str
    size: int
    files: list[str]


def _asked(request: HttpRequest, space: str, persona: str, needed: Role = Role.viewer) -> tuple[Persona, Workspace]:
    found = persona_of(asked_place(request, space, needed), persona)
    return found, workspace_of(found)


def _workspace(request: HttpRequest, space: str, persona: str, needed: Role = Role.viewer) -> Workspace:
    return _asked(request, space, persona, needed)[1]


@router.get(f"{AT}/standing", response=WheelOut)
def standing(request: HttpRequest, space: str, persona: str) -> WheelOut:
    """What there is, and what the wheel waits for."""
    state = _workspace(request, space, persona).state()
    page, following = panel.next_step(state)
    return WheelOut(round=state.round, **panel.counts(state), page=page, next=following)


@router.get(f"{AT}/sources", response=SourcesOut)
def list_sources(request: HttpRequest, space: str, persona: str, start: Start = 0, most: Most = 60) -> dict[str, Any]:
    """The sources, and which of the card's scenes they show."""
    workspace = _workspace(request, space, persona)
    entries = shelf.sources(workspace)
    coverage = asdict(shelf.coverage(workspace))
    return {"total": len(entries), "pictures": entries[start : start + most], "coverage": coverage}


@router.post(f"{AT}/sources", response={201: IntakeOut})
def add_sources(
    request: HttpRequest, space: str, persona: str, files: File[list[UploadedFile]]
) -> Status[dict[str, Any]]:
    """Add pictures, captions with the same stem, ZIP archives: all of them or none."""
    taken = uploads.take(_workspace(request, space, persona, Role.reviewer), files)
    return Status(201, asdict(taken))


@router.get(f"{AT}/pictures/{{sha256}}", openapi_extra=sends("image/png", "image/jpeg", "image/webp"))
def picture_file(request: HttpRequest, space: str, persona: str, sha256: str, side: int = 0) -> HttpResponseBase:
    """One picture, its longest side at most 160, 320 or 1280 pixels, or as it is (0)."""
    workspace = _workspace(request, space, persona)
    return sent(request, workspace.path(shelf.entry_of(workspace, sha256)), sha256, side)


@router.get(f"{AT}/captions", response=CaptionsOut)
def list_captions(request: HttpRequest, space: str, persona: str, start: Start = 0, most: Most = 60) -> dict[str, Any]:
    """Every picture with its words; what is wrong with them, and the most frequent phrases."""
    read = words.read(_workspace(request, space, persona))
    page = read.entries[start : start + most]
    return {"total": len(read.entries), "pictures": page, "remarks": read.remarks, "tags": read.tags}


@router.put(f"{AT}/captions/{{sha256}}", response=PictureOut)
def set_caption(request: HttpRequest, space: str, persona: str, sha256: str, said: CaptionIn) -> Entry:
    """Give a picture its words."""
    workspace = _workspace(request, space, persona, Role.reviewer)
    return words.write(workspace, sha256, said.text, member(request).username)


@router.get(f"{AT}/review", response=WaitingOut)
def list_waiting(request: HttpRequest, space: str, persona: str, most: Most = gate.MOST) -> dict[str, Any]:
    """What waits for a decision."""
    waiting = _workspace(request, space, persona).state().of(Decision.waiting)
    return {"left": len(waiting), "pictures": waiting[:most]}


@router.post(f"{AT}/review", response=DecisionOut)
def record_decision(request: HttpRequest, space: str, persona: str, said: DecisionIn) -> dict[str, Any]:
    """Record a decision about one picture or many."""
    workspace = _workspace(request, space, persona, Role.reviewer)
    return gate.decide(workspace, said.model_dump(), member(request).username)


@router.post(f"{AT}/undo", response=UndoneOut)
def take_back(request: HttpRequest, space: str, persona: str, said: UndoIn) -> dict[str, Any]:
    """Take back a step, or the last one: sources, captions or decisions."""
    taken = _workspace(request, space, persona, Role.reviewer).undo(said.step)
    return {"taken": len(taken), "kind": taken[0].kind}


@router.get(f"{AT}/turns", response=TurnsOut)
def list_turns(request: HttpRequest, space: str, persona: str) -> dict[str, Any]:
    """The rounds so far, and whether the wheel can turn."""
    workspace = _workspace(request, space, persona)
    told = {"waits_for": turns.waits_for(workspace), "alarm": turns.alarm(workspace)}
    return {"round": workspace.state().round, "rounds": turns.rounds(workspace), **told}


@router.post(f"{AT}/turns", response={202: JobOut})
def start_turn(request: HttpRequest, space: str, persona: str, said: TurnIn) -> Status[jobs.Job]:
    """Hand in the next turn; asked for twice while nothing changed, it is the same job."""
    found, _ = _asked(request, space, persona, Role.owner)
    return Status(202, turns.start(found, **said.model_dump()))


@router.post(f"{AT}/turns/{{number}}/checkpoints", response={201: list[LoraOut]})
def bring_checkpoints(request: HttpRequest, space: str, persona: str, number: int) -> Status[list[Lora]]:
    """Take a round's earlier checkpoints into the LoRA library, to be compared there."""
    found, _ = _asked(request, space, persona, Role.owner)
    return Status(201, checkpoints.bring(found, number))


@router.get(f"{AT}/turns/last", response=TurnOut)
def last_turn(request: HttpRequest, space: str, persona: str) -> dict[str, Any]:
    """The turn in hand, or the last one, with its loss curve."""
    found, workspace = _asked(request, space, persona)
    job = turns.last(found)
    number = workspace.state().round
    return {
        "job": job,
        "running": job is not None and job.state not in jobs.ENDED,
        "lines": jobs.lines_of(job.pk) if job else [],
        "losses": turns.losses(workspace, number),
        "samples": [{"step": step, "files": files} for step, files in turns.samples(workspace, number)],
        "scenes": turns.card_so_far(workspace, number),
    }


@router.get(f"{AT}/turns/{{number}}/samples/{{name}}", openapi_extra=sends("image/png"))
def sample_picture(request: HttpRequest, space: str, persona: str, number: Round, name: str) -> HttpResponseBase:
    """A picture that a round's training drew along the way."""
    return shelf.handed(turns.sample_file(_workspace(request, space, persona), number, name), "image/png")


@router.get(f"{AT}/cards", response=CardsOut)
def compare_cards(
    request: HttpRequest,
    space: str,
    persona: str,
    left: Annotated[Round | None, Query()] = None,
    right: Annotated[Round | None, Query()] = None,
) -> dict[str, Any]:
    """Two cards side by side by their rounds: the newest beside the one before if none is asked for."""
    asked_for = ("" if number is None else str(number) for number in (left, right))
    told = shelf.cards(_workspace(request, space, persona), *asked_for)
    cards = [{"round": number, "title": title} for number, title in told["cards"].items()]
    chosen = told.get("chosen", (None, None))
    both = {"scores": told.get("scores", []), "scenes": told["rows"]}
    return {"cards": cards, "left": chosen[0], "right": chosen[1], **both}


@router.get(f"{AT}/cards/{{number}}/{{scene}}", openapi_extra=sends("image/png"))
def card_scene(request: HttpRequest, space: str, persona: str, number: Round, scene: str) -> HttpResponseBase:
    """One scene of a round's card."""
    return shelf.handed(shelf.card_picture(_workspace(request, space, persona), number, scene), "image/png")


@router.get(f"{AT}/exports", response=list[ExportOut])
def list_exports(request: HttpRequest, space: str, persona: str) -> list[ExportOut]:
    """The versions, the newest first."""
    return [_export_out(each) for each in shelf.exports(_workspace(request, space, persona))]


def _export_out(told: dict[str, Any]) -> ExportOut:
    version = told["version"]
    there = (("safetensors", told["size"]), ("json", True), ("png", told["card"]))
    files = [f"{told['stem']}.{suffix}" for suffix, is_there in there if is_there]
    plain = {"version": version.number, "round": version.round, "sha256": version.sha256, "size": told["size"]}
    return ExportOut(**plain, files=files)


@router.get(
    f"{AT}/exports/{{name}}",
    openapi_extra=sends("application/octet-stream", "application/json", "image/png"),
)
def export_file(request: HttpRequest, space: str, persona: str, name: str) -> HttpResponseBase:
    """A version's LoRA, sheet or card by its file's name."""
    return shelf.handed(shelf.export_file(_workspace(request, space, persona), name))
