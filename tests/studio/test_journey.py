"""A newcomer's whole way, in a real browser through the real worker: from the first link to a picture by her LoRA."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.needs import CHROMIUM, NO_CHROMIUM, lacking
from tests.postgres import MISSING, cluster
from tests.studio.conftest import PASSWORD
from tests.studio.jobs.stage import new_database
from tests.studio.start_stage import Studio
from zoetrope.world.captions import caption
from zoetrope.world.drawer import draw
from zoetrope.world.sampling import random_identity, random_scene

SETTINGS = "zoetrope.studio.settings"
SOURCES = 4
LONGEST = 480_000


@pytest.fixture(params=["sqlite", "postgresql"])
def studio(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """A studio that has just been started for the first time: its one-time link."""
    # Put back afterwards, whatever a new database's address becomes.
    monkeypatch.setenv("DATABASE_URL", "")
    studio = Studio(tmp_path / "home", tmp_path)
    extra = {"DJANGO_SETTINGS_MODULE": SETTINGS}
    if request.param == "sqlite":
        yield _opened(studio, extra)
        _closed(studio)
        return
    with cluster() as folder:
        if folder is None:
            lacking(MISSING)
        with django_db_blocker.unblock():
            address = new_database(folder)
        yield _opened(studio, extra | {"DATABASE_URL": address})
        _closed(studio)


def _opened(studio: Studio, extra: dict[str, str]) -> str:
    return str(studio.start("--no-browser", ready=True, **extra)["opens"])


def _closed(studio: Studio) -> None:
    studio.kill()
    # Shown by pytest if the test failed.
    print(studio.said())


@pytest.fixture
def page() -> Iterator[Page]:
    if CHROMIUM is None:
        lacking(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1024, "height": 800})
        page.set_default_timeout(60_000)
        # Two cores may be shared with much else.
        expect.set_options(timeout=60_000)
        yield page
        expect.set_options(timeout=5_000)
        browser.close()


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """Pictures of somebody, with captions beside them."""
    rng, files = random.Random(2), []
    who = random_identity(rng, marks=True)
    for number in range(SOURCES):
        scene = random_scene(rng)
        picture, words = tmp_path / f"{number}.png", tmp_path / f"{number}.txt"
        draw(who, scene).image.save(picture)
        words.write_text(caption(None, scene, "mia"), encoding="utf-8")
        files += [picture, words]
    return files


def test_from_the_first_visit_to_a_picture(studio: str, page: Page, sources: list[Path]) -> None:
    first_visit(page, studio)
    page.click("text=Add ten to twenty pictures")
    page.set_input_files("#files", sources)
    page.click("text=Add them")
    expect(page.locator(".note.success")).to_contain_text(f"{SOURCES} sources added")
    _review(page)
    _turn(page)
    page.click("nav >> text=Card")
    expect(page.locator(".pairs figure")).to_have_count(23)
    page.click(".tabs >> text=LoRAs")
    expect(page.locator(".loras")).to_contain_text("mia v1")
    expect(page.locator(".loras")).to_contain_text("primary")
    _try(page)


def first_visit(page: Page, studio: str) -> None:
    """Through the one-time link to an account, a space and its first persona, Mia."""
    page.goto(studio)
    for name, text in (("username", "olga"), ("password1", PASSWORD), ("password2", PASSWORD), ("space", "My studio")):
        page.fill(f"#id_{name}", text)
    page.click("text=Open the studio")
    page.click("text=Make the first one")
    page.fill("#id_title", "Mia")
    page.select_option("#id_base", "nano-flux")
    page.select_option("#id_consent", "fictional")
    page.click("text=Make it")


def _review(page: Page) -> None:
    page.click("nav >> text=Review")
    # Keys are heard once the first picture is shown.
    expect(page.locator("[data-caption]")).not_to_be_empty()
    for left in range(SOURCES, 0, -1):
        expect(page.locator("#left")).to_have_text(str(left))
        page.keyboard.press("k")
    expect(page.locator("#done")).to_be_visible()


def _turn(page: Page) -> None:
    page.click("nav >> text=Turns")
    page.click("text=Steps and scenes")
    page.fill("#id_steps", "10")
    page.fill("#id_count", "2")
    page.click("text=Turn the wheel")
    # One of both: what it drew waits for a review, or nothing passed and the wheel can turn again.
    ended = re.compile("The wheel waits for the review|Turn the wheel")
    expect(page.locator("#now")).to_contain_text(ended, timeout=LONGEST)
    page.reload()
    expect(page.locator("main table")).to_contain_text("v1")


def _try(page: Page) -> None:
    page.click("nav >> text=Try it")
    expect(page.locator("#id_lora_0 option:checked")).to_contain_text("mia v1")
    # Keys are heard once the scripts have run.
    page.wait_for_load_state()
    page.fill("#id_prompt", "mia, smiling, front, park, soft light, portrait")
    page.fill("#id_count", "2")
    page.press("#id_prompt", "Control+Enter")
    expect(page.locator(".order")).to_have_count(1)
    pictures = page.locator(".order").first.locator("img")
    expect(pictures).to_have_count(2, timeout=LONGEST)
    expect(page.locator(".trying .note")).to_have_count(0)
    assert pictures.first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64
    page.click(".tabs >> text=LoRAs")
    page.click("text=mia v1")
    expect(page.locator("h2 ~ .pictures img")).to_have_count(2)
