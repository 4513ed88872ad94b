"""The process that carries jobs out, one for each device. Run: python -m zoetrope.studio.jobs.worker [--name NAME]"""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.studio.jobs.kinds import Queue

GIVE_UP_SECONDS = 10.0


def main() -> int:
    """Work until SIGTERM or Ctrl-C."""
    chosen = _arguments()
    try:
        with only_one(chosen.name):
            _work(executor(chosen.name), chosen.device, [Queue(name) for name in chosen.queues])
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="1", help="told apart by it on this machine; one process a name")
    parser.add_argument("--device", default="", help="the device it works on, such as cuda:0; shown on the jobs page")
    parser.add_argument("--queues", nargs="+", choices=[*Queue], default=[*Queue], help="what it takes; default all")
    return parser.parse_args()


def executor(name: str) -> str:
    """What the engine calls the worker of this name on this machine."""
    return f"{socket.gethostname()}-{name}"


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Hold this name on this machine; two workers of one name would steal each other's work."""
    folder = home() / "workers"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f"{name}.lock").open("w")
    except OSError as error:
        raise UserError(
            f"The worker cannot write to {folder} ({error.strerror}): make room or give it the right."
        ) from None
    with file:
        _lock(file, name)
        yield


def _lock(file: IO[str], name: str) -> None:
    import fcntl

    try:
        # The system lets go of it whatever way the process ends.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UserError(
            f"A worker named {name} runs already: stop it, or start this one with another --name."
        ) from None


def _work(name: str, device: str, queues: list[Queue]) -> None:
    import django

    from zoetrope.studio.jobs import engine

    engine.check_versions()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zoetrope.studio.settings")
    django.setup()
    from zoetrope.studio.jobs.running import Running

    _check_database()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running = Running(name, device, queues)
    running.start()
    print(f"worker {name} is ready", file=sys.stderr, flush=True)
    running.until(stop)
    # The engine's threads may keep the process for ever; whatever is in hand then is taken up at the next start.
    threading.Timer(GIVE_UP_SECONDS, os._exit, [0]).start()
    running.stop()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _check_database() -> None:
    from django.db import OperationalError, connection

    from zoetrope.studio.jobs.models import Worker

    try:
        tables = connection.introspection.table_names()
    except OperationalError:
        raise UserError(
            "The studio's database cannot be reached: see that it runs and that DATABASE_URL is right."
        ) from None
    if Worker._meta.db_table not in tables:
        raise UserError("The studio's database has no tables yet: start the studio once, or run its migrations.")


if __name__ == "__main__":
    raise SystemExit(main())
