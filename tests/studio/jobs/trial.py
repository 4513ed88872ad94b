"""A domain app for tests: its jobs write what they did into a folder, once a call, so that doubling shows."""

import os
import signal
import time
from pathlib import Path

from django.apps import AppConfig

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.studio.jobs import kinds
from zoetrope.studio.jobs.work import Work

TOKEN = "tok-1234567890-of-nobody"


class TrialConfig(AppConfig):
    """Registers the kinds that tests enqueue."""

    name = "tests.studio.jobs"
    label = "trial"

    def ready(self) -> None:
        register()


def register() -> None:
    """The kinds of this app; once more changes nothing."""
    kinds.register("note", note)
    kinds.register("steps", steps)
    kinds.register("endless", endless, retries=())
    kinds.register("silent", endless, retries=(), quiet=0.5)
    kinds.register("flaky", flaky, retries=(0.2, 0.4))
    kinds.register("mistake", mistake)
    kinds.register("poison", poison, retries=())
    kinds.register("talk", note, queue=kinds.Queue.OPEN)
    here = "tests.studio.jobs.trial"
    kinds.register("child", f"{here}:count", child=True, retries=())
    kinds.register("deaf", f"{here}:deaf", child=True, retries=())
    kinds.register("child-mistake", f"{here}:mistake", child=True)
    kinds.register("child-fault", f"{here}:fault", child=True, retries=())
    kinds.register("warm", f"{here}:warm", child=True, retries=())
    kinds.register("child-killed", f"{here}:killed", child=True, retries=())


def write(name: str, line: str) -> None:
    """Add a line in one write, which another process cannot split."""
    with (home() / f"{name}.txt").open("a") as file:
        file.write(f"{line}\n")


def read(name: str) -> list[str]:
    """Lines written so far."""
    path: Path = home() / f"{name}.txt"
    return path.read_text().splitlines() if path.exists() else []


def note(work: Work, number: int) -> None:
    write("notes", str(number))
    work.log(f"noted {number}")


def steps(work: Work, number: int) -> None:
    """Ten steps that are remembered."""
    for step in range(10):
        work.once(f"step {step}", _step, number, step)
        work.progress("stepping", step + 1, 10)
    write("finished", str(number))


def _step(number: int, step: int) -> int:
    time.sleep(0.1)
    write("steps", f"{number}:{step}")
    return step


def endless(work: Work) -> None:
    write("began", str(os.getpid()))
    while not work.cancelled():
        time.sleep(0.02)
    write("let-go", work.key)
    work.check()


def flaky(work: Work, until: int) -> None:
    """Breaks with a secret on its lips until it was called so often."""
    write("tries", str(time.time()))
    if len(read("tries")) < until:
        raise ConnectionError(f"could not log in with {TOKEN}")


def mistake(work: Work) -> None:
    write("tries", work.key)
    raise UserError("The folder holds no pictures: nothing was changed, add some and try again.")


def fault(work: Work) -> None:
    raise ConnectionError(f"could not log in with {TOKEN}")


def killed(work: Work) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def poison(work: Work) -> None:
    """Takes its worker down, as code does that crashes in a driver."""
    write("tries", work.key)
    os.kill(os.getpid(), signal.SIGKILL)


def count(work: Work, upto: int) -> None:
    write("children", f"{os.getpid()} {os.getsid(0)}")
    for done in range(upto):
        work.check()
        work.progress("counting", done + 1, upto)
        time.sleep(0.02)
    work.log("counted")


def warm(work: Work) -> None:
    """Holds an engine process, as jobs that draw do."""
    from zoetrope.engines.local.process import EngineProcess

    with EngineProcess() as engine:
        engine.start(work.cancelled)
        write("engine", str(engine.health().pid))
        while not work.cancelled():
            time.sleep(0.05)


def deaf(work: Work) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write("children", str(os.getpid()))
    work.progress("deaf", 1, 2)
    while True:
        time.sleep(1)
