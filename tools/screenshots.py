"""Writes docs/pages.md: every page of the studio, photographed in Chromium while Ada's first turn has just ended.

Run: python tools/screenshots.py (a few minutes; the pictures go to docs/images/studio/)
"""

import io
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "images" / "studio"
SIZES = ((360, 740), (768, 1024), (1440, 900))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SHARE = 0.5
"""How large a photograph is beside the page itself."""
GAP = 12
OWNER = {"username": "olga", "password1": "a drum that turns", "password2": "a drum that turns"}
PROMPT = "zoeada, smiling, front, park, warm light, portrait"
FIRST, LOGIN, USED = "first visit", "login", "a used link"
PAGES = {
    "space": "/s/{space}/",
    "new persona": "/s/{space}/new-persona/",
    "persona": "/s/{space}/p/ada/",
    "sources": "/s/{space}/p/ada/sources/",
    "captions": "/s/{space}/p/ada/captions/",
    "review": "/s/{space}/p/ada/review/",
    "turns": "/s/{space}/p/ada/turns/",
    "card": "/s/{space}/p/ada/card/",
    "exports": "/s/{space}/p/ada/exports/",
    "a persona's LoRAs": "/s/{space}/p/ada/loras/",
    "try it": "/s/{space}/p/ada/try/",
    "settings": "/s/{space}/p/ada/settings/",
    "taking a persona out": "/s/{space}/p/ada/take-out/",
    "LoRAs compared": "/s/{space}/p/ada/compare/",
    "LoRAs": "/s/{space}/loras/",
    "one LoRA": "/s/{space}/loras/1/",
    "add a LoRA": "/s/{space}/loras/add/",
    "plan": "/s/{space}/p/ada/plan/",
    "pillars": "/s/{space}/p/ada/pillars/",
    "clusters": "/s/{space}/p/ada/clusters/",
    "one cluster": "/s/{space}/p/ada/clusters/1/",
    "proposed clusters": "/s/{space}/p/ada/clusters/proposed/",
    "ideas": "/s/{space}/p/ada/ideas/",
    "calendar": "/s/{space}/p/ada/calendar/",
    "a published post": "/s/{space}/posts/1/",
    "a draft": "/s/{space}/posts/2/",
    "posts as a table": "/s/{space}/p/ada/calendar/table/",
    "slots": "/s/{space}/p/ada/calendar/slots/",
    "campaigns": "/s/{space}/p/ada/campaigns/",
    "channels": "/s/{space}/p/ada/channels/",
    "one channel": "/s/{space}/p/ada/channels/1/",
    "outbox": "/s/{space}/p/ada/channels/outbox/",
    "ledger": "/s/{space}/p/ada/ledger/",
    "insights": "/s/{space}/p/ada/insights/",
    "a post's numbers": "/s/{space}/posts/1/numbers/",
    "learnings": "/s/{space}/p/ada/insights/learnings/",
    "winners for training": "/s/{space}/p/ada/insights/training/",
    "pipelines": "/s/{space}/pipelines/",
    "one pipeline": "/s/{space}/pipelines/1/",
    "a pipeline's steps": "/s/{space}/pipelines/1/steps/",
    "runs": "/s/{space}/runs/",
    "one run": "/s/{space}/runs/1/",
    "voting": "/s/{space}/runs/2/vote/",
    "library": "/s/{space}/library/",
    "one kept picture": "/s/{space}/library/1/",
    "writer": "/s/{space}/writer/",
    "ComfyUI servers": "/s/{space}/servers/",
    "jobs": "/s/{space}/jobs/",
    "one job": "/s/{space}/jobs/1/",
    "members": "/s/{space}/members/",
    "new space": "/spaces/new/",
}
OPENING = """# Every page

<!-- Written by tools/screenshots.py. -->

At 360, 768 and 1440 pixels, light and dark, after the first turn of `make run`'s Ada.
"""


def main() -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("Chromium is not installed (on Debian and Ubuntu: apt install chromium)")
    with _demo() as (address, link), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        _take(browser, None, FIRST, link)
        space, state = _begin(browser, link)
        _take(browser, None, LOGIN, f"{address}/login/")
        _take(browser, None, USED, link)
        for name, path in PAGES.items():
            _take(browser, state, name, address + path.format(space=space))
        browser.close()
    pictures = [f"## {name}\n\n![{name}](images/studio/{_stem(name)}.webp)" for name in [FIRST, LOGIN, USED, *PAGES]]
    (DOCS / "pages.md").write_text("\n\n".join([OPENING.strip(), *pictures]) + "\n", encoding="utf-8")


@contextmanager
def _demo() -> Iterator[tuple[str, str]]:
    """The demo on a home of its own, its turn ended: where it is, and the first account's link."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="zoetrope-pages-") as home:
        command = [sys.executable, "-m", "zoetrope.cli", "demo", "--no-browser", "--port", str(port)]
        surroundings = environ | {"ZOETROPE_HOME": home, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings)
        assert process.stdout is not None
        said = ""
        try:
            for line in process.stdout:
                said += line
                if "What she drew waits" in line:
                    break
            link = re.search(r"http://\S+/link/\S+/", said)
            if link is None:
                raise SystemExit(f"the demo did not get that far: {said}")
            yield f"http://127.0.0.1:{port}", link[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _begin(browser: Browser, link: str) -> tuple[str, dict[str, object]]:
    """The owner's account, and some pictures drawn: her space, and her login."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    for name, text in OWNER.items():
        page.fill(f"#id_{name}", text)
    page.press("#id_password2", "Enter")
    page.wait_for_url("**/s/*/")
    space = page.url.rstrip("/").rpartition("/")[2]
    page.goto(f"{page.url}p/ada/try/")
    page.fill("#id_prompt", PROMPT)
    page.press("#id_prompt", "Control+Enter")
    page.locator(".order img").nth(3).wait_for(timeout=120_000)
    state = dict(context.storage_state())
    context.close()
    return space, state


def _take(browser: Browser, state: dict[str, object] | None, name: str, address: str) -> None:
    _sheet(list(_shots(browser, state, address))).save(FOLDER / f"{_stem(name)}.webp", quality=80, method=6)
    print(name, file=sys.stderr)


def _shots(browser: Browser, state: dict[str, object] | None, address: str) -> Iterator[Image.Image]:
    for scheme in SCHEMES:
        for width, height in SIZES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                storage_state=state,  # type: ignore[arg-type] # as it was given
                service_workers="block",
            )
            yield _shot(context.new_page(), address)
            context.close()


def _shot(page: Page, address: str) -> Image.Image:
    # Pages that listen for what comes are never idle on the network.
    page.route("**/jobs/live/**", lambda route: route.abort())
    page.goto(address)
    page.wait_for_load_state("networkidle")
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return image.resize((round(image.width * SHARE), round(image.height * SHARE)), Image.Resampling.LANCZOS)


def _sheet(shots: list[Image.Image]) -> Image.Image:
    """Light above dark, narrow to wide."""
    rows = [shots[: len(SIZES)], shots[len(SIZES) :]]
    width = sum(image.width + GAP for image in rows[0]) - GAP
    sheet = Image.new("RGB", (width, sum(max(image.height for image in row) for row in rows) + GAP), "#888888")
    top = 0
    for row in rows:
        left = 0
        for image in row:
            sheet.paste(image, (left, top))
            left += image.width + GAP
        top += max(image.height for image in row) + GAP
    return sheet


def _stem(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


if __name__ == "__main__":
    main()
