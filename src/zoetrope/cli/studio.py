"""`zoetrope studio`: the site, on this machine."""

from typing import Annotated

import typer

from zoetrope.cli.output import JsonFlag, console, emit, paper
from zoetrope.errors import UserError


def studio(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8420,
    host: Annotated[
        str, typer.Option(help="The address it listens at; others than this machine's own need ZOETROPE_HOSTS.")
    ] = "127.0.0.1",
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    link: Annotated[
        str, typer.Option(metavar="NAME", help="Only make a link with which this person sets a new password.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Open the studio in the browser. The first start prints a link that makes the owner's account.

    Example: zoetrope studio --port 8420
    """
    try:
        from zoetrope.studio import start

        start.prepare()
    except ModuleNotFoundError as error:
        raise UserError(
            f"The studio needs {error.name}, which is not installed: pip install 'zoetrope[studio]'."
        ) from error
    address = f"http://{host}:{port}"
    if link:
        secret = start.password_link(link)
        emit({"link": f"{address}/link/{secret}/"}, as_json, lambda: paper.print(f"{address}/link/{secret}/"))
        return
    start.free_port(host, port)
    first = start.first_link()
    opens = f"{address}/link/{first}/" if first else f"{address}/"
    said = f"Make the owner's account (this link opens once): {opens}" if first else f"The studio is open: {opens}"
    emit({"address": address, "opens": opens}, as_json, lambda: paper.print(said, soft_wrap=True))
    console.print("Ctrl-C closes it.", highlight=False)
    if browser:
        typer.launch(opens)
    start.serve(host, port)
