"""The studio in a real browser: what the keyboard does, what a page looks like to those who cannot see it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from django.db import OperationalError
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests import tiny
from tests.needs import CHROMIUM, NO_CHROMIUM, lacking
from tests.studio.conftest import PASSWORD, Cast
from tests.wheel.cast import picture
from zoetrope.models.catalogue import Catalogue
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.loras.wearing import wear
from zoetrope.studio.making.models import Order
from zoetrope.studio.middleware import LOGGED_OUT
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.models import Space, User
from zoetrope.wheel.intake import Found, take_in
from zoetrope.wheel.state import Decision
from zoetrope.wheel.workspace import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    if CHROMIUM is None:
        lacking(NO_CHROMIUM)
    # Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield page
        browser.close()


@pytest.fixture
def inside(page: Page, cast: Cast, live_server: LiveServer) -> Page:
    """Olga, logged in."""
    log_in(page, live_server)
    return page


def log_in(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/login/")
    page.fill("#id_username", "olga")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/s/studio/")


@pytest.fixture
def ada(cast: Cast) -> Workspace:
    workspace = workspace_of(cast.ada)
    take_in(workspace, [Found(f"{n}.png", picture(n), f"portrait of ada, scene {n}") for n in range(4)])
    return workspace


def decisions(ada: Workspace) -> list[str]:
    return [entry.decision.value for entry in ada.state().pictures.values()]


def test_pictures_are_added_from_the_page(inside: Page, cast: Cast, tmp_path: Path, live_server: LiveServer) -> None:
    for name, data in (("one.png", picture(1)), ("one.txt", b"portrait of ada"), ("bad.png", b"no picture")):
        (tmp_path / name).write_bytes(data)
    inside.goto(f"{live_server.url}/s/studio/p/ada/sources/")
    inside.set_input_files("#files", [tmp_path / "bad.png"])
    inside.click("text=Add them")
    expect(inside.locator(".note.error")).to_contain_text("bad.png")
    inside.set_input_files("#files", [tmp_path / "one.png", tmp_path / "one.txt"])
    inside.click("text=Add them")
    expect(inside.locator(".note.success")).to_contain_text("1 source added")
    assert [entry.caption for entry in workspace_of(cast.ada).state().pictures.values()] == ["portrait of ada"]


def test_the_gate_is_one_key_a_decision(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/review/")
    shown, told, left = inside.locator("[data-caption]"), inside.locator("[data-told]"), inside.locator("#left")
    expect(shown).to_have_text("portrait of ada, scene 0")
    inside.keyboard.press("k")
    expect(shown).to_have_text("portrait of ada, scene 1")
    inside.keyboard.press("r")
    inside.keyboard.press("1")
    expect(left).to_have_text("2")
    assert decisions(ada) == ["kept", "rejected", "waiting", "waiting"]
    inside.keyboard.press("u")
    expect(told).to_have_text("Taken back.")
    expect(shown).to_have_text("portrait of ada, scene 1")
    inside.keyboard.press("ArrowRight")
    expect(shown).to_have_text("portrait of ada, scene 2")
    inside.keyboard.press("c")
    inside.keyboard.type("longer hair")
    inside.keyboard.press("Enter")
    expect(left).to_have_text("2")
    assert decisions(ada) == ["kept", "waiting", "corrected", "waiting"]
    inside.keyboard.press("g")
    inside.locator("[data-many] li").first.click()
    inside.locator("[data-many] li").last.click()
    inside.keyboard.press("k")
    expect(inside.locator("#done")).to_be_visible()
    expect(left).to_have_text("0")
    assert len(ada.state().of(Decision.kept)) == 3


def test_a_decision_that_cannot_be_recorded_comes_back(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/review/")
    with ada.locked():
        inside.keyboard.press("k")
        expect(inside.locator("[data-told]")).to_contain_text("Somebody else is at work on ada")
    expect(inside.locator("[data-caption]")).to_have_text("portrait of ada, scene 0")
    assert decisions(ada) == ["waiting"] * 4


def test_two_quick_undos_take_back_two_decisions(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/review/")
    for key in "kkkuu":
        inside.keyboard.press(key)
    expect(inside.locator("[data-position]")).to_have_text("1 of 3")
    expect(inside.locator("[data-told]")).to_have_text("Taken back.")
    assert decisions(ada) == ["kept", "waiting", "waiting", "waiting"]


def test_an_undo_refused_for_now_can_be_pressed_again(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/review/")
    inside.keyboard.press("k")
    expect(inside.locator("#left")).to_have_text("3")
    inside.route("**/decide/", lambda route: route.fulfill(status=503, body='<div class="note">Try again.</div>'))
    inside.keyboard.press("u")
    expect(inside.locator("[data-told]")).to_have_text("Try again.")
    inside.unroute("**/decide/")
    inside.keyboard.press("u")
    expect(inside.locator("[data-told]")).to_have_text("Taken back.")
    assert decisions(ada) == ["waiting"] * 4


def end_logins() -> None:
    """Tests share their tables with the server's threads, one of which may be reading just now."""
    given_up = time.monotonic() + 10
    while True:
        try:
            Session.objects.all().delete()
            return
        except OperationalError:
            if time.monotonic() > given_up:
                raise
            time.sleep(0.05)


def test_a_login_that_ended_is_told_and_what_was_done_comes_back(
    inside: Page, ada: Workspace, live_server: LiveServer
) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/review/")
    end_logins()
    inside.keyboard.press("k")
    expect(inside.locator("[data-told]")).to_have_text("You are logged out: log in, then try again.")
    other = inside.context.new_page()
    log_in(other, live_server)
    inside.keyboard.press("k")
    expect(inside.locator("#left")).to_have_text("3")
    assert decisions(ada) == ["kept", "waiting", "waiting", "waiting"]


def test_a_drop_after_the_login_ended_can_be_sent_again(
    inside: Page, cast: Cast, tmp_path: Path, live_server: LiveServer
) -> None:
    (tmp_path / "one.png").write_bytes(picture(1))
    inside.goto(f"{live_server.url}/s/studio/p/ada/sources/")
    inside.set_input_files("#files", tmp_path / "one.png")
    end_logins()
    inside.click("text=Add them")
    expect(inside.locator(".note.error")).to_have_text("You are logged out: log in, then try again.")
    log_in(inside.context.new_page(), live_server)
    inside.click("text=Add them")
    expect(inside.locator(".note.success")).to_contain_text("1 source added")


def test_a_caption_stays_in_its_field_until_it_is_saved(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/captions/")
    field, told = inside.locator("textarea").first, inside.locator("output").first
    out = {"status": 401, "headers": {"HX-Redirect": "/login/"}, "body": "Log in."}
    inside.route("**/captions/", lambda route: route.fulfill(**out))
    field.fill("ada, sitting")
    field.blur()
    expect(told).to_contain_text("Not saved, you are logged out")
    expect(field).to_have_value("ada, sitting")
    inside.unroute("**/captions/")
    inside.context.clear_cookies(name="zoetrope_session")
    log_in(inside.context.new_page(), live_server)
    field.fill("ada, standing")
    field.blur()
    expect(told).to_have_text("Saved.")
    expect(inside.locator("#undo button")).to_have_text("Undo the last step: 1 captioned by olga")
    field.fill("a girl, standing")
    field.blur()
    expect(told).to_have_text("Saved. It lacks the trigger ada.")
    expect(inside.locator("#said .note")).to_contain_text("1 caption lacks the trigger 'ada'.")
    inside.click("#undo button")
    expect(inside.locator(".note")).to_have_text("Taken back: 1 captioned by olga.")


PRESSES = """count => {
    for (let pressed = 0; pressed < count; pressed++) {
        const key = {key: "Enter", ctrlKey: true, bubbles: true, repeat: pressed > 3};
        document.querySelector("#id_prompt").dispatchEvent(new KeyboardEvent("keydown", key));
    }
}"""


def test_keys_pressed_often_order_once(inside: Page, cast: Cast, live_server: LiveServer) -> None:
    Catalogue().add("tiny", "flux", tiny.saved("dev"))
    inside.goto(f"{live_server.url}/s/studio/try/")
    inside.fill("#id_prompt", "ada")
    inside.select_option("#id_model", "tiny")
    inside.evaluate(PRESSES, 6)
    expect(inside.locator("#tried .order")).to_have_count(1)
    assert Order.objects.count() == 1


def test_an_order_after_the_login_ended_can_be_sent_again(inside: Page, cast: Cast, live_server: LiveServer) -> None:
    Catalogue().add("tiny", "flux", tiny.saved("dev"))
    inside.goto(f"{live_server.url}/s/studio/try/")
    inside.fill("#id_prompt", "ada")
    inside.select_option("#id_model", "tiny")
    inside.context.clear_cookies(name="zoetrope_session")
    inside.click("text=Draw")
    expect(inside.locator("form .note.error")).to_have_text(LOGGED_OUT)
    expect(inside.locator("#tried")).to_be_visible()
    # In another tab, which changes every token.
    log_in(inside.context.new_page(), live_server)
    inside.click("text=Draw")
    expect(inside.locator("#tried .order")).to_have_count(1)


def test_zoom_stays_from_picture_to_picture(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/review/")
    inside.keyboard.press("z")
    inside.keyboard.press("k")
    expect(inside.locator("[data-stage]")).to_have_class("stage zoomed")


def test_a_question_mark_shows_the_keys(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/p/ada/review/")
    inside.keyboard.press("?")
    expect(inside.locator("#keys")).to_contain_text("Take back the last decision")
    inside.keyboard.press("k")
    assert decisions(ada) == ["waiting"] * 4, "keys wait while the help is open"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(inside: Page, ada: Workspace, live_server: LiveServer, scheme: str) -> None:
    inside.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    pages = ["", "sources/", "captions/", "review/", "turns/", "card/", "exports/", "settings/"]
    addresses = [f"/s/studio/p/ada/{page}" for page in pages]
    # The test's server is no asynchronous one: a stream would hold it, and its database, for minutes.
    inside.route("**/jobs/live/", lambda route: route.abort())
    faults = []
    for address in ("/s/studio/", "/s/studio/new-persona/", "/s/studio/members/", "/s/studio/jobs/", *addresses):
        inside.goto(live_server.url + address)
        found = Axe().run(inside, options={"runOnly": ["wcag2a", "wcag2aa", "best-practice"]}).response["violations"]
        for fault in found:
            if fault["impact"] in ("serious", "critical"):
                faults.append((address, fault["id"], [node["html"] for node in fault["nodes"]]))
        wide = inside.evaluate("document.documentElement.scrollWidth")
        if wide > 360:
            faults.append((address, f"{wide} pixels wide", []))
        if folder := os.environ.get("ZOETROPE_PICTURES"):
            inside.screenshot(path=f"{folder}/{scheme}{address.replace('/', '-')}.png", full_page=True)
    assert faults == []


def test_names_of_eighty_letters_make_no_page_wider(inside: Page, ada: Workspace, live_server: LiveServer) -> None:
    row = Persona.objects.get(name="ada")
    Persona.objects.update(title="W" * 80, about="V" * 200, trigger="T" * 48)
    Space.objects.update(name="M" * 80)
    User.objects.filter(username="olga").update(username="o" * 100)
    told = {"name": "L" * 80, "kind": "style", "base": "nano-flux", "family": "flux", "size": 1, "trigger": "T" * 90}
    lora = Lora.objects.create(space=row.space, persona=row, sha256="0" * 64, origin=Origin.upload, **told)
    wear(row, lora, primary=True)
    parts = ["", "sources/", "captions/", "review/", "turns/", "card/", "exports/", "settings/"]
    parts += ["loras/", "try/", "take-out/"]
    space = [f"/s/studio/{part}" for part in ("", "loras/", f"loras/{lora.pk}/", "members/", "try/", "new-persona/")]
    inside.route("**/jobs/live/", lambda route: route.abort())
    faults = []
    for address in (*space, *(f"/s/studio/p/ada/{part}" for part in parts)):
        inside.goto(live_server.url + address)
        inside.locator("summary").first.click()
        wide = inside.evaluate("document.documentElement.scrollWidth")
        away = inside.locator(".bar .away").bounding_box()
        if wide > 360 or away is None or away["x"] + away["width"] > 360:
            faults.append((address, wide, away))
        if folder := os.environ.get("ZOETROPE_PICTURES"):
            inside.screenshot(path=f"{folder}/long{address.replace('/', '-')}.png", full_page=True)
    assert faults == []


def test_a_signed_document_is_asked_for_where_someone_signed(inside: Page, live_server: LiveServer) -> None:
    inside.goto(f"{live_server.url}/s/studio/new-persona/")
    expect(inside.locator("#id_document")).to_be_hidden()
    inside.select_option("#id_consent", "granted")
    expect(inside.locator("#id_document")).to_be_visible()
    inside.select_option("#id_consent", "self")
    expect(inside.locator("#id_document")).to_be_hidden()
