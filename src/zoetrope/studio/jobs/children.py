"""A job in a process of its own, so that it can be stopped at any moment and takes nobody along."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from zoetrope.errors import UserError
from zoetrope.studio.jobs.work import Interrupted, Work

PATIENCE = 3.5
"""Seconds between SIGTERM and SIGKILL: the next job has the device within five of a person's click."""
LOOK_SECONDS = 0.1
LONGEST = 65536


class Fault(Exception):
    """Something broke and may go well when tried again; its words are fit for a row."""


def run_child(work: Work, kind: str, args: dict[str, Any]) -> None:
    """Carry out a job in a child process; what it says comes as JSON lines through a pipe of its own."""
    with _started(work.key, kind, args) as (process, pipe):
        ending = _listen(work, process, pipe)
    if "done" in ending:
        return
    if "mistake" in ending:
        raise UserError(ending["mistake"])
    if work.cancelled():
        raise Interrupted
    name = ending.get("fault")
    if name is None:
        raise Fault(f"Its process ended without a word ({how(process.returncode)}).")
    raise Fault(f"Something broke while doing this ({name}); the worker's log has the details.")


@contextmanager
def _started(key: str, kind: str, args: dict[str, Any]) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "zoetrope.studio.jobs.child"],
            stdin=subprocess.PIPE,
            pass_fds=(theirs,),
            start_new_session=True,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    try:
        order = {"key": key, "kind": kind, "args": args, "pipe": theirs, "parent": os.getpid()}
        assert process.stdin is not None
        # One that died at once has ended without a word.
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(json.dumps(order).encode())
        yield process, ours
    finally:
        # Whatever it started in its session goes with it.
        _signal(process, signal.SIGKILL)
        process.wait()
        os.close(ours)


def _listen(work: Work, process: "subprocess.Popen[bytes]", pipe: int) -> dict[str, str]:
    """Pass on what the child says until it ends; its last word."""
    lines = _Lines(pipe)
    ending: dict[str, str] = {}
    deadline = None
    while process.poll() is None:
        ending = _pass_on(work, lines.wait(LOOK_SECONDS)) or ending
        if deadline is None and work.cancelled():
            _signal(process, signal.SIGTERM)
            deadline = time.monotonic() + PATIENCE
        if deadline is not None and time.monotonic() > deadline:
            _signal(process, signal.SIGKILL)
    return _pass_on(work, lines.wait(0)) or ending


def _pass_on(work: Work, messages: list[dict[str, Any]]) -> dict[str, str]:
    ending: dict[str, str] = {}
    for message in messages:
        if "progress" in message:
            work.progress(*message["progress"])
        elif "log" in message:
            work.log(message["log"])
        else:
            ending = message
    return ending


class _Lines:
    """JSON lines from a pipe, as they come."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._rest = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(pipe, selectors.EVENT_READ)

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Whole lines that came; at the latest after so many seconds."""
        if not self._selector.select(seconds):
            return []
        *lines, self._rest = (self._rest + self._read(seconds)).split(b"\n")
        return [json.loads(line) for line in lines]

    def _read(self, seconds: float) -> bytes:
        try:
            read = os.read(self._pipe, LONGEST)
        except BlockingIOError:
            return b""
        if not read:
            # Closed, but its process still lives: do not spin.
            time.sleep(seconds)
        return read


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def how(code: int) -> str:
    """How a process ended, in a few words."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
