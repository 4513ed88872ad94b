"""`zoetrope generate`: pictures from words, or one again from its recipe."""

import math
import re
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper, progress_bar
from zoetrope.errors import UserError

if TYPE_CHECKING:
    from zoetrope.engines.engine import Made
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.media.recipe import Recipe

_SIZE = re.compile(r"(\d{1,6})[xX×](\d{1,6})")


def generate(
    prompt: Annotated[str | None, typer.Option("--prompt", "-p", help="What to draw.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="A name from `zoetrope models list`.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the pictures.")] = Path(),
    seed: Annotated[int, typer.Option(help="The first picture's seed; the next have the next.")] = 0,
    count: Annotated[int, typer.Option(help="How many pictures.")] = 1,
    steps: Annotated[int | None, typer.Option(help="Denoising steps; the model's own number if not given.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How closely to follow the words (dev, Kontext).")] = None,
    true_guidance: Annotated[
        float | None, typer.Option(help="The same for models without built-in guidance; above 1, twice the time.")
    ] = None,
    negative_prompt: Annotated[str, typer.Option(help="What to steer away from; needs true guidance.")] = "",
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Width and height in pixels.")] = None,
    lora: Annotated[
        list[str] | None, typer.Option(metavar="FILE[:WEIGHT]", help="A LoRA and its weight (1); repeat for more.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A picture to work from, for models that look at one.")] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A made .png or its .json: draw that one again, byte for byte.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw pictures with a local model. Each PNG carries its recipe; the same recipe gives the same bytes.

    Example: zoetrope generate --model nano-flux --prompt "a smiling girl with red hair" --count 3 --out pictures

    Example: zoetrope generate --recipe pictures/nano-flux-0-1.png --out again
    """
    said = (model, prompt, size, steps, guidance, true_guidance, negative_prompt or None, seed or None)
    if recipe is None and (not model or prompt is None):
        raise UserError("Name a model and a prompt: zoetrope generate --model NAME --prompt TEXT.")
    if recipe is not None and (count != 1 or any(each is not None for each in said)):
        raise UserError("A recipe says all of that itself: beside --recipe give only --out, --lora and --image.")
    _check_writable(out)
    loras = [_parse_lora(text) for text in lora or []]
    width, height = _parse_size(size)

    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.engines.local.orders import order
    from zoetrope.models.loras import open_lora

    engine = LocalEngine()
    opened = [(open_lora(path), weight) for path, weight in loras]
    for file, _ in opened:
        engine.lend_lora(file)
    controls = [engine.lend_picture(image)] if image else []
    if recipe is not None:
        result = _redraw(engine, recipe, out, as_json)
    else:
        ordered = order(
            engine.catalogue.find(model or ""),
            prompt or "",
            seed=seed,
            negative_prompt=negative_prompt,
            loras=opened,
            controls=controls,
            steps=steps,
            guidance=guidance,
            true_guidance=true_guidance,
            width=width,
            height=height,
        )
        result = _draw(engine, ordered, count, out, as_json)
    for file, _ in opened:
        engine.shelf.register(file)
    _answer(result, as_json)


def _parse_size(size: str | None) -> tuple[int | None, int | None]:
    if size is None:
        return None, None
    found = _SIZE.fullmatch(size.strip())
    if not found:
        raise UserError(f"The size {size!r} is not of the form WxH, such as 64x64.")
    return int(found[1]), int(found[2])


def _parse_lora(text: str) -> tuple[Path, float]:
    """`FILE:WEIGHT`, where the file's own name may hold colons."""
    path, colon, tail = text.rpartition(":")
    if not colon or Path(text).is_file() or tail.endswith(".safetensors") or "/" in tail or "\\" in tail:
        return Path(text), 1.0
    try:
        weight = float(tail)
    except ValueError:
        raise UserError(f"The LoRA weight {tail!r} in {text!r} is not a number.") from None
    if not math.isfinite(weight):
        raise UserError(f"The LoRA weight {tail!r} in {text!r} is not a finite number.")
    return Path(path), weight


def _check_writable(out: Path) -> None:
    """Found out before minutes of drawing, not after."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UserError(f"Pictures cannot be written to {out}: {error.strerror or error}.") from error


def _draw(engine: "LocalEngine", ordered: "Recipe", count: int, out: Path, as_json: bool) -> dict[str, Any]:
    from zoetrope.engines.batches import split

    batches = split(ordered, count)
    notes = _say_notes(engine, batches[0])
    pictures = []
    with _CtrlC() as ctrl_c, progress_bar("drawing", len(batches) * ordered.steps, as_json=as_json) as move:
        for number, batch in enumerate(batches):
            before = number * ordered.steps
            made = engine.make(
                batch,
                progress=lambda step, before=before: move(before + step.done),  # type: ignore[misc]
                cancel=lambda: ctrl_c.came,
            )
            pictures += [_save(each, out, ctrl_c) for each in made]
    return {"model": ordered.model.model_dump(), "pictures": pictures, "notes": notes}


def _redraw(engine: "LocalEngine", file: Path, out: Path, as_json: bool) -> dict[str, Any]:
    from zoetrope.media.recipe import read_recipe

    recipe = read_recipe(file)
    notes = _say_notes(engine, recipe)
    with _CtrlC() as ctrl_c, progress_bar("drawing", recipe.steps, as_json=as_json) as move:
        made = engine.redraw(recipe, progress=lambda step: move(step.done), cancel=lambda: ctrl_c.came)
        picture = _save(made, out, ctrl_c)
    return {"model": recipe.model.model_dump(), "pictures": [picture], "notes": notes}


def _say_notes(engine: "LocalEngine", recipe: "Recipe") -> list[str]:
    notes = engine.notes(recipe)
    for note in notes:
        console.print(f"Note: {note}", highlight=False, soft_wrap=True, markup=False)
    return notes


def _save(made: "Made", out: Path, ctrl_c: "_CtrlC") -> dict[str, Any]:
    """Write the picture under a free name; one that is there with the same bytes is the same picture."""
    from zoetrope.media.hashing import hash_bytes
    from zoetrope.media.recipe import png_bytes, save_picture

    recipe = made.recipe
    data = png_bytes(made.image, recipe)
    path = _free_name(out, f"{recipe.model.name}-{recipe.seed}-{recipe.batch_index}", data, recipe.to_json().encode())
    with ctrl_c.held():
        save_picture(made.image, recipe, path)
    return {
        "path": str(path),
        "sha256": hash_bytes(data),
        "seed": recipe.seed + recipe.batch_index,
        "recipe": recipe.model_dump(mode="json"),
    }


def _free_name(out: Path, stem: str, picture: bytes, recipe: bytes) -> Path:
    number = 1
    while True:
        path = out / (f"{stem}.png" if number == 1 else f"{stem}-{number}.png")
        if _free_for(path, picture) and _free_for(path.with_suffix(".json"), recipe):
            return path
        number += 1


def _free_for(path: Path, data: bytes) -> bool:
    return not path.exists() or (path.is_file() and path.read_bytes() == data)


class _CtrlC:
    """Ctrl-C, heard at once, but never between a picture and its recipe.

    Python drops an interrupt that comes while something is finalized: so it is noted too, and the engine is told.
    """

    def __init__(self) -> None:
        self.came = False
        self._held = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if not self._held:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is done here is done wholly."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self.came:
            raise KeyboardInterrupt

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from zoetrope.engines.engine import Cancelled

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)
        if isinstance(error, Cancelled):
            raise KeyboardInterrupt from error


def _answer(result: dict[str, Any], as_json: bool) -> None:
    def show() -> None:
        for picture in result["pictures"]:
            paper.print(picture["path"], highlight=False, markup=False)

    emit(result, as_json, show)
