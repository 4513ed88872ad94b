"""A persona's turns: handed to the workers, and how the one in hand stands."""

import json
import re
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.work import scope_of
from zoetrope.studio.workshop.checkpoints import kept
from zoetrope.studio.workshop.tasks import KIND
from zoetrope.wheel.measure import card_folder
from zoetrope.wheel.turn import gate
from zoetrope.wheel.workspace import Workspace, round_folder

_WIDE, _HIGH = 600, 160
# A curve has no more corners than an eye can tell apart.
_POINTS = 300
_SAMPLE = re.compile(r"([0-9]{6,9})-[0-9]{1,3}\.png")
_SHOWN_STEPS = 5
MOST_STEPS = 100_000
MOST_SCENES = 1000


def start(
    persona: Persona,
    anyway: bool = False,
    steps: int | None = None,
    count: int | None = None,
    keep: int | None = None,
) -> jobs.Job:
    """Hand in the next turn; asked for twice while nothing changed, it is the same job.

    How long it trains, how many new scenes it draws and which checkpoints it keeps is the wheel's own choice unless it
    is said.
    """
    workspace = workspace_of(persona)
    if missing := waits_for(workspace):
        raise UserError(f"The wheel waits for {missing}.")
    running = current(persona)
    if running is not None:
        return running
    # What was recorded so far names the turn: with another decision it is another turn.
    said = {"steps": steps, "count": count, "keep": keep}
    how = "".join(f"-{name}{value}" for name, value in said.items() if value is not None)
    key = f"{KIND}-{persona.pk}-{len(workspace.log.known())}" + ("-anyway" if anyway else "") + how
    scope, title = scope_of(persona.space), f"Turn {persona}'s wheel"
    args = {"persona": persona.pk, "anyway": anyway, **said}
    job = jobs.enqueue(KIND, key, args, scope=scope, title=title)
    return jobs.resubmit(job) if job.state in (jobs.State.FAILED, jobs.State.CANCELLED) else job


def waits_for(workspace: Workspace) -> str:
    """What a person has to do first; empty when the wheel can turn."""
    # What follows is the command line's way to do it.
    return gate(workspace, workspace.state()).partition(": zoetrope")[0]


def current(persona: Persona) -> jobs.Job | None:
    """The turn in hand, if there is one."""
    job = last(persona)
    return job if job is not None and job.state not in jobs.ENDED else None


def last(persona: Persona) -> jobs.Job | None:
    """The turn that changed last."""
    return jobs.Job.objects.filter(kind=KIND, args__persona=persona.pk).order_by("-changed").first()


def alarm(workspace: Workspace) -> str:
    """What fell in the round before; empty when the wheel may go on by itself."""
    state = workspace.state()
    verdict = state.closed.get(state.round - 1, "done")
    return "" if verdict == "done" else verdict


def rounds(workspace: Workspace) -> list[dict[str, Any]]:
    """Every round with what came of it, the newest first."""
    state = workspace.state()
    told = []
    for number in sorted({*state.trained, *state.closed, state.round}, reverse=True):
        versions = [version.number for version in state.versions if version.round == number]
        begun = "at work" if round_folder(workspace, number).exists() else "not begun"
        verdict = state.closed.get(number, begun if number == state.round else "")
        row = {"number": number, "versions": versions, "card": state.cards.get(number), "verdict": verdict}
        told.append(row | {"checkpoints": kept(workspace, number)})
    return told


def losses(workspace: Workspace, number: int) -> list[tuple[int, float]]:
    """Steps and losses of a round's training so far: of a long one as many as a line of some width can show."""
    path = round_folder(workspace, number) / "training" / "metrics.jsonl"
    return _points(_thinned(path.read_bytes().splitlines() if path.is_file() else []))


def curve(workspace: Workspace, number: int) -> dict[str, Any] | None:
    """The training's loss as a line for a page: points of an SVG, and the last values in words."""
    points = losses(workspace, number)
    if len(points) < 2:
        return None
    steps, values = [step for step, _ in points], [loss for _, loss in points]
    low, high = min(values), max(values)
    across, up = _WIDE / max(1, steps[-1] - steps[0]), _HIGH / max(1e-9, high - low)
    line = " ".join(f"{(step - steps[0]) * across:.1f},{_HIGH - (loss - low) * up:.1f}" for step, loss in points)
    ends = {"first": steps[0], "step": steps[-1], "loss": values[-1], "low": low, "top": high}
    return {"line": line, "wide": _WIDE, "high": _HIGH, **ends}


def _thinned(lines: Sequence[bytes]) -> Sequence[bytes]:
    """The newest is among them."""
    every = max(1, len(lines) // _POINTS)
    return lines[(len(lines) - 1) % every :: every]


def _points(lines: Sequence[bytes]) -> list[tuple[int, float]]:
    """What can be drawn of them: the last line may be half written just now, and a loss beyond all numbers."""
    points = []
    for line in lines:
        try:
            said = json.loads(line)
            point = int(said["step"]), float(said["loss"])
        except (ValueError, KeyError, TypeError):
            continue
        if isfinite(point[1]):
            points.append(point)
    return points


def samples(workspace: Workspace, number: int) -> list[tuple[int, list[str]]]:
    """The pictures that a training drew along the way: the newest steps, each with its files."""
    found: dict[int, list[str]] = {}
    for path in sorted(_samples_folder(workspace, number).glob("*.png")):
        if named := _SAMPLE.fullmatch(path.name):
            found.setdefault(int(named[1]), []).append(path.name)
    return sorted(found.items())[-_SHOWN_STEPS:]


def sample_file(workspace: Workspace, number: int, name: str) -> Path | None:
    """One of them; names are plain, so that none leads elsewhere."""
    begun = number <= workspace.state().round
    return _samples_folder(workspace, number) / name if begun and _SAMPLE.fullmatch(name) else None


def _samples_folder(workspace: Workspace, number: int) -> Path:
    return round_folder(workspace, number) / "training" / "samples"


def card_so_far(workspace: Workspace, number: int) -> list[str]:
    """The scenes of a round's card that are drawn already, while it is not finished."""
    if number in workspace.state().cards:
        return []
    return sorted(path.stem for path in card_folder(workspace, number).glob("*.png") if path.stem != "card")
