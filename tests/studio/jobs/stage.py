"""What tests and the benchmark of jobs share: which database Django looks at, and real worker processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

SETTINGS = "tests.studio.jobs.settings"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
# Models can only be imported when Django knows its apps.
django.setup()

# ruff: noqa: E402
from django.core.management import call_command
from django.db import connection, connections

from tests.postgres import address
from zoetrope.home import home
from zoetrope.studio.databases import database
from zoetrope.studio.jobs.models import Job

ROOT = Path(__file__).parents[3]
READY_SECONDS = 60.0


@contextmanager
def tables() -> Iterator[None]:
    """Let Django look at the database that the environment names now, with the tables of jobs in it."""
    with _pointed():
        call_command("migrate", "jobs", verbosity=0)
        yield


@contextmanager
def _pointed() -> Iterator[None]:
    before, configured = connections["default"], connections.settings
    connections.settings = connections.configure_settings({"default": database(os.environ.get("DATABASE_URL"), home())})
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections.close_all()
        connections.settings = configured
        connections["default"] = before


def new_database(folder: str) -> str:
    """An empty database in a cluster; its DATABASE_URL."""
    name = f"jobs_{os.getpid()}_{time.time_ns()}"
    os.environ["DATABASE_URL"] = address(folder, "postgres")
    with _pointed(), connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return address(folder, name)


class Workers:
    """Worker processes, in a home; with the tests' kinds of jobs, unless other settings are named."""

    def __init__(self, home: Path, settings: str = SETTINGS) -> None:
        self._home = home
        self._extra = {"DJANGO_SETTINGS_MODULE": settings}
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str = "1", *, wait: bool = True) -> "subprocess.Popen[bytes]":
        """A worker that is ready to take jobs."""
        log = self._home / f"worker-{len(self.started)}.log"
        with log.open("wb") as file:
            process = run_python("-m", "zoetrope.studio.jobs.worker", "--name", name, extra=self._extra, stderr=file)
        self.started.append(process)
        if wait:
            until(lambda: "is ready" in log.read_text(), READY_SECONDS)
        return process

    def logs(self) -> str:
        """What all of them said."""
        return "".join(path.read_text() for path in sorted(self._home.glob("worker-*.log")))

    def kill(self) -> None:
        """End all of them."""
        for process in self.started:
            process.kill()
            process.wait()


def run_python(*words: str, extra: Mapping[str, str] | None = None, **options: Any) -> "subprocess.Popen[bytes]":
    """Python with the tests' settings and registered kinds."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    surroundings = os.environ | {"DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": path, **(extra or {})}
    return subprocess.Popen([sys.executable, *words], env=surroundings, **options)


def until(true: Callable[[], object], seconds: float) -> float:
    """Wait for something to be true; how long it took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not so after {seconds:g} s")
        time.sleep(0.02)
    return time.monotonic() - began


def state(job: Job) -> str:
    """Where the job stands now."""
    job.refresh_from_db()
    return job.state
