"""Stopped in one version, started in the next: what was left behind is done, or says why it cannot be."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.studio.jobs.stage import until
from tests.studio.start_stage import Studio, Visitor

# A version before this one: of another application version, with a kind of job that this one lacks, and of the
# studio's tables only those of jobs.
OLD = """
import django
django.setup()
from django.core.management import call_command
from zoetrope.studio.jobs import engine, kinds, seam as jobs, worker
from tests.studio.jobs import trial
{version}
kinds.register("gone", trial.steps)
kinds.register("gone-too", trial.note, queue=kinds.Queue.OPEN)
call_command("migrate", "jobs", verbosity=0)
for number in range(3):
    jobs.enqueue("steps", f"steps-{{number}}", {{"number": number}}, scope="space:1")
jobs.enqueue("gone", "gone-1", {{"number": 9}}, scope="space:1")
jobs.enqueue("talk", "later", {{"number": 5}}, scope="space:1", delay=3600)
worker.main()
"""
KINDS_GONE = "This version has nothing that does jobs of kind"


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path / "home", tmp_path)
    studio.home.mkdir()
    yield studio
    studio.kill()


def steps(studio: Studio) -> list[str]:
    path = studio.home / "steps.txt"
    return path.read_text().splitlines() if path.exists() else []


def run_old(studio: Studio, version: str, upto: int) -> None:
    """The version before, killed when it had done so many steps."""
    settings = studio.surroundings(DJANGO_SETTINGS_MODULE="tests.studio.jobs.settings")
    code = OLD.format(version=version)
    old = subprocess.Popen([sys.executable, "-c", code], env=settings, stderr=subprocess.PIPE)
    try:
        until(lambda: len(steps(studio)) >= upto, 60)
    finally:
        old.kill()
        old.communicate()


@pytest.mark.parametrize("version", ["", "engine.VERSION = '0'"], ids=["same application", "another application"])
@pytest.mark.parametrize("upto", [4, 33], ids=["known kind running", "gone kind running"])
def test_nothing_is_stranded(studio: Studio, version: str, upto: int) -> None:
    run_old(studio, version, upto)
    olga = Visitor(studio, studio.start()["opens"])
    until(lambda: set(studio.states().values()) == {"done", "failed", "waiting"}, 60)
    until(lambda: list(studio.states().values()).count("done") == 3, 60)
    ended = {"steps-0": "done", "steps-1": "done", "steps-2": "done", "gone-1": "failed", "later": "waiting"}
    assert studio.states() == ended
    assert f"{KINDS_GONE} gone: install the part that does" in olga.get("/s/studio/jobs/").text
    finished = (studio.home / "finished.txt").read_text().splitlines()
    assert sorted(set(finished)) == ["0", "1", "2"]


def test_what_waits_for_its_time_in_another_version_comes_in_its_time(studio: Studio) -> None:
    run_old(studio, "engine.VERSION = '0'", 1)
    studio.python("jobs.Job.objects.filter(key='later').update(due='2020-01-01T00:00Z')")
    studio.start()
    until(lambda: studio.states()["later"] == "done", 60)
