"""The process that carries jobs out, one for each device. Run: python -m zoetrope.studio.jobs.worker [--name NAME]"""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.studio import faults
from zoetrope.studio.jobs.child import die_with
from zoetrope.studio.jobs.kinds import Queue
from zoetrope.studio.locks import Held, alone

GIVE_UP_SECONDS = 10.0


def main() -> int:
    """Work until SIGTERM or Ctrl-C."""
    chosen = _arguments()
    if chosen.parent_death is not None:
        die_with(chosen.parent_death)
    try:
        with only_one(chosen.name):
            _work(executor(chosen.name), chosen.device, [Queue(name) for name in chosen.queues])
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except Exception as error:
        told = faults.sentence(error)
        if not told:
            raise
        print(told, file=sys.stderr, flush=True)
        # The engine's threads may have begun already, and would hold the process.
        os._exit(2)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="1", help="told apart by it on this machine; one process a name")
    parser.add_argument("--device", default="", help="the device it works on, such as cuda:0; shown on the jobs page")
    parser.add_argument("--queues", nargs="+", choices=[*Queue], default=[*Queue], help="what it takes; default all")
    parser.add_argument("--parent-death", type=int, metavar="PID", help="die when this process, the parent, does")
    return parser.parse_args()


def executor(name: str) -> str:
    """What the engine calls the worker of this name on this machine."""
    return f"{socket.gethostname()}-{name}"


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Hold this name on this machine; two workers of one name would steal each other's work."""
    folder = home() / "workers"
    with ExitStack() as held:
        try:
            held.enter_context(alone(folder / f"{name}.lock"))
        except Held:
            raise UserError(
                f"A worker named {name} runs already: stop it, or start this one with another --name."
            ) from None
        except OSError as error:
            raise UserError(
                f"The worker cannot write to {folder} ({error.strerror}): make room or give it the right."
            ) from None
        yield


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
    from django.db import connection

    from zoetrope.studio.jobs.models import Worker

    if Worker._meta.db_table not in connection.introspection.table_names():
        raise UserError("The studio's database has no tables yet: start the studio once, or run its migrations.")


if __name__ == "__main__":
    raise SystemExit(main())
