"""Real studios: `zoetrope studio` as a process tree of its own, on a home of its own, and a visitor with an account."""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.studio.conftest import PASSWORD
from tests.studio.jobs.stage import ROOT, until

SETTINGS = "tests.studio.start_settings"
READY_SECONDS = 90.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def _migrated(settings: str) -> Path:
    """A database in today's form, made once a session."""
    home = Path(tempfile.mkdtemp(prefix="zoetrope-migrated-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    made = Studio(home, home).surroundings(DJANGO_SETTINGS_MODULE=settings)
    code = "from zoetrope.studio.start import prepare; prepare()"
    subprocess.run([sys.executable, "-c", code], env=made, check=True, timeout=120)
    return home / "studio.sqlite"


class Studio:
    """One home and the studio that runs there, again and again."""

    def __init__(self, home: Path, logs: Path) -> None:
        self.home = home
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._logs = logs
        self._starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    @classmethod
    def migrated(cls, home: Path, logs: Path) -> "Studio":
        """One whose tables are made already, for tests that are not about how a first start makes them."""
        home.mkdir(mode=0o700)
        known, ours = sqlite3.connect(_migrated(SETTINGS)), sqlite3.connect(home / "studio.sqlite")
        with closing(known), closing(ours):
            known.backup(ours)
        return cls(home, logs)

    def surroundings(self, **extra: str) -> dict[str, str]:
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        ours = {"ZOETROPE_HOME": str(self.home), "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": path}
        rest = {name: text for name, text in os.environ.items() if name not in ("DATABASE_URL", "DISPLAY")}
        return rest | ours | extra

    def refused(self, *words: str, **extra: str) -> str:
        """What a start says that ends with exit code 2: one line."""
        done = subprocess.run(self.command(*words), env=self.surroundings(**extra), capture_output=True, timeout=60)
        said = done.stderr.decode()
        assert (done.returncode, done.stdout, said.count("\n")) == (2, b"", 1), said
        return said

    def command(self, *words: str) -> list[str]:
        """What a terminal would be given."""
        return [sys.executable, "-m", "zoetrope.cli", "studio", "--json", "--port", str(self.port), *words]

    def start(self, *words: str, ready: bool = True, **extra: str) -> dict[str, Any]:
        """Open it; what it answered."""
        self._starts += 1
        with self._out.open("wb") as out, self._err.open("wb") as err:
            command = self.command(*(words or ("--no-browser",)))
            # As a shell gives each command a group of its own, which Ctrl-C reaches whole.
            self.process = subprocess.Popen(
                command, env=self.surroundings(**extra), stdout=out, stderr=err, start_new_session=True
            )
        until(self._answers, READY_SECONDS)
        if ready:
            until(lambda: "is ready" in self.said(), READY_SECONDS)
        told: dict[str, Any] = json.loads(self._out.read_text())
        return told

    @property
    def _out(self) -> Path:
        return self._logs / f"studio-{self._starts}.out"

    @property
    def _err(self) -> Path:
        return self._logs / f"studio-{self._starts}.err"

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        try:
            return httpx.get(f"{self.address}/service-worker.js").status_code == 200
        except httpx.TransportError:
            return False

    def said(self) -> str:
        """What it said on stderr since it was started last."""
        return self._err.read_text()

    def tree(self) -> list[psutil.Process]:
        """The site and everything beneath it."""
        assert self.process is not None
        site = psutil.Process(self.process.pid)
        return [site, *site.children(recursive=True)]

    def running(self, mark: str) -> list[psutil.Process]:
        """Those beneath it whose command has this word; one that ends while one looks is none."""
        found = []
        for each in self.tree():
            with suppress(psutil.NoSuchProcess):
                if mark in each.cmdline():
                    found.append(each)
        return found

    def worker(self) -> psutil.Process:
        [found] = self.running("zoetrope.studio.jobs.worker")
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """Stop it as a terminal does; its exit code."""
        assert self.process is not None
        os.killpg(self.process.pid, number)
        return self.process.wait(30)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            for each in self.tree():
                each.kill()
            self.process.wait()

    def python(self, code: str) -> str:
        """Run code in the studio's own surroundings; what it printed."""
        code = "import django; django.setup()\nfrom zoetrope.studio.jobs import seam as jobs\n" + code
        done = subprocess.run([sys.executable, "-c", code], env=self.surroundings(), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def enqueue(self, kind: str, args: str = "{}", scope: str = "space:1", delay: float = 0) -> None:
        self.python(f"jobs.enqueue({kind!r}, {kind!r}, {args}, scope={scope!r}, title={kind!r}, delay={delay})")

    def states(self) -> dict[str, str]:
        """Where each job stands, by its key."""
        with closing(sqlite3.connect(f"file:{self.home}/studio.sqlite?mode=ro", uri=True)) as file:
            return dict(file.execute("SELECT key, state FROM jobs_job"))


class Visitor:
    """The owner's browser, as far as pages without scripts need one."""

    def __init__(self, studio: Studio, link: str) -> None:
        self._client = httpx.Client(base_url=studio.address, follow_redirects=True, timeout=60)
        account = {"username": "olga", "password1": PASSWORD, "password2": PASSWORD, "space": "Studio"}
        assert self.post(link, **account).status_code == 200

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def stream(self, path: str) -> AbstractContextManager[httpx.Response]:
        """An answer that is read while it comes."""
        return self._client.stream("GET", path)

    def post(self, path: str, at: str = "", **fields: str) -> httpx.Response:
        """Send the form of a page, to that page or elsewhere."""
        return self._client.post(at or path, data=fields | self._token(path))

    def upload(self, path: str, field: str, name: str, data: bytes) -> httpx.Response:
        """Send a file with the form of a page."""
        return self._client.post(path, data=self._token(path), files={field: (name, data)})

    def _token(self, path: str) -> dict[str, str]:
        page = self.get(path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page
        return {"csrfmiddlewaretoken": token[1]}

    def api(self, method: str, path: str, **body: object) -> httpx.Response:
        token = self._client.cookies["zoetrope_csrf"]
        return self._client.request(method, path, json=body, headers={"X-CSRFToken": token})


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A small disk of its own; only root may have one."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a disk of its own takes root's rights: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill a disk but for so many bytes; the file that does it."""
    path = folder / "filling"
    room = os.statvfs(folder)
    with path.open("wb") as file:
        left = room.f_bavail * room.f_frsize - leave
        file.write(bytes(max(0, left)))
    return path
