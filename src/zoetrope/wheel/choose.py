"""Which checkpoint of a round draws its persona best: on scenes and seeds of their own, with an interval."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.judging.intervals import interval
from zoetrope.media.files import write_json_atomic
from zoetrope.models.catalogue import Model
from zoetrope.models.loras import open_lora
from zoetrope.training.run import KEPT
from zoetrope.wheel.card import newest
from zoetrope.wheel.measure import alikeness, references
from zoetrope.wheel.scenes import new_scenes, subject
from zoetrope.wheel.state import Decision, State, Version
from zoetrope.wheel.teach import publish
from zoetrope.wheel.workspace import Workspace, round_folder

if TYPE_CHECKING:
    from PIL.Image import Image

# Neither the card's nor those of new scenes: a choice must not be made on what it is judged by.
SEED = 80_000
COUNT = 12

OnDone = Callable[[int, int], None]


def choose(
    workspace: Workspace, engine: LocalEngine, count: int = COUNT, on_done: OnDone = lambda done, total: None
) -> dict[str, Any]:
    """Draw the same new scenes by every checkpoint of the newest version's round, and compare each with the last.

    Where one is better beyond doubt it becomes the next version; where none is, the last stays.
    """
    state, persona = workspace.state(), workspace.persona
    version = newest(workspace, state)
    candidates = checkpoints(workspace, version)
    model = engine.catalogue.find(persona.base)
    prompts = new_scenes(
        model, subject(persona, model), SEED, count, [entry.caption for entry in state.of(Decision.kept)]
    )
    total = len(candidates) * len(prompts)
    scores: dict[str, list[float]] = {}
    for name, path in candidates.items():
        before = len(scores) * len(prompts)
        pictures = _draw(engine, model, path, prompts, partial(_tell, on_done, before, total))
        scores[name] = _scores(workspace, state, model, pictures)
    told = verdict(scores) | {"scenes": prompts}
    write_json_atomic(round_folder(workspace, version.round) / "choice.json", {"schema_version": 1, **told})
    if told["winner"] is not None:
        told["exported"] = _export(workspace, version, candidates[told["winner"]], int(told["winner"]))
    return told


def _tell(on_done: OnDone, before: int, total: int, done: int) -> None:
    on_done(before + done, total)


def checkpoints(workspace: Workspace, version: Version) -> dict[str, Path]:
    """The kept LoRAs of a version's round by their step, the last, which was exported, at the end."""
    run = round_folder(workspace, version.round) / "training"
    found = {str(int(path.stem)): path for path in sorted((run / KEPT).glob("*.safetensors")) if path.stem.isdecimal()}
    if not found:
        raise UserError(
            f"{workspace.name} v{version.number} has no earlier checkpoints to choose from: "
            f"`zoetrope turn {workspace.name} --keep-every 100` keeps some in its round, "
            f"`zoetrope train {workspace.name} --anew --keep-every 100` in this one."
        )
    return found | {"last": run / f"{workspace.name}.safetensors"}


def verdict(scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Means with intervals, and the checkpoint that is better than the last beyond doubt, if one is."""
    last = np.asarray(scores["last"])
    rows: list[dict[str, Any]] = []
    for name, values in scores.items():
        # The same scene by both: what is hard about a scene drops out.
        gain = np.asarray(values) - last
        low, high = interval(gain.tolist())
        rows.append(
            {"checkpoint": name, "mean": float(np.mean(values)), "gain": float(gain.mean()), "low": low, "high": high}
        )
    better = [row for row in rows if row["low"] > 0]
    best = max(better, key=lambda row: row["gain"]) if better else None
    return {"checkpoints": rows, "winner": best["checkpoint"] if best else None}


def _draw(
    engine: LocalEngine, model: Model, path: Path, prompts: Sequence[str], on_done: Callable[[int], None]
) -> "list[Image]":
    lora = open_lora(path)
    engine.lend_lora(lora)
    pictures = []
    for number, prompt in enumerate(prompts):
        made = engine.make(order(model, prompt, seed=SEED + number, loras=[(lora, 1.0)]))[0]
        pictures.append(made.image)
        on_done(number + 1)
    return pictures


def _scores(workspace: Workspace, state: State, model: Model, pictures: "Sequence[Image]") -> list[float]:
    alike = alikeness(workspace, model, pictures, references(workspace, state))
    values = [each.likeness for each in alike if each.likeness is not None]
    if not values:
        raise UserError(f"{workspace.name} has no scorer to choose by: see `zoetrope persona new --scorer`.")
    return values


def _export(workspace: Workspace, version: Version, path: Path, steps: int) -> str:
    run = round_folder(workspace, version.round) / "training"
    sheet = json.loads((run / f"{workspace.name}.json").read_text(encoding="utf-8"))
    return str(publish(workspace, path, sheet | {"steps": steps}, version.round)["file"])
