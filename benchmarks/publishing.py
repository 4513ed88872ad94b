"""Ten thousand posts through an Instagram that fails in every way, while workers are killed all along.

A Graph API on a real socket resets connections, loses answers after success, answers late, twice, stale and with every
error of the facts page; tokens expire; it kills -9 the worker that is just asking it, before, between and after its
calls, and others die at moments by chance. A clock runs 150 times faster than the wall's. Then the server
answers again, and what became of each post is held against what the server knows.

Run: python benchmarks/publishing.py [--posts N] [--kills N] [--seed N] [--json]
"""

import argparse
import json
import logging
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from tests.studio.publishing.graph import Clock, Graph, Options
from tests.studio.publishing.graph_wire import Request

if TYPE_CHECKING:
    from zoetrope.studio.publishing.channels.seam import Driver, Shot
    from zoetrope.studio.publishing.models import Channel
    from zoetrope.studio.publishing.posting import Pace

POSTS, KILLS, ACCOUNTS, WORKERS, PICTURES = 10_000, 500, 60, 2, 64
FACTOR = 150.0
DAYS = 1.2
"""Over so many days of the fast clock ten thousand posts are due."""
LONGEST = 1500.0
CALM = 240.0
KILL_SHARE, QUIET_KILLS = 0.011, 2.0
TIMEOUT = 0.6
WHO = "X-Worker"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=POSTS)
    parser.add_argument("--kills", type=int, default=KILLS, help="so many at least")
    parser.add_argument("--seed", type=int, default=1, help="other seeds fail at other moments")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as home:
        os.environ["ZOETROPE_HOME"] = home
        os.environ.pop("DATABASE_URL", None)
        rows, bars = measured(chosen.posts, chosen.kills, chosen.seed)
    return report("publishing", rows, bars, chosen.json)


def measured(posts: int, kills: int, seed: int) -> tuple[list[dict[str, Any]], dict[str, Bar]]:
    """Fail and kill until every post was tried; then see that the rest finds its way."""
    from zoetrope.studio.start import prepare

    prepare()
    logging.disable(logging.WARNING)
    clock = Clock(FACTOR)
    graph = Graph(seed, clock, Options(check_files=False, image_delay=20))
    graph.faults.delay, graph.faults.silence = 1.0, 2.0
    with graph:
        filled(graph, posts, random.Random(seed))
        reaper = Reaper(graph, clock, kills, seed)
        began = time.monotonic()
        stormy(graph)
        while time.monotonic() - began < LONGEST and not (_tried(posts) and reaper.done):
            reaper.tend()
            time.sleep(0.05)
        doubt = _count("unconfirmed") / max(1, posts - _count("scheduled", "claimed", "containers", "ready"))
        storm = time.monotonic() - began
        graph.faults.clear()
        graph.on_call = None
        reaper.calm()
        while time.monotonic() - began - storm < CALM and _moving():
            reaper.tend()
            time.sleep(0.2)
        reaper.stop()
        return _rows(graph, reaper), _bars(graph, reaper, posts, doubt, storm)


def filled(graph: Graph, posts: int, rng: random.Random) -> None:
    """Accounts, and posts that are due one after another."""
    from tests.studio.crowd import drawn
    from zoetrope.media.files import write_together
    from zoetrope.media.hashing import hash_bytes
    from zoetrope.studio.making.models import Made
    from zoetrope.studio.making.store import path_of
    from zoetrope.studio.personas.workspaces import begin, told_persona
    from zoetrope.studio.publishing.models import Channel, Post, PostPicture
    from zoetrope.studio.spaces.models import User
    from zoetrope.studio.spaces.people import open_space

    space = open_space("Studio", User.objects.create_user("olga", password=None))
    ada = begin(space, told_persona("ada", "drawn", "", "nano-flux", "fictional"), "Ada")
    files = [drawn(number, 320) for number in range(PICTURES)]
    write_together({path_of(hash_bytes(file)): file for file in files}, durable=False)
    said = {"space": space, "persona": ada, "recipe": None, "width": 320, "height": 320}
    made = Made.objects.bulk_create(Made(sha256=hash_bytes(file), **said) for file in files)
    accounts = [
        graph.truth.account(f"account{number}", posts_a_day=10**6, containers_a_day=10**6) for number in range(ACCOUNTS)
    ]
    channels = [
        Channel.objects.create(
            space=space,
            persona=ada,
            kind=Channel.Kind.INSTAGRAM,
            login=Channel.Login.INSTAGRAM,
            name=account.username,
            account=account.id,
            token=graph.truth.token(account),
        )
        for account in accounts
    ]
    clip = filmed()
    size = {"width": 90, "height": 160, "seconds": 4.0, "frames": 30.0}
    reel = Made.objects.create(space=space, persona=ada, sha256=clip, media="clip", recipe=None, **size)
    kinds = rng.choices(["image", "carousel", "reel"], (17, 2, 1), k=posts)
    at = datetime.fromtimestamp(graph.clock.now(), UTC)
    waiting = Post.objects.bulk_create(
        (
            Post(
                space=space,
                persona=ada,
                channel=channels[number % ACCOUNTS],
                kind=kind,
                state=Post.State.SCHEDULED,
                caption=f"Post number {number} of many.",
                due=(due := at + timedelta(days=DAYS * number / POSTS)),
                wake=due,
            )
            for number, kind in enumerate(kinds)
        ),
        batch_size=1000,
    )
    PostPicture.objects.bulk_create(
        (
            PostPicture(post=post, made=reel if post.kind == "reel" else rng.choice(made), place=place)
            for post in waiting
            for place in range(3 if post.kind == "carousel" else 1)
        ),
        batch_size=1000,
    )


def filmed() -> str:
    """A clip in the store beside its first picture; its hash."""
    from tests.clips import film
    from zoetrope.media.hashing import hash_file
    from zoetrope.media.video import bare_clip
    from zoetrope.studio.making.store import keep_clip, path_of, workbench

    with workbench("film") as bench:
        first = bare_clip(film(bench / "film.mp4"), bench / "bare").first
        sha256 = hash_file(bench / "bare")
        path_of(sha256).parent.mkdir(parents=True, exist_ok=True)
        first.save(path_of(sha256))
        keep_clip(bench / "bare", sha256)
    return sha256


def stormy(graph: Graph) -> None:
    """All that can go wrong, each call's share of it."""
    before = {"reset": 0.008, "500": 0.006, "502": 0.004, "503": 0.004, "stuck": 0.004, "1": 0.006, "2": 0.004}
    waits = {"4": 0.0005, "17": 0.0005, "80002": 0.0005}
    after = {"lost": 0.01, "hung": 0.002, "late": 0.005, "500": 0.006}
    graph.faults.rest = 10
    graph.faults.set("*", before | waits, after, twice=0.01, stale=0.05)
    kinds = {"2207003": 0.01, "2207001": 0.005, "2207032": 0.005, "2207053": 0.005, "2207052": 0.005, "2207008": 0.005}
    fails = {"2207001": 0.005, "2207032": 0.005, "2207053": 0.005}
    graph.faults.set("create", before | waits | kinds, after, twice=0.01, fails=fails)
    late = {"lost": 0.03, "hung": 0.005, "late": 0.01, "500": 0.02}
    graph.faults.set("publish", before | waits | {"2207042": 0.002}, late, twice=0.01, dies=0.005)


class Reaper:
    """Keeps workers at work, and kills them."""

    def __init__(self, graph: Graph, clock: Clock, kills: int, seed: int) -> None:
        self._graph, self._wanted = graph, kills
        self._rng = random.Random(seed + 1)
        self._context = multiprocessing.get_context("spawn")
        self._ends = self._context.Event()
        self._nursery: BaseProcess = self._context.Process(target=nursery, args=(clock, graph.url, self._ends))
        self._nursery.start()
        self._next = time.monotonic() + 5
        self._expires = time.monotonic() + 20
        self.kills: Counter[str] = Counter()
        self.storm = True
        graph.on_call = self._asked

    @property
    def done(self) -> bool:
        return sum(self.kills.values()) >= self._wanted

    def _asked(self, call: str, phase: str, request: Request) -> None:
        """In the server's thread: whoever asks may not hear the answer any more."""
        if self._rng.random() < KILL_SHARE / (1 if call == "publish" else 3):
            self._kill(int(request.headers.get(WHO.lower(), "0")), f"{phase} {call}")

    def _kill(self, pid: int, when: str) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if pid > 1:
                os.kill(pid, signal.SIGKILL)
                self.kills[when] += 1

    def tend(self) -> None:
        """A worker dies by chance, a token now and then."""
        if self.storm and time.monotonic() > self._next:
            self._next = time.monotonic() + self._rng.expovariate(1 / QUIET_KILLS)
            pids = [int(path.name) for path in _pids().iterdir()]
            self._kill(self._rng.choice(pids) if pids else 0, "by chance")
        if time.monotonic() > self._expires:
            self._expires = time.monotonic() + (20 if self.storm else 10**9)
            self._tokens()

    def _tokens(self) -> None:
        """Whoever sees to channels gives those that say so a new token; then another one expires."""
        from zoetrope.studio.publishing.models import Channel

        for channel in Channel.objects.exclude(error=""):
            channel.token = self._graph.truth.token(self._graph.truth.accounts[channel.account])
            channel.error = ""
            channel.save(update_fields=["token", "error"])
        if self.storm:
            channel = self._rng.choice(list(Channel.objects.all()))
            self._graph.truth.expire(channel.token.tell())

    def calm(self) -> None:
        """Nobody dies any more, and every token is good."""
        self.storm = False
        self._tokens()

    def stop(self) -> None:
        self._ends.set()
        self._nursery.join(20)


def _pids() -> Path:
    folder = Path(os.environ["ZOETROPE_HOME"]) / "workers"
    folder.mkdir(exist_ok=True)
    return folder


def nursery(clock: Clock, url: str, ends: Any) -> None:
    """So many workers at all times; one that died is replaced, ready to work, within a few milliseconds."""
    from zoetrope.studio.start import prepare

    prepare()
    logging.disable(logging.WARNING)
    from django.db import connections

    connections.close_all()
    alive: set[int] = set()
    while not ends.is_set():
        while len(alive) < WORKERS:
            pid = os.fork()
            if pid == 0:
                work(clock, url)
            alive.add(pid)
            (_pids() / str(pid)).touch()
        gone, _ = os.waitpid(-1, os.WNOHANG)
        if gone:
            alive.discard(gone)
            (_pids() / str(gone)).unlink(missing_ok=True)
        else:
            time.sleep(0.005)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


def work(clock: Clock, url: str) -> None:
    """What a worker does, without the queue between."""
    from django.db import OperationalError

    from zoetrope.studio.publishing import posting

    drivers: dict[int, Driver] = {}
    pace, rng = _pace(), random.Random(os.getpid())

    def now() -> datetime:
        return datetime.fromtimestamp(clock.now(), UTC)

    @contextmanager
    def driver_of(channel: "Channel") -> "Iterator[Driver]":
        yield _driver(drivers, channel, url)

    while True:
        found = posting.due(now(), 40)
        rng.shuffle(found)
        for post in found[:10]:
            # A database that is busy for long is another worker's moment.
            with suppress(OperationalError):
                posting.advance(post.pk, driver_of, now, pace)
        if not found:
            time.sleep(0.01)


def _pace() -> "Pace":
    """As it is, but that a step may take as long as its calls do by the wall's clock."""
    from zoetrope.studio.publishing.posting import Pace

    return Pace(lease=timedelta(seconds=6 * FACTOR), a_day=10**6)


def _driver(drivers: "dict[int, Driver]", channel: "Channel", url: str) -> "Driver":
    """With a connection that stays, as a worker of its own site would have."""
    from zoetrope.studio.publishing.channels.instagram.client import Client
    from zoetrope.studio.publishing.channels.instagram.driver import Instagram

    key = hash((channel.pk, channel.token.sealed))
    if key not in drivers:
        base = f"{url}/graph.instagram.com"
        client = Client(channel.token.tell(), channel.version, base, url, TIMEOUT, {WHO: str(os.getpid())})
        drivers[key] = Instagram(client, channel.account, _address)
    return drivers[key]


def _address(shot: "Shot") -> str:
    return f"https://pictures.example/{shot.sha256}.jpg"


def _count(*states: str) -> int:
    from zoetrope.studio.publishing.models import Post

    return Post.objects.filter(state__in=states).count()


def _tried(posts: int) -> bool:
    return _count("published", "failed", "unconfirmed") >= posts


def _moving() -> bool:
    from zoetrope.studio.publishing.models import Post

    return Post.objects.exclude(wake=None).exists()


def _rows(graph: Graph, reaper: Reaper) -> list[dict[str, Any]]:
    faults: Counter[str] = Counter()
    for (_, name), count in graph.faults.happened.items():
        faults[name] += count
    kinds: Counter[str] = Counter()
    for when, count in reaper.kills.items():
        kinds[when] += count
    rows = [{"what": f"killed {when}", "times": count} for when, count in sorted(kinds.items())]
    return rows + [{"what": f"fault {name}", "times": count} for name, count in sorted(faults.items())]


def _bars(graph: Graph, reaper: Reaper, posts: int, doubt: float, storm: float) -> dict[str, Bar]:
    """What each post says of itself against what the server knows."""
    from zoetrope.studio.publishing.models import Post

    twice = lost = untrue = misnamed = 0
    for post in Post.objects.all():
        there = graph.truth.posts_with(post.text)
        twice += len(there) > 1
        lost += post.state != Post.State.PUBLISHED or not there
        untrue += post.state == Post.State.PUBLISHED and not there
        misnamed += bool(there) and post.media not in ("", there[0].id)
    if os.environ.get("ZOETROPE_BENCH_SHOW"):
        left = Post.objects.exclude(state=Post.State.PUBLISHED).values("state", "error", "asks", "tries", "polls")
        print(json.dumps([*left[:50]]), file=sys.stderr)
    return {
        "posted_twice": Bar(float(twice), 0),
        "lost": Bar(float(lost), 0),
        "called_posted_that_were_not": Bar(float(untrue), 0),
        "with_another_posts_number": Bar(float(misnamed), 0),
        "unconfirmed_while_it_fails": Bar(doubt, 0.01),
        "unconfirmed_afterwards": Bar(float(_count("unconfirmed")), 0),
        "kills": Bar(float(sum(reaper.kills.values())), KILLS if posts >= POSTS else 1, at_least=True),
        "minutes": Bar(storm / 60, 30),
    }


if __name__ == "__main__":
    raise SystemExit(main())
