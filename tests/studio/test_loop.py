"""The whole loop in a real browser through the real worker, from a gap to a picture that the wheel may learn from.

Gap, idea, run, votes, winner, a day of the calendar by drag, caption, approval, posted at an Instagram of the tests'
own, ledger, numbers, learning, training picture. Days are not waited for: the post is made older in the database.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import save_file

from tests.studio.publishing.graph import Graph
from tests.studio.publishing.graph_truth import Post
from tests.studio.start_stage import Studio
from tests.studio.test_journey import LONGEST, SETTINGS, first_visit, page
from tests.studio.test_runs_journey import vote
from zoetrope.media.hashing import hash_file
from zoetrope.models.catalogue import Catalogue

__all__ = ["page"]

REACH, LIKES = 400.0, 60.0
# Of one step: to decide, to point, to press, as the keystroke-level model has it.
STEP_SECONDS = 1.35 + 1.1 + 0.2
PREDECESSORS_SECONDS = 300.0
HISTORY = """
import sys, django
from datetime import timedelta
django.setup()
from django.utils import timezone
from zoetrope.studio.insights.models import Age, Reading
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.publishing.models import Post

mia, now = Persona.objects.get(), timezone.now()
home = Pillar.objects.create(space=mia.space, persona=mia, name="At home", weight=10)
for number in range(24):
    pillar, rate = (Pillar.objects.get(name="Walks"), 0.12) if number % 2 else (home, 0.02)
    at = now - timedelta(days=20 + number)
    post = Post.objects.create(
        space=mia.space, persona=mia, pillar=pillar, state="published", published=at, due=at, media=f"old-{number}"
    )
    rate *= 1 + 0.01 * number
    Reading.objects.create(post=post, age=Age.DAYS, at=at, source=Reading.Source.ACCOUNT, rate=rate)
today = Post.objects.filter(state="published", published__gt=now - timedelta(days=1))
today.update(published=now - timedelta(hours=73))
"""


class Hands:
    """What a person does at a page: how many steps, and how long the studio let them wait."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.steps = 0
        self.waited = 0.0

    def click(self, where: str, then: str) -> None:
        """A step, and what is to be seen after it."""
        began = time.monotonic()
        self._page.click(where)
        self._seen(then, began)

    def drag(self, what: str, to: str, then: str) -> None:
        began = time.monotonic()
        self._page.drag_and_drop(what, to)
        self._seen(then, began)

    def _seen(self, then: str, began: float) -> None:
        expect(self._page.locator(then).first).to_be_visible()
        self.waited += time.monotonic() - began
        self.steps += 1

    @property
    def seconds(self) -> float:
        """What it takes a person, by the model of how people work."""
        return self.steps * STEP_SECONDS + self.waited


@pytest.fixture
def graph() -> Iterator[Graph]:
    """An Instagram on a real socket, whose audience likes everything a little."""

    def audience(post: Post, name: str, hours: float) -> float | None:
        return {"reach": REACH, "likes": LIKES, "total_interactions": LIKES}.get(name)

    with Graph(seed=1, audience=audience) as server:
        yield server


@pytest.fixture
def stage(tmp_path: Path, graph: Graph) -> Iterator[Studio]:
    """A studio that posts to that Instagram, and whose pictures it can fetch."""
    studio = Studio.migrated(tmp_path / "home", tmp_path)
    yield studio
    studio.kill()
    # Shown by pytest if the test failed.
    print(studio.said())


def test_the_loop(stage: Studio, graph: Graph, page: Page) -> None:
    surroundings = {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "ZOETROPE_INSTAGRAM_URL": graph.url,
        "ZOETROPE_PUBLIC_URL": stage.address,
    }
    first_visit(page, str(stage.start("--no-browser", ready=True, **surroundings)["opens"]))
    at = f"{page.url.rstrip('/').rpartition('/p/')[0]}/p/mia"
    _taught(stage.home)
    _connected(page, at, graph)
    _pipeline(page, at)
    _pillar(page, at)
    hands = Hands(page)
    _drawn(page, hands, at)
    _planned(page, hands, at)
    post = page.url
    _went_out(page, at, graph)
    print(f"{hands.steps} steps, {hands.waited:.1f} s of waiting, {hands.seconds:.0f} s of a person's time")
    assert hands.seconds < PREDECESSORS_SECONDS
    subprocess.run([sys.executable, "-c", HISTORY], env=stage.surroundings(**surroundings), check=True, timeout=120)
    _measured(page, post)
    _learned(page, at)


def _taught(home: Path) -> None:
    """A version of hers, as a training leaves it: workers find it by themselves."""
    base = Catalogue().find("nano-flux")
    rng, weights = np.random.default_rng(1), {}
    for place in range(2):
        key = f"transformer.transformer_blocks.{place}.attn.to_q"
        wide = json.loads((base.folder / "transformer" / "config.json").read_text())
        side = wide["attention_head_dim"] * wide["num_attention_heads"]
        weights[f"{key}.lora_A.weight"] = rng.normal(0, 0.01, (2, side)).astype(np.float32)
        weights[f"{key}.lora_B.weight"] = rng.normal(0, 0.01, (side, 2)).astype(np.float32)
    exports = home / "personas" / "mia" / "exports"
    exports.mkdir(exist_ok=True)
    made = home / "mia_v1.safetensors"
    save_file(weights, made)
    said = {"name": "mia", "version": 1, "type": "character", "trigger": "mia", "rank": 2, "sha256": hash_file(made)}
    said |= {"base": {"model": "nano-flux"}, "consent": {"kind": "fictional"}}
    shutil.move(made, exports / made.name)
    (exports / "mia_v1.json").write_text(json.dumps(said))


def _connected(page: Page, at: str, graph: Graph) -> None:
    page.goto(f"{at}/channels/")
    page.fill("#id_token", graph.truth.token(graph.truth.account("mia.walks")))
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator(".channels")).to_contain_text("mia.walks")


def _pipeline(page: Page, at: str) -> None:
    page.goto(f"{at.rpartition('/p/')[0]}/pipelines/")
    page.locator("li", has_text="Eight to choose from").get_by_role("button").first.click()
    expect(page.locator("h1")).to_contain_text("Eight to choose from")


def _pillar(page: Page, at: str) -> None:
    page.goto(f"{at}/pillars/")
    page.fill("#id_name", "Walks")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("h2", has_text="Walks").first).to_be_visible()


def _drawn(page: Page, hands: Hands, at: str) -> None:
    """From what is missing to a winner."""
    page.goto(f"{at}/plan/")
    expect(page.locator(".gaps .status").first).to_be_visible()
    hands.click("nav.rooms >> text=Ideas", "text=Suggest some")
    hands.click("text=Suggest some", "text=Draw it")
    page.locator("select[name=pipeline]").first.select_option(label="Eight to choose from")
    hands.click("text=Draw it", "h1")
    page.goto(f"{at.rpartition('/p/')[0]}/runs/")
    page.locator("main a[href*='/runs/']").first.click()
    expect(page.locator(".stage")).to_contain_text(re.compile(r"(?<!of )8 drawn"), timeout=LONGEST)
    page.keyboard.press("v")
    began = time.monotonic()
    hands.steps += vote(page)
    expect(page.locator(".crowned h2")).to_have_text("The winner")
    hands.waited += time.monotonic() - began


def _planned(page: Page, hands: Hands, at: str) -> None:
    """Onto a day by drag, a caption, and approved for now."""
    page.goto(f"{at}/calendar/")
    strip = "#strip [data-kept]"
    # What is far below is asked for when somebody gets there.
    page.locator("#strip").scroll_into_view_if_needed()
    expect(page.locator(strip).first).to_be_visible()
    # Late in the evening today has no slot left.
    tomorrow = "section.day.today + section.day"
    hands.drag(strip, tomorrow, f"{tomorrow} [data-post]")
    hands.click(f"{tomorrow} [data-post] a", "text=Write captions")
    hands.click("text=Write captions", ".variant")
    hands.click(".variant >> nth=0 >> text=Take this one", ".variant >> nth=0 >> button:disabled")
    page.select_option("#id_channel", label="mia.walks")
    now = page.evaluate("new Date(Date.now() - 120000).toISOString().slice(0, 16)")
    page.fill("#id_day", now[:10])
    page.fill("#id_time", now[11:])
    hands.steps += 2
    hands.click("button[value=save]", "text=Its caption began as")
    hands.click("button[value=schedule]", ".state")


def _went_out(page: Page, at: str, graph: Graph) -> None:
    """It is live, once, with the words of the page, and each call is in the ledger."""
    given_up = time.monotonic() + LONGEST / 1000
    while "published" not in page.locator(".state .tag").inner_text().lower() and time.monotonic() < given_up:
        time.sleep(1)
        page.reload()
    (account,) = graph.truth.accounts.values()
    assert [post.caption.splitlines()[0] for post in account.posts] == [
        page.locator(".said .text").inner_text().splitlines()[0]
    ]
    page.goto(f"{at}/ledger/")
    expect(page.locator(".calls")).to_contain_text("publish")


def _measured(page: Page, post: str) -> None:
    """Its numbers came by themselves."""
    given_up = time.monotonic() + LONGEST / 1000
    page.goto(f"{post.partition('?')[0]}numbers/")
    share = f"{LIKES / REACH:.1%}"
    while share not in page.locator(".numbers").inner_text() and time.monotonic() < given_up:
        time.sleep(1)
        page.reload()
    expect(page.locator(".numbers")).to_contain_text(share)


def _learned(page: Page, at: str) -> None:
    """Walks do better: proposed, approved; and the winner may be learned from."""
    page.goto(f"{at}/insights/learnings/")
    given_up = time.monotonic() + LONGEST / 1000
    while not page.locator(".learning").count() and time.monotonic() < given_up:
        time.sleep(1)
        page.reload()
    expect(page.locator(".learning h2").first).to_contain_text("Walks")
    page.get_by_role("button", name="Approve", exact=True).first.click()
    expect(page.locator(".learning .tag").first).to_have_text("approved")
    page.goto(f"{at}/insights/training/")
    page.get_by_role("button", name="Look for winners").click()
    expect(page.locator(".winner")).to_have_count(1, timeout=LONGEST)
    expect(page.locator(".winner .facts")).to_contain_text("mia v1")
