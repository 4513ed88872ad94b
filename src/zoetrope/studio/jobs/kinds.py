"""Which kinds of jobs there are, and how each is carried out. Domain apps register theirs when Django starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any


class Queue(StrEnum):
    """Where jobs wait. Never enqueue a job on DEVICE and wait for it in another job there: it would wait for itself."""

    DEVICE = "device"
    """One at a time in each worker: whatever needs a GPU, or all of a processor."""
    OPEN = "open"
    """As many as come: what waits for others, or only talks."""


@dataclass(frozen=True)
class Kind:
    """How jobs of one kind are carried out."""

    name: str
    function: str | Callable[..., object]
    queue: Queue
    retries: tuple[float, ...]
    child: bool
    quiet: float
    one_of: str

    def resolve(self) -> Callable[..., object]:
        """The function itself; one that was given by name is imported only now."""
        if callable(self.function):
            return self.function
        module, _, name = self.function.partition(":")
        function: Callable[..., object] = getattr(import_module(module), name)
        return function


_kinds: dict[str, Kind] = {}


def register(
    kind: str,
    function: str | Callable[..., object],
    *,
    queue: Queue = Queue.DEVICE,
    retries: Sequence[float] = (2, 15),
    child: bool = False,
    quiet: float = 600,
    one_of: str = "",
) -> None:
    """Say how jobs of a kind are carried out; call it from an app's `ready()`.

    `function(work, **args)` gets a `Work` and what `enqueue` was given. As `"package.module:function"` it is imported
    where it runs, so that the site loads no torch for it. `retries` are the seconds to wait before each further try
    after a fault; a UserError is never tried again. With `child` it runs in a process of its own. A job that says
    nothing for `quiet` seconds is shown as stuck. Of those that name the same thing in the argument `one_of`, none gets
    another chance while one waits or runs.
    """
    known = _kinds.get(kind)
    new = Kind(kind, function, queue, tuple(retries), child, quiet, one_of)
    if known is not None and known != new:
        raise ValueError(f"two apps register jobs of kind {kind}")
    _kinds[kind] = new


def find(kind: str) -> Kind:
    """A registered kind; a KeyError is a fault of the program, not of its user."""
    try:
        return _kinds[kind]
    except KeyError:
        raise KeyError(f"no app registers jobs of kind {kind}") from None


def known(kind: str) -> bool:
    """Whether any app registers this kind; an older version may have left jobs of others."""
    return kind in _kinds


def arguments(args: dict[str, Any]) -> dict[str, Any]:
    """The same arguments if they may stand in a row: names and numbers of things, never the things, never secrets."""
    for name, value in args.items():
        if any(word in name.lower() for word in ("secret", "token", "password", "api_key")):
            raise ValueError(f"{name} does not belong in a job: pass the number of the row that keeps it")
        for one in value if isinstance(value, list) else [value]:
            if not (one is None or isinstance(one, bool | int | float) or (isinstance(one, str) and len(one) <= 200)):
                raise ValueError(f"{name} is more than ids: keep it in a row of its own and pass its number")
    return args
