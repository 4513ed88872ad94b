"""A version's model card: drawn, measured, and set beside the one before."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.judging.card import CardScene
from zoetrope.media.files import write_atomic, write_json_atomic, write_text_atomic
from zoetrope.media.recipe import save_picture
from zoetrope.models.catalogue import Model
from zoetrope.models.loras import LoraFile, open_lora
from zoetrope.wheel import events as ev
from zoetrope.wheel.cardpage import page, sheet, title_of
from zoetrope.wheel.drawing import drawn
from zoetrope.wheel.measure import BASE, card_folder, measure, summary
from zoetrope.wheel.scenes import asked, in_words, subject
from zoetrope.wheel.state import State, Version
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image

# The same for every version and persona: cards are compared picture by picture.
SEED = 23_000

OnDone = Callable[[int, int], None]


def draw_card(workspace: Workspace, engine: LocalEngine, on_done: OnDone = lambda done, total: None) -> dict[str, Any]:
    """Draw the newest version's 23 scenes, measure them, and write PNG, HTML and JSON into the round's folder."""
    state, persona = workspace.state(), workspace.persona
    version = newest(workspace, state)
    model = engine.catalogue.find(persona.base)
    before = _card_before(state, version.round)
    plain = [] if before != BASE or _whole(workspace, BASE) else asked(model, in_words(persona, model))
    scenes = asked(model, subject(persona, model))
    total = len(plain) + len(scenes)
    if plain:
        pictures = _draw(workspace, BASE, engine, model, plain, None, lambda done: on_done(done, total))
        _store(workspace, BASE, model, plain, pictures, {"version": BASE})
    lora = open_lora(lora_file(workspace, version))
    pictures = _draw(
        workspace, version.round, engine, model, scenes, lora, lambda done: on_done(len(plain) + done, total)
    )
    told = _store(workspace, version.round, model, scenes, pictures, {"version": version.number})
    return told | _publish(workspace, version, before, told)


def newest(workspace: Workspace, state: State) -> Version:
    """The last exported version."""
    if not state.versions:
        raise UserError(f"{workspace.name} has no version yet: `zoetrope train {workspace.name}` makes one.")
    return state.versions[-1]


def lora_file(workspace: Workspace, version: Version) -> Path:
    return workspace.folder / "exports" / f"{workspace.name}_v{version.number}.safetensors"


def card_rounds(workspace: Workspace, number: int) -> dict[str, int]:
    """The round whose card was set beside a round's own, and that round, by their cards' titles."""
    rounds = (_card_before(workspace.state(), number), number)
    return {title_of(card_folder(workspace, each)): each for each in rounds}


def _card_before(state: State, number: int) -> int:
    return max((other for other in state.cards if other < number), default=BASE)


def _whole(workspace: Workspace, number: int) -> bool:
    """A card's scores are written last, when all its pictures are there."""
    return (card_folder(workspace, number) / "card.json").is_file()


def _draw(
    workspace: Workspace,
    number: int,
    engine: LocalEngine,
    model: Model,
    scenes: Sequence[CardScene],
    lora: LoraFile | None,
    on_done: Callable[[int], None],
) -> "list[Image]":
    """Every scene with its own fixed seed, each picture with its recipe in the round's folder.

    A card that was stopped goes on where it was.
    """
    if lora is not None:
        engine.lend_lora(lora)
    loras = [] if lora is None else [(lora, 1.0)]
    begun = not _whole(workspace, number)
    pictures = []
    for index, scene in enumerate(scenes):
        recipe = order(model, scene.prompt, seed=SEED + index, loras=loras)
        path = card_folder(workspace, number) / f"{scene.name}.png"
        image = drawn(path, recipe) if begun else None
        if image is None:
            image = engine.make(recipe)[0].image
            save_picture(image, recipe, path)
        pictures.append(image)
        on_done(index + 1)
    return pictures


def _store(
    workspace: Workspace,
    number: int,
    model: Model,
    scenes: Sequence[CardScene],
    pictures: "Sequence[Image]",
    about: dict[str, Any],
) -> dict[str, Any]:
    """Measure, and write the scores beside the pictures."""
    scores = measure(workspace, workspace.state(), model, scenes, pictures)
    told = {
        "schema_version": 1,
        **about,
        "scores": summary(scores, pictures),
        "pictures": [score.told() for score in scores],
    }
    write_json_atomic(card_folder(workspace, number) / "card.json", told)
    return told


def _publish(workspace: Workspace, version: Version, before: int, told: dict[str, Any]) -> dict[str, str]:
    """The card to look at: a picture and a page, and the picture once more beside the export."""
    here, there = card_folder(workspace, version.round), card_folder(workspace, before)
    title = f"{workspace.name} v{version.number}"
    png = sheet(title, here, there)
    write_atomic(here / "card.png", png)
    write_atomic(lora_file(workspace, version).with_suffix(".png"), png)
    write_text_atomic(here / "card.html", page(title, here, there))
    workspace.record([ev.Carded(round=version.round, scores=told["scores"])])
    return {"sheet": str(here / "card.png"), "page": str(here / "card.html")}
