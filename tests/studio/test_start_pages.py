"""What stands in a running studio's way is told on its pages: a locked database, a full disk, a dying worker."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.studio.jobs.stage import until
from tests.studio.start_stage import Studio, Visitor, disk, fill
from tests.wheel.cast import picture

NEW_SPACE = "/spaces/new/"
FULL = "The disk is full: make room and try again"
LOCKED = "The database is locked by another program: close what has it open and try again"


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio.migrated(tmp_path / "home", tmp_path)
    yield studio
    studio.kill()


@pytest.fixture
def olga(studio: Studio) -> Visitor:
    return Visitor(studio, studio.start()["opens"])


def test_a_locked_database_is_told(studio: Studio, olga: Visitor) -> None:
    with closing(sqlite3.connect(studio.home / "studio.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert olga.get("/s/studio/").status_code == 200, "who only reads need not wait"
        began = time.monotonic()
        told = olga.post(NEW_SPACE, name="Another")
        assert time.monotonic() - began < 15
        assert (told.status_code, LOCKED in told.text, told.text.count('role="alert"')) == (503, True, 1)
        for word in ("Traceback", "OperationalError", "went wrong"):
            assert word not in told.text
        api = olga.api(
            "POST",
            "/api/spaces/studio/personas",
            name="eve",
            title="Eve",
            kind="drawn",
            base="nano-flux",
            consent="fictional",
        )
        assert (api.status_code, LOCKED in api.json()["detail"]) == (503, True)
        other.execute("ROLLBACK")
    assert olga.post(NEW_SPACE, name="Another").status_code == 200
    assert "Traceback" not in studio.said()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with disk(tmp_path / "home", "24m"):
        studio = Studio(tmp_path / "home", tmp_path)
        try:
            olga = Visitor(studio, studio.start()["opens"])
            olga.post(
                "/s/studio/new-persona/", title="Ada", name="ada", kind="drawn", base="nano-flux", consent="fictional"
            )
            filling = fill(studio.home)
            # What the database has room for already is still taken.
            answers = [olga.post(NEW_SPACE, name=f"Space {n} {'x' * 60}") for n in range(30)]
            told = answers[-1]
            assert {each.status_code for each in answers} <= {200, 503}
            assert (told.status_code, FULL in told.text) == (503, True), told.text
            sent = olga.upload("/s/studio/p/ada/sources/", "files", "one.png", picture(1))
            assert (sent.status_code, "No space left" in sent.text) == (503, True), sent.text
            filling.unlink()
            assert olga.post(NEW_SPACE, name="Another").status_code == 200
            assert olga.upload("/s/studio/p/ada/sources/", "files", "one.png", picture(1)).status_code == 200
        finally:
            studio.kill()


def test_a_worker_that_cannot_begin_says_why_on_every_page(studio: Studio) -> None:
    (studio.home / "workers").write_text("in the way")
    olga = Visitor(studio, studio.start(ready=False)["opens"])
    why = f"The worker cannot write to {studio.home}/workers"
    until(lambda: why in olga.get("/s/studio/jobs/").text, 30)
    assert why not in olga.get("/s/studio/").text, "nothing waits for it"
    studio.enqueue("note", "{'number': 1}")
    for page in ("/s/studio/", "/s/studio/members/", "/s/studio/new-persona/"):
        assert why in olga.get(page).text
    (studio.home / "workers").unlink()
    until(lambda: studio.states() == {"note": "done"}, 90)
    assert why not in olga.get("/s/studio/members/").text


def test_a_worker_that_keeps_dying_is_told(studio: Studio, olga: Visitor) -> None:
    studio.enqueue("note", "{'number': 1}", delay=3600)
    assert 'role="status"' not in olga.get("/s/studio/members/").text
    studio.enqueue("poison")
    until(lambda: "times in a row (killed by signal 9)" in olga.get("/s/studio/members/").text, 60)
    assert "the terminal where the studio runs says why" in olga.get("/s/studio/jobs/").text
    until(lambda: studio.states()["poison"] == "failed", 120)
    assert "ended its worker 5 times" in olga.get("/s/studio/jobs/").text
