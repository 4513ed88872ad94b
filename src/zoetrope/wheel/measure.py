"""What is measured of pictures that a version drew: who they show, how near they are to what was learned from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoetrope.judging.adherence import OTHERS, BaseModelAdherence, adherence
from zoetrope.judging.card import CardScene
from zoetrope.judging.identity import FEWEST, calibrate, likeness
from zoetrope.judging.likeness import copy_scores, diversity
from zoetrope.judging.scorers import scorer_named
from zoetrope.judging.style import style_scores, style_vectors
from zoetrope.media.decode import open_picture
from zoetrope.models.catalogue import Model
from zoetrope.models.folders import parameters
from zoetrope.wheel import events as ev
from zoetrope.wheel.persona import Persona, PersonaKind
from zoetrope.wheel.scenes import asked, in_words
from zoetrope.wheel.state import Decision, Entry, State
from zoetrope.wheel.workspace import Workspace, round_folder

if TYPE_CHECKING:
    from PIL.Image import Image


# The round whose card is the base's own, which the first version is set beside.
BASE = 0
# A base of so many weights judges adherence against a few other prompts only: each is a pass of its network.
_LARGE = 10**9
_FEW_OTHERS = 4
# A style score above it is nearer to the style than to the base.
_MIDWAY = 0.5


def card_folder(workspace: Workspace, number: int) -> Path:
    """Where the card of a round lies; of round 0 the base's own."""
    return round_folder(workspace, number) / "card"


@dataclass(frozen=True)
class Alike:
    """Whether a picture shows what is learned; nothing is said where nothing can judge."""

    likeness: float | None = None
    passes: bool | None = None
    # Whether the scorer found anybody to compare.
    found: bool = True


@dataclass(frozen=True)
class Score:
    """One picture of a card."""

    scene: CardScene
    alike: Alike
    copied: float
    adherence: float

    def told(self) -> dict[str, Any]:
        """As it is written into card.json."""
        return {
            "scene": self.scene.name,
            "label": self.scene.label,
            "likeness": self.alike.likeness,
            "passes": self.alike.passes,
            "found": self.alike.found,
            "copied": self.copied,
            "adherence": self.adherence,
        }


def measure(
    workspace: Workspace, state: State, model: Model, scenes: Sequence[CardScene], pictures: "Sequence[Image]"
) -> list[Score]:
    """Likeness to the kept sources, by the persona's own threshold, how much was copied, and what was asked for."""
    known = references(workspace, state)
    told = zip(
        scenes,
        alikeness(workspace, model, pictures, known),
        copy_scores(pictures, known),
        _adherence(workspace.persona, model, pictures),
        strict=True,
    )
    return [Score(*each) for each in told]


def _adherence(persona: Persona, model: Model, pictures: "Sequence[Image]") -> list[float]:
    """Card pictures against the card's prompts, in words that the base knows; the base itself judges."""
    prompts = [scene.prompt for scene in asked(model, in_words(persona, model))]
    large = parameters(model.folder)["transformer"] > _LARGE
    learner = model.family.learner(model.folder, model.plan())
    shares = adherence(BaseModelAdherence(learner), pictures, prompts, _FEW_OTHERS if large else OTHERS)
    learner.release_all()
    return shares


def genuine(state: State) -> list[Entry]:
    """What a persona is recognised by: everything that was kept and not drawn by a version of its own."""
    return [entry for entry in state.of(Decision.kept) if entry.origin is not ev.Origin.synthetic]


def references(workspace: Workspace, state: State) -> "list[Image]":
    """The same as pictures."""
    return [open_picture(workspace.path(entry)).image for entry in genuine(state)]


def scorer_of(persona: Persona, model: Model) -> str | None:
    """The identity scorer that the persona names, or the one its base's makers advise."""
    advised = (model.notes.model_extra or {}).get("scorer")
    return persona.scorers[0] if persona.scorers else advised


def judged(persona: Persona, model: Model) -> bool:
    """Whether a scorer can tell of two drawings the one that is more like the persona."""
    return persona.kind is not PersonaKind.style and scorer_of(persona, model) is not None


def alikeness(workspace: Workspace, model: Model, pictures: "Sequence[Image]", known: "Sequence[Image]") -> list[Alike]:
    """For each picture how near it is to what is learned, and whether that is near enough."""
    persona = workspace.persona
    if persona.kind is PersonaKind.style:
        return [Alike(score, score > _MIDWAY) for score in _style(workspace, model, pictures, known)]
    scorer = scorer_of(persona, model)
    if scorer is None:
        return [Alike()] * len(pictures)
    judge = scorer_named(scorer)
    seen, vectors = judge.embed(pictures), judge.embed(known)
    if (np.linalg.norm(vectors, axis=1) > 0).sum() < FEWEST:
        # Too few to learn how alike its pictures are: better no verdict than a wrong one.
        return [Alike(found=bool(row.any())) for row in seen]
    threshold = calibrate(vectors).threshold
    values = likeness(seen, vectors)
    return [
        Alike(float(value), bool(value >= threshold), bool(row.any())) for value, row in zip(values, seen, strict=True)
    ]


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
    told = {
        # A wrong expression beats nearly all the other prompts too, so only a clear win counts.
        "adherence": sum(score.adherence == 1 for score in scores) / len(scores),
        "copied": max(score.copied for score in scores),
        "diversity": diversity(pictures),
        "no_face": sum(not score.alike.found for score in scores) / len(scores),
    }
    if all(score.alike.likeness is not None for score in scores):
        told["likeness"] = sum(score.alike.likeness or 0.0 for score in scores) / len(scores)
        told["passing"] = sum(bool(score.alike.passes) for score in scores) / len(scores)
    return told
