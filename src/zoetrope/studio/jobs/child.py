"""The other end of children.py: one job, then the end. Its order comes on stdin."""

import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from zoetrope.errors import UserError
from zoetrope.studio.jobs.work import Interrupted

PR_SET_PDEATHSIG = 1

T = TypeVar("T")


class Pipe:
    """The `Work` of a function in a child: what it says goes to the worker."""

    def __init__(self, key: str, pipe: int) -> None:
        self.key = key
        self._pipe = pipe
        self._told = threading.Lock()
        self._cancelled = threading.Event()

    def say(self, **message: object) -> None:
        """One JSON line, whole also when several threads speak."""
        line = json.dumps(message).encode() + b"\n"
        with self._told:
            while line:
                line = line[os.write(self._pipe, line) :]

    def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Where the work stands."""
        self.say(progress=[stage, done, total])

    def log(self, text: str) -> None:
        """One line for whoever watches."""
        self.say(log=text)

    def cancel(self) -> None:
        """From now on the work is not wanted."""
        self._cancelled.set()

    def cancelled(self) -> bool:
        """Whether the worker asked to stop; it kills soon after."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise Interrupted when to stop now."""
        if self.cancelled():
            raise Interrupted

    def once(self, name: str, function: Callable[..., T], *args: object) -> T:
        """Nothing is remembered here: a child has checkpoints of its own."""
        self.check()
        return function(*args)


def main() -> None:
    """Carry out the one order."""
    order: dict[str, Any] = json.load(sys.stdin)
    die_with(order["parent"])
    # Nothing that is started here shall keep the worker listening.
    os.set_inheritable(order["pipe"], False)
    work = Pipe(order["key"], order["pipe"])
    signal.signal(signal.SIGTERM, lambda *_: work.cancel())
    try:
        _call(work, order["kind"], order["args"])
    except Interrupted:
        return
    except UserError as error:
        work.say(mistake=str(error))
    except Exception as error:
        traceback.print_exc()
        work.say(fault=type(error).__name__)
    else:
        work.say(done=True)


def _call(work: Pipe, kind: str, args: dict[str, Any]) -> None:
    import django

    from zoetrope.studio.jobs.kinds import find

    django.setup()
    find(kind).resolve()(work, **args)


def die_with(parent: int) -> None:
    """Who started this process and is killed takes it along; elsewhere than on Linux the next word to it fails."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("whoever started this process died before it began")


if __name__ == "__main__":
    main()
