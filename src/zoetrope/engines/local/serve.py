"""The engine process: one device, its models kept warm, whoever asks by a socket served in order.

Run: python -m zoetrope.engines.local.serve --socket PATH
"""

import argparse
import asyncio
import contextlib
import ctypes
import fcntl
import logging
import os
import signal
import socket as sockets
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zoetrope.engines.local.wire import LINE_LIMIT, TAKEN, holder, lock_path
from zoetrope.errors import UserError

_SET_PARENT_DEATH_SIGNAL = 1
# What is left of the second after SIGTERM in which a drawing may notice.
_GRACE_SECONDS = 0.7

log = logging.getLogger("zoetrope.engine")


class Taken(UserError):
    """Another engine serves there."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m zoetrope.engines.local.serve", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where to listen; its folder is made with mode 700")
    parser.add_argument("--parent-death", type=int, metavar="PID", help="die when this process, the parent, does")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        if chosen.parent_death is not None:
            die_with(chosen.parent_death)
        with alone_at(chosen.socket):
            asyncio.run(_serve(listening(chosen.socket)))
            chosen.socket.unlink(missing_ok=True)
            logging.shutdown()
            # A drawing that did not stop in time holds a thread, and Python would wait for it.
            os._exit(0)
    except UserError as error:
        print(error, file=sys.stderr)
        return TAKEN if isinstance(error, Taken) else 2


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; a parent already gone counts too."""
    if sys.platform != "linux":
        raise UserError("--parent-death is known on Linux alone: leave it out and stop the engine yourself.")
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        raise UserError(f"The process {parent} is not this engine's parent, or has ended: nothing was started.")


@contextmanager
def alone_at(socket: Path) -> Iterator[None]:
    """Hold the lock beside the socket, with our process id in it; the kernel lets go of it however we end."""
    _make_private(socket.parent)
    with _said(socket):
        file = lock_path(socket).open("a+", encoding="ascii")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"Another engine (process {holder(socket)}) serves at {socket}: this one ends.") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _make_private(folder: Path) -> None:
    with _said(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise UserError(f"{folder} lets others in, and an engine obeys all who reach it: name a folder of mode 700.")


def listening(path: Path) -> sockets.socket:
    """A socket for this user alone; one that a killed engine left behind is replaced."""
    if path.exists() and not path.is_socket():
        raise UserError(f"{path} is there and is no socket: it was kept, name another place.")
    listener = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    with _said(path):
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(before)
    return listener


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"The engine cannot serve at {path} ({reason}): name another place for its socket.") from error


async def _serve(listener: sockets.socket) -> None:
    _import_what_draws()
    from zoetrope.engines.local.desk import Desk
    from zoetrope.engines.local.engine import LocalEngine

    desk = Desk(LocalEngine())
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    drawing = asyncio.create_task(desk.draw_in_turn())
    server = await asyncio.start_unix_server(desk.meet, sock=listener, limit=LINE_LIMIT)
    log.info("ready, process %d", os.getpid())
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait({waiting, drawing}, return_when=asyncio.FIRST_COMPLETED)
    if drawing.done():
        drawing.result()
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(desk.close(), _GRACE_SECONDS)
    log.info("ended, process %d", os.getpid())


def _import_what_draws() -> None:
    """Seconds of imports, spent before anybody waits for a picture."""
    import diffusers

    from zoetrope.models.families import FAMILIES
    from zoetrope.models.loading import quiet

    with quiet():
        for family in FAMILIES.values():
            getattr(diffusers, family.pipeline_class)


if __name__ == "__main__":
    raise SystemExit(main())
