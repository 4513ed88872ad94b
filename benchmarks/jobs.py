"""How soon a job starts after it was enqueued, and how fast 10,000 queued jobs are listed, on SQLite and on PostgreSQL.

Run: python benchmarks/jobs.py [--starts N] [--json]
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from tests.postgres import MISSING, cluster
from tests.studio.jobs import trial
from tests.studio.jobs.stage import Workers, new_database, state, tables, until
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.jobs.seam import Job, State

QUEUED = 10_000
LOOKS = 5
SCOPE = "space:1"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=100, help="jobs to time on each database")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder, cluster() as postgres:
        os.environ.pop("DATABASE_URL", None)
        rows = [measure("sqlite", Path(folder) / "sqlite", chosen.starts)]
        if postgres is None:
            print(f"{MISSING}: only SQLite is measured.", file=sys.stderr)
        else:
            os.environ["DATABASE_URL"] = new_database(postgres)
            rows.append(measure("postgres", Path(folder) / "postgres", chosen.starts))
    bars: dict[str, Bar] = {}
    for row in rows:
        bars[f"{row['database']}_start_p50_ms"] = Bar(row["start_p50_ms"], 60)
        bars[f"{row['database']}_listed_ms"] = Bar(row["listed_ms"], 50)
    return report("jobs", rows, bars, chosen.json)


def measure(database: str, home: Path, starts: int) -> dict[str, Any]:
    """One database, in a home of its own."""
    home.mkdir()
    os.environ["ZOETROPE_HOME"] = str(home)
    with tables():
        return {"database": database} | _measure(Workers(home), starts)


def _measure(workers: Workers, starts: int) -> dict[str, float]:
    try:
        workers.start()
        waits, calls = _starts(starts)
    finally:
        workers.kill()
    return {
        "enqueue_p50_ms": 1000 * statistics.median(calls),
        "start_p50_ms": 1000 * statistics.median(waits),
        "start_p95_ms": 1000 * statistics.quantiles(waits, n=20)[-1],
        **_listed(),
    }


def _starts(count: int) -> tuple[list[float], list[float]]:
    """Seconds from before the call to the first line of the job's function, and those of the call alone."""
    trial.register()
    rng = random.Random(1)
    began, calls = [], []
    for number in range(count + 1):
        began.append(time.time())
        # Its function does nothing but write down when it was called.
        job = jobs.enqueue("flaky", f"start-{number}", {"until": 0}, scope=SCOPE)
        calls.append(time.time() - began[-1])
        until(lambda job=job: state(job) == State.DONE, 30)  # type: ignore[misc]
        # Jobs come at any moment between two looks of the worker.
        time.sleep(rng.uniform(0.05, 0.25))
    started = [float(line) for line in trial.read("tries")]
    # The first makes the tables and connections.
    return [end - start for start, end in zip(began, started, strict=True)][1:], calls[1:]


def _listed() -> dict[str, float]:
    """Milliseconds for the overview of a page and for every row, the best of five looks each."""
    Job.objects.bulk_create(
        [
            Job(key=f"queued-{n}", kind="note", args={"number": n}, scope=SCOPE, title=f"Note {n}")
            for n in range(QUEUED)
        ],
        batch_size=1000,
    )
    page, everything = _best(100), _best(QUEUED)
    return {"listed_ms": page, "all_rows_ms": everything}


def _best(limit: int) -> float:
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        seen = jobs.overview(SCOPE, limit=limit)
        took.append(1000 * (time.perf_counter() - began))
        assert seen.counts[State.WAITING] == QUEUED
        assert len(seen.jobs[State.WAITING]) == limit
    return min(took)


if __name__ == "__main__":
    raise SystemExit(main())
