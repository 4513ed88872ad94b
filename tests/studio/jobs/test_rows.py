"""What a row may do and hold, and what pages read of it."""

import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.studio.jobs.trial import note
from zoetrope.errors import UserError
from zoetrope.studio import faults
from zoetrope.studio.jobs import carrying, engine, kinds, reading, running, upkeep
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.jobs.models import MOVES, LogLine, Worker
from zoetrope.studio.jobs.seam import IllegalMove, Job, State

PAIRS = [(a, b) for a in State for b in State]


def job(key: str = "a-1", state: State = State.WAITING, scope: str = "space:1", **values: object) -> Job:
    return Job.objects.create(key=key, kind="note", scope=scope, state=state, **values)


@pytest.mark.parametrize(("start", "to"), PAIRS, ids=lambda state: str(state))
def test_only_the_table_of_moves_is_followed(sqlite: Path, start: State, to: State) -> None:
    one = job(state=start)
    if to in MOVES[start]:
        one.move(to)
        assert (one.state, one.finished is not None) == (to, to in jobs.ENDED)
    else:
        with pytest.raises(IllegalMove, match=f"a-1 is {start}"):
            one.move(to)
        assert one.state == start


def test_one_who_does_not_hold_it_moves_nothing(sqlite: Path) -> None:
    one = job(state=State.RUNNING, holder="mine")
    with pytest.raises(IllegalMove):
        one.move(State.DONE, held_by="another")
    one.move(State.DONE, held_by="mine")


@pytest.mark.parametrize("args", [{"token": "x"}, {"api_key": 1}, {"of": {"a": 1}}, {"of": "x" * 201}, {"of": [[1]]}])
def test_only_ids_are_arguments(sqlite: Path, args: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(args))):
        jobs.enqueue("note", "a-1", args, scope="space:1")
    assert not Job.objects.exists()


def test_kinds(sqlite: Path) -> None:
    with pytest.raises(KeyError, match="no app registers jobs of kind nothing"):
        jobs.enqueue("nothing", "a-1", scope="space:1")
    jobs.register("note", note)
    with pytest.raises(ValueError, match="two apps register jobs of kind note"):
        jobs.register("note", note, child=True)
    assert kinds.find("child").resolve().__name__ == "count"


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_locked_list_of_jobs_holds_nobody_for_long(
    sqlite: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    monkeypatch.setattr(engine, "PAGE_SECONDS", 0.2)
    engine.client()
    if first:
        # As in a process that never handed in a job.
        engine.prepare.cache_clear()
        engine._client.cache_clear()
    with closing(sqlite3.connect(sqlite / "jobs.sqlite", check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        # Whoever waits without end is let go.
        free = threading.Timer(20, other.rollback)
        free.start()
        with pytest.raises((sqlite3.OperationalError, TimeoutError)) as told:
            engine.enqueue("a-1.1", "a-1", 1, kinds.Queue.OPEN, 0)
        free.cancel()
    assert faults.sentence(told.value) == faults.LOCKED
    engine.enqueue("a-1.1", "a-1", 1, kinds.Queue.OPEN, 0)


def test_overview_and_changes(studio: Path) -> None:
    Worker.objects.create(name="here")
    first, second = (job(f"a-{n}") for n in range(2))
    job("b-1", scope="space:2", state=State.DONE)
    seen = jobs.overview("space:1")
    assert (seen.counts[State.WAITING], seen.counts[State.DONE], seen.workers) == (2, 0, ["here"])
    assert [row["key"] for row in seen.jobs[State.WAITING]] == ["a-0", "a-1"]
    page = jobs.overview("space:1", states=[State.WAITING], after=first.pk, limit=1).jobs
    assert [row["key"] for row in page[State.WAITING]] == ["a-1"]
    assert jobs.overview(None).counts[State.DONE] == 1
    Job.objects.update(changed="2020-01-01T00:00Z")
    cursor = jobs.overview("space:1").cursor
    second.move(State.RUNNING, worker="here")
    LogLine.objects.create(job=second, text="hello")
    changes = jobs.since("space:1", cursor)
    assert [(row["key"], row["state"]) for row in changes.jobs] == [("a-0", "waiting"), ("a-1", "running")]
    assert [(line["job_id"], line["text"]) for line in changes.lines] == [(second.pk, "hello")]
    later = jobs.since("space:1", changes.cursor)
    # Told again for two seconds, since a slower transaction may still bring something older.
    assert ([row["key"] for row in later.jobs], later.cursor) == (["a-1"], changes.cursor)
    assert jobs.since("space:2", changes.cursor).lines == []


def test_more_changes_than_a_page_takes(sqlite: Path) -> None:
    Job.objects.bulk_create(Job(key=f"a-{n}", kind="note", scope="space:1") for n in range(reading.MOST_JOBS + 1))
    Job.objects.filter(key="a-0").update(changed="2020-01-01T00:00Z")
    changes = jobs.since("space:1", "0")
    assert (changes.much, len(changes.jobs)) == (True, reading.MOST_JOBS)
    assert "a-0" not in {row["key"] for row in changes.jobs}
    Job.objects.update(changed="2020-01-01T00:00Z")
    Job.objects.filter(key="a-7").update(changed="2021-01-01T00:00Z")
    last = jobs.since("space:1", jobs.since("space:1", "0").cursor)
    assert (last.much, [row["key"] for row in last.jobs]) == (False, ["a-7"])


def test_a_dead_workers_job_is_shown_as_lost(studio: Path) -> None:
    job(state=State.RUNNING, worker="here")
    Worker.objects.create(name="here")
    assert jobs.overview("space:1").counts[State.RUNNING] == 1
    Worker.objects.update(seen="2020-01-01T00:00Z")
    assert jobs.overview("space:1").counts[State.LOST] == 1


class FakeClock:
    """A clock that a test turns."""

    def __init__(self, readings: Sequence[float]) -> None:
        self._readings = iter(readings)

    def monotonic(self) -> float:
        return next(self._readings)


def test_the_reaper_compares_no_clocks(sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A beat is as fresh as it is new to us; how old its stamp says it is does not count."""
    taken: list[list[str]] = []
    monkeypatch.setattr(upkeep, "time", FakeClock([0, 10, 16, 17]))
    monkeypatch.setattr(engine, "owners", lambda: {"me", "other", "gone"})
    monkeypatch.setattr(engine, "take_over", lambda dead: taken.append(list(dead)))
    Worker.objects.create(name="me", seen="2020-01-01T00:00Z")
    Worker.objects.create(name="other", seen="2020-01-01T00:00Z")
    reaper = upkeep.Reaper("me")
    assert [reaper.look(), reaper.look(), reaper.look()] == [["gone"], ["gone"], ["gone", "other"]]
    Worker.objects.update(seen="2020-01-01T00:01Z")
    assert reaper.look() == ["gone"]
    assert taken[-2:] == [["gone", "other"], ["gone"]]


def test_a_log_keeps_its_newest_lines(sqlite: Path) -> None:
    one = job(state=State.RUNNING, holder="mine")
    hand = carrying.Hand(one, threading.Event())
    for number in range(carrying.KEPT_LINES + 2 * carrying.TRIM_EVERY):
        hand.log(f"line\n{number} " + "x" * 500)
    lines = jobs.lines_of(one.pk)
    assert len(lines) == carrying.KEPT_LINES
    assert lines[-1]["text"].startswith("line 599 xx")
    assert len(lines[-1]["text"]) == 400


def test_progress_counts_only_where_nobody_came_before(sqlite: Path) -> None:
    one = job(state=State.RUNNING, holder="mine", crashes=3, reached={"drawing": 2})
    hand = carrying.Hand(one, threading.Event())
    hand.progress("drawing", 2, 9)
    one.refresh_from_db()
    assert (one.crashes, one.done) == (3, 2)
    hand.progress("drawing", 9, 9)
    one.refresh_from_db()
    assert (one.crashes, one.reached) == (0, {"drawing": 9})
    one.move(State.CANCELLED)
    hand.progress("writing", 1, 2)
    one.refresh_from_db()
    assert (hand.cancelled(), one.stage, one.state) == (True, "drawing", State.CANCELLED)


def test_versions_that_do_not_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 12, 1))
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr("sqlite3.sqlite_version", "3.40.1")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(UserError, match=r"Python 3\.12 needs SQLite 3\.42 .* 3\.40\.1"):
        engine.check_versions()
    monkeypatch.setenv("DATABASE_URL", "postgres://zoe@/db")
    engine.check_versions()
    assert engine.address() == "postgresql://zoe@/db"


def test_a_worker_without_a_beat_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are about to take over its jobs: it must end before they do. Alone on SQLite it need not."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(running, "time", FakeClock([0, 5, 12, 12]))
    worker = running.Running("here", "", [])
    monkeypatch.setenv("DATABASE_URL", "postgresql://zoe@/db")
    worker._stand_or_fall()
    assert ended == []
    worker._stand_or_fall()
    assert ended == [1]
    monkeypatch.delenv("DATABASE_URL")
    worker._stand_or_fall()
    assert ended == [1]


def test_what_a_worker_let_fall_is_lost(sqlite: Path) -> None:
    held, fallen, new = (job(f"a-{n}", State.RUNNING, worker="here", holder=str(n)) for n in range(3))
    Job.objects.exclude(pk=new.pk).update(changed="2020-01-01T00:00Z")
    assert upkeep.lose_dropped("here", [held.holder]) == 1
    assert set(Job.objects.filter(state=State.LOST)) == {fallen}


def test_a_job_of_a_kind_that_is_gone_fails(sqlite: Path) -> None:
    one = Job.objects.create(key="a-1", kind="of-yesterday", scope="space:1")
    Job.objects.update(changed="2020-01-01T00:00Z")
    assert jobs.sweep() == 0
    one.refresh_from_db()
    assert (one.state, one.error.count("of-yesterday")) == (State.FAILED, 1)
