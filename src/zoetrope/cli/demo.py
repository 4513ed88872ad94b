"""`zoetrope demo`: the main job from end to end, as far as it goes, with nothing downloaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoetrope.cli.output import JsonFlag, emit, paper, progress_bar

if TYPE_CHECKING:
    from PIL import Image

    from zoetrope.engines.engine import Made
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.world.figure import Scene

MODEL = "nano-flux"
SEED = 7


def demo(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The folder for the pictures; `demo` in the data folder if not given."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw Ada, a made-up persona, in the 23 scenes of a model card, on one sheet.

    Example: zoetrope demo --out pictures
    """
    import io

    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.home import home
    from zoetrope.media.files import write_atomic
    from zoetrope.media.recipe import save_picture
    from zoetrope.world.sampling import CARD_SCENES

    folder = out or home() / "demo"
    engine = LocalEngine()
    made: list[tuple[Scene, Made]] = []
    with progress_bar("drawing Ada", len(CARD_SCENES), as_json=as_json) as move:
        for index, scene in enumerate(CARD_SCENES):
            made.append((scene, _draw(engine, scene, SEED + index)))
            save_picture(made[-1][1].image, made[-1][1].recipe, folder / f"{_slug(scene)}.png")
            move(index + 1)
    buffer = io.BytesIO()
    _sheet(made).save(buffer, "PNG")
    sheet = folder / "ada-sheet.png"
    write_atomic(sheet, buffer.getvalue())
    emit(
        {"sheet": str(sheet), "pictures": [f"{_slug(scene)}.png" for scene, _ in made]},
        as_json,
        lambda: paper.print(f"Ada in {len(made)} scenes, each with its recipe: {folder}\nThe sheet: {sheet}"),
    )


def _draw(engine: "LocalEngine", scene: "Scene", seed: int) -> "Made":
    from zoetrope.engines.local.orders import order
    from zoetrope.world.captions import caption
    from zoetrope.world.figure import Identity

    ada = Identity(skin="pale", hair_colour="red", hair_style="long", clothes="green hoodie")
    return engine.make(order(engine.catalogue.find(MODEL), caption(ada, scene), seed=seed))[0]


def _slug(scene: "Scene") -> str:
    return f"{scene.yaw}-{scene.expression}" if scene.framing == "portrait" else scene.framing


def _sheet(made: "list[tuple[Scene, Made]]") -> "Image.Image":
    """Expressions down, angles across, the whole figures last."""
    from zoetrope.media.sheet import Tile, contact_sheet
    from zoetrope.world.vocabulary import EXPRESSION

    tiles = {_slug(scene): Tile(one.image, _slug(scene).replace("_", " ").replace("-", ", ")) for scene, one in made}
    across = ("profile_left", "three_quarter_left", "front", "three_quarter_right", "profile_right")
    rows = [[tiles[f"{yaw}-{expression}"] for yaw in across] for expression in EXPRESSION]
    return contact_sheet("Ada, drawn by nano-flux", [*rows, [tiles[name] for name in ("tpose", "standing", "sitting")]])
