"""Servers are added, asked how they are, paused and left."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.utils import timezone

from zoetrope.engines.comfyui.addresses import found, spelled
from zoetrope.engines.comfyui.client import Client
from zoetrope.errors import UserError
from zoetrope.studio.servers.models import Server
from zoetrope.studio.spaces.models import Space, User

MOST = 20
# A page waits for it.
_PATIENCE_SECONDS = 3.0
_LONGEST = 300


def add(space: Space, name: str, url: str, by: User) -> Server:
    """Another server; one that does not answer yet is kept, an address that nobody may use is not."""
    address = spelled(url)
    near = may_be_near(address, by)
    found(address, near)
    if space.servers.count() >= MOST:
        raise UserError(f"A space has at most {MOST} servers: remove one first.")
    try:
        with transaction.atomic():
            row = Server.objects.create(space=space, name=name.strip() or address[:60], url=address, by=by, near=near)
    except IntegrityError as error:
        raise UserError(f"{address} is one of this space's servers already.") from error
    ask(row)
    return row


def may_be_near(address: str, by: User) -> bool:
    """Whoever opened this studio keeps its machine; what is listed in the environment, its keeper gave to all."""
    listed = os.environ.get("ZOETROPE_COMFYUI", "").split(",")
    if address in [spelled(each) for each in listed if each.strip()]:
        return True
    return User.objects.order_by("pk").values_list("pk", flat=True).first() == by.pk


@contextmanager
def client_of(server: Server, timeout: float = 10.0, longest: float | None = None) -> Iterator[Client]:
    """A connection to it, by what its name leads to now."""
    client = Client(found(server.url, server.near), timeout, longest)
    try:
        yield client
    finally:
        client.close()


def ask(server: Server) -> bool:
    """Whether it is well now; what it says is written down."""
    try:
        with client_of(server, _PATIENCE_SECONDS, _PATIENCE_SECONDS) as client:
            heard(server, version=client.about())
    except UserError as error:
        heard(server, error=str(error))
    return not server.error


def heard(server: Server, version: str | None = None, error: str = "") -> None:
    """Remember how a server was just now."""
    server.error, server.asked = error[:_LONGEST], timezone.now()
    server.version = server.version if version is None else version
    Server.objects.filter(pk=server.pk).update(error=server.error, asked=server.asked, version=server.version)


def act(server: Server, do: str) -> None:
    """Pause it, go on with it, or leave it."""
    if do == "remove":
        server.delete()
    elif do in ("pause", "go-on"):
        Server.objects.filter(pk=server.pk).update(paused=do == "pause")
    else:
        raise UserError("A server can be paused, gone on with or removed; nothing was changed.")
