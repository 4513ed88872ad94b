"""How fast the plan answers with 50,000 kept pictures in clusters, and how long it takes to find groups among them.

Five pillars share twenty clusters; each picture lies in one or two of them, and one in ten was given to a post. On
SQLite, and on PostgreSQL where it is installed, each in a process of its own.

Run: python benchmarks/planning.py [--pictures N] [--json]
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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The site answers from several threads: those of numpy would stand in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from benchmarks.studio import walk

if TYPE_CHECKING:
    from tests.studio.crowd import Page
    from zoetrope.studio.library.models import Kept
    from zoetrope.studio.personas.models import Persona
    from zoetrope.studio.planning.models import Cluster, Pillar

PICTURES, PILLARS, CLUSTERS, USED, FILES = 50_000, 5, 20, 0.1, 64
SIDE, NUMBERS = 64, 256
PAGE_MS, GROUPS_S = 50, 20
ROUNDS = 20
_BATCH = 5_000
_PLACES = ("beach", "forest", "market", "station", "kitchen", "garden", "rooftop", "library", "harbour", "tunnel")


@dataclass(frozen=True)
class There:
    """What was made: whose pictures, where they lie, and who looks."""

    ada: "Persona"
    clusters: "list[Cluster]"
    session: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES, help="how many are kept")
    parser.add_argument("--database", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    if chosen.database is not None:
        print(json.dumps(measured(chosen.database, chosen.pictures)))
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
    bars |= {"find_groups_s": Bar(grouped(chosen.pictures), GROUPS_S)}
    return report("planning", rows, bars, chosen.json)


def _elsewhere(chosen: argparse.Namespace, database: str) -> dict[str, Any]:
    """The same in a process of its own: Django's settings are read once."""
    command = [sys.executable, __file__, "--database", database, "--pictures", str(chosen.pictures)]
    surroundings = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=surroundings)
    told: dict[str, Any] = json.loads(ran.stdout.decode().splitlines()[-1])
    return told


def measured(database: str, pictures: int) -> dict[str, Any]:
    """One database: the pages that grow with pictures, clusters and uses."""
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as home:
        os.environ["ZOETROPE_HOME"] = home
        os.environ.pop("DATABASE_URL", None)
        if database:
            os.environ["DATABASE_URL"] = database
        from zoetrope.studio.start import prepare

        prepare()
        logging.disable(logging.WARNING)
        began = time.perf_counter()
        there = filled(pictures)
        print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        rows = asyncio.run(walk(pages(there), there.session, ROUNDS))
        return {"rows": rows, "bars": {"slowest_page_p95_ms": (rows[0]["p95_ms"], PAGE_MS)}}


def filled(count: int) -> There:
    """An empty studio with all that there is to be."""
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import Client

    from zoetrope.studio.personas.workspaces import begin, told_persona
    from zoetrope.studio.pipelines import keeping
    from zoetrope.studio.spaces.models import User
    from zoetrope.studio.spaces.people import open_space

    olga = User.objects.create_user("olga", password="a drum that turns")
    space = open_space("Studio", olga)
    ada = begin(space, told_persona("ada", "drawn", "", "nano-flux", "fictional"), "Ada")
    keeping.make(space, "Best of two", "", keeping.BEGINNINGS["Eight to choose from"][1], olga)
    clusters = _placed(ada, _kept(ada, count))
    client = Client()
    client.force_login(olga)
    assert isinstance(client.session, SessionStore)
    return There(ada, clusters, str(client.session.session_key))


def _kept(ada: "Persona", count: int) -> "list[Kept]":
    """Rows that differ, whose files are few."""
    from tests.studio.crowd import drawn
    from zoetrope.media.files import write_together
    from zoetrope.media.hashing import hash_bytes
    from zoetrope.studio.library.models import Kept
    from zoetrope.studio.making.models import Made
    from zoetrope.studio.making.store import path_of

    files = [drawn(number, SIDE) for number in range(FILES)]
    known = [hash_bytes(file) for file in files]
    write_together(dict(zip(map(path_of, known), files, strict=True)), durable=False)
    about: dict[str, Any] = {"space": ada.space, "persona": ada, "width": SIDE, "height": SIDE, "recipe": None}
    made = Made.objects.bulk_create(
        (Made(sha256=known[number % FILES], number=number, **about) for number in range(count)), batch_size=_BATCH
    )
    said = (f"portrait of ada in a {_PLACES[number % len(_PLACES)]}, number {number}" for number in range(count))
    return Kept.objects.bulk_create(
        (Kept(space=ada.space, made=each, words=words, title=words) for each, words in zip(made, said, strict=True)),
        batch_size=_BATCH,
    )


def _placed(ada: "Persona", kept: "list[Kept]") -> "list[Cluster]":
    """Pillars, their clusters, what lies in these, and which of it posts have."""
    from django.utils import timezone

    from zoetrope.studio.planning import clusters as by_hand
    from zoetrope.studio.planning import pillars
    from zoetrope.studio.planning.models import Use

    rows: list[Pillar] = [pillars.add(ada, pillars.Wanted(f"Pillar {n}", 100 // PILLARS)) for n in range(PILLARS)]
    found = [by_hand.add(ada, f"Cluster {n}", pillars=[rows[n % PILLARS]]) for n in range(CLUSTERS)]
    rng, now = random.Random(1), timezone.now()
    lying = ((each, rng.sample(found, rng.randint(1, 2))) for each in kept)
    places = (by_hand.Placed(cluster=cluster, kept=each) for each, some in lying for cluster in some)
    by_hand.Placed.objects.bulk_create(places, batch_size=_BATCH)
    # The oldest were posted first: those that are counted first are the used ones.
    used = kept[: round(USED * len(kept))]
    Use.objects.bulk_create(
        (Use(kept=each, made_id=each.made_id, post=n, at=now, posted=True) for n, each in enumerate(used, start=1)),
        batch_size=_BATCH,
    )
    return found


def pages(there: There) -> "list[Page]":
    """The pages that grow with all this. What stands on posts, as the calendar's month, belongs here too."""
    from tests.studio.crowd import Page

    ada, few = f"/s/{there.ada.space.slug}/p/{there.ada.name}", there.clusters[:3]
    api = f"/api/spaces/{there.ada.space.slug}/personas/{there.ada.name}"
    return [
        Page("persona", (f"{ada}/",)),
        Page("gaps", (f"{ada}/plan/",)),
        Page("pillars", (f"{ada}/pillars/",)),
        Page("clusters", (f"{ada}/clusters/",)),
        Page("one cluster", tuple(f"{ada}/clusters/{each.pk}/" for each in few)),
        Page("pictures to put in", tuple(f"{ada}/clusters/{each.pk}/?add=1" for each in few)),
        Page("ideas", (f"{ada}/ideas/",)),
        Page("gaps, for programs", (f"{api}/plan",)),
        Page("clusters, for programs", (f"{api}/clusters",)),
    ]


def grouped(count: int) -> float:
    """Seconds to say how many groups there are among so many vectors, to find them, and to name them."""
    import numpy as np

    from zoetrope.studio.planning import clustering

    rng = np.random.default_rng(1)
    centres = rng.normal(size=(len(_PLACES), NUMBERS))
    places = rng.integers(0, len(_PLACES), count)
    rows = (centres[places] + rng.normal(0, 0.6, (count, NUMBERS))).astype(np.float32)
    texts = [f"portrait of ada in a {_PLACES[place]}, number {number}" for number, place in enumerate(places)]
    began = time.perf_counter()
    groups = clustering.grouped(rows, clustering.suggested(rows).count)
    names = clustering.named(clustering.telling(texts, groups))
    took = time.perf_counter() - began
    print(f"{len(groups)} groups: {', '.join(names)}", file=sys.stderr)
    return took


if __name__ == "__main__":
    raise SystemExit(main())
