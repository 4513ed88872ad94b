"""Twenty runs of a pipeline at once, while worker, engine and site are killed at fifty random moments.

The kills are spread over all that is drawn, from the first drafts to the last winner. A person's part is played as
well: whenever a run's drafts are all there, the best of them are let through, and of what grew from those one is made
the winner. Every run completes, no candidate is lost or drawn twice, and no gate opens by itself.

Run: python benchmarks/run_crashes.py [--kills N] [--seed N] [--json]
"""

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from benchmarks.crashes import SETTINGS, as_expected, by_victim, killed

RUNS, DRAFTS, KEPT, FINISHED = 20, 6, 2, 2
EACH = DRAFTS + KEPT * FINISHED
LONGEST, LONGEST_WAIT = 8.0, 3600.0
LAST_KILL = 0.97
"""When the last one comes so much is drawn; what is left is for the end."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="other seeds kill at other moments")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        os.environ |= {"ZOETROPE_HOME": str(Path(folder) / "home"), "DJANGO_SETTINGS_MODULE": SETTINGS}
        os.environ.pop("DATABASE_URL", None)
        rows, bars = measure(Path(folder), chosen.kills, random.Random(chosen.seed))
    return report("runs while the studio is killed", rows, bars, chosen.json)


def measure(room: Path, kills: int, rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, Bar]]:
    """Start the runs, kill and choose by turns, look what became of them."""
    from zoetrope.studio import start

    start.prepare()
    # It knows the studio's models, so Django must know its apps first.
    from tests.studio.start_stage import Studio

    _start()
    studio, opened = Studio(Path(os.environ["ZOETROPE_HOME"]), room), set[int]()
    studio.start(ready=False, DJANGO_SETTINGS_MODULE=SETTINGS)
    try:
        rows, until = [], time.monotonic() + LONGEST_WAIT
        for row in killed(studio, kills, rng, _counts, LONGEST):
            rows.append(row)
            while not _choose(opened) and _drawn() < LAST_KILL * len(rows) / kills and time.monotonic() < until:
                time.sleep(0.5)
        while not _choose(opened) and time.monotonic() < until:
            time.sleep(0.5)
    finally:
        studio.kill()
    return by_victim(rows), {"kills": Bar(float(len(rows)), kills, at_least=True), **_found(opened)}


def _start() -> None:
    from zoetrope.studio.personas.workspaces import begin, told_persona
    from zoetrope.studio.pipelines import keeping, runs
    from zoetrope.studio.pipelines.steps import StepIn
    from zoetrope.studio.spaces.models import User
    from zoetrope.studio.spaces.people import open_space

    user = User.objects.create_user("olga", password=None)
    space = open_space("Studio", user)
    zoe = begin(space, told_persona("zoe", "drawn", "zoe", "nano-flux", "fictional"), "Zoe")
    again = {"prompt": "{{parent_prompt}}, in soft light", "seed": "{{auto_seed}}"}
    steps = [StepIn(name="Drafts", children=DRAFTS), StepIn(name="Finished", template=again, children=FINISHED)]
    pipeline = keeping.make(space, "Two steps", "", steps, user)
    for number in range(RUNS):
        runs.start(pipeline, zoe, f"Run {number}", {"prompt": "a smiling girl"}, user)


def _counts() -> dict[str, int]:
    from zoetrope.studio.pipelines.models import Candidate, Run

    states = list(Candidate.objects.values_list("state", flat=True))
    ended = Run.objects.filter(state=Run.State.DONE).count()
    return {state: states.count(state) for state in ("pending", "active", "failed")} | {"runs ended": ended}


def _drawn() -> float:
    """How much of all that is to be drawn is there."""
    from zoetrope.studio.making.models import Made

    return Made.objects.count() / (RUNS * EACH)


def _choose(opened: set[int]) -> bool:
    """What waits for a person is decided; whether all runs have ended."""
    from zoetrope.errors import UserError
    from zoetrope.studio.pipelines import runs, telling
    from zoetrope.studio.pipelines.models import Run

    left = Run.objects.exclude(state=Run.State.DONE)
    for run in left:
        if run.state != Run.State.RUNNING:
            # Too much of it failed: a person has the rest drawn again.
            runs.go_on(run)
            continue
        found = telling.stages(run, list(run.candidates.select_related("made", "step")))
        # The site may have been killed with a write of its own under way.
        with suppress(UserError):
            if found and found[-1].waits and found[-1].last:
                runs.crown(run, found[-1].alive[0])
            elif found and found[-1].waits:
                opened.add(runs.approve(run, found[-1].step, KEPT, None).pk)
    return not left.exists()


def _found(opened: set[int]) -> dict[str, Bar]:
    """What became of the runs, held against what it must be."""
    from zoetrope.studio.library.models import Kept
    from zoetrope.studio.making.models import Made
    from zoetrope.studio.pipelines.models import Candidate, Gate, Run

    made = list(Made.objects.all())
    there = Candidate.objects.filter(state=Candidate.State.ACTIVE, made__isnull=False)
    whole = [there.filter(run=run).count() == EACH for run in Run.objects.filter(state=Run.State.DONE)]
    return {
        "runs_done": Bar(Run.objects.filter(state=Run.State.DONE).count(), RUNS, at_least=True),
        "runs_whole": Bar(sum(whole), RUNS, at_least=True),
        "winners_kept": Bar(Kept.objects.count(), RUNS, at_least=True),
        "doubled": Bar(len(made) - RUNS * EACH + there.count() - RUNS * EACH, 0),
        "gates_that_nobody_opened": Bar(Gate.objects.exclude(pk__in=opened).count(), 0),
        "grown_past_a_closed_gate": Bar(there.filter(parent__isnull=False, parent__gate=None).count(), 0),
        "other_bytes": Bar(sum(not as_expected(each) for each in made), 0),
    }


if __name__ == "__main__":
    raise SystemExit(main())
