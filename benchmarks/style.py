"""A style learned from twenty pictures by `zoetrope train`, as the oracle sees it: is it there, is the content kept?

The base has never seen the style. Captions say what is drawn, not how. Held-out prompts are drawn by the base and by
the base with the LoRA through `zoetrope compare`; the oracle that knows every style reads both.

Run: python benchmarks/style.py [--style NAME] [--json]
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from zoetrope.world.captions import caption
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.oracle.reading import read_styled
from zoetrope.world.sampling import random_identity, random_jitter, random_scene
from zoetrope.world.truth import values, visible
from zoetrope.world.vocabulary import ATTRIBUTES, STYLE

MODEL = "nano-flux"
PICTURES, PROMPTS = 20, 40
STEPS, RANK = 300, 32
# No caption names a mark; ink has no colours, and so no light and little skin.
UNASKED = {"ink": {"mark", "light", "skin", "hair_colour"}}


@dataclass(frozen=True)
class Case:
    """What a prompt asks for."""

    identity: Identity
    scene: Scene

    @property
    def prompt(self) -> str:
        return caption(self.identity, replace(self.scene, style="flat"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--style", choices=STYLE[1:], action="append", help="only this one; repeat for more")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    bars: dict[str, Bar] = {}
    for style in chosen.style or STYLE[1:]:
        with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as room:
            row = measure(style, Path(room))
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
        bars |= {
            f"{style}_tuned": Bar(row["tuned in style"], 0.8, at_least=True),
            f"{style}_base": Bar(row["base in style"], 0.2),
            f"{style}_content": Bar(row["content tuned"] - row["content drawn"], -0.1, at_least=True),
            f"{style}_run": Bar(row["files of the run missing"], 0),
        }
    return report("style", rows, bars, chosen.json)


def measure(style: str, room: Path) -> dict[str, Any]:
    """Draw, train, compare, read."""
    os.environ["ZOETROPE_HOME"] = str(room / "home")
    data, prompts = _drawings(style, room / "drawings"), room / "prompts.txt"
    cases = _cases(random.Random(f"style/{style}/held out"), style, PROMPTS)
    prompts.write_text("".join(f"{case.prompt}\n" for case in cases), encoding="utf-8")
    sampled = [word for case in cases[:2] for word in ("--sample", case.prompt)]
    told = _zoetrope(
        *("train", "--model", MODEL, "--data", data, "--output", room / style, "--type", "style"),
        *("--steps", STEPS, "--rank", RANK, "--tracker", "wandb", "--sample-every", STEPS // 2, *sampled),
    )
    compared = _zoetrope(
        "compare", MODEL, told["path"], "--prompts", prompts, "--style", data, "--out", room / "compare"
    )
    base, tuned = (_pictures(room / "compare" / name) for name in (MODEL, style))
    drawn = [draw(case.identity, case.scene, jitter=random_jitter(random.Random(case.prompt))).image for case in cases]
    return {
        "style": style,
        "base in style": _in_style(style, base),
        "tuned in style": _in_style(style, tuned),
        "content base": _content(style, cases, base),
        "content tuned": _content(style, cases, tuned),
        "content drawn": _content(style, cases, drawn),
        "style score base": compared["scores"][0]["style"],
        "style score tuned": compared["scores"][1]["style"],
        "files of the run missing": _missing(room / style),
    }


def _cases(rng: random.Random, style: str, count: int) -> list[Case]:
    return [Case(random_identity(rng, held=True), random_scene(rng, styles=(style,))) for _ in range(count)]


def _drawings(style: str, folder: Path) -> Path:
    """Twenty pictures of as many people; their captions leave the style out."""
    folder.mkdir()
    rng = random.Random(f"style/{style}")
    for number, case in enumerate(_cases(rng, style, PICTURES)):
        draw(case.identity, case.scene, jitter=random_jitter(rng)).image.save(folder / f"{number:02}.png")
        (folder / f"{number:02}.txt").write_text(case.prompt, encoding="utf-8")
    return folder


def _zoetrope(*words: object) -> dict[str, Any]:
    """A command's own answer, with the tracker kept offline."""
    command = [sys.executable, "-m", "zoetrope.cli", *map(str, words), "--json"]
    surroundings = os.environ | {"WANDB_MODE": "offline"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=surroundings)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _pictures(folder: Path) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]


def _in_style(style: str, pictures: Sequence[Image.Image]) -> float:
    return sum(reading["style"] == style for reading in read_styled(pictures)) / len(pictures)


def _content(style: str, cases: Sequence[Case], pictures: Sequence[Image.Image]) -> float:
    """The share of what the prompts name, and can be seen, that is there."""
    unasked = UNASKED.get(style, {"mark"})
    asked = [name for name in ATTRIBUTES if name not in unasked]
    verdicts = [
        right
        for case, reading in zip(cases, read_styled(pictures), strict=True)
        for right in _verdicts(case, reading, asked)
    ]
    return sum(verdicts) / len(verdicts)


def _verdicts(case: Case, reading: Mapping[str, str], asked: Sequence[str]) -> list[bool]:
    true, seen = values(case.identity, case.scene), visible(case.identity, case.scene)
    return [reading[name] == true[name] for name in asked if seen[name]]


def _missing(run: Path) -> int:
    """Of what an offline run leaves: the tracker's own files, the curve, and samples in the middle and at the end."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    there = [
        any(run.glob("wandb/offline-run-*/*.wandb")),
        len([line for line in lines if "loss" in json.loads(line)]) >= STEPS // 10,
        len(list((run / "samples").glob("*.png"))) == 4,
    ]
    return there.count(False)


if __name__ == "__main__":
    raise SystemExit(main())
