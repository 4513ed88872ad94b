"""From nothing to an open studio: one at a time in a home, the database in today's form, a free port, a browser."""

import errno
import os
import signal
import socket
import sqlite3
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.studio import faults, locks
from zoetrope.studio.databases import JOBS, PAGE_SECONDS, close_to_others

LOCK = "studio.lock"
# Shorter than whoever looks at a page.
_START_SECONDS = 3
_PORTS = 50
# What binding says of a host and not of its port.
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class OpenAlready(Exception):
    """A studio runs on this home; `address` is where."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def address_of(host: str, port: int) -> str:
    """Where a browser on this machine finds it."""
    if not host:
        # A socket would take it for every address that there is.
        raise _no_host(host)
    return f"http://{_ANY.get(host, f'[{host}]' if ':' in host else host)}:{port}"


@contextmanager
def alone(address: str) -> Iterator[None]:
    """Be the one studio of this home; raises OpenAlready if there is one."""
    _writable(home())
    with ExitStack() as held:
        try:
            held.enter_context(locks.alone(home() / LOCK, address))
        except locks.Held as other:
            raise OpenAlready(str(other) or address) from None
        except OSError as error:
            raise _unwritable(home(), error) from error
        yield


def running() -> str:
    """Where the studio of this home runs now; empty if it does not."""
    try:
        with alone(""):
            return ""
    except OpenAlready as other:
        return other.address


def prepare() -> None:
    """Set Django up and bring the database into today's form."""
    _writable(home())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zoetrope.studio.settings")
    import django
    from django.core.management import call_command
    from django.db import DatabaseError

    django.setup()
    try:
        _close_databases()
        _free_database()
        call_command("migrate", verbosity=0, interactive=False)
    except (DatabaseError, sqlite3.Error, OSError) as error:
        told = faults.sentence(error)
        raise UserError(
            told or f"The database cannot be opened ({str(error).strip()}): see DATABASE_URL; nothing was changed."
        ) from error


def _close_databases() -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        for path in (Path(connection.settings_dict["NAME"]), home() / JOBS):
            close_to_others(path)


def _free_database() -> None:
    """Ask for the write lock in a moment, where migrating would wait for it as long as a busy worker may."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=_START_SECONDS)) as file:
            file.execute("BEGIN IMMEDIATE")
            file.rollback()


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe.{os.getpid()}"
        probe.write_bytes(b"zoetrope")
        probe.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"{folder} cannot be written ({error.strerror}): make room or give rights there, or name another folder with "
        "ZOETROPE_HOME; nothing was changed."
    )


def free_port(host: str, port: int) -> None:
    """Say it before anything is started if somebody else listens there."""
    _listener(host, port).close()


def _listener(host: str, port: int) -> socket.socket:
    try:
        return _bound(host, port)
    except (OSError, UnicodeError) as error:
        # A name may be unknown, or too long to be one.
        if isinstance(error, (socket.gaierror, UnicodeError)) or error.errno in _NOT_HERE:
            raise _no_host(host) from error
        raise UserError(
            f"Port {port} on {host} cannot be used ({error.strerror}): close what listens there, or start another "
            f"with --port {_next_free(host, port)}."
        ) from error


def _no_host(host: str) -> UserError:
    return UserError(
        f"{host!r} is no address of this machine: leave --host away to be reached from here alone, or give it 0.0.0.0 "
        "for every network that this machine is in; nothing was started."
    )


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Without it two who only bound the same port would both believe it theirs.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _next_free(host: str, port: int) -> int:
    """A port that could be used instead; an unprivileged one."""
    for other in range(max(port, 1023) + 1, min(max(port, 1023) + _PORTS, 65536)):
        try:
            _bound(host, other).close()
        except OSError:
            continue
        return other
    return 8420


def first_link() -> str | None:
    """The secret that makes the owner's account, with the space that is there already; none once somebody has one."""
    from zoetrope.studio.spaces.models import OneTimeLink, Role, Space, User

    if User.objects.exists():
        return None
    OneTimeLink.objects.filter(purpose=OneTimeLink.Purpose.first).delete()
    return OneTimeLink.make(OneTimeLink.Purpose.first, Space.objects.order_by("pk").first(), Role.owner)


def password_link(name: str) -> str:
    """A secret with which a person sets a new password."""
    from zoetrope.studio.spaces.models import OneTimeLink, User

    user = User.objects.filter(username=name).first()
    if user is None:
        known = ", ".join(User.objects.values_list("username", flat=True)[:20]) or "nobody yet"
        raise UserError(f"There is no account called {name!r}; there is {known}.")
    return OneTimeLink.make(OneTimeLink.Purpose.password, user=user)


def browse(address: str) -> bool:
    """Open the browser; not where it would be one without windows, in the terminal."""
    shown = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(shown) and webbrowser.open(address)


def serve(host: str, port: int, opened: Callable[[], object] = lambda: None) -> int:
    """Answer requests, with a worker beside, until a signal comes; which. `opened` is called once it listens."""
    from django.db.backends.signals import connection_created

    from zoetrope.studio.keeper import Keeper
    from zoetrope.studio.serving import Site

    connection_created.connect(_wait_shortly)
    return Site(Keeper(), opened).serve_at(_listener(host, port))


def _wait_shortly(connection: Any, **rest: object) -> None:
    """Pages wait for a locked database shorter than workers do."""
    if connection.vendor == "sqlite":
        connection.cursor().execute(f"PRAGMA busy_timeout={PAGE_SECONDS * 1000}")


def code_after(number: int) -> int:
    """The exit code after a signal: Ctrl-C is told to the shell, being asked to end is no fault."""
    return 128 + number if number == signal.SIGINT else 0
