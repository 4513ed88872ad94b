"""What is measured of pictures that a version drew: who they show, how near they are to what was learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoetrope.judging.card import CardScene
from zoetrope.judging.identity import calibrate, likeness
from zoetrope.judging.likeness import copy_scores, diversity
from zoetrope.judging.scorers import scorer_named
from zoetrope.media.decode import open_picture
from zoetrope.models.catalogue import Model
from zoetrope.wheel import events as ev
from zoetrope.wheel.persona import Persona
from zoetrope.wheel.state import Decision, State
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Score:
    """One picture of a card."""

    scene: CardScene
    likeness: float | None
    passes: bool | None
    copied: float


def measure(
    workspace: Workspace, state: State, model: Model, scenes: Sequence[CardScene], pictures: "Sequence[Image]"
) -> list[Score]:
    """Likeness to the kept sources, by the persona's own threshold, and how much was copied."""
    known = references(workspace, state)
    copied = copy_scores(pictures, known)
    alike = alikeness(scorer_of(workspace.persona, model), pictures, known)
    return [Score(scene, *found, share) for scene, found, share in zip(scenes, alike, copied, strict=True)]


def references(workspace: Workspace, state: State) -> "list[Image]":
    """What a persona is recognised by: everything that was kept and not drawn by a version of its own."""
    kept = [entry for entry in state.of(Decision.kept) if entry.origin is not ev.Origin.synthetic]
    return [open_picture(workspace.path(entry)).image for entry in kept]


def scorer_of(persona: Persona, model: Model) -> str | None:
    """The identity scorer that the persona names, or the one its base's makers advise."""
    advised = (model.notes.model_extra or {}).get("scorer")
    return persona.scorers[0] if persona.scorers else advised


def alikeness(
    scorer: str | None, pictures: "Sequence[Image]", known: "Sequence[Image]"
) -> list[tuple[float | None, bool | None]]:
    """For each picture its likeness and whether it passes by the persona's own threshold; nothing without a scorer."""
    if scorer is None:
        return [(None, None)] * len(pictures)
    judge = scorer_named(scorer)
    vectors = judge.embed(known)
    threshold = calibrate(vectors).threshold
    return [(float(value), bool(value >= threshold)) for value in likeness(judge.embed(pictures), vectors)]


def summary(scores: Sequence[Score], pictures: "Sequence[Image]") -> dict[str, float]:
    """A card in a few numbers."""
    told = {"copied": max(score.copied for score in scores), "diversity": diversity(pictures)}
    if all(score.likeness is not None for score in scores):
        told["likeness"] = sum(score.likeness or 0.0 for score in scores) / len(scores)
        told["passing"] = sum(bool(score.passes) for score in scores) / len(scores)
    return told
