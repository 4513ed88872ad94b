"""How fast runs, votes and the library answer with 100,000 candidates, a million votes and 10,000 kept pictures.

A run has drafts, 8, 16 or 32 of them, and four finished pictures that grew from two of the drafts; for each candidate
there are ten votes. On SQLite, and on PostgreSQL where it is installed, each in a process of its own.

Run: python benchmarks/pipelines.py [--candidates N] [--votes N] [--json]
"""

import argparse
import asyncio
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The site answers from several threads: those of numpy would stand in each other's way.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from benchmarks.studio import p95, served, walk, weight

if TYPE_CHECKING:
    from zoetrope.studio.pipelines.models import Candidate, Run, Step
    from zoetrope.studio.spaces.models import Space, User

CANDIDATES, KEPT, EACH = 100_000, 10_000, 10
DRAFTS, PASSED, FINISHED = (8, 16, 32), 2, 2
SIDE = 64
PAGE_MS, VOTE_MS, CHOICE_MS, PAGE_KB, SCREEN_MS = 50, 25, 20, 150, 100
ROUNDS, KEYS, LOOK_SECONDS = 20, 24, 0.8
_BATCH = 5_000

# From the key to the frame after the one in which all of the next screen's pictures are painted, decoded.
WATCH = """
window.seen = [];
document.addEventListener("keydown", (event) => {
  const first = () => document.querySelector("[data-screen] li"), old = first();
  setTimeout(async function look() {
    if (!first() || first() === old) return setTimeout(look, 1);
    const shown = [...document.querySelectorAll("[data-screen] img")];
    await Promise.all(shown.map((image) => image.decode().catch(() => {})));
    requestAnimationFrame(() => requestAnimationFrame((now) => window.seen.push(performance.now() - event.timeStamp)));
  });
}, true);
"""


@dataclass(frozen=True)
class There:
    """What was made: who looks, where, and runs with drafts to vote on."""

    space: "Space"
    olga: "User"
    runs: "list[Run]"
    session: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=CANDIDATES, help="how many of them")
    parser.add_argument("--votes", type=int, default=400, help="how many votes are timed")
    parser.add_argument("--database", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    if chosen.database is not None:
        print(json.dumps(measured(chosen.database, chosen.candidates, chosen.votes)))
        return 0
    # These bring settings of their own, which the measuring processes must not have.
    from tests.postgres import MISSING, cluster
    from tests.studio.jobs.stage import new_database

    with cluster() as postgres:
        told = {"sqlite": _elsewhere(chosen, "")}
        if postgres is None:
            print(f"{MISSING}: only SQLite is measured.", file=sys.stderr)
        else:
            told["postgres"] = _elsewhere(chosen, new_database(postgres))
    rows = [{"database": name, **row} for name, each in told.items() for row in each["rows"]]
    bars = {f"{name}_{what}": Bar(*bar) for name, each in told.items() for what, bar in each["bars"].items()}
    return report("pipelines", rows, bars, chosen.json)


def _elsewhere(chosen: argparse.Namespace, database: str) -> dict[str, Any]:
    """The same in a process of its own: Django's settings are read once."""
    command = [sys.executable, __file__, "--database", database]
    command += ["--candidates", str(chosen.candidates), "--votes", str(chosen.votes)]
    surroundings = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=surroundings)
    told: dict[str, Any] = json.loads(ran.stdout.decode().splitlines()[-1])
    return told


def measured(database: str, candidates: int, votes: int) -> dict[str, Any]:
    """One database: pages, votes, choices of parents."""
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as home:
        os.environ["ZOETROPE_HOME"] = home
        os.environ.pop("DATABASE_URL", None)
        if database:
            os.environ["DATABASE_URL"] = database
        from zoetrope.studio.start import prepare

        prepare()
        logging.disable(logging.WARNING)
        began = time.perf_counter()
        there = filled(candidates)
        print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        return _measured(there, votes)


def _measured(there: There, votes: int) -> dict[str, Any]:
    rows = asyncio.run(walk(pages(there), there.session, ROUNDS))
    page = f"/s/{there.space.slug}/runs/{there.runs[-1].pk}/vote/"
    took, chosen = _votes(there, votes), _choices(there, votes)
    bars: dict[str, tuple[float, float]] = {
        "slowest_page_p95_ms": (rows[0]["p95_ms"], PAGE_MS),
        "vote_p95_ms": (p95(took), VOTE_MS),
        "next_parent_p95_ms": (p95(chosen), CHOICE_MS),
        "voting_page_compressed_kb": (asyncio.run(weight(page, there.session)), PAGE_KB),
    }
    with served() as site:
        seen = keys(site + page, there.session)
    if seen:
        bars["next_screen_p95_ms"] = (p95(seen), SCREEN_MS)
    return {"rows": rows, "bars": bars}


def filled(count: int) -> There:
    """An empty studio with all that there is to be."""
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import Client

    from zoetrope.studio.personas.workspaces import begin, told_persona
    from zoetrope.studio.spaces.models import User
    from zoetrope.studio.spaces.people import open_space

    olga = User.objects.create_user("olga", password="a drum that turns")
    space = open_space("Studio", olga)
    ada = begin(space, told_persona("ada", "drawn", "", "nano-flux", "fictional"), "Ada")
    runs = _runs(space, ada, olga, count)
    _kept(space, ada)
    client = Client()
    client.force_login(olga)
    assert isinstance(client.session, SessionStore)
    return There(space, olga, runs, str(client.session.session_key))


def _runs(space: "Space", ada: Any, olga: "User", count: int) -> "list[Run]":
    from zoetrope.studio.making.models import Made
    from zoetrope.studio.pipelines import keeping
    from zoetrope.studio.pipelines.models import Run

    _, steps = keeping.BEGINNINGS["Drafts, then the best finished"]
    shared = {"space": space, "persona": ada, "variables": {"prompt": "in a park"}, "wake": None, "by": olga}
    versions = []
    for drafts in DRAFTS:
        first = steps[0].model_copy(update={"children": drafts, "keep": PASSED})
        second = steps[1].model_copy(update={"children": FINISHED})
        versions.append(keeping.newest(keeping.make(space, f"{drafts} drafts", "", [first, second], olga)))
    each = sum(DRAFTS) / len(DRAFTS) + PASSED * FINISHED
    told = islice(cycle(versions), round(count / each))
    runs = Run.objects.bulk_create(Run(version=version, name=f"Run {n}", **shared) for n, version in enumerate(told))
    pictures = Made.objects.bulk_create(_pictures(space, ada, count), batch_size=_BATCH)
    rng, free = random.Random(1), iter(pictures)
    for start in range(0, len(runs), 100):
        _grown(runs[start : start + 100], free, rng, olga)
    return runs


def _pictures(space: "Space", ada: Any, count: int) -> "Iterator[Any]":
    """Rows that differ, whose files are few."""
    from tests.studio.crowd import drawn
    from zoetrope.media.files import write_together
    from zoetrope.media.hashing import hash_bytes
    from zoetrope.studio.making.models import Made
    from zoetrope.studio.making.store import path_of

    files = [drawn(number, SIDE) for number in range(256)]
    write_together({path_of(hash_bytes(file)): file for file in files}, durable=False)
    model = {"name": "nano-flux", "family": "flux", "sha256": "0" * 64}
    recipe = {"prompt": "portrait of ada", "model": model, "steps": 20, "guidance": 1.0, "width": SIDE, "height": SIDE}
    known = [hash_bytes(file) for file in files]
    for number in range(count + 200):
        said = {"recipe": recipe | {"seed": number}, "width": SIDE, "height": SIDE}
        yield Made(space=space, persona=ada, sha256=known[number % len(known)], number=number, **said)


def _grown(runs: "Sequence[Run]", free: "Iterator[Any]", rng: random.Random, olga: "User") -> None:
    """Drafts, what grew from the best of them, and the votes on both."""
    from zoetrope.studio.pipelines.models import Candidate, Gate

    steps = {run.pk: list(run.version.steps.all()) for run in runs}
    rated: dict[str, Any] = {"state": "active", "deviation": 0.5}
    drafts = Candidate.objects.bulk_create(
        Candidate(run=run, step=steps[run.pk][0], made=next(free), utility=rng.gauss(0, 1), **rated)
        for run in runs
        for _ in range(steps[run.pk][0].children)
    )
    by_run: dict[int, list[Candidate]] = {}
    for each in drafts:
        by_run.setdefault(each.run_id, []).append(each)
    passed = []
    # The newest of each hundred still wait for somebody to let the best through.
    for run in runs[:-10]:
        gate = Gate.objects.create(run=run, step=steps[run.pk][0], keep=PASSED, by=olga, opens=run.created)
        passed += [(run, each, gate) for each in sorted(by_run[run.pk], key=lambda each: -each.utility)[:PASSED]]
    for _, each, gate in passed:
        each.gate, each.children = gate, FINISHED
    Candidate.objects.bulk_update([each for _, each, _ in passed], ["gate", "children"])
    grown = Candidate.objects.bulk_create(
        Candidate(run=run, step=steps[run.pk][1], parent=each, made=next(free), state="active")
        for run, each, _ in passed
        for _ in range(FINISHED)
    )
    for each in grown:
        by_run.setdefault(-each.run_id, []).append(each)
    _voted([(heat[0].run, heat[0].step, heat) for heat in by_run.values()], rng, olga)


def _voted(heats: "Sequence[tuple[Run, Step, list[Candidate]]]", rng: random.Random, olga: "User") -> None:
    from zoetrope.studio.voting.models import Vote

    def votes() -> "Iterator[Vote]":
        for run, step, heat in heats:
            for _ in range(EACH * len(heat)):
                members = rng.sample(heat, min(4, len(heat)))
                best = max(members, key=lambda each: each.utility + rng.gauss(0, 1))
                shown = [each.pk for each in members]
                yield Vote(run=run, step=step, kind="best", members=shown, chosen=best, by=olga)

    Vote.objects.bulk_create(votes(), batch_size=_BATCH)


def _kept(space: "Space", ada: Any) -> None:
    from zoetrope.studio.library.models import Kept
    from zoetrope.studio.making.models import Made

    pictures = Made.objects.filter(space=space)[:KEPT]
    Kept.objects.bulk_create(
        (
            Kept(space=space, made=each, words=f"portrait of ada number {n}", title=f"portrait {n}")
            for n, each in enumerate(pictures)
        ),
        batch_size=_BATCH,
    )


def pages(there: There) -> "list[Any]":
    """The pages that grow with all this."""
    from tests.studio.crowd import Page

    space, newest = f"/s/{there.space.slug}", there.runs[-3:]
    few = [f"{space}/runs/{run.pk}" for run in newest]
    version = there.runs[-1].version
    library = there.space.kept.order_by("-pk").values_list("pk", flat=True)[:3]
    return [
        Page("space", (f"{space}/",)),
        Page("persona", (f"{space}/p/ada/",)),
        Page("runs", (f"{space}/runs/", f"{space}/runs/?page=100")),
        Page("one run", tuple(f"{each}/" for each in few)),
        Page("voting", tuple(f"{each}/vote/" for each in few)),
        Page("to what waits", (f"{space}/vote/",)),
        Page("pipelines", (f"{space}/pipelines/",)),
        Page("one pipeline", (f"{space}/pipelines/{version.pipeline_id}/",)),
        Page("a pipeline's steps", (f"{space}/pipelines/{version.pipeline_id}/steps/",)),
        Page("library", (f"{space}/library/", f"{space}/library/?page=200", f"{space}/library/?q=ada+number+99")),
        Page("one kept picture", tuple(f"{space}/library/{key}/" for key in library)),
        Page("runs, for programs", (f"/api/spaces/{there.space.slug}/runs",)),
        Page("library, for programs", (f"/api/spaces/{there.space.slug}/library",)),
    ]


def _votes(there: There, count: int) -> list[float]:
    """Milliseconds of the site for a vote, each on a run by chance, until its answer with the next screens."""
    from django.test import Client

    client, rng = Client(SERVER_NAME="localhost"), random.Random(2)
    client.cookies["zoetrope_session"] = there.session
    took = []
    for number in range(count + 20):
        run = rng.choice(there.runs)
        page = f"/s/{there.space.slug}/runs/{run.pk}/vote/"
        drafts = list(run.candidates.filter(step__place=1).values_list("pk", flat=True))
        members = rng.sample(drafts, 4)
        said = {"do": "best", "members": members, "chosen": members[0], "step": run.version.steps.all()[0].pk}
        began = time.perf_counter()
        answer = client.post(f"{page}answer/", json.dumps(said), "application/json")
        took.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == 200, answer.content
        if number < 20:
            took.clear()
    return took


def _choices(there: There, count: int) -> list[float]:
    """Milliseconds to find the run that waits longest, and under which of its pictures the next one grows."""
    from django.db import transaction
    from django.utils import timezone

    from zoetrope.studio.pipelines import growing
    from zoetrope.studio.pipelines.models import Candidate, Gate, Run

    now = timezone.now()
    waiting = there.runs[: len(there.runs) // 2]
    # Half of all runs want something: below each picture that went on one more has room.
    Run.objects.filter(pk__in=[run.pk for run in waiting]).update(wake=now)
    Gate.objects.update(opens=now)
    Candidate.objects.filter(gate__isnull=False).update(children=FINISHED - 1)
    took = []
    for number in range(count):
        began = time.perf_counter()
        with transaction.atomic():
            run = growing.hungriest(set(), set(), 1)
            spot = growing.spot_in(run, timezone.now()) if run else None
        took.append(1000 * (time.perf_counter() - began))
        assert run is not None
        # The newest of each hundred have no gate, and their drafts are all there.
        assert (spot is not None) == run.gates.exists()
        Run.objects.filter(pk=run.pk).update(served=number + 1)
    return took


def keys(address: str, session: str) -> list[float]:
    """Milliseconds from each key to the next screen, in a real browser; nothing where there is none."""
    from playwright.sync_api import sync_playwright

    from tests.needs import CHROMIUM, NO_CHROMIUM

    if CHROMIUM is None:
        print(f"{NO_CHROMIUM}: the voting page's keys are not measured.", file=sys.stderr)
        return []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.context.add_cookies([{"name": "zoetrope_session", "value": session, "url": address}])
        page.add_init_script(WATCH)
        page.set_default_timeout(30_000)
        page.goto(address)
        page.locator("[data-screen] img").first.wait_for()
        for number in range(KEYS):
            page.wait_for_timeout(1000 * LOOK_SECONDS)
            # A voter who is quicker than the site waits for it, and that counts.
            page.locator("[data-screen] li").first.wait_for()
            page.keyboard.press(str(1 + number % 4))
            page.wait_for_function("(number) => window.seen.length > number", arg=number)
        seen: list[float] = page.evaluate("window.seen")
        browser.close()
    return seen


if __name__ == "__main__":
    raise SystemExit(main())
