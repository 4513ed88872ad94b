"""A training that is killed with SIGKILL twenty times, at random, ends with the same bytes; nothing is half written.

Run: python benchmarks/kills.py [--kills N] [--seed N] [--json]
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.review import keep
from zoetrope.wheel.workspace import Workspace, new_workspace
from zoetrope.world.captions import caption
from zoetrope.world.drawer import draw
from zoetrope.world.sampling import random_identity, random_scene

STEPS, EVERY = 40, 5
PICTURES = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="other seeds kill at other moments")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        rows = measure(Path(folder), chosen.kills, random.Random(chosen.seed))
    bars = {
        "kills": Bar(sum(row["killed"] for row in rows), chosen.kills, at_least=True),
        "finished": Bar(sum(row["finished"] for row in rows), 1, at_least=True),
        "other_bytes": Bar(sum(row["other_bytes"] for row in rows), 0),
        "half_written": Bar(sum(row["half_written"] for row in rows), 0),
        "doctor_unwell": Bar(sum(row["unwell"] for row in rows), 0),
    }
    return report("killed trainings", rows, bars, chosen.json)


def measure(room: Path, kills: int, rng: random.Random) -> list[dict[str, Any]]:
    """Kill, look, go on; a training that got through is compared, and the next begins from the start."""
    pristine = _pristine(room)
    began = time.perf_counter()
    whole = shutil.copytree(pristine, room / "whole")
    if _train(whole).wait() != 0:
        raise SystemExit("the training fails without being killed")
    seconds = time.perf_counter() - began
    expected = _export(whole).read_bytes()
    rows: list[dict[str, Any]] = []
    folder = room / "killed"
    while sum(row["killed"] for row in rows) < kills or not rows[-1]["finished"]:
        if not folder.exists():
            shutil.copytree(pristine, folder)
        # The whole command counts: loading, encoding, training, exporting.
        wait = rng.uniform(0, seconds) if sum(row["killed"] for row in rows) < kills else None
        finished = _killed_after(_train(folder), wait)
        row = {
            "seconds": round(wait or 0.0, 2),
            "killed": not finished,
            "finished": finished,
            "half_written": len(list(damaged(folder))),
            "unwell": subprocess.run(_command("persona", "doctor", folder), stdout=subprocess.DEVNULL).returncode != 0,
            "other_bytes": finished and _export(folder).read_bytes() != expected,
        }
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
        if finished:
            shutil.rmtree(folder)
    return rows


def _pristine(room: Path) -> Path:
    """A workspace that is ready to be trained."""
    rng = random.Random(5)
    drawings = room / "drawings"
    drawings.mkdir()
    who = random_identity(rng, marks=True)
    for number in range(PICTURES):
        scene = random_scene(rng)
        draw(who, scene).image.save(drawings / f"{number}.png")
        (drawings / f"{number}.txt").write_text(caption(None, scene, "zoe"), encoding="utf-8")
    persona = make_persona(name="zoe", kind="drawn", trigger="zoe", base="nano-flux", consent={"kind": "fictional"})
    workspace: Workspace = new_workspace(room / "pristine", persona)
    add_sources(workspace, [drawings])
    keep(workspace, list(workspace.state().pictures.values()), "person")
    return workspace.folder


def _train(folder: Path) -> "subprocess.Popen[bytes]":
    """In a home of its own, so that encoding is killed too."""
    settings = ("--steps", STEPS, "--checkpoint-every", EVERY, "--batch-size", 4)
    # Several threads may add numbers up in another order on another day; one may not.
    surroundings = os.environ | {"ZOETROPE_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(_command("train", folder, *settings, "--json"), env=surroundings, stdout=subprocess.DEVNULL)


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "zoetrope.cli", *map(str, words)]


def _killed_after(process: "subprocess.Popen[bytes]", seconds: float | None) -> bool:
    """Whether it came to its end before it was killed."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    if code != 0:
        raise SystemExit(f"a training that was taken up again failed with exit code {code}")
    return True


def _export(folder: Path) -> Path:
    return folder / "exports" / "zoe_v1.safetensors"


def damaged(folder: Path) -> Iterator[Path]:
    """Files that are not whole; the temporary ones, which nobody reads, do not count."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith(".") and not _whole(path):
            yield path


def _whole(path: Path) -> bool:
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as stored:
                return all(stored.get_tensor(name) is not None for name in stored.keys())  # noqa: SIM118
        if path.suffix == ".json":
            return json.loads(path.read_text(encoding="utf-8")) is not None
        if path.suffix == ".png":
            Image.open(path).load()
    except Exception:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
