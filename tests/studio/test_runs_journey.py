"""From a pipeline to a winner, in a real browser through the real worker, chosen by keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.studio.test_journey import LONGEST, first_visit, page, studio

__all__ = ["page", "studio"]
MOST_VOTES = 40


def test_from_a_pipeline_to_a_winner(studio: str, page: Page) -> None:
    first_visit(page, studio)
    page.click(".bar >> text=Runs")
    page.click("text=Start one")
    page.locator("li", has_text="Drafts, then the best finished").get_by_role("button").click()
    page.fill("#id_said_prompt", "portrait, smiling, in a park")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("h1")).to_have_text("portrait, smiling, in a park")
    # While they are drawn it says how many of them.
    expect(page.locator(".stage")).to_contain_text(re.compile(r"(?<!of )8 drawn"), timeout=LONGEST)
    page.keyboard.press("v")
    vote(page)
    expect(page.locator(".note.success")).to_contain_text("The best 2 of Drafts go on")
    expect(page.locator(".node.passed")).to_have_count(2)
    expect(page.locator(".stage").nth(1)).to_contain_text(re.compile(r"(?<!of )2 drawn"), timeout=LONGEST)
    _walk(page)
    page.keyboard.press("v")
    vote(page)
    expect(page.locator(".crowned h2")).to_have_text("The winner")
    expect(page.locator(".node.winner")).to_have_count(1)
    page.locator("header a:visible", has_text="Library").first.click()
    page.locator(".kept a").click()
    page.go_back()
    page.go_back()
    page.click("text=It is in the library")
    expect(page.locator(".chain h3")).to_have_text(["Finished", "Drafts", "Pipeline", "Recipe", "No LoRA"])
    expect(page.locator("h1")).to_have_text("The winner of portrait, smiling, in a park")
    page.locator(".chain a").first.click()
    page.click("text=Choose again")
    expect(page.locator(".crowned")).to_have_count(0)


def vote(page: Page) -> int:
    """Prefer whoever was drawn first until the pick is sure enough, then let it go on; how many keys that took."""
    expect(page.locator("h1")).to_have_text("Which is the best?")
    page.keyboard.press("n")
    page.keyboard.press("u")
    pressed = 3
    for _ in range(MOST_VOTES):
        shown = page.locator("[data-screen] button")
        expect(shown.nth(1)).to_be_visible()
        if page.locator("#pick").is_visible():
            break
        keys = [int(key) for key in shown.evaluate_all("all => all.map(each => each.dataset.key)")]
        said = page.locator("[data-sure]").text_content()
        page.keyboard.press(str(keys.index(min(keys)) + 1))
        pressed += 1
        # An answer changes how sure it is.
        expect(page.locator("[data-sure]")).not_to_have_text(said or "")
    expect(page.locator("[data-sure]")).to_contain_text("that is enough")
    # The first shows what would go on, which may lie below the pictures; the second lets it.
    button = page.locator("#pick button.primary")
    if not button.evaluate("found => found.getBoundingClientRect().bottom <= innerHeight"):
        page.keyboard.press("Enter")
        pressed += 1
        expect(button).to_be_focused()
        expect(button).to_be_in_viewport()
    page.keyboard.press("Enter")
    return pressed


def _walk(page: Page) -> None:
    """Arrows go from a draft to what grew from it and back; Enter opens it."""
    page.locator(".node.passed").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tree ol ol a.node:focus, .tree > li > ol a.node:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#node")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".node.passed:focus")).to_have_count(1)
