"""How fast the studio answers with 10,000 pictures and 1,000 LoRAs, and how heavy and how quick its review page is.

Run: python benchmarks/studio.py [--rounds N] [--keys N] [--json]
"""

import argparse
import asyncio
import gzip
import logging
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report

if TYPE_CHECKING:
    from tests.studio.crowd import Page

SERVER_MS, REVIEW_KB, NEXT_MS = 50, 120, 100
WARM = 8
# Other work of the machine falls into some of them: the quietest counts.
BLOCKS = 5
# A quick reviewer looks at each picture for so long.
LOOK_SECONDS = 0.5
# Ends of a long list are asked for as often as its beginning.
DEEP = ("", "?from=4800")

# From the key to the frame after the one in which the next picture is painted, decoded.
WATCH = """
window.seen = [];
document.addEventListener("keydown", (event) => {
  const image = document.querySelector("[data-shown]"), before = image.src;
  setTimeout(async () => {
    if (image.src === before) return;
    await image.decode();
    requestAnimationFrame(() => requestAnimationFrame((now) => {
      window.seen.push(performance.now() - event.timeStamp);
    }));
  });
}, true);
"""


SEEN = """
(number) => new Promise((done) => {
  const look = () => (window.seen.length > number ? done() : setTimeout(look, 5));
  look();
})
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="how often each page is asked for in a block")
    parser.add_argument("--keys", type=int, default=40, help="how many keys are pressed on the review page")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        addresses, review, session = opened(Path(folder))
        rows = asyncio.run(walk(addresses, session, chosen.rounds))
        bars = {"slowest_page_p95_ms": Bar(rows[0]["p95_ms"], SERVER_MS)}
        bars["review_compressed_kb"] = Bar(asyncio.run(weight(review, session)), REVIEW_KB)
        with served() as site:
            seen = keys(site, review, session, chosen.keys)
    if seen:
        bars["next_picture_p95_ms"] = Bar(p95(seen), NEXT_MS)
    return report("studio", rows, bars, chosen.json)


def opened(home: Path) -> "tuple[list[Page], str, str]":
    """A studio of that size in an empty home: its pages, the address of its review page, and a member's session."""
    os.environ["ZOETROPE_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    from zoetrope.studio.start import prepare

    # Django's settings are read once, and name the home.
    prepare()
    # Asking a button for a page is how it is told from one.
    logging.disable(logging.WARNING)
    from django.urls import reverse

    from tests.studio.crowd import Size, crowd, pages

    there = crowd(Size(pictures=10_000, loras=1_000, others=40, jobs=2_000, rounds=30, steps=4_000, large=80))
    return pages(there), reverse("review", args=[there.space.slug, there.ada.name]), there.session()


@dataclass
class Answer:
    """What came back, and the seconds until the last of it; of an endless stream until the first."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


async def ask(path: str, session: str = "") -> Answer:
    """One request through the whole site, as uvicorn hands it in."""
    from zoetrope.studio.asgi import application

    path, _, query = path.partition("?")
    headers = {"host": "localhost", "accept-encoding": "gzip", "cookie": f"zoetrope_session={session}"}
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asked, enough = asyncio.Event(), asyncio.Event()
    parts: list[Any] = []
    seconds = 0.0

    async def receive() -> Any:
        if asked.is_set():
            await enough.wait()
            return {"type": "http.disconnect"}
        asked.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(part: Any) -> None:
        nonlocal seconds
        parts.append(part)
        if part["type"] == "http.response.body" and not enough.is_set():
            seconds = time.perf_counter() - began
            if _headers(parts[0]).get("content-type") == "text/event-stream" and part["body"]:
                enough.set()

    began = time.perf_counter()
    await application(scope, receive, send)
    body = b"".join(part.get("body", b"") for part in parts[1:])
    return Answer(parts[0]["status"], _headers(parts[0]), body, seconds)


def _headers(start: Any) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in start["headers"]}


async def walk(pages: "Iterable[Page]", session: str, rounds: int, deep: Sequence[str] = DEEP) -> list[dict[str, Any]]:
    """Each page that a member can open, as often as all the others and in turn with them; the slowest first."""
    found = [page for page in pages if await _opens(page, session)]
    ways = {page.name: cycle([path + end for path in page.paths for end in deep]) for page in found}
    took: dict[str, list[float]] = {page.name: [] for page in found}
    sizes: dict[str, int] = {}
    for _ in range(WARM + BLOCKS * rounds):
        for name, paths in ways.items():
            answer = await ask(next(paths), session)
            took[name].append(1000 * answer.seconds)
            sizes[name] = max(sizes.get(name, 0), len(answer.body))
    rows = [_row(name, times[:WARM], _blocks(times[WARM:], rounds), sizes[name]) for name, times in took.items()]
    return sorted(rows, key=lambda row: -row["p95_ms"])


def _row(name: str, cold: list[float], blocks: list[list[float]], size: int) -> dict[str, Any]:
    every = [each for block in blocks for each in block]
    quiet = min(p95(block) for block in blocks)
    return {
        "page": name,
        "first_ms": cold[0],
        "p50_ms": statistics.median(every),
        "p95_ms": quiet,
        "all_p95_ms": p95(every),
        "sent_kb": size / 1000,
    }


def _blocks(times: list[float], size: int) -> list[list[float]]:
    return [times[start : start + size] for start in range(0, len(times), size)]


async def _opens(page: "Page", session: str) -> bool:
    """Whether it is a page and no button; an address that leads nowhere would be measured for nothing."""
    statuses = {path: (await ask(path, session)).status for path in page.paths}
    wrong = {path: status for path, status in statuses.items() if status not in (200, 302, 405)}
    if wrong:
        raise LookupError(f"{page.name} does not open: {wrong}")
    return 405 not in statuses.values()


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


async def weight(review: str, session: str) -> float:
    """Kilobytes of the review page with every style and script that it loads, as they are sent."""
    page = await ask(review, session)
    text = (gzip.decompress(page.body) if page.headers.get("content-encoding") == "gzip" else page.body).decode()
    loaded = re.findall(r'<(?:script|link)[^>]* (?:src|href)="(/[^"]+\.(?:js|css))"', text)
    files = [await ask(path, session) for path in loaded]
    assert len(files) > 5, "the page's files were not found"
    assert all(file.status == 200 for file in files)
    return sum(len(each.body) for each in (page, *files)) / 1000


@contextmanager
def served() -> Iterator[str]:
    """The site as the studio runs it, without a worker, which would carry out the made-up jobs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--lifespan", "off", "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", "zoetrope.studio.asgi:application", *options])
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def keys(site: str, review: str, session: str, count: int) -> list[float]:
    """Milliseconds from each key to the next picture, in a real browser; nothing where there is none."""
    from playwright.sync_api import sync_playwright

    from tests.needs import CHROMIUM, NO_CHROMIUM

    if CHROMIUM is None:
        print(f"{NO_CHROMIUM}: the review page's keys are not measured.", file=sys.stderr)
        return []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.context.add_cookies([{"name": "zoetrope_session", "value": session, "url": site}])
        page.add_init_script(WATCH)
        page.set_default_timeout(120_000)
        page.goto(site + review)
        page.evaluate("document.querySelector('[data-shown]').decode()")
        for number in range(count):
            page.wait_for_timeout(1000 * LOOK_SECONDS)
            page.keyboard.press("s" if number % 4 == 3 else "k")
            page.evaluate(SEEN, number)
        seen: list[float] = page.evaluate("window.seen")
        browser.close()
    return seen


if __name__ == "__main__":
    raise SystemExit(main())
