"""What an approved learning changes: little, in sight, and so that it can be undone.

A pillar's weight goes up or down by five, as far as there is room. An hour joins the best hours, or leaves them, when
whoever plans asks for them. A format or a LoRA version is for people to act on: it changes nothing by itself.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from zoetrope.studio.insights.models import Kind, Learning
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning import pillars
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.planning.rhythm import Taught, rhythm_of, today
from zoetrope.studio.planning.slots import at_local, local

STEP = 5
"""So much of a hundred a pillar gains or loses."""


def begin(learning: Learning) -> dict[str, Any]:
    """Do what it stands for; what was done, to undo it by."""
    if learning.kind != Kind.PILLAR or not learning.key:
        return {}
    pillar = Pillar.objects.select_related("persona").filter(persona=learning.persona_id, pk=int(learning.key)).first()
    if pillar is None or pillar.retired:
        return {}
    return {"weight": _lean(pillar, STEP if learning.more else -STEP)}


def end(learning: Learning) -> None:
    """Undo it, as far as there is room by now."""
    by = int(learning.effect.get("weight", 0))
    if by and (pillar := Pillar.objects.select_related("persona").filter(pk=int(learning.key)).first()):
        _lean(pillar, -by)


def hours(persona: Persona) -> list[Taught]:
    """What approved learnings say of a persona's hours, by the clocks that it lives by now."""
    rows = Learning.objects.filter(persona=persona, kind=Kind.HOUR, state=Learning.State.APPROVED).order_by("pk")
    learned = list(rows)
    if not learned:
        return []
    rhythm = rhythm_of(persona)
    day, zone = today(rhythm), ZoneInfo(rhythm.zone)
    found = []
    for each in learned:
        # It was told by the clocks of then.
        told = ZoneInfo(each.evidence.get("zone", rhythm.zone))
        hour = local(at_local(day, time(int(each.key)), told), zone).hour if told != zone else int(each.key)
        found.append(Taught(hour, each.more, each.sentence))
    return found


def words(learning: Learning) -> str:
    """What it changes, or would change, as a sentence."""
    if learning.kind == Kind.HOUR:
        hour = f"{int(learning.key):02}:00"
        return f"{hour} {'counts among the best hours' if learning.more else 'is no best hour'} when posts are planned."
    if learning.kind != Kind.PILLAR or not learning.key:
        return "It changes nothing by itself: it is for you to act on."
    if learning.state != Learning.State.APPROVED:
        return f"The pillar's weight goes {'up' if learning.more else 'down'} by {STEP}, as far as there is room."
    by = int(learning.effect.get("weight", 0))
    if not by:
        return "The pillar's weight stays: there was no room. Lower another pillar's and change it yourself."
    return f"The pillar's weight went {'up' if by > 0 else 'down'} by {abs(by)}."


def _lean(pillar: Pillar, by: int) -> int:
    """Change a weight as far as the others leave room; by how much it was."""
    others: Sequence[Pillar] = [each for each in pillars.active(pillar.persona) if each.pk != pillar.pk]
    most = pillars.WHOLE - sum(each.weight for each in others)
    weight = min(max(pillar.weight + by, 0), most)
    changed = weight - pillar.weight
    said = {each.name: getattr(pillar, each.name) for each in fields(pillars.Wanted)}
    if changed:
        pillars.change(pillar, pillars.Wanted(**said | {"weight": weight}))
    return changed
