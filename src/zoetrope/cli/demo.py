"""`zoetrope demo`: the main job from end to end, with nothing downloaded: Ada's wheel turns once."""

import random
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zoetrope.wheel.review import Reviewer
    from zoetrope.wheel.workspace import Workspace
    from zoetrope.world.figure import Identity
    from zoetrope.world.reviewer import OracleReviewer

NAME = "ada"
TRIGGER = "zoeada"
MODEL = "nano-flux"
SOURCES = (
    ("portrait", "neutral", "front", "studio", "soft"),
    ("portrait", "smiling", "front", "park", "warm"),
    ("portrait", "sad", "front", "night", "cool"),
    ("portrait", "angry", "three_quarter_left", "room", "soft"),
    ("portrait", "smiling", "three_quarter_left", "beach", "warm"),
    ("portrait", "neutral", "three_quarter_right", "park", "cool"),
    ("portrait", "angry", "three_quarter_right", "studio", "warm"),
    ("portrait", "sad", "profile_left", "room", "cool"),
    ("portrait", "smiling", "profile_right", "beach", "soft"),
    ("standing", "neutral", "front", "park", "soft"),
    ("sitting", "smiling", "front", "room", "warm"),
    ("tpose", "neutral", "front", "studio", "soft"),
)
"""Her twelve sources, as somebody would choose them who knows the card: every angle, every expression, every pose."""
STAND_IN = (
    "Ada is made up, in a world whose truth is known: a program draws her twelve sources, and the oracle, "
    "which reads that truth off a picture, stands in for you at the review."
)


def demo(
    steps: Annotated[int | None, typer.Option(help="Training steps; as the base's makers advise if not given.")] = None,
    count: Annotated[int, typer.Option(help="How many new scenes to draw for the next turn.")] = 24,
    studio: Annotated[bool, typer.Option(help="Open the studio and turn her wheel there; it stays open.")] = True,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the studio listens.")] = 8420,
    browser: Annotated[bool, typer.Option(help="Open the browser, where there is a display.")] = True,
    as_json: JsonFlag = False,
) -> None:
    """Turn the wheel of Ada, a made-up persona, once: sources, review, training, model card, new scenes.

    The studio opens and shows it all; in it you review what she goes on with. Without the studio, as with --json, the
    oracle reviews that too, and each further run is her next turn.

    Example: zoetrope demo

    Example: zoetrope demo --no-studio
    """
    if studio and not as_json:
        _in_the_studio(steps, count, port, browser)
    else:
        _in_the_terminal(steps, count, as_json)


def _in_the_studio(steps: int | None, count: int, port: int, browser: bool) -> None:
    from zoetrope.cli.demo_studio import Showing
    from zoetrope.cli.studio import require

    require(" Without it, `zoetrope demo --no-studio` turns her wheel in the terminal.")
    console.print(f"{STAND_IN} It also votes in runs of a pipeline, and approves her first post.", highlight=False)
    Showing(_reviewed_workspace, steps, count, _show_ended, _best).open("127.0.0.1", port, browser)


def _reviewed_workspace() -> "Workspace":
    return _workspace(_oracle())


def _oracle() -> "OracleReviewer":
    """Who stands in for a person."""
    from zoetrope.world.oracle.reading import read_surely
    from zoetrope.world.reviewer import OracleReviewer

    return OracleReviewer(_ada(), read_surely)


def _best(pictures: "Sequence[Path]", prompt: str) -> int:
    """Which of them has the least wrong with it."""
    from zoetrope.media.decode import open_picture
    from zoetrope.world.oracle.reading import read_images
    from zoetrope.world.reviewer import scene_of, wrong_attributes

    scene = scene_of(f"portrait of {TRIGGER}, {prompt}")
    readings = read_images([open_picture(path).image for path in pictures])
    wrong = [len(wrong_attributes(_ada(), scene, reading)) for reading in readings]
    return wrong.index(min(wrong))


def _show_ended(workspace: "Workspace", pages: str) -> None:
    """The first turn's table, and where to go on."""
    from zoetrope.wheel.measure import card_folder

    number = max(workspace.state().cards)
    _show_scores(_scores(workspace, number))
    sheet = card_folder(workspace, number) / "card.png"
    paper.print(f"Before and after, side by side: {pages}/card/ (and {sheet})", highlight=False)
    paper.print(f"What she drew waits for you: {pages}/review/", highlight=False)


def _in_the_terminal(steps: int | None, count: int, as_json: bool) -> None:
    from zoetrope.cli.train import TrainingBar
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.wheel.measure import card_folder
    from zoetrope.wheel.review import review_waiting
    from zoetrope.wheel.turn import turn

    if not as_json:
        console.print(STAND_IN, highlight=False)
    reviewer = _oracle()
    workspace = _workspace(reviewer)
    with TrainingBar(as_json) as bar:
        stage = bar.stage
        turned = turn(
            workspace,
            LocalEngine(),
            bar,
            {"steps": steps},
            count,
            lambda name: lambda done, total: stage(name, done, total),
            anyway=True,
        )
    reviewed = review_waiting(workspace, reviewer)
    told = {
        "persona": str(workspace.folder),
        "round": turned.round,
        "done": turned.done,
        "alarm": turned.alarm,
        "reviewed": reviewed,
        "scores": _scores(workspace, turned.round),
        "sheet": str(card_folder(workspace, turned.round) / "card.png"),
        "page": str(card_folder(workspace, turned.round) / "card.html"),
    }
    emit(told, as_json, lambda: _show(told))


def _ada() -> "Identity":
    """Her star is in no caption: only a LoRA can know of it."""
    from zoetrope.world.figure import Identity

    return Identity(skin="pale", hair_colour="red", hair_style="long", clothes="green hoodie", mark="star")


def _workspace(reviewer: "Reviewer") -> "Workspace":
    """Her workspace as an earlier run left it, or a new one with her sources reviewed."""
    import tempfile

    from zoetrope.wheel.intake import add_sources
    from zoetrope.wheel.persona import make_persona
    from zoetrope.wheel.review import review_waiting
    from zoetrope.wheel.workspace import PERSONA, new_workspace, open_workspace, personas_folder
    from zoetrope.world.captions import ANYONE, looks
    from zoetrope.world.figure import Scene

    folder = personas_folder() / NAME
    if (folder / PERSONA).is_file():
        workspace = open_workspace(str(folder))
    else:
        said = ", ".join([ANYONE, *looks(_ada(), Scene())])
        about = {"name": NAME, "kind": "drawn", "trigger": TRIGGER, "base": MODEL, "looks": said}
        workspace = new_workspace(folder, make_persona(**about, consent={"kind": "fictional"}))
    if not workspace.state().pictures:
        with tempfile.TemporaryDirectory() as drawings:
            add_sources(workspace, [_sources(Path(drawings))])
    # An earlier run may have been stopped before its review.
    review_waiting(workspace, reviewer)
    return workspace


def _sources(folder: Path) -> Path:
    """Twelve drawings; their captions say the scene and leave out who it is."""
    from zoetrope.world.captions import caption
    from zoetrope.world.drawer import draw
    from zoetrope.world.figure import Scene
    from zoetrope.world.sampling import random_jitter

    rng = random.Random(NAME)
    for number, (framing, expression, yaw, background, light) in enumerate(SOURCES, start=1):
        scene = Scene(expression, yaw, framing, background, light)
        draw(_ada(), scene, jitter=random_jitter(rng)).image.save(folder / f"{framing}-{number}.png")
        (folder / f"{framing}-{number}.txt").write_text(caption(None, scene, TRIGGER), encoding="utf-8")
    return folder


def _scores(workspace: "Workspace", number: int) -> dict[str, dict[str, float]]:
    """How many of the card's pictures are right at the first try, by the oracle, before and now."""
    from zoetrope.wheel.card import card_rounds
    from zoetrope.wheel.measure import card_folder

    return {name: _right(card_folder(workspace, each)) for name, each in card_rounds(workspace, number).items()}


def _right(folder: Path) -> dict[str, float]:
    from zoetrope.media.decode import open_picture
    from zoetrope.media.recipe import read_recipe
    from zoetrope.world import vocabulary as words
    from zoetrope.world.oracle.reading import read_images
    from zoetrope.world.reviewer import scene_of, wrong_attributes

    paths = [path for path in sorted(folder.glob("*.png")) if path.stem != "card"]
    readings = read_images([open_picture(path).image for path in paths])
    wrong = [
        wrong_attributes(_ada(), scene_of(read_recipe(path).prompt), reading)
        for path, reading in zip(paths, readings, strict=True)
    ]
    return {
        "identity": sum(not found & words.IDENTITY_ATTRIBUTES.keys() for found in wrong) / len(wrong),
        "scene": sum(not found & words.SCENE_ATTRIBUTES.keys() for found in wrong) / len(wrong),
        "both": sum(not found for found in wrong) / len(wrong),
    }


def _show_scores(scores: "Mapping[str, Mapping[str, float]]") -> None:
    from rich.table import Table

    table = Table("right at the first try, by the oracle", *scores)
    for what in ("identity", "scene", "both"):
        table.add_row(what, *(f"{each[what]:.0%}" for each in scores.values()))
    paper.print(table)


def _show(told: "Mapping[str, Any]") -> None:
    for line in told["done"]:
        paper.print(f"Round {told['round']}: {line}.", highlight=False, markup=False)
    reviewed = told["reviewed"]
    paper.print(f"The oracle, in your place, kept {reviewed['kept']} of them and refused {reviewed['rejected']}.")
    _show_scores(told["scores"])
    if told["alarm"]:
        paper.print(f"Alarm: {told['alarm']}.", highlight=False, markup=False)
    paper.print(f"Before and after, side by side: {told['sheet']}\nThe page: {told['page']}", highlight=False)
    closer = f"zoetrope persona status {shlex.quote(told['persona'])}"
    paper.print(f"Run it again for her next turn, or look closer: {closer}", highlight=False, markup=False)
