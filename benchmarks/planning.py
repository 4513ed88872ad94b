"""How fast plan, calendar and insights answer with 50,000 kept pictures and 5,000 posts, and how fast posts are chosen.

Five pillars share twenty clusters; each picture lies in one or two of them, and one in ten was given to a post: five a
day, the last month of them still to come, the others measured and in the ledger. On SQLite, and on PostgreSQL where it
is installed, each in a process of its own. Then: how long it takes to find groups among so many pictures.

Run: python benchmarks/planning.py [--pictures N] [--json]
"""

import argparse
import asyncio
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The site answers from several threads: those of numpy would stand in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from benchmarks.studio import p95, walk

if TYPE_CHECKING:
    from tests.studio.crowd import Page
    from zoetrope.studio.library.models import Kept
    from zoetrope.studio.personas.models import Persona
    from zoetrope.studio.planning.models import Cluster, Use
    from zoetrope.studio.publishing.models import Post

PICTURES, PILLARS, CLUSTERS, USED, FILES = 50_000, 5, 20, 0.1, 64
SIDE, NUMBERS = 64, 256
A_DAY, AHEAD = 5, 150
PAGE_MS, CHOICE_MS, GROUPS_S = 50, 50, 20
ROUNDS = 20
_BATCH = 5_000
_PLACES = ("beach", "forest", "market", "station", "kitchen", "garden", "rooftop", "library", "harbour", "tunnel")


@dataclass(frozen=True)
class There:
    """What was made: whose pictures, where they lie, and who looks."""

    ada: "Persona"
    clusters: "list[Cluster]"
    post: int
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
        rows, chosen = asyncio.run(walk(pages(there), there.session, ROUNDS)), list(choices(there.ada))
        slowest = max(row["p95_ms"] for row in chosen)
        bars = {"slowest_page_p95_ms": (rows[0]["p95_ms"], PAGE_MS), "choice_p95_ms": (slowest, CHOICE_MS)}
        return {"rows": [*rows, *chosen], "bars": bars}


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
    kept = _kept(ada, count)
    # The oldest were posted first: those that are counted first are the used ones.
    clusters, post = _placed(ada, kept), _posted(ada, kept[: round(USED * count)])
    _settled()
    client = Client()
    client.force_login(olga)
    assert isinstance(client.session, SessionStore)
    return There(ada, clusters, post, str(client.session.session_key))


def _settled() -> None:
    """PostgreSQL counts its rows by itself within a minute; a studio that was filled at once has to ask for it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


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
    """Pillars, their clusters, and what lies in these."""
    from zoetrope.studio.planning import clusters as by_hand
    from zoetrope.studio.planning import pillars
    from zoetrope.studio.planning.models import Cluster, Pillar

    rows: list[Pillar] = [pillars.add(ada, pillars.Wanted(f"Pillar {n}", 100 // PILLARS)) for n in range(PILLARS)]
    found: list[Cluster] = [by_hand.add(ada, f"Cluster {n}", pillars=[rows[n % PILLARS]]) for n in range(CLUSTERS)]
    rng = random.Random(1)
    lying = ((each, rng.sample(found, rng.randint(1, 2))) for each in kept)
    places = (by_hand.Placed(cluster=cluster, kept=each) for each, some in lying for cluster in some)
    by_hand.Placed.objects.bulk_create(places, batch_size=_BATCH)
    return found


def _posted(ada: "Persona", kept: "list[Kept]") -> int:
    """A post of each, five a day: most went out and were measured, a month of them waits; the newest that went out."""
    from django.utils import timezone

    from zoetrope.studio.planning.models import Pillar, Rhythm, Use
    from zoetrope.studio.publishing import desk
    from zoetrope.studio.publishing.models import Entry, Post, PostPicture

    Rhythm.objects.update_or_create(persona=ada, defaults={"posts_per_week": 7 * A_DAY, "strategy": "sampler"})
    now, channel, pillars = timezone.now(), desk.outbox(ada), list(Pillar.objects.filter(persona=ada))
    out = len(kept) - AHEAD

    def told(number: int) -> Post:
        at = now + timedelta(days=(number - out + 0.5) / A_DAY)
        post = Post(space=ada.space, persona=ada, channel=channel, caption=f"Post {number}", hashtags=["ada"], due=at)
        post.pillar = pillars[number % PILLARS]
        if number < out:
            post.state, post.published, post.media = Post.State.PUBLISHED, at, f"post-{number}"
        return post

    posts = Post.objects.bulk_create(map(told, range(len(kept))), batch_size=_BATCH)
    pairs = list(zip(posts, kept, strict=True))
    PostPicture.objects.bulk_create((PostPicture(post=post, made=each.made) for post, each in pairs), batch_size=_BATCH)
    Use.objects.bulk_create((_use(post, each, now) for post, each in pairs), batch_size=_BATCH)
    calls = ((post, call) for post in posts[:out] for call in ("media", "status", "publish"))
    Entry.objects.bulk_create(
        (Entry(channel=channel, post=post, call=call, outcome="done", at=post.due or now) for post, call in calls),
        batch_size=_BATCH,
    )
    _read(posts[:out])
    return posts[out - 1].pk


def _use(post: "Post", kept: "Kept", now: datetime) -> "Use":
    from zoetrope.studio.planning.models import Use

    at = post.due or now
    return Use(kept=kept, made_id=kept.made_id, pillar=post.pillar, post=post.pk, at=at, posted=at <= now)


def _read(posts: "list[Post]") -> None:
    """What came of them, after each of the ages."""
    from zoetrope.studio.insights.models import Age, Reading

    rng = random.Random(2)

    def told(post: "Post", age: int) -> Reading:
        reach, rate = rng.randrange(500, 2000), rng.uniform(0.02, 0.12)
        numbers = {"reach": reach, "likes": round(reach * rate), "total_interactions": round(reach * rate)}
        return Reading(post=post, age=age, at=post.published, source="account", rate=rate, **numbers)

    Reading.objects.bulk_create((told(post, age) for post in posts for age in Age.values), batch_size=_BATCH)


def pages(there: There) -> "list[Page]":
    """The pages that grow with all this."""
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
        *(Page(f"calendar, {view}", (f"{ada}/calendar/?view={view}",)) for view in ("month", "week", "list")),
        Page("pictures to post", (f"{ada}/calendar/pictures/",)),
        Page("a post", (f"/s/{there.ada.space.slug}/posts/{there.post}/",)),
        Page("ledger", (f"{ada}/ledger/",)),
        Page("insights", (f"{ada}/insights/",)),
        Page("learnings", (f"{ada}/insights/learnings/",)),
        Page("gaps, for programs", (f"{api}/plan",)),
        Page("clusters, for programs", (f"{api}/clusters",)),
    ]


def choices(ada: "Persona") -> "Iterator[dict[str, Any]]":
    """Milliseconds for the next post by each strategy, one after the other as a week is planned."""
    from django.utils import timezone

    from zoetrope.studio.planning.strategies import STRATEGIES
    from zoetrope.studio.publishing.strategy import ground_of

    now = timezone.now()
    began = time.perf_counter()
    ground = ground_of(ada, now)
    read = {"options": len(ground.options), "read_ms": 1000 * (time.perf_counter() - began)}
    for name, strategy in STRATEGIES.items():
        this, took = replace(ground, strategy=strategy, past=[*ground.past]), []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = this.choose(now)
            took.append(1000 * (time.perf_counter() - began))
            assert found is not None, "there was nothing to choose"
        yield {"choice": name, **read, "p50_ms": statistics.median(took), "p95_ms": p95(took)}


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
