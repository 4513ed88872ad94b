"""Keeps a worker beside the site: started again when it ends, after growing pauses; gone when the site is."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO, Self

from zoetrope.studio.jobs.children import how

COMMAND = (sys.executable, "-m", "zoetrope.studio.jobs.worker")
STOP_SECONDS = 7.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
# Who worked so long did not fail at starting: the next pause is a short one again.
STEADY_SECONDS = 30.0
STARTS_WITHIN = 60.0
_MISTAKE = 2


class Keeper:
    """One worker process at a time."""

    current: "Keeper | None" = None
    """The one of this process, for pages that tell how the worker is."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = [*command, "--parent-death", str(os.getpid())]
        self._changing = threading.RLock()
        self._process: subprocess.Popen[str] | None = None
        self._leaving: float | None = None
        self._left = threading.Event()
        self._began = time.monotonic()
        self._deaths = 0
        self._words = self._why = ""
        # The kernel ties the worker to the thread that started it, so one thread starts all of them and stays.
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        Keeper.current = self
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()
        self._thread.join(max(0.0, STOP_SECONDS - (time.monotonic() - (self._leaving or 0.0))))
        if self._process is not None:
            self._process.kill()
        self._thread.join()
        Keeper.current = None

    def leave(self) -> None:
        """Tell the worker to stop, without waiting for it."""
        with self._changing:
            if self._leaving is not None:
                return
            self._leaving = time.monotonic()
            self._left.set()
            if self._process is not None:
                self._process.terminate()

    def trouble(self) -> str:
        """One sentence while the worker keeps ending; empty while it works or is on its way."""
        steady = time.monotonic() - self._began > STEADY_SECONDS and self._process is not None
        if steady or not self._deaths:
            return ""
        # One that says itself what is wrong is believed at once; one that was killed gets another chance first.
        return self._words or (self._why if self._deaths > 1 else "")

    def starting(self) -> bool:
        """Whether a worker may be on its way and nobody need worry yet."""
        return time.monotonic() - self._began < STARTS_WITHIN

    def _keep(self) -> None:
        while (process := self._started()) is not None:
            words = _LastWords(process.stderr)
            code = process.wait()
            lived = time.monotonic() - self._began
            if self._left.is_set():
                return
            self._deaths = 1 if lived > STEADY_SECONDS else self._deaths + 1
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._deaths - 1))
            self._words = words.last() if code == _MISTAKE else ""
            self._why = (
                f"The worker ended {self._deaths} times in a row ({how(code)}) and is tried again by itself: what "
                "waits is safe; if it does not come back, the terminal where the studio runs says why."
            )
            self._process = None
            print(f"The worker ended ({how(code)}) and is started again in {pause:g} s.", file=sys.stderr, flush=True)
            self._left.wait(pause)

    def _started(self) -> "subprocess.Popen[str] | None":
        with self._changing:
            if self._left.is_set():
                return None
            self._began = time.monotonic()
            # A session of its own: Ctrl-C in a terminal is for the site, which tells the worker.
            self._process = subprocess.Popen(
                self._command, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True
            )
            return self._process


class _LastWords:
    """Passes on what a process says, and remembers its last line."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._line = ""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._stream:
            sys.stderr.write(line)
            sys.stderr.flush()
            self._line = line.strip() or self._line

    def last(self) -> str:
        """What it said last; its children may hold the stream open, so it is not waited for long."""
        self._thread.join(1.0)
        return self._line
