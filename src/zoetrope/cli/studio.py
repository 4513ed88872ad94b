"""`zoetrope studio`: the site, on this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper
from zoetrope.errors import UserError


def studio(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8420,
    host: Annotated[
        str, typer.Option(help="The address it listens at; others than this machine's own need ZOETROPE_HOSTS.")
    ] = "127.0.0.1",
    browser: Annotated[bool, typer.Option(help="Open the browser, where there is a display.")] = True,
    link: Annotated[
        str, typer.Option(metavar="NAME", help="Only make a link with which this person sets a new password.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Open the studio in the browser. The first start prints a link that makes the owner's account.

    Where one runs already, it is opened instead of a second.

    Example: zoetrope studio --port 8420
    """
    if not link:
        open_studio(host, port, browser, as_json)
        return
    with _installed():
        from zoetrope.studio import start

        _print_link(link, start.address_of(host, port), as_json)


@contextmanager
def _installed(otherwise: str = "") -> Iterator[None]:
    """What the studio needs and is not there is told by name."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(
            f"The studio needs {error.name}, which is not installed: pip install 'zoetrope[studio]'.{otherwise}"
        ) from error


def require(otherwise: str = "") -> None:
    """Ask for it before anything is begun."""
    with _installed(otherwise):
        for name in ("django", "dbos", "uvicorn"):
            import_module(name)


def _print_link(name: str, address: str, as_json: bool) -> None:
    from zoetrope.studio import start

    start.prepare()
    there = f"{start.running() or address}/link/{start.password_link(name)}/"
    emit({"link": there}, as_json, lambda: paper.print(there))


def open_studio(
    host: str, port: int, browser: bool, as_json: bool, begin: "Callable[[str], None]" = lambda address: None
) -> None:
    """Serve until a signal comes. `begin` is called with the address before anybody can look."""
    require()
    with _installed():
        _open(host, port, browser, as_json, begin)


def _open(host: str, port: int, browser: bool, as_json: bool, begin: "Callable[[str], None]") -> None:
    from zoetrope.studio import start

    address = start.address_of(host, port)
    try:
        with start.alone(address):
            start.free_port(host, port)
            start.prepare()
            begin(address)
            first = start.first_link()
            opens = f"{address}/link/{first}/" if first else f"{address}/"
            said = f"Make the owner's account (this link opens once): {opens}" if first else f"The studio is at {opens}"
            emit({"address": address, "opens": opens, "ran": False}, as_json, lambda: paper.print(said, soft_wrap=True))
            console.print("Ctrl-C closes it.", highlight=False)
            by = start.serve(host, port, lambda: browser and start.browse(opens))
    except start.OpenAlready as other:
        opens = f"{other.address}/"
        said = f"The studio of this home runs already: {opens}"
        emit({"address": other.address, "opens": opens, "ran": True}, as_json, lambda: paper.print(said))
        if browser:
            start.browse(opens)
        return
    console.print("Closed; what was unfinished goes on at the next start.", highlight=False)
    raise typer.Exit(start.code_after(by))
