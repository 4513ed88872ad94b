"""From nothing to an open studio: the database in today's form, a free port, the first account's link."""

import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.home import home

_LOOK_SECONDS = 0.5
_AGAIN_SECONDS = 2.0
_STOP_SECONDS = 8.0


def prepare() -> None:
    """Set Django up and bring the database into today's form."""
    _writable(home())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zoetrope.studio.settings")
    import django
    from django.core.management import call_command
    from django.db import OperationalError

    django.setup()
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except (OperationalError, sqlite3.OperationalError) as error:
        raise UserError(_why(str(error))) from error


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe.{os.getpid()}"
        probe.write_bytes(b"zoetrope")
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}): make room or give rights there, "
            "or name another folder with ZOETROPE_HOME. Nothing was changed."
        ) from error


def _why(said: str) -> str:
    if "locked" in said:
        return "The database is locked by another program: close what has it open, then start the studio again."
    if "full" in said:
        return "The disk is full: make room, then start the studio again. Nothing was lost."
    return f"The database cannot be opened ({said.strip()}): see DATABASE_URL. Nothing was changed."


def free_port(host: str, port: int) -> None:
    """Say it before anything is started if somebody else listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"Port {port} on {host} cannot be used ({error.strerror}): perhaps the studio runs already. "
                f"Open it in the browser, or start another with --port {port + 1}."
            ) from error


def first_link() -> str | None:
    """The secret that makes the owner's account; none once there is one."""
    from zoetrope.studio.spaces.models import OneTimeLink, User

    if User.objects.exists():
        return None
    OneTimeLink.objects.filter(purpose=OneTimeLink.Purpose.first).delete()
    return OneTimeLink.make(OneTimeLink.Purpose.first)


def password_link(name: str) -> str:
    """A secret with which a person sets a new password."""
    from zoetrope.studio.spaces.models import OneTimeLink, User

    user = User.objects.filter(username=name).first()
    if user is None:
        known = ", ".join(User.objects.values_list("username", flat=True)[:20]) or "nobody yet"
        raise UserError(f"There is no account called {name!r}; there is {known}.")
    return OneTimeLink.make(OneTimeLink.Purpose.password, user=user)


def serve(host: str, port: int) -> None:
    """Answer requests until stopped, with a worker beside."""
    import uvicorn

    with worker():
        uvicorn.run(
            "zoetrope.studio.asgi:application",
            host=host,
            port=port,
            log_level="warning",
            lifespan="off",
            access_log=False,
            # Pages that watch jobs keep a connection open: they are not waited for.
            timeout_graceful_shutdown=2,
        )


@contextmanager
def worker() -> Iterator[None]:
    """A worker process that is started again when it dies, and stops with the site."""
    stopped = threading.Event()
    watching = threading.Thread(target=_keep_working, args=(stopped,), daemon=True)
    watching.start()
    try:
        yield
    finally:
        stopped.set()
        watching.join(_STOP_SECONDS + 1)


def _keep_working(stopped: threading.Event) -> None:
    while not stopped.is_set():
        process = subprocess.Popen([sys.executable, "-m", "zoetrope.studio.jobs.worker"])
        while process.poll() is None and not stopped.wait(_LOOK_SECONDS):
            pass
        if process.poll() is None:
            _stop(process)
        elif not stopped.wait(_AGAIN_SECONDS):
            print(f"The worker ended ({process.returncode}) and is started again.", file=sys.stderr)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
