"""Whether turning the wheel makes a persona better: five held-out personas × three seeds, three turns each.

Each persona bears a mark that no caption names. Its twelve sources show every angle and every expression as evenly as
they can, as the wheel's own coverage asks of a person, and are random otherwise. The oracle stands in for the person
at the review gate, and judges what came out; the wheel itself never asks it. A run that was stopped goes on where it
was.

Run: python benchmarks/wheel.py [--work DIR] [--wheels N] [--json]
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.judging.card import ANGLES, EXPRESSIONS, CardScene
from zoetrope.judging.likeness import copy_scores, diversity
from zoetrope.media.files import write_json_atomic
from zoetrope.media.hashing import hash_bytes, hash_file
from zoetrope.models.catalogue import Catalogue
from zoetrope.training.loop import Moment
from zoetrope.training.preflight import Preflight
from zoetrope.wheel.card import SEED
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.review import review_waiting
from zoetrope.wheel.scenes import asked
from zoetrope.wheel.synthesize import COUNT
from zoetrope.wheel.turn import turn
from zoetrope.wheel.workspace import Workspace, new_workspace, round_folder
from zoetrope.world import vocabulary as words
from zoetrope.world.captions import ANYONE, caption, looks
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.oracle.reading import read_images, read_surely
from zoetrope.world.reviewer import OracleReviewer, scene_of, wrong_attributes
from zoetrope.world.sampling import random_identity, random_jitter, random_scene

ROOT = Path(__file__).parents[1]
MODEL = "nano-flux"
TRIGGER = "zoeada"
MARKS = ("star", "odd_eyes", "stripe", "star", "odd_eyes")
"""The personas' marks, one each."""
SEEDS = (1, 2, 3)
ALONE = 99
"""The seed of the wheel that is timed by itself."""
TURNS = 3
PORTRAITS, BODIES = 9, ("standing", "sitting", "tpose")
"""The twelve sources of a wheel."""
SECONDS = 300.0
DRAWS = 2000


@dataclass(frozen=True)
class Wheel:
    """One persona with one seed: its sources, and everything random in its trainings."""

    number: int
    seed: int
    identity: Identity

    @property
    def name(self) -> str:
        return f"persona-{self.number}-seed-{self.seed}"


def wheels() -> Iterator[Wheel]:
    """All of them, each persona once before any comes again."""
    rng = random.Random("wheel benchmark")
    people = [replace(random_identity(rng, held=True), mark=mark) for mark in MARKS]
    for seed in SEEDS:
        for number, identity in enumerate(people, start=1):
            yield Wheel(number, seed, identity)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / ".zoetrope" / "wheel", help="where workspaces are kept")
    parser.add_argument("--wheels", type=int, default=len(MARKS) * len(SEEDS), help="only the first so many")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    work = chosen.work / _code()
    turned = list(wheels())[: chosen.wheels]
    # Two trainings with a thread each get further than one with two, and far further than two with two.
    measured = _in_processes(os.cpu_count() or 1, 1, turned, work)
    # How long a turn takes, a person sees who has the machine for it alone.
    alone = _in_processes(1, os.cpu_count() or 1, [replace(turned[0], seed=ALONE)], work)
    return report("the wheel", table(measured), bars(measured, alone[0]["seconds"]), chosen.json)


def _in_processes(count: int, threads: int, turned: Sequence[Wheel], work: Path) -> list[dict[str, Any]]:
    os.environ |= {"ZOETROPE_HOME": str(work), "OMP_NUM_THREADS": str(threads)}
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(measure, turned, [work] * len(turned)))


def _code() -> str:
    """A name for everything that a result depends on: what was measured with other code counts no more."""
    package = ROOT / "src" / "zoetrope"
    rooms = [package / room for room in ("engines/local", "judging", "media", "models", "training", "wheel", "world")]
    files = sorted(path for room in rooms for path in room.rglob("*") if path.suffix in (".py", ".safetensors"))
    files += sorted((package / "engines").glob("*.py"))
    return hash_bytes("".join(hash_file(path) for path in [*files, Path(__file__)]).encode())[:12]


def measure(wheel: Wheel, work: Path) -> dict[str, Any]:
    """One wheel's result, turned now or found from an earlier run."""
    known = work / "results" / f"{wheel.name}.json"
    if known.is_file():
        found: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))
        return found
    workspace = _workspace(wheel, work)
    engine = LocalEngine()
    seconds = _turns(wheel, workspace, engine)
    told = {"name": wheel.name, "identity": vars(wheel.identity), "seconds": seconds}
    told |= {"base": _judged(wheel, _base(wheel, engine))}
    for number in range(1, TURNS + 1):
        told[f"v{number}"] = _judged(wheel, _card(workspace, number)) | _nearness(wheel, workspace, number)
    write_json_atomic(known, told)
    print(f"{wheel.name}: {_short(told)}", file=sys.stderr, flush=True)
    return told


def _workspace(wheel: Wheel, work: Path) -> Workspace:
    """The persona with its twelve sources, already reviewed."""
    folder = work / "personas" / wheel.name
    if (folder / "ready").is_file():
        return Workspace(folder)
    persona = make_persona(
        name=wheel.name,
        kind="drawn",
        trigger=TRIGGER,
        base=MODEL,
        consent={"kind": "fictional"},
        looks=", ".join([ANYONE, *looks(wheel.identity, Scene())]),
    )
    workspace = Workspace(folder) if (folder / "persona.toml").is_file() else new_workspace(folder, persona)
    add_sources(workspace, [_sources(wheel, work / "sources" / wheel.name)])
    review_waiting(workspace, OracleReviewer(wheel.identity, read_surely))
    (folder / "ready").touch()
    return workspace


def _sources(wheel: Wheel, folder: Path) -> Path:
    """Twelve drawings with captions that say the scene and leave out who it is."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"sources/{wheel.name}")
    for index, scene in enumerate(_scenes(rng)):
        draw(wheel.identity, scene, jitter=random_jitter(rng)).image.save(folder / f"{index:02}.png")
        (folder / f"{index:02}.txt").write_text(caption(None, scene, TRIGGER), encoding="utf-8")
    return folder


def _scenes(rng: random.Random) -> Iterator[Scene]:
    for yaw, expression in zip(_each(ANGLES, rng), _each(EXPRESSIONS, rng), strict=True):
        yield replace(random_scene(rng, framing="portrait"), yaw=yaw, expression=expression)
    for framing in BODIES:
        scene = random_scene(rng, framing=framing)
        while scene.yaw == "back":
            scene = random_scene(rng, framing=framing)
        yield scene


def _each(words: Sequence[str], rng: random.Random) -> list[str]:
    """As many words as there are portraits, each as often as any other or once more, in any order."""
    left = rng.sample(words, PORTRAITS % len(words))
    return rng.sample([*list(words) * (PORTRAITS // len(words)), *left], PORTRAITS)


class _Quiet:
    def preflight(self, said: Preflight) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def moment(self, moment: Moment) -> None: ...


def _turns(wheel: Wheel, workspace: Workspace, engine: LocalEngine) -> list[float]:
    """Turn three times; the seconds of each turn that was not interrupted."""
    reviewer = OracleReviewer(wheel.identity, read_surely)
    seconds = []
    while len(workspace.state().synthesized) < TURNS:
        before = workspace.state()
        began = time.perf_counter()
        # Nobody learns from what the last turn draws; only where a turn is timed is it drawn.
        count = 1 if len(before.synthesized) == TURNS - 1 and wheel.seed != ALONE else COUNT
        # An alarm is part of the measurement: the card says what came of going on.
        turn(workspace, engine, _Quiet(), {"seed": wheel.seed}, count, anyway=True)
        review_waiting(workspace, reviewer)
        if len(workspace.state().synthesized) > len(before.synthesized):
            seconds.append(time.perf_counter() - began)
    return seconds


def _base(wheel: Wheel, engine: LocalEngine) -> list[tuple[Scene, Image.Image]]:
    """The card by the base model, told in words who it is."""
    model = engine.catalogue.find(MODEL)
    scenes = [scene_of(scene.prompt) for scene in _asked()]
    return [
        (scene, engine.make(order(model, caption(wheel.identity, scene), seed=SEED + number))[0].image)
        for number, scene in enumerate(scenes)
    ]


def _asked() -> list[CardScene]:
    return asked(Catalogue().find(MODEL), TRIGGER)


def _card(workspace: Workspace, number: int) -> list[tuple[Scene, Image.Image]]:
    """The card as the wheel drew it."""
    folder = round_folder(workspace, number) / "card"
    return [(scene_of(asked.prompt), Image.open(folder / f"{asked.name}.png").convert("RGB")) for asked in _asked()]


def _judged(wheel: Wheel, pictures: Sequence[tuple[Scene, Image.Image]]) -> dict[str, Any]:
    """Which pictures are right, by the oracle, and how varied they are."""
    images = [image for _, image in pictures]
    wrong = [
        wrong_attributes(wheel.identity, scene, reading)
        for (scene, _), reading in zip(pictures, read_images(images), strict=True)
    ]
    identity = [not found & words.IDENTITY_ATTRIBUTES.keys() for found in wrong]
    scene = [not found & words.SCENE_ATTRIBUTES.keys() for found in wrong]
    return {
        "identity": identity,
        "scene": scene,
        "both": [one and other for one, other in zip(identity, scene, strict=True)],
        "wrong": [sorted(found) for found in wrong],
        "diversity": diversity(images),
    }


def _nearness(wheel: Wheel, workspace: Workspace, number: int) -> dict[str, float]:
    """How near the card is to what was learned from, and how near fresh drawings of the same scenes are."""
    told = json.loads((round_folder(workspace, number) / "manifest.json").read_text(encoding="utf-8"))
    state = workspace.state()
    learned = [Image.open(workspace.path(state.pictures[each["sha256"]])).convert("RGB") for each in told["pictures"]]
    drawn = _card(workspace, number)
    rng = random.Random(f"fresh/{wheel.name}")
    fresh = [draw(wheel.identity, scene, jitter=random_jitter(rng)).image for scene, _ in drawn]
    return {
        "copied": float(np.mean(copy_scores([image for _, image in drawn], learned))),
        "copied_fresh": float(np.mean(copy_scores(fresh, learned))),
        "diversity_fresh": diversity(fresh),
    }


def table(measured: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Shares with 95 % intervals, by stage."""
    rows = []
    for stage in ["base", *(f"v{number}" for number in range(1, TURNS + 1))]:
        row: dict[str, Any] = {"stage": stage}
        for what in ("identity", "scene", "both"):
            low, high = interval([wheel[stage][what] for wheel in measured])
            row[what] = f"{share(measured, stage, what):.3f} [{low:.3f}, {high:.3f}]"
        row["diversity"] = _mean(measured, stage, "diversity")
        row["copied"] = _mean(measured, stage, "copied") if stage != "base" else ""
        row["copied, fresh drawings"] = _mean(measured, stage, "copied_fresh") if stage != "base" else ""
        rows.append(row)
    return rows


def bars(measured: Sequence[Mapping[str, Any]], alone: Sequence[float]) -> dict[str, Bar]:
    """What the wheel is held to."""
    last = f"v{TURNS}"
    return {
        "v1_both": Bar(share(measured, "v1", "both"), 0.60, at_least=True),
        "v3_identity": Bar(share(measured, last, "identity"), 0.95, at_least=True),
        "v3_scene_over_base": Bar(
            share(measured, last, "scene") - share(measured, "base", "scene"), -0.03, at_least=True
        ),
        "v3_both": Bar(share(measured, last, "both"), 0.85, at_least=True),
        "v3_copied_over_fresh": Bar(_mean(measured, last, "copied") - _mean(measured, last, "copied_fresh"), 0.05),
        "slowest_turn_seconds": Bar(max(alone), SECONDS),
    }


def share(measured: Sequence[Mapping[str, Any]], stage: str, what: str) -> float:
    """Of all the card pictures of a stage, those that are right at the first try."""
    return float(np.mean([wheel[stage][what] for wheel in measured]))


def interval(verdicts: Sequence[Sequence[bool]]) -> tuple[float, float]:
    """Whole wheels are drawn anew, as the pictures of one are no independent tries."""
    shares = np.array([np.mean(each) for each in verdicts])
    chosen = np.random.default_rng(1).integers(0, len(shares), (DRAWS, len(shares)))
    low, high = np.quantile(shares[chosen].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _mean(measured: Sequence[Mapping[str, Any]], stage: str, what: str) -> float:
    return float(np.mean([wheel[stage][what] for wheel in measured]))


def _short(told: Mapping[str, Any]) -> str:
    stages = ["base", *(f"v{number}" for number in range(1, TURNS + 1))]
    shares = {
        stage: "/".join(f"{np.mean(told[stage][what]):.2f}" for what in ("identity", "scene", "both"))
        for stage in stages
    }
    said = ", ".join(f"{stage} {text}" for stage, text in shares.items())
    return f"{said} (identity/scene/both), turns of {', '.join(f'{second:.0f} s' for second in told['seconds'])}"


if __name__ == "__main__":
    raise SystemExit(main())
