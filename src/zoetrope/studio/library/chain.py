"""Where a picture comes from, link by link: votes, prompt and seed, LoRAs, the pictures that these learned from."""

import json
from dataclasses import dataclass

from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.pipelines.models import Candidate
from zoetrope.studio.voting.models import Vote
from zoetrope.wheel.workspace import round_folder

_LARGEST_MANIFEST = 16 << 20
# Of a dataset so many are shown.
_SHOWN = 12


@dataclass(frozen=True)
class Choice:
    """A step at which it, or what it grew from, was chosen."""

    candidate: Candidate
    votes: int
    rivals: int


@dataclass(frozen=True)
class Learned:
    """A LoRA that drew it, how strongly, and what that LoRA was trained on."""

    name: str
    sha256: str
    weight: float
    lora: Lora | None
    dataset: str
    pictures: tuple[str, ...]
    count: int


def choices(kept: Kept) -> list[Choice]:
    """From the picture back to its first draft."""
    if kept.run is None:
        return []
    by_key = {each.pk: each for each in kept.run.candidates.select_related("step", "made").defer("made__recipe")}
    votes = Vote.objects.filter(run=kept.run, kind=Vote.Kind.BEST, undone=None)
    members = [set(each) for each in votes.values_list("members", flat=True)]
    found = []
    candidate = by_key.get(kept.run.winner_id or 0)
    while candidate is not None:
        about = sum(candidate.pk in each for each in members)
        rivals = sum(each.step_id == candidate.step_id and each.made_id is not None for each in by_key.values()) - 1
        found.append(Choice(candidate, about, rivals))
        candidate = by_key.get(candidate.parent_id or 0)
    return found


def learned(kept: Kept) -> list[Learned]:
    """Every LoRA of its recipe, also one that has left the library."""
    uses = kept.made.said_recipe.loras if kept.made.recipe else ()
    rows = Lora.objects.filter(space=kept.space, sha256__in=[use.sha256 for use in uses]).select_related("persona")
    known = {row.sha256: row for row in rows}
    return [_learned(use.name, use.sha256, use.weight, known.get(use.sha256)) for use in uses]


def _learned(name: str, sha256: str, weight: float, lora: Lora | None) -> Learned:
    pictures = _pictures(lora) if lora is not None else []
    dataset = str(lora.sheet.get("dataset_sha256", "")) if lora is not None else ""
    return Learned(name, sha256, weight, lora, dataset, tuple(pictures[:_SHOWN]), len(pictures))


def _pictures(lora: Lora) -> list[str]:
    """What its workspace wrote down of the round that trained it; nothing where that is not here."""
    number = lora.sheet.get("round")
    if lora.persona is None or not isinstance(number, int):
        return []
    path = round_folder(workspace_of(lora.persona), number) / "manifest.json"
    try:
        told = json.loads(read_limited(path, _LARGEST_MANIFEST))
        return [str(each["sha256"]) for each in told["pictures"]]
    except (OSError, MediaError, ValueError, KeyError, TypeError):
        return []
