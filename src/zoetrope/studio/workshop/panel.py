"""The workshop's part of a persona's home page: what there is, and what the wheel waits for."""

from collections import Counter
from itertools import islice
from operator import attrgetter
from typing import Any

from django.http import HttpRequest

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.here import Place
from zoetrope.wheel.captions import undescribed
from zoetrope.wheel.events import Origin
from zoetrope.wheel.state import Decision, State


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """Counts, the newest pictures, the next step."""
    state = workspace_of(persona).state()
    return {"counts": counts(state), "latest": latest(state), "next": next_step(state), "round": state.round}


def counts(state: State) -> dict[str, int]:
    """How many pictures there are of each standing."""
    entries = state.pictures.values()
    origins, decisions = (Counter(map(attrgetter(name), entries)) for name in ("origin", "decision"))
    return {
        "sources": origins[Origin.source],
        "kept": decisions[Decision.kept],
        "waiting": decisions[Decision.waiting],
        "versions": len(state.versions),
    }


def latest(state: State, most: int = 8) -> list[str]:
    """The newest pictures that nobody refused, by their hashes."""
    newest = (entry.sha256 for entry in reversed(state.pictures.values()) if entry.decision is not Decision.rejected)
    return list(islice(newest, most))


def next_step(state: State) -> tuple[str, str]:
    """The address of the page where something is to be done now, and what."""
    if not state.pictures:
        return "sources", "Add ten to twenty pictures"
    if bare := len(undescribed(state.pictures.values())):
        return "captions", f"Write {bare} captions"
    found = counts(state)
    if found["waiting"]:
        return "review", f"Review {found['waiting']} pictures"
    if not found["kept"]:
        return "review", "Keep some pictures: none was kept"
    return "turns", "Turn the wheel: everything is reviewed"
