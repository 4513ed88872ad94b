"""What a job's function is handed: how it tells where it stands, and learns that it should stop."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Interrupted(BaseException):
    """Raised by `Work.check`: somebody cancelled the job, or the worker is stopping. Let it pass through.

    No Exception, so that no `except Exception` in between takes it for a fault.
    """


class Work(Protocol):
    """A job in hand, seen from its function."""

    key: str

    def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Where the work stands; cheap enough for every step."""

    def log(self, text: str) -> None:
        """A line for whoever watches: no secrets, no tracebacks."""

    def cancelled(self) -> bool:
        """Whether to stop now; costs nothing, so ask several times a second."""

    def check(self) -> None:
        """Raise Interrupted when to stop now."""

    def once(self, name: str, function: Callable[..., T], *args: object) -> T:
        """Call the function, unless this job did so before it was interrupted: then its result (JSON) is remembered.

        Steps come in the same order each time. A child process has no such memory and calls again.
        """
