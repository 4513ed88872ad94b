"""Servers, for programs."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from zoetrope.studio.servers import keeping
from zoetrope.studio.servers.models import Server
from zoetrope.studio.servers.views import server_of
from zoetrope.studio.spaces.api import Said, asked_place
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role

router = Router(tags=["servers"])


class ServerOut(Schema):
    """A ComfyUI server, and how it was when it was asked last."""

    id: int
    name: str
    url: str
    paused: bool
    version: str
    error: str
    asked: datetime | None


class ServerIn(Said):
    """Where it is, and what to call it."""

    url: str = Field(min_length=1, max_length=200)
    name: str = Field("", max_length=60)


class ServerAct(Said):
    """What to do with it."""

    do: Literal["pause", "go-on"]


@router.get("/spaces/{space}/servers", response=list[ServerOut])
def list_servers(request: HttpRequest, space: str) -> list[Server]:
    """All of them."""
    return list(asked_place(request, space).space.servers.all())


@router.post("/spaces/{space}/servers", response={201: ServerOut})
def add_server(request: HttpRequest, space: str, said: ServerIn) -> Status[Server]:
    """Another one; it is asked how it is."""
    place = asked_place(request, space, Role.owner)
    return Status(201, keeping.add(place.space, said.name, said.url, member(request)))


@router.get("/spaces/{space}/servers/{server}", response=ServerOut)
def one_server(request: HttpRequest, space: str, server: int) -> Server:
    """How one is just now."""
    found = server_of(asked_place(request, space), server)
    keeping.ask(found)
    return found


@router.post("/spaces/{space}/servers/{server}", response=ServerOut)
def act_on_server(request: HttpRequest, space: str, server: int, said: ServerAct) -> Server:
    """Pause it or go on with it."""
    found = server_of(asked_place(request, space, Role.owner), server)
    keeping.act(found, said.do)
    found.refresh_from_db()
    return found


@router.delete("/spaces/{space}/servers/{server}", response={204: None})
def remove_server(request: HttpRequest, space: str, server: int) -> Status[None]:
    """It is not used any more; what it drew stays."""
    keeping.act(server_of(asked_place(request, space, Role.owner), server), "remove")
    return Status(204, None)
