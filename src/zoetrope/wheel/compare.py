"""Two contenders, the same prompts and seeds: drawn side by side without saying whose is whose, and measured."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.judging.likeness import copy_scores, diversity
from zoetrope.media.decode import open_picture
from zoetrope.media.files import write_atomic, write_json_atomic, write_text_atomic
from zoetrope.media.recipe import save_picture
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.models.loras import LoraFile, open_lora
from zoetrope.wheel.card import lora_file, newest
from zoetrope.wheel.comparepage import Pair, page, sheet
from zoetrope.wheel.workspace import open_workspace

if TYPE_CHECKING:
    from PIL.Image import Image

SEED = 60_000
MOST_PROMPTS = 500

OnDone = Callable[[int, int], None]


@dataclass(frozen=True)
class Contender:
    """A base, or a base with a LoRA; `trigger` stands where a prompt says [trigger], `looks` say the same in words."""

    name: str
    base: str
    lora: LoraFile | None = None
    trigger: str = ""
    looks: str = ""


def contender(said: str) -> Contender:
    """A LoRA's file, a persona (`ada`, `ada@2`), or a model of the catalogue."""
    if said.endswith(".safetensors"):
        return _from_file(Path(said))
    name, _, number = said.partition("@")
    if not number and name in {model.name for model in Catalogue().models()}:
        return Contender(name, name)
    workspace = open_workspace(name)
    state = workspace.state()
    versions = {str(version.number): version for version in state.versions}
    if number and number not in versions:
        raise UserError(f"{name} has no version {number!a}; there are {', '.join(versions) or 'none yet'}.")
    version = versions[number] if number else newest(workspace, state)
    persona = workspace.persona
    lora = open_lora(lora_file(workspace, version))
    return Contender(f"{name} v{version.number}", persona.base, lora, persona.trigger, persona.looks)


def _from_file(path: Path) -> Contender:
    """The sheet beside a LoRA says what it was trained on."""
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    try:
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        base, trigger = str(told["base"]["model"]), str(told.get("trigger", ""))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} has no readable {path.stem}.json beside it that names its base model.") from error
    return Contender(path.stem, base, open_lora(path), trigger)


def read_prompts(path: Path) -> list[str]:
    """One prompt a line; empty lines and those that begin with # are passed over."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text; save it as UTF-8 and try again.") from error
    except OSError as error:
        raise UserError(f"{path} could not be read ({error.strerror}).") from error
    prompts = [line for line in lines if line and not line.startswith("#")]
    if not prompts:
        raise UserError(f"{path} holds no prompts: write one a line.")
    if len(prompts) > MOST_PROMPTS:
        raise UserError(f"{path} holds {len(prompts)} prompts; at most {MOST_PROMPTS} are taken.")
    return prompts


def compare(
    one: Contender,
    other: Contender,
    prompts: Sequence[str],
    out: Path,
    engine: LocalEngine,
    references: "Sequence[Image]" = (),
    on_done: OnDone = lambda done, total: None,
) -> dict[str, Any]:
    """Draw every prompt by both; write the blind sheet and page, the key, and the scores of each.

    A base, which knows no trigger, is told the persona's looks in its place.
    With `references`, pictures of a style, each contender's style score and copy score are told too.
    """
    sides = _sides(prompts)
    bare = one.lora is None or other.lora is None
    looks = (one.looks or other.looks) if bare else ""
    plain = Contender(one.base, one.base)
    drawing = [one, other]
    if references and plain not in drawing:
        # What the style is told from.
        drawing.append(plain)
    total = len(drawing) * len(prompts)
    drawn: list[list[Image]] = []
    for each in drawing:
        before = len(drawn) * len(prompts)
        drawn.append(_draw(each, looks, prompts, out, engine, partial(_tell, on_done, before, total)))
    pairs = [
        Pair(number, prompt.replace("[trigger]", looks or "…"), *((a, b) if side else (b, a)), one_left=side)
        for number, (prompt, a, b, side) in enumerate(zip(prompts, drawn[0], drawn[1], sides, strict=True), start=1)
    ]
    scores = _scores(engine.catalogue.find(one.base), drawing, drawn, references)
    told = {"schema_version": 1, "one": one.name, "other": other.name, "prompts": len(prompts), "scores": scores[:2]}
    write_atomic(out / "sheet.png", sheet(pairs))
    write_text_atomic(out / "compare.html", page(pairs, one.name, other.name))
    write_json_atomic(out / "key.json", {"left": [one.name if side else other.name for side in sides]})
    write_json_atomic(out / "scores.json", told)
    return told | {"sheet": str(out / "sheet.png"), "page": str(out / "compare.html")}


def _tell(on_done: OnDone, before: int, total: int, done: int) -> None:
    on_done(before + done, total)


def read_references(folder: Path) -> "list[Image]":
    """The pictures of a folder, in order of their names."""
    from zoetrope.training.dataset import picture_files

    return [open_picture(path).image for path in picture_files(folder)]


def _sides(prompts: Sequence[str]) -> list[bool]:
    """Whether the first contender is on the left: half of the time, as the prompts alone decide."""
    rng = random.Random("\n".join(prompts))
    sides = [number % 2 == 0 for number in range(len(prompts))]
    rng.shuffle(sides)
    return sides


def _draw(
    each: Contender, looks: str, prompts: Sequence[str], out: Path, engine: LocalEngine, on_done: Callable[[int], None]
) -> "list[Image]":
    model = engine.catalogue.find(each.base)
    if each.lora is not None:
        engine.lend_lora(each.lora)
    loras = [] if each.lora is None else [(each.lora, 1.0)]
    folder = out / each.name.replace(" ", "_")
    images = []
    subject = looks if each.lora is None else each.trigger
    for number, prompt in enumerate(prompts):
        words = _plain(prompt.replace("[trigger]", subject))
        made = engine.make(order(model, words, seed=SEED + number, loras=loras))[0]
        save_picture(made.image, made.recipe, folder / f"{number + 1:03d}.png")
        images.append(made.image)
        on_done(number + 1)
    return images


def _plain(prompt: str) -> str:
    """Without the empty phrase that a missing trigger leaves."""
    return ", ".join(phrase for part in prompt.split(",") if (phrase := " ".join(part.split())))


def _scores(
    model: Model, drawing: Sequence[Contender], drawn: "Sequence[Sequence[Image]]", references: "Sequence[Image]"
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"name": each.name, "diversity": diversity(pictures)} for each, pictures in zip(drawing, drawn, strict=True)
    ]
    if not references:
        return told
    from zoetrope.judging.style import style_scores, style_vectors

    learner = model.family.learner(model.folder, model.plan())
    style = style_vectors(learner, references)
    vectors = [style_vectors(learner, pictures) for pictures in drawn]
    plain = vectors[next(number for number, each in enumerate(drawing) if each.lora is None)]
    for each, pictures, rows in zip(told, drawn, vectors, strict=True):
        scores = style_scores(rows, style, plain)
        each["style"] = sum(scores) / len(scores)
        each["in_style"] = sum(score > 0.5 for score in scores) / len(scores)
        each["copied"] = max(copy_scores(pictures, references))
    learner.release_all()
    return told
