"""The running studio in a real browser: installed as an app, offline, its keys, and what comes while one looks."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from tests.needs import CHROMIUM, NO_CHROMIUM, lacking
from tests.studio.conftest import PASSWORD
from tests.studio.jobs.stage import until
from tests.studio.start_stage import Studio

SECONDS = 1000
ADA = "/s/studio/p/ada"
# A persona with pictures that were all kept: the wheel may turn.
READY = """
from tests.wheel.cast import picture
from zoetrope.studio.personas.workspaces import begin, told_persona, workspace_of
from zoetrope.studio.spaces.models import Space
from zoetrope.wheel import review
from zoetrope.wheel.intake import Found, take_in
ada = begin(Space.objects.get(), told_persona("ada", "drawn", "", "nano-flux", "fictional"), "Ada")
workspace = workspace_of(ada)
take_in(workspace, [Found(f"{n}.png", picture(n), f"portrait of ada, {n}") for n in range(4)])
review.keep(workspace, list(workspace.state().pictures.values()), "olga")
"""


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio.migrated(tmp_path / "home", tmp_path)
    yield studio
    studio.kill()


@pytest.fixture
def page() -> Iterator[Page]:
    if CHROMIUM is None:
        lacking(NO_CHROMIUM)
    # Two cores may be shared with much else.
    expect.set_options(timeout=90 * SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_default_timeout(60 * SECONDS)
        yield page
        browser.close()
    expect.set_options(timeout=5 * SECONDS)


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser itself finds wrong: a policy that is not kept, a file that is not there."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            found.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def inside(studio: Studio, page: Page, complaints: list[str]) -> Page:
    """Olga, who followed the first link."""
    page.goto(studio.start()["opens"])
    for name, text in (("username", "olga"), ("password1", PASSWORD), ("password2", PASSWORD), ("space", "Studio")):
        page.fill(f"#id_{name}", text)
    page.click("text=Open the studio")
    page.wait_for_url("**/s/studio/")
    return page


def test_it_is_an_app_and_says_when_it_does_not_run(studio: Studio, inside: Page, complaints: list[str]) -> None:
    assert inside.evaluate("navigator.serviceWorker.ready.then((at) => at.scope)") == f"{studio.address}/"
    said = inside.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then((a) => a.json())")
    assert (said["display"], said["start_url"], said["scope"]) == ("standalone", "/", "/")
    for icon in said["icons"]:
        wide = inside.evaluate(
            "async (src) => { const i = new Image(); i.src = src; await i.decode(); return i.naturalWidth }",
            f"/static/studio/{icon['src']}",
        )
        assert icon["sizes"] in ("any", f"{wide}x{wide}")
    inside.goto(f"{studio.address}/s/studio/jobs/")
    inside.wait_for_function("navigator.serviceWorker.controller")
    inside.reload()
    names = "caches.keys().then((n) => Promise.all(n.map((k) => caches.open(k).then((c) => c.keys())))).then((k) => "
    kept = inside.evaluate(names + "k.flat().map((r) => new URL(r.url).pathname))")
    assert any("live" in path for path in kept), "what the page needed besides"
    assert [path for path in kept if not re.fullmatch(r"/static/.+\.[0-9a-f]{12}\.[a-z0-9]+", path)] == []
    assert complaints == []
    studio.end(signal.SIGKILL)
    inside.goto(f"{studio.address}/s/studio/members/")
    expect(inside.locator("h1")).to_have_text("Offline: the studio is not running")
    studio.start()
    expect(inside.locator("h1")).to_have_text("Members of Studio")


def test_every_page_has_its_keys(studio: Studio, inside: Page, complaints: list[str]) -> None:
    studio.python(READY)
    studio.enqueue("note", "{'number': 1}")
    pages = ["", "sources/", "captions/", "review/", "turns/", "card/", "exports/", "settings/"]
    ours = ["/s/studio/", "/s/studio/new-persona/", "/s/studio/members/", "/s/studio/jobs/", "/s/studio/jobs/1/"]
    others = ["/spaces/new/", "/nothing-here/", "/link/used-up/"]
    for address in (*ours, *(f"{ADA}/{each}" for each in pages), *others):
        inside.goto(studio.address + address)
        keys_shown(inside)
    inside.context.clear_cookies()
    inside.goto(f"{studio.address}/login/")
    inside.focus("#id_username")
    inside.keyboard.press("?")
    expect(inside.locator("#id_username")).to_have_value("?")
    inside.keyboard.press("Escape")
    keys_shown(inside)
    assert [each for each in complaints if "404" not in each] == []


def keys_shown(page: Page) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys"), page.url).to_contain_text("This help")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_log_lines_come_while_one_looks(studio: Studio, inside: Page, complaints: list[str]) -> None:
    studio.enqueue("talk", "{'number': 6}")
    until(lambda: studio.states()["talk"] == "done", 60)
    inside.goto(f"{studio.address}/s/studio/jobs/")
    log = inside.locator("#log")
    expect(log).to_contain_text("noted 6")
    studio.enqueue("child", "{'upto': 400}")
    row = inside.locator("tr", has_text="child")
    expect(row.locator("[data-stage]")).to_have_text("counting")
    expect(log).to_contain_text("child: counted")
    expect(inside.locator("section", has_text="Done").locator("tr", has_text="child")).to_be_visible()
    assert log.inner_text().count("noted 6") == 1
    # Through a restart nothing is missed and nothing told twice.
    studio.end()
    expect(inside.locator("#told")).to_contain_text("The studio does not answer")
    studio.start()
    studio.enqueue("note", "{'number': 8}")
    expect(log).to_contain_text("note: noted 8")
    expect(inside.locator("#told")).to_be_hidden()
    assert log.inner_text().count("noted") == 2


def test_a_training_is_seen_as_it_goes(studio: Studio, inside: Page, complaints: list[str]) -> None:
    studio.python(READY)
    inside.goto(f"{studio.address}{ADA}/turns/")
    inside.click("text=Turn the wheel")
    expect(inside.locator("#now [data-stage]")).to_have_text("training", timeout=240 * SECONDS)
    expect(inside.locator("#log")).to_contain_text("4 pictures, about")
    expect(inside.locator("#log")).to_contain_text("step 50: loss", timeout=400 * SECONDS)
    expect(inside.locator("#seen svg polyline")).to_be_visible()
    first = inside.locator("#seen .strip img").first
    expect(first).to_have_attribute("alt", "Sample 1 at step 100", timeout=240 * SECONDS)
    assert first.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 64
    if folder := os.environ.get("ZOETROPE_PICTURES"):
        inside.screenshot(path=f"{folder}/turns.png", full_page=True)
    inside.click("text=Cancel")
    inside.wait_for_url("**/jobs/")
    expect(inside.locator(".note")).to_contain_text("is cancelled")
    assert complaints == []
