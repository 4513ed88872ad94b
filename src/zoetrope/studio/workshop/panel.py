"""The workshop's part of a persona's home page: what there is, and what the wheel waits for."""

from typing import Any

from django.http import HttpRequest

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.here import Place
from zoetrope.wheel.events import Origin
from zoetrope.wheel.state import Decision, State


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """Counts, the newest pictures, the next step."""
    state = workspace_of(persona).state()
    return {"counts": counts(state), "latest": latest(state), "next": next_step(state), "round": state.round}


def counts(state: State) -> dict[str, int]:
    """How many pictures there are of each standing."""
    entries = state.pictures.values()
    return {
        "sources": sum(entry.origin is Origin.source for entry in entries),
        "kept": sum(entry.decision is Decision.kept for entry in entries),
        "waiting": sum(entry.decision is Decision.waiting for entry in entries),
        "versions": len(state.versions),
    }


def latest(state: State, most: int = 8) -> list[str]:
    """The newest pictures that nobody refused, by their hashes."""
    good = [entry.sha256 for entry in state.pictures.values() if entry.decision is not Decision.rejected]
    return good[: -most - 1 : -1]


def next_step(state: State) -> tuple[str, str]:
    """The address of the page where something is to be done now, and what."""
    if not state.pictures:
        return "sources", "Add ten to twenty pictures"
    open_entries = [entry for entry in state.pictures.values() if entry.decision is not Decision.rejected]
    if bare := sum(not entry.caption for entry in open_entries):
        return "captions", f"Write {bare} captions"
    if waiting := len(state.of(Decision.waiting)):
        return "review", f"Review {waiting} pictures"
    if not state.of(Decision.kept):
        return "review", "Keep some pictures: none was kept"
    return "turns", "Turn the wheel: everything is reviewed"
