"""How commands speak: the answer on stdout, everything else on stderr, and with `--json` one object only."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

# Line breaks and tabs stay; whatever else steers a terminal, or turns the order of letters, is shown as its code.
_STEERS = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}
_STEERS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
# Often enough that a log shows the work is alive, seldom enough to be read.
_LINE_SECONDS = 10.0


def harmless(text: str) -> str:
    """Words of others (captions, file names, a server's complaints) that only show themselves in a terminal."""
    return text.translate(_STEERS)


class Voice:
    """What a command says to one stream; rich is loaded at the first word, so that `--help` need not wait for it."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        self._options = {"stderr": stderr, "soft_wrap": soft_wrap}

    @cached_property
    def rich(self) -> "Console":
        from zoetrope.cli.plain import Plain

        return Plain(**self._options)

    @property
    def is_terminal(self) -> bool:
        return self.rich.is_terminal

    def print(self, *objects: Any, **options: Any) -> None:
        self.rich.print(*objects, **options)


console = Voice(stderr=True)
"""For remarks and progress: never part of the answer."""

paper = Voice(soft_wrap=True)
"""For the answer a person reads, on stdout."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print only a JSON object on stdout.")]
"""Declare it as `as_json: JsonFlag = False`."""

Move = Callable[..., None]
"""`move(done)` or `move(done, total)`: where the work stands now."""


def emit(data: Mapping[str, Any], as_json: bool, show: Callable[[], None]) -> None:
    """Answer once: the object as JSON, or whatever `show` prints for a person."""
    if as_json:
        typer.echo(json.dumps(data, indent=2, allow_nan=False))
    else:
        show()


class Lines:
    """Progress where no terminal shows a bar, as in a log: now and then a line, and none of what is quickly done."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_SECONDS

    def tell(self, label: str, done: int, total: int) -> None:
        """Say where the work stands, unless that was said a moment ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            console.print(f"{label} {done}/{total}", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def progress_bar(label: str, total: int, *, as_json: bool = False) -> Iterator[Move]:
    """Yield `move(done, total=None)`; it draws on stderr, and says a line now and then where there is no terminal."""
    if as_json or not console.is_terminal:
        lines, whole = Lines(), total
        yield lambda done, total=None: lines.tell(label, done, whole if total is None else total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console.rich, transient=True) as progress:
        task = progress.add_task(label, total=total)

        def move(done: int, total: int | None = None) -> None:
            progress.update(task, completed=done, total=total)

        yield move
