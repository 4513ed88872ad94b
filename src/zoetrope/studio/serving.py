"""The site as a server: it listens before it says so, and takes its worker along when it stops."""

import os
import resource
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn

from zoetrope.studio.keeper import Keeper
from zoetrope.wheel.intake import MOST_FILES

# After this long whatever still runs is left: the worker ends with us, and its jobs go on at the next start.
GONE_WITHIN = 8.0


class Site(uvicorn.Server):
    """Answers until a signal comes; `signal` is which."""

    def __init__(self, keeper: Keeper, opened: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                "zoetrope.studio.asgi:application",
                log_level="warning",
                lifespan="off",
                access_log=False,
                # The site has none: what is installed for ComfyUI is not loaded for it.
                ws="none",
                # Pages that watch jobs keep a connection open: they are not waited for.
                timeout_graceful_shutdown=2,
            )
        )
        self._keeper = keeper
        self._opened = opened
        self.signal = 0

    def serve_at(self, listener: socket.socket) -> int:
        """Serve until stopped; the signal that did it."""
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            # Its terminal was closed.
            signal.signal(signal.SIGHUP, self.handle_exit)
        _open_many()
        with self._keeper:
            self.run([listener])
        return self.signal

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # In a thread: some browsers hold whoever opens them.
        threading.Thread(target=self._opened, daemon=True).start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The worker is told at once. Uvicorn's own way would raise the signal again and end us before the worker."""
        self._keeper.leave()
        self.force_exit = self.should_exit
        self.should_exit = True
        if not self.signal:
            self.signal = sig
            last = threading.Timer(GONE_WITHIN, os._exit, [128 + sig])
            last.daemon = True
            last.start()


def _open_many() -> None:
    """All files of an upload are open at once, and a system allows more than it does unasked."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_FILES if most == resource.RLIM_INFINITY else min(2 * MOST_FILES, most)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
