"""Thirty drawings and three turns in the studio, while worker, engine and site are killed at fifty random moments.

Everything completes, nothing is lost or doubled, and each picture has the bytes that it has where nobody kills. Then
how soon a cancelled job frees the device.

Run: python benchmarks/crashes.py [--kills N] [--seed N] [--json]
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report

SETTINGS = "zoetrope.studio.settings"
DRAWINGS, TURNS = 30, 3
STEPS, COUNT = 20, 2
# So many make a drawing last as long as one of a larger model: kills come in the middle of it too.
DRAWN_STEPS = 250
# A worker needs some seconds to start: kills come before it is up, while it begins, and in the middle of the work.
SHORTEST, LONGEST = 0.5, 15.0
LONGEST_WAIT = 1800.0
FREED_WITHIN = 5.0
VICTIMS = ("worker", "engine", "site", "all")
MARKS = {"worker": "zoetrope.studio.jobs.worker", "engine": "zoetrope.engines.local.serve"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="other seeds kill at other moments")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        os.environ |= {
            "ZOETROPE_HOME": str(Path(folder) / "home"),
            "DJANGO_SETTINGS_MODULE": "zoetrope.studio.settings",
        }
        os.environ.pop("DATABASE_URL", None)
        rows, bars = measure(Path(folder), chosen.kills, random.Random(chosen.seed))
    return report("a studio that is killed", rows, bars, chosen.json)


def measure(room: Path, kills: int, rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, Bar]]:
    """Fill the queue, kill, look what became of it."""
    from zoetrope.studio import start

    start.prepare()
    # It knows the studio's models, so Django must know its apps first.
    from tests.studio.jobs.stage import until
    from tests.studio.start_stage import Studio

    space, keys = _queue(room)
    studio = Studio(Path(os.environ["ZOETROPE_HOME"]), room)
    studio.start(ready=False, DJANGO_SETTINGS_MODULE=SETTINGS)
    try:
        rows = list(killed(studio, kills, rng, _counts))
        until(lambda: _ended(keys), LONGEST_WAIT)
        bars = {"kills": Bar(float(len(rows)), kills, at_least=True), **_found(space, keys)}
        bars["slowest_freed_seconds"] = Bar(max(_freed(space)), FREED_WITHIN)
    finally:
        studio.kill()
    return by_victim(rows), bars


def _queue(room: Path) -> tuple[Any, list[str]]:
    """Three personas with a turn each, thirty pictures between them."""
    from zoetrope.engines.local.orders import order
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.studio.making import orders
    from zoetrope.studio.spaces.models import User
    from zoetrope.studio.spaces.people import open_space
    from zoetrope.studio.workshop import turns

    user = User.objects.create_user("olga", password=None)
    space = open_space("Studio", user)
    keys = []
    for number in range(TURNS):
        for index in range(DRAWINGS // TURNS):
            recipe = order(
                Catalogue().find("nano-flux"), "a smiling girl", seed=100 * number + index, steps=DRAWN_STEPS
            )
            keys.append(orders.place(space, recipe, 1, user).key)
        keys.append(turns.start(_persona(room, space, number), steps=STEPS, count=COUNT).key)
    return space, keys


def _persona(room: Path, space: Any, number: int) -> Any:
    from zoetrope.studio.personas.workspaces import begin, told_persona, workspace_of
    from zoetrope.wheel.intake import add_sources
    from zoetrope.wheel.review import keep
    from zoetrope.world.captions import caption
    from zoetrope.world.drawer import draw
    from zoetrope.world.sampling import random_identity, random_scene

    rng, folder = random.Random(number), room / f"drawings-{number}"
    folder.mkdir()
    who = random_identity(rng, marks=True)
    for index in range(4):
        scene = random_scene(rng)
        draw(who, scene).image.save(folder / f"{index}.png")
        (folder / f"{index}.txt").write_text(caption(None, scene, "zoe"), encoding="utf-8")
    persona = begin(space, told_persona(f"zoe-{number}", "drawn", "zoe", "nano-flux", "fictional"), f"Zoe {number}")
    workspace = workspace_of(persona)
    add_sources(workspace, [folder])
    keep(workspace, list(workspace.state().pictures.values()), "olga")
    return persona


def killed(
    studio: Any, kills: int, rng: random.Random, counts: Callable[[], dict[str, int]], longest: float = LONGEST
) -> Iterator[dict[str, Any]]:
    """Kill one that lives, or all; a site that is gone is started again, as a person would."""
    for number in range(kills):
        wait = rng.uniform(SHORTEST, longest)
        time.sleep(wait)
        victim = rng.choice([each for each in VICTIMS if each not in MARKS or studio.running(MARKS[each])])
        row = {"kill": number + 1, "victim": victim, "after": round(wait, 2), "hit": _kill(studio, victim)}
        if studio.process.poll() is not None:
            studio.start(ready=False, DJANGO_SETTINGS_MODULE=SETTINGS)
        row |= counts()
        print(row, file=sys.stderr, flush=True)
        yield row


def _kill(studio: Any, victim: str) -> int:
    """SIGKILL to whoever of these lives; how many did."""
    if victim in ("site", "all"):
        found = studio.tree() if victim == "all" else studio.tree()[:1]
    else:
        found = studio.running(MARKS[victim])
    hit = 0
    for each in found:
        try:
            each.send_signal(signal.SIGKILL)
            hit += 1
        except psutil.NoSuchProcess:
            continue
    if victim in ("site", "all"):
        studio.process.wait()
    return hit


def _counts() -> dict[str, int]:
    from zoetrope.studio.jobs.models import Job

    states = list(Job.objects.filter(kind__in=("draw", "turn")).values_list("state", flat=True))
    return {state: states.count(state) for state in ("waiting", "running", "lost", "done", "failed")}


def _ended(keys: Sequence[str]) -> bool:
    from zoetrope.studio.jobs import seam as jobs

    return not jobs.Job.objects.filter(key__in=keys).exclude(state__in=jobs.ENDED).exists()


def _found(space: Any, keys: Sequence[str]) -> dict[str, Bar]:
    """What became of the queue, held against what it must be."""
    from tests.studio.jobs.stage import until
    from zoetrope.studio.jobs import seam as jobs
    from zoetrope.studio.loras.models import Lora
    from zoetrope.studio.making.models import Made, Order

    until(lambda: Lora.objects.count() >= TURNS, 60)
    complete = [
        *(order.made.count() == order.count for order in Order.objects.all()),
        *(_turned(persona) for persona in space.personas.all()),
    ]
    made = list(Made.objects.all())
    return {
        "jobs_done": Bar(
            jobs.Job.objects.filter(key__in=keys, state=jobs.State.DONE).count(), len(keys), at_least=True
        ),
        "complete": Bar(sum(complete), DRAWINGS + TURNS, at_least=True),
        "doubled": Bar(len(made) - DRAWINGS + Lora.objects.count() - TURNS, 0),
        "other_bytes": Bar(sum(not as_expected(each) for each in made), 0),
    }


def _turned(persona: Any) -> bool:
    """One version, one card, one set of new scenes, and a workspace that its doctor finds well."""
    from zoetrope.studio.personas.workspaces import workspace_of
    from zoetrope.wheel.doctor import examine

    workspace = workspace_of(persona)
    state = workspace.state()
    well = not [finding for finding in examine(workspace) if not finding.harmless]
    return well and (len(state.versions), len(state.cards), len(state.synthesized)) == (1, 1, 1)


def as_expected(made: Any) -> bool:
    """Whether the file is what its row says, and what the recipe gives by itself."""
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.media.hashing import hash_bytes, hash_file
    from zoetrope.media.recipe import png_bytes
    from zoetrope.studio.making.store import path_of

    global _bare
    _bare = _bare or LocalEngine()
    again = _bare.redraw(made.said_recipe)
    return bool(hash_file(path_of(made.sha256)) == made.sha256 == hash_bytes(png_bytes(again.image, again.recipe)))


_bare: Any = None


def _freed(space: Any) -> Iterator[float]:
    """Seconds from cancelling a drawing, and a training, until the next job has the device."""
    from tests.studio.jobs.stage import state, until
    from zoetrope.engines.local.orders import order
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.studio.jobs import seam as jobs
    from zoetrope.studio.making import orders
    from zoetrope.studio.workshop import turns

    model = Catalogue().find("nano-flux")
    long = order(model, "a long drawing", steps=1000)
    begins: list[Callable[[], Any]] = [
        lambda: orders.job_of(orders.place(space, long, 1, None)),
        lambda: turns.start(_reviewed(space.personas.first()), anyway=True, steps=5000, count=COUNT),
    ]
    for begin in begins:
        job = begin()
        until(lambda job=job: _at_work(job), 120)  # type: ignore[misc]
        after = orders.job_of(orders.place(space, order(model, "the next", steps=1), 1, None))
        began = time.monotonic()
        jobs.cancel(job)
        until(lambda after=after: state(after) != "waiting", 120)  # type: ignore[misc]
        yield time.monotonic() - began
        until(lambda after=after: state(after) == "done", 120)  # type: ignore[misc]


def _reviewed(persona: Any) -> Any:
    """What its turn drew is kept, or the wheel would wait for a person."""
    from zoetrope.studio.personas.workspaces import workspace_of
    from zoetrope.wheel.review import keep
    from zoetrope.wheel.state import Decision

    workspace = workspace_of(persona)
    if waiting := workspace.state().of(Decision.waiting):
        keep(workspace, waiting, "olga")
    return persona


def _at_work(job: Any) -> bool:
    job.refresh_from_db()
    return job.stage in ("drawing", "training") and job.done > 0


def by_victim(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By victim, for the table."""
    return [
        {
            "victim": victim,
            "kills": sum(row["victim"] == victim for row in rows),
            "processes killed": sum(row["hit"] for row in rows if row["victim"] == victim),
        }
        for victim in VICTIMS
    ]


if __name__ == "__main__":
    raise SystemExit(main())
