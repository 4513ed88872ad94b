"""`zoetrope studio` as a process tree: what stands in its way, what it opens, and how it ends."""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.studio.jobs.stage import until
from tests.studio.start_stage import Studio, disk, fill


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio.migrated(tmp_path / "home", tmp_path)
    yield studio
    studio.kill()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Studio]:
    """One that was never started."""
    studio = Studio(tmp_path / "home", tmp_path)
    yield studio
    studio.kill()


def gone(processes: list[psutil.Process]) -> bool:
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


IGNORED = pytest.mark.skipif(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, reason="nohup: it stays ignored")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 0), pytest.param(signal.SIGHUP, 0, marks=IGNORED)],
)
def test_asked_to_stop_everything_stops_and_goes_on_later(studio: Studio, number: int, code: int) -> None:
    studio.start()
    studio.enqueue("deaf")
    until(lambda: (studio.home / "children.txt").exists(), 60)
    tree = studio.tree()
    assert len(tree) == 3, "site, worker, and the job's own process"
    began = time.monotonic()
    assert studio.end(number) == code
    assert time.monotonic() - began < 20, "it waited for a job that does not listen"
    assert gone(tree)
    assert "Traceback" not in studio.said()
    assert studio.states() == {"deaf": "waiting"}
    studio.start()
    until(lambda: len((studio.home / "children.txt").read_text().splitlines()) == 2, 60)


def test_a_killed_site_takes_worker_job_and_engine_along(studio: Studio) -> None:
    studio.start()
    studio.enqueue("warm")
    until(lambda: (studio.home / "engine.txt").exists(), 120)
    tree = studio.tree()
    assert sum("zoetrope.engines.local.serve" in each.cmdline() for each in tree) == 1
    assert studio.process is not None
    studio.process.kill()
    studio.process.wait()
    until(lambda: gone(tree), 20)
    assert studio.start()["ran"] is False
    until(lambda: len((studio.home / "engine.txt").read_text().splitlines()) == 2, 120)


def test_a_killed_worker_comes_back_after_growing_pauses(studio: Studio) -> None:
    studio.start()
    ended = "The worker ended (killed by signal 9) and is started again in"
    studio.worker().kill()
    until(lambda: f"{ended} 1 s." in studio.said(), 10)
    until(lambda: studio.said().count("is ready") == 2, 60)
    studio.worker().kill()
    until(lambda: f"{ended} 2 s." in studio.said(), 10)
    until(lambda: studio.said().count("is ready") == 3, 60)


def test_a_second_one_says_where_the_first_is(studio: Studio, tmp_path: Path) -> None:
    studio.start()
    second = Studio(studio.home, tmp_path / "home")
    done = subprocess.run(second.command(), env=second.surroundings(), capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout) == {"address": studio.address, "opens": f"{studio.address}/", "ran": True}
    studio.end(signal.SIGKILL)
    assert studio.start()["ran"] is False, "a killed one holds nothing"


def test_where_logins_lie_nobody_else_reads(empty: Studio) -> None:
    empty.home.mkdir(mode=0o755)
    for name in ("studio.sqlite", "jobs.sqlite"):
        (empty.home / name).touch(mode=0o644)
    empty.start(ready=True)
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in empty.home.glob("*.sqlite*")}
    assert found.keys() >= {"studio.sqlite", "studio.sqlite-wal", "jobs.sqlite", "jobs.sqlite-wal"}
    assert set(found.values()) == {0o600}


def test_a_home_that_the_studio_makes_is_its_owners_alone(empty: Studio) -> None:
    empty.start()
    assert stat.S_IMODE(empty.home.stat().st_mode) == 0o700


def test_a_taken_port(empty: Studio) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", empty.port))
        taken.listen()
        said = empty.refused()
    assert "close what listens there, or start another with --port" in said
    assert not (empty.home / "studio.sqlite").exists(), "nothing was begun"


def test_a_locked_database(studio: Studio) -> None:
    studio.start()
    studio.end()
    with closing(sqlite3.connect(studio.home / "studio.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert "The database is locked by another program: close what has it open" in studio.refused()
        assert time.monotonic() - began < 15


def test_a_damaged_database(empty: Studio) -> None:
    empty.home.mkdir()
    (empty.home / "studio.sqlite").write_bytes(b"no database" * 1000)
    assert "The database is damaged: put it back from a backup" in empty.refused()


@pytest.mark.parametrize(("leave", "told"), [(0, "make room or give rights"), (60_000, "The disk is full: make room")])
def test_a_full_disk(empty: Studio, leave: int, told: str) -> None:
    with disk(empty.home, "2m"):
        filling = fill(empty.home, leave)
        assert told in empty.refused()
        filling.unlink()


def test_a_home_that_cannot_be_written(empty: Studio) -> None:
    told = f"{empty.home} cannot be written (Read-only file system): make room or give rights there"
    with disk(empty.home, "2m"):
        assert os.system(f"mount -o remount,ro {empty.home}") == 0
        assert told in empty.refused()


def test_the_browser_opens_once_it_answers_and_only_where_it_is_seen(studio: Studio, tmp_path: Path) -> None:
    opened, script = tmp_path / "opened", tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    script.chmod(0o755)
    told = studio.start("--browser", BROWSER=str(script), DISPLAY=":99")
    until(opened.exists, 10)
    assert opened.read_text() == told["opens"] + "\n"
    assert "/link/" in told["opens"], "the first start makes the first account"
    studio.end()
    studio.start("--browser", BROWSER=str(script))
    studio.end()
    studio.start("--no-browser", BROWSER=str(script), DISPLAY=":99")
    assert len(opened.read_text().splitlines()) == 1
