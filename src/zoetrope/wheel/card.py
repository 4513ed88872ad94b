"""A version's model card: drawn, measured, and set beside the one before."""

import html
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.judging.card import CardScene, card_scenes
from zoetrope.judging.identity import calibrate, likeness
from zoetrope.judging.likeness import copy_scores, diversity
from zoetrope.judging.scorers import scorer_named
from zoetrope.media.decode import open_picture
from zoetrope.media.files import write_atomic, write_json_atomic, write_text_atomic
from zoetrope.media.recipe import save_picture
from zoetrope.media.sheet import Tile, contact_sheet
from zoetrope.models.catalogue import Model
from zoetrope.models.loras import open_lora
from zoetrope.wheel import events as ev
from zoetrope.wheel.state import Decision, State, Version
from zoetrope.wheel.teach import round_folder
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image

# The same for every version and persona: cards are compared picture by picture.
SEED = 23_000
_ACROSS = 5


@dataclass(frozen=True)
class Score:
    """One picture of a card."""

    scene: CardScene
    likeness: float | None
    passes: bool | None
    copied: float


def draw_card(
    workspace: Workspace, engine: LocalEngine, on_done: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Any]:
    """Draw the newest version's 23 scenes, measure them, and write PNG, HTML and JSON into the round's folder."""
    state, persona = workspace.state(), workspace.persona
    version = newest(workspace, state)
    model = engine.catalogue.find(persona.base)
    lora = open_lora(lora_file(workspace, version))
    engine.lend_lora(lora)
    said = model.notes.model_extra or {}
    scenes = card_scenes(persona.trigger, **said.get("card", {}))
    folder = round_folder(workspace, version.round) / "card"
    pictures = []
    for number, scene in enumerate(scenes):
        made = engine.make(order(model, scene.prompt, seed=SEED + number, loras=[(lora, 1.0)]))[0]
        save_picture(made.image, made.recipe, folder / f"{scene.name}.png")
        pictures.append(made.image)
        on_done(number + 1, len(scenes))
    scores = measure(workspace, state, model, scenes, pictures)
    return _written(workspace, version, folder, scores, pictures)


def newest(workspace: Workspace, state: State) -> Version:
    """The last exported version."""
    if not state.versions:
        raise UserError(f"{workspace.name} has no version yet: `zoetrope train {workspace.name}` makes one.")
    return state.versions[-1]


def lora_file(workspace: Workspace, version: Version) -> Path:
    return workspace.folder / "exports" / f"{workspace.name}_v{version.number}.safetensors"


def scorer_of(workspace: Workspace, model: Model) -> str | None:
    """The identity scorer that the persona names, or the one its base's makers advise."""
    named = workspace.persona.scorers
    advised = (model.notes.model_extra or {}).get("scorer")
    return named[0] if named else advised


def measure(
    workspace: Workspace, state: State, model: Model, scenes: Sequence[CardScene], pictures: "Sequence[Image]"
) -> list[Score]:
    """Likeness to the kept sources, by the persona's own threshold, and how much was copied."""
    kept = [entry for entry in state.of(Decision.kept) if entry.origin is not ev.Origin.synthetic]
    references = [open_picture(workspace.path(entry)).image for entry in kept]
    copied = copy_scores(pictures, references)
    named = scorer_of(workspace, model)
    if named is None:
        return [Score(scene, None, None, share) for scene, share in zip(scenes, copied, strict=True)]
    scorer = scorer_named(named)
    vectors = scorer.embed(references)
    threshold = calibrate(vectors).threshold
    alike = likeness(scorer.embed(pictures), vectors)
    return [
        Score(scene, float(value), bool(value >= threshold), share)
        for scene, value, share in zip(scenes, alike, copied, strict=True)
    ]


def _written(
    workspace: Workspace, version: Version, folder: Path, scores: Sequence[Score], pictures: "Sequence[Image]"
) -> dict[str, Any]:
    summary: dict[str, float] = {
        "copied": max(score.copied for score in scores),
        "diversity": diversity(pictures),
    }
    if all(score.likeness is not None for score in scores):
        summary["likeness"] = sum(score.likeness or 0.0 for score in scores) / len(scores)
        summary["passing"] = sum(bool(score.passes) for score in scores) / len(scores)
    told = {
        "schema_version": 1,
        "version": version.number,
        "scores": summary,
        "pictures": [
            {"scene": s.scene.name, "likeness": s.likeness, "passes": s.passes, "copied": s.copied} for s in scores
        ],
    }
    write_json_atomic(folder / "card.json", told)
    write_atomic(folder / "card.png", _sheet(workspace, version, scores, pictures))
    write_text_atomic(folder / "card.html", page(workspace, version))
    workspace.record([ev.Carded(round=version.round, scores=summary)])
    return told | {"sheet": str(folder / "card.png"), "page": str(folder / "card.html")}


def _sheet(workspace: Workspace, version: Version, scores: Sequence[Score], pictures: "Sequence[Image]") -> bytes:
    tiles = [Tile(picture, _label(score)) for score, picture in zip(scores, pictures, strict=True)]
    rows = [tiles[start : start + _ACROSS] for start in range(0, len(tiles), _ACROSS)]
    buffer = io.BytesIO()
    contact_sheet(f"{workspace.name} v{version.number}", rows).save(buffer, "PNG")
    return buffer.getvalue()


def _label(score: Score) -> str:
    mark = {True: "✓ ", False: "✗ ", None: ""}[score.passes]
    return mark + score.scene.label


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 75rem; padding: 0 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); gap: 1rem; }
figure { margin: 0; }
figure div { display: flex; gap: .25rem; }
img { width: 100%; min-width: 0; flex: 1; border-radius: .4rem; }
figcaption { font-size: .85rem; }
table { border-collapse: collapse; }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
"""


def page(workspace: Workspace, version: Version) -> str:
    """The card as HTML, each picture beside the same scene of the version before."""
    here = round_folder(workspace, version.round) / "card"
    earlier = [other for other in workspace.state().versions if other.round < version.round]
    before = round_folder(workspace, earlier[-1].round) / "card" if earlier else None
    told = json.loads((here / "card.json").read_text(encoding="utf-8"))
    past = _past(before)
    name = html.escape(f"{workspace.name} v{version.number}")
    rows = "".join(
        f"<tr><th>{html.escape(key)}<td>{value:.3f}<td>{past.get(key, '')}" for key, value in told["scores"].items()
    )
    figures = "".join(_figure(each, before) for each in told["pictures"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>'
        f"<style>{_STYLE}</style><h1>{name}</h1><table><tr><th>measure<th>now<th>before{rows}</table>"
        f"<p>Each scene, the version before on the left where there is one.</p><main>{figures}</main></html>\n"
    )


def _past(folder: Path | None) -> dict[str, str]:
    if folder is None or not (folder / "card.json").is_file():
        return {}
    told = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return {key: f"{value:.3f}" for key, value in told["scores"].items()}


def _figure(told: dict[str, Any], before: Path | None) -> str:
    scene = html.escape(told["scene"])
    old = ""
    if before is not None and (before / f"{told['scene']}.png").is_file():
        old = f'<img alt="{scene}, before" src="../../{before.parent.name}/card/{scene}.png">'
    verdict = "" if told["likeness"] is None else f" · {'✓' if told['passes'] else '✗'} {told['likeness']:.2f}"
    new = f'<img alt="{scene}" src="{scene}.png">'
    return f"<figure><div>{old}{new}</div><figcaption>{scene}{verdict}</figcaption></figure>"
