"""The engine process as something to own: started when first needed, again after a crash, killed when it hangs."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Self

from zoetrope.engines.engine import Cancel, Cancelled, EngineLost, Progress
from zoetrope.engines.local import wire
from zoetrope.engines.local.client import EngineAbsent, EngineClient, EngineHangs, Waiting
from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.recipe import Recipe

READY_WITHIN = 120.0
_LONGEST_LOG = 2**20
_GLANCE = 0.02
_TAKEN_PAUSE = 0.5
_ENDS_WITHIN = 2.0


class EngineProcess(EngineClient):
    """A client that sees to it that somebody serves. Several may share a socket: who comes first starts the process."""

    def __init__(
        self,
        socket: Path | None = None,
        log: Path | None = None,
        *,
        dies_with_us: bool = True,
        ready_within: float = READY_WITHIN,
    ) -> None:
        super().__init__((socket or home() / "engine" / "engine.sock").absolute())
        self.log = log or self.socket.with_suffix(".log")
        self._dies_with_us = dies_with_us
        self._ready_within = ready_within
        self._child: subprocess.Popen[bytes] | None = None
        self._starting = threading.RLock()
        # The kernel ties a child to the thread that started it, so that thread must live as long as we do.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="engine-starter")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def draw(
        self,
        recipe: Recipe,
        into: Path,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        waiting: Waiting | None = None,
    ) -> list[wire.FileRef]:
        """As the client's; an engine that does not obey a cancel is killed, and the next one is on its way."""
        given_up = time.monotonic() + self._ready_within
        while True:
            try:
                return super().draw(recipe, into, progress, cancel, waiting)
            except EngineAbsent:
                # A dying engine still lets one in for a moment, so being let in is no promise.
                if time.monotonic() > given_up:
                    raise
            except EngineHangs as error:
                self._replace(error.pid)
                raise Cancelled from error
            self.start(cancel)

    def start(self, cancel: Cancel | None = None) -> None:
        """Return as soon as an engine serves; start one where there is none."""
        given_up = time.monotonic() + self._ready_within
        before = self._child
        while not self._is_there():
            if cancel and cancel():
                raise Cancelled
            self._bury(before)
            self._spawn()
            if time.monotonic() > given_up:
                self.stop()
                raise EngineLost(f"The engine was not ready within {self._ready_within:g} s; its log is {self.log}.")
            time.sleep(_GLANCE)

    def stop(self) -> None:
        """End the process that we started; somebody else's goes on."""
        with self._starting:
            child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _is_there(self) -> bool:
        try:
            with self._connected():
                return True
        except EngineAbsent:
            return False

    def _bury(self, child: "subprocess.Popen[bytes] | None") -> None:
        """Forget an earlier child once it has ended, a moment after its socket maybe: that is why another is needed."""
        with self._starting:
            if child is not None and child is self._child and child.poll() is not None:
                self._child = None

    def _spawn(self) -> None:
        """Start a child unless one is on its way; one that ended before it was ready is the user's to hear of."""
        with self._starting:
            code = self._child.poll() if self._child else wire.TAKEN
            if self._child and code == wire.TAKEN:
                # Somebody else's is on its way: trying at every glance would only slow it down.
                time.sleep(_TAKEN_PAUSE)
            if code == wire.TAKEN:
                # The thread that starts the child must outlive it, as the kernel ties the two together.
                self._child = self._starter.submit(self._popen).result()
            elif code is not None:
                self._child = None
                raise EngineLost(f"The engine ended before it was ready (exit code {code}); its log is {self.log}.")

    def _popen(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", "zoetrope.engines.local.serve", "--socket", os.fspath(self.socket)]
        if self._dies_with_us and sys.platform == "linux":
            command += ["--parent-death", str(os.getpid())]
        with self._open_log() as log:
            # A session of its own: Ctrl-C in a terminal is for us, and we tell the engine.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
            )

    def _open_log(self) -> BinaryIO:
        try:
            self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.log.is_file() and self.log.stat().st_size > _LONGEST_LOG:
                os.replace(self.log, f"{self.log}.1")
            return self.log.open("ab")
        except OSError as error:
            raise UserError(f"The engine's log {self.log} cannot be written ({error.strerror}).") from error

    def _replace(self, pid: int | None) -> None:
        """Kill the engine that hangs, unless somebody else did, and start the next without waiting for it."""
        with self._starting:
            if pid is None or wire.holder(self.socket) != pid:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if self._child is not None and self._child.pid == pid:
                self._child.wait()
                self._child = None
            if self._child is None or self._child.poll() is not None:
                self._child = None
                self._spawn()
