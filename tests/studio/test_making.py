"""Orders: a real engine process draws them, and a try that was cut off goes on."""

import errno
import hashlib
import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests import tiny
from tests.studio.conftest import Cast, Told
from zoetrope.engines.local.orders import order as ordered
from zoetrope.engines.local.process import EngineProcess
from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_file
from zoetrope.media.recipe import Recipe, read_recipe
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.loras import open_lora
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making import orders, tasks
from zoetrope.studio.making.models import Made, MadeLora, Order
from zoetrope.studio.making.store import path_of


@pytest.fixture
def engine() -> Iterator[EngineProcess]:
    """The worker's engine, in this test's own home."""
    tasks.engine.cache_clear()
    with tasks.engine() as process:
        yield process
    tasks.engine.cache_clear()


@pytest.fixture
def recipe(own_home: object) -> Recipe:
    model = Catalogue().add("tiny", "flux", tiny.saved("dev"))
    return ordered(model, "a smiling girl", seed=5, steps=2, width=32, height=32)


def placed(cast: Cast, recipe: Recipe, count: int = 3) -> Order:
    return orders.place(cast.space, recipe, count, cast.user("rui"), cast.ada)


def disk_is_full(*said: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_order_becomes_pictures_with_their_recipes(
    cast: Cast, recipe: Recipe, engine: EngineProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = placed(cast, recipe)
    work = Told()
    tasks.draw(work, order.pk)
    made = list(order.made.order_by("number"))
    assert [each.number for each in made] == [0, 1, 2]
    assert len({each.sha256 for each in made}) == 3
    for each in made:
        path = path_of(each.sha256)
        assert hash_file(path) == each.sha256
        assert read_recipe(path) == each.said_recipe
        assert (each.space, each.persona) == (cast.space, cast.ada)
    assert work.stages[-1] == ("drawn", 2, 2)
    picture = f"/s/studio/made/{made[0].sha256}/"
    assert cast.clients["vic"].get(picture + "0").status_code == 200
    assert cast.clients["vic"].get(picture + "320")["Content-Type"] == "image/webp"
    assert cast.clients["sam"].get(f"/s/elsewhere/made/{made[0].sha256}/0").status_code == 404
    with monkeypatch.context() as patch:
        patch.setattr("zoetrope.media.thumbnails.write_atomic", disk_is_full)
        whole = cast.clients["vic"].get(picture + "160")
    assert (whole["Content-Type"], whole["Cache-Control"]) == ("image/png", "no-store")
    assert cast.clients["vic"].get(picture + "160")["Content-Type"] == "image/webp"
    # Again: nothing is drawn, and nothing doubled.
    before = Made.objects.count()
    tasks.draw(Told(), order.pk)
    assert Made.objects.count() == before


def test_what_was_drawn_before_a_crash_stays(cast: Cast, recipe: Recipe, engine: EngineProcess) -> None:
    order = placed(cast, recipe, count=10)
    tasks.draw(Told(), order.pk)
    last = order.made.order_by("number").last()
    assert last is not None
    sha256 = last.sha256
    order.made.filter(number__gte=8).delete()
    kept = {each.pk for each in order.made.all()}
    tasks.draw(Told(), order.pk)
    assert kept < {each.pk for each in order.made.all()}
    again = order.made.order_by("number").last()
    assert again is not None
    assert again.sha256 == sha256, "the same batch gives the same bytes"


def test_a_lora_is_noted_with_its_weight(cast: Cast, recipe: Recipe, engine: EngineProcess) -> None:
    lora = open_lora(tiny.saved_lora("dev"))
    engine.lend_lora(lora)
    model = Catalogue().find("tiny")
    with_lora = ordered(model, "a girl", loras=[(lora, 0.7)], steps=1, width=32, height=32)
    tasks.draw(Told(), placed(cast, with_lora, 1).pk)
    assert [(each.sha256, each.weight) for each in MadeLora.objects.all()] == [(lora.sha256, 0.7)]


def test_an_engine_that_dies_is_a_fault_and_not_the_users(cast: Cast, recipe: Recipe, engine: EngineProcess) -> None:
    order = placed(cast, recipe.model_copy(update={"steps": 400}), 1)

    class Killing(Told):
        def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
            if stage == "drawing":
                os.kill(engine.health().pid, signal.SIGKILL)

    with pytest.raises(jobs.Fault, match="ask again"):
        tasks.draw(Killing(), order.pk)
    order.recipe = json.loads(recipe.to_json())
    order.save()
    tasks.draw(Told(), order.pk)
    assert order.made.count() == 1


def test_a_cancelled_drawing_stops_at_its_next_step(cast: Cast, recipe: Recipe, engine: EngineProcess) -> None:
    order = placed(cast, recipe.model_copy(update={"steps": 400}), 1)

    class Changing(Told):
        def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
            super().progress(stage, done, total)
            self.wanted = stage != "drawing"

    work = Changing()
    with pytest.raises(jobs.Interrupted):
        tasks.draw(work, order.pk)
    assert work.stages[-1][1] < 10
    assert not order.made.exists()


def test_too_many_pictures_are_no_order(cast: Cast, recipe: Recipe) -> None:
    with pytest.raises(UserError, match="1 to 100"):
        placed(cast, recipe, 101)
    assert not Order.objects.exists()
    assert not jobs.Job.objects.exists()


def test_programs_see_orders_and_what_was_made(cast: Cast, recipe: Recipe, engine: EngineProcess) -> None:
    order = placed(cast, recipe, 2)
    address = f"/api/spaces/studio/orders/{order.pk}"
    assert cast.clients["vic"].get(address).json()["state"] == "waiting"
    tasks.draw(Told(), order.pk)
    told = cast.clients["vic"].get(address).json()
    assert len(told["made"]) == 2
    assert cast.clients["sam"].get(f"/api/spaces/elsewhere/orders/{order.pk}").status_code == 404
    listed = cast.clients["vic"].get("/api/spaces/studio/made").json()
    assert {each["sha256"] for each in listed} == {each["sha256"] for each in told["made"]}
    one = f"/made/{listed[0]['sha256']}"
    sent = cast.clients["vic"].get(f"/api/spaces/studio{one}")
    assert hashlib.sha256(sent.content).hexdigest() == listed[0]["sha256"]
    assert cast.clients["vic"].get(f"/api/spaces/studio{one}?side=160")["Content-Type"] == "image/webp"
    assert cast.clients["sam"].get(f"/api/spaces/elsewhere{one}").status_code == 404
