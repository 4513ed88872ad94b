"""What is measured of pictures that a version drew: who they show, how near they are to what was learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.judging.card import CardScene
from zoetrope.judging.identity import calibrate, likeness
from zoetrope.judging.likeness import copy_scores, diversity
from zoetrope.judging.scorers import scorer_named
from zoetrope.judging.style import style_scores, style_vectors
from zoetrope.media.decode import open_picture
from zoetrope.models.catalogue import Model
from zoetrope.wheel import events as ev
from zoetrope.wheel.persona import Persona, PersonaKind
from zoetrope.wheel.state import Decision, State
from zoetrope.wheel.workspace import Workspace, round_folder

if TYPE_CHECKING:
    from PIL.Image import Image


# The round whose card is the base's own, which the first version is set beside.
BASE = 0
# A style score above it is nearer to the style than to the base.
_MIDWAY = 0.5


def card_folder(workspace: Workspace, number: int) -> Path:
    """Where the card of a round lies; of round 0 the base's own."""
    return round_folder(workspace, number) / "card"


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
    alike = alikeness(workspace, model, pictures, known)
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
    workspace: Workspace, model: Model, pictures: "Sequence[Image]", known: "Sequence[Image]"
) -> list[tuple[float | None, bool | None]]:
    """For each picture how near it is to what is learned, and whether that is near enough; nothing without a scorer."""
    persona = workspace.persona
    if persona.kind is PersonaKind.style:
        return [(score, score > _MIDWAY) for score in _style(workspace, model, pictures, known)]
    scorer = scorer_of(persona, model)
    if scorer is None:
        return [(None, None)] * len(pictures)
    judge = scorer_named(scorer)
    vectors = judge.embed(known)
    threshold = calibrate(vectors).threshold
    return [(float(value), bool(value >= threshold)) for value in likeness(judge.embed(pictures), vectors)]


def _style(workspace: Workspace, model: Model, pictures: "Sequence[Image]", known: "Sequence[Image]") -> list[float]:
    """Told from the base's own card, or from the pictures themselves while that is being drawn."""
    base = sorted(path for path in card_folder(workspace, BASE).glob("*.png") if path.stem != "card")
    plain = [open_picture(path).image for path in base] or list(pictures)
    learner = model.family.learner(model.folder, model.plan())
    rows = [style_vectors(learner, images) for images in (pictures, known, plain)]
    learner.release_all()
    return style_scores(*rows)


def summary(scores: Sequence[Score], pictures: "Sequence[Image]") -> dict[str, float]:
    """A card in a few numbers."""
    told = {"copied": max(score.copied for score in scores), "diversity": diversity(pictures)}
    if all(score.likeness is not None for score in scores):
        told["likeness"] = sum(score.likeness or 0.0 for score in scores) / len(scores)
        told["passing"] = sum(bool(score.passes) for score in scores) / len(scores)
    return told
