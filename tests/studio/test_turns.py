"""Turns and the jobs page: what is handed in, what is shown, who may stop it."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from tests.studio.conftest import Cast, Told
from tests.wheel.cast import picture
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces import work
from zoetrope.studio.spaces.models import Membership
from zoetrope.studio.spaces.work import _events, scope_of
from zoetrope.studio.workshop import tasks
from zoetrope.wheel import events as ev
from zoetrope.wheel import review
from zoetrope.wheel.intake import Found, take_in
from zoetrope.wheel.workspace import Workspace

AT = "/s/studio/p/ada/turns/"


@pytest.fixture
def ada(cast: Cast) -> Workspace:
    """Ada with two kept pictures: nothing stands in the wheel's way."""
    workspace = workspace_of(cast.ada)
    take_in(workspace, [Found(f"{n}.png", picture(n), f"portrait of ada, {n}") for n in range(2)])
    review.keep(workspace, list(workspace.state().pictures.values()), "olga")
    return workspace


def test_a_turn_is_handed_in_once(cast: Cast, ada: Workspace) -> None:
    for _ in range(2):
        assert cast.clients["olga"].post(AT).status_code == 302
    job = jobs.Job.objects.get()
    assert (job.kind, job.scope, job.state) == ("turn", scope_of(cast.space), jobs.State.WAITING)
    page = cast.clients["vic"].get(AT).content.decode()
    assert "waiting for a worker" in page
    assert "Cancel" not in page, "a viewer stops nothing"


def test_how_long_a_turn_is_can_be_said(cast: Cast, ada: Workspace) -> None:
    refused = cast.clients["olga"].post(AT, {"steps": "0", "count": "2"})
    assert refused.status_code == 400
    assert "Training steps: ensure this value is greater" in refused.content.decode()
    cast.clients["olga"].post(AT, {"steps": "8", "count": "2", "keep": "4"})
    assert jobs.Job.objects.get().args == {"persona": cast.ada.pk, "anyway": False, "steps": 8, "count": 2, "keep": 4}


def test_an_open_gate_is_told_instead(cast: Cast) -> None:
    assert "The wheel waits for sources" in cast.clients["olga"].get(AT).content.decode()
    assert cast.clients["olga"].post(AT).status_code == 400
    assert not jobs.Job.objects.exists()


def test_after_an_alarm_the_wheel_goes_on_only_when_asked(cast: Cast, ada: Workspace) -> None:
    ada.record([ev.Closed(round=1, verdict="diversity fell from 0.20 to 0.10")])
    page = cast.clients["olga"].get(AT).content.decode()
    assert "diversity fell" in page
    assert "Go on anyway" in page
    cast.clients["olga"].post(AT, {"anyway": "1"})
    assert jobs.Job.objects.get().args["anyway"] is True


def test_a_cancelled_turn_can_be_started_again(cast: Cast, ada: Workspace) -> None:
    cast.clients["olga"].post(AT)
    job = jobs.Job.objects.get()
    address = f"/s/studio/jobs/{job.pk}/act/"
    assert cast.clients["sam"].post(f"/s/elsewhere/jobs/{job.pk}/act/", {"do": "cancel"}).status_code == 404
    assert cast.clients["olga"].post(address, {"do": "cancel"}).status_code == 302
    job.refresh_from_db()
    assert job.state == jobs.State.CANCELLED
    assert cast.clients["olga"].post(address, {"do": "cancel"}).status_code == 400
    cast.clients["olga"].post(AT)
    job.refresh_from_db()
    assert (jobs.Job.objects.count(), job.state) == (1, jobs.State.WAITING)


def test_the_jobs_page_tells_states_apart(cast: Cast, ada: Workspace) -> None:
    cast.clients["olga"].post(AT)
    page = cast.clients["olga"].get("/s/studio/jobs/").content.decode()
    assert "Turn Ada&#x27;s wheel" in page
    assert "No worker is alive" in page
    assert "No jobs yet" in cast.clients["sam"].get("/s/elsewhere/jobs/").content.decode()
    job = jobs.Job.objects.get()
    page = cast.clients["vic"].get(f"/s/studio/jobs/{job.pk}/").content.decode()
    assert all(each in page for each in ("Asked for", 'aria-live="off"></pre>', f'data-only="{job.pk}"'))
    assert "Cancel" not in page
    assert "Cancel" in cast.clients["olga"].get(f"/s/studio/jobs/{job.pk}/").content.decode()


def test_a_cancelled_turn_stops_at_its_next_step() -> None:
    work = Told()
    telling = tasks.Telling(work)
    telling.stage("card", 1, 23)
    assert work.stages == [("card", 1, 23)]
    work.wanted = False
    with pytest.raises(jobs.Interrupted):
        telling.stage("training", 2, 400)


@pytest.mark.django_db(transaction=True)
def test_what_changes_is_sent_as_it_happens(cast: Cast) -> None:
    workspace = workspace_of(cast.ada)
    take_in(workspace, [Found("a.png", picture(1), "portrait of ada")])
    review.keep(workspace, list(workspace.state().pictures.values()), "olga")

    async def first() -> dict[str, object]:
        from asgiref.sync import sync_to_async

        events = _events(scope_of(cast.space), "", lambda: True)
        assert await anext(events) == b"retry: 2000\n\n"
        await sync_to_async(cast.clients["olga"].post)(AT)
        said = await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
        number, data = said.split(b"\n", 1)
        assert number.removeprefix(b"id: ").isdigit(), "where a browser that comes back goes on"
        told: dict[str, object] = json.loads(data.removeprefix(b"data: "))
        return told

    rows = asyncio.run(first())["jobs"]
    assert isinstance(rows, list)
    assert [row["title"] for row in rows] == ["Turn Ada's wheel"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("gone", ["logged out", "removed"])
def test_who_is_gone_hears_nothing_more(cast: Cast, gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_ASK_SECONDS", work._LOOK_SECONDS)
    vic = cast.clients["vic"]
    seat = Membership.objects.get(user__username="vic", space=cast.space)

    async def heard() -> list[bytes]:
        from asgiref.sync import sync_to_async

        answer: Any = await sync_to_async(vic.get)("/s/studio/jobs/live/")
        events = answer.streaming_content
        told = [await anext(events)]
        await sync_to_async(partial(vic.post, "/logout/") if gone == "logged out" else seat.delete)()
        await sync_to_async(jobs.enqueue)("turn", "turn-1", {}, scope=scope_of(cast.space), title="A secret turn")
        return [*told, await anext(events, b"")]

    assert asyncio.run(heard()) == [b"retry: 2000\n\n", b""]
