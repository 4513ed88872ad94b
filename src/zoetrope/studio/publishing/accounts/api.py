"""Channels and their ledger, for programs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import StringConstraints

from zoetrope.studio.bodies import KEPT
from zoetrope.studio.files import Handed
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.publishing.accounts import folders, keeping, ledger
from zoetrope.studio.publishing.accounts.health import health, renewals
from zoetrope.studio.publishing.accounts.quota import quota
from zoetrope.studio.publishing.accounts.views import channel_of
from zoetrope.studio.publishing.api import CallOut
from zoetrope.studio.publishing.channels.instagram.connecting import TOKEN
from zoetrope.studio.publishing.models import Channel, Entry
from zoetrope.studio.spaces.api import Said, asked_place, sends
from zoetrope.studio.spaces.models import Role

router = Router(tags=["channels"])
_OF = "/spaces/{space}/personas/{persona}"
Token = Annotated[str, StringConstraints(pattern=f"^{TOKEN}$")]
Name = Annotated[str, StringConstraints(max_length=keeping.LONGEST_NAME, pattern=KEPT)]


class WordOut(Schema):
    """One thing about a channel, and how bad it is."""

    tone: str
    text: str


class ChannelOut(Schema):
    """A way out; the outbox has no number before the first post went there."""

    id: int | None
    kind: str
    name: str
    login: str
    account: str
    version: str
    error: str
    rests: datetime | None
    token_ends: datetime | None
    health: list[WordOut]


class ConnectIn(Said):
    """An account and its token, which is never told again."""

    login: Literal["instagram", "facebook"] = "instagram"
    account: str = Field("", pattern=r"^[0-9]{0,40}$")
    token: Token
    name: Name = ""


class ChannelIn(Said):
    """Another name, another version of the API, another token."""

    name: Name | None = None
    version: str | None = Field(None, pattern=f"^{keeping.VERSION}$")
    token: Token | None = None


class ChannelAct(Said):
    """Ask whether it is well, and go on; or let nothing go out there any more."""

    do: Literal["all-well", "retire"]


class QuotaOut(Schema):
    """Posts of the last 24 hours: by our own count, by the account's, and how many it takes."""

    ours: int
    used: int | None
    total: int | None


class EntryOut(CallOut):
    """One call, and what it was for."""

    id: int
    channel: int = Field(alias="channel_id")
    post: int | None = Field(alias="post_id")


class OutboxOut(Schema):
    """A post of the outbox, and whether its folder still lies there."""

    post: int
    folder: str
    published: datetime
    there: bool


def _persona(request: HttpRequest, space: str, persona: str, needed: Role = Role.viewer) -> Persona:
    return persona_of(asked_place(request, space, needed), persona)


def _told(channels: list[Channel]) -> list[dict[str, Any]]:
    renewed, now = renewals(channels), timezone.now()
    names = ("kind", "name", "login", "account", "version", "error", "rests", "token_ends")
    about = [{name: getattr(each, name) for name in names} for each in channels]
    words = [[vars(word) for word in health(each, now, renewed.get(each.pk))] for each in channels]
    return [said | {"id": each.pk, "health": told} for each, said, told in zip(channels, about, words, strict=True)]


def _one(found: Persona, channel: int) -> dict[str, Any]:
    return _told([channel_of(found, channel)])[0]


@router.get(f"{_OF}/channels", response=list[ChannelOut])
def list_channels(request: HttpRequest, space: str, persona: str) -> list[dict[str, Any]]:
    """All that are in use."""
    return _told(keeping.channels_of(_persona(request, space, persona)))


@router.post(f"{_OF}/channels", response={201: ChannelOut})
def connect_account(request: HttpRequest, space: str, persona: str, said: ConnectIn) -> Status[dict[str, Any]]:
    """Connect an Instagram account; its token is checked at once."""
    found = _persona(request, space, persona, Role.owner)
    return Status(201, _told([keeping.connect(found, said.login, said.account, said.token, said.name)])[0])


@router.get(f"{_OF}/channels/{{channel}}", response=ChannelOut)
def one_channel(request: HttpRequest, space: str, persona: str, channel: int) -> dict[str, Any]:
    """One, and how it is."""
    return _one(_persona(request, space, persona), channel)


@router.patch(f"{_OF}/channels/{{channel}}", response=ChannelOut)
def change_channel(request: HttpRequest, space: str, persona: str, channel: int, said: ChannelIn) -> dict[str, Any]:
    """Call it otherwise, or replace its token, which is checked at once."""
    found = _persona(request, space, persona, Role.owner)
    row = channel_of(found, channel)
    if said.token:
        keeping.replace(row, said.token)
    if said.name is not None or said.version:
        keeping.rename(row, row.name if said.name is None else said.name, said.version or "")
    return _one(found, channel)


@router.post(f"{_OF}/channels/{{channel}}", response={200: ChannelOut, 204: None})
def act_on_channel(request: HttpRequest, space: str, persona: str, channel: int, said: ChannelAct) -> Status[Any]:
    """Declare it well again, after a check, or retire it."""
    found = _persona(request, space, persona, Role.owner)
    keeping.ACTS[said.do](channel_of(found, channel))
    return Status(204, None) if said.do == "retire" else Status(200, _one(found, channel))


@router.get(f"{_OF}/channels/{{channel}}/quota", response=QuotaOut)
def channel_quota(request: HttpRequest, space: str, persona: str, channel: int) -> Any:
    """How much of a day's posts is used up; the account is asked at most every ten minutes."""
    return quota(channel_of(_persona(request, space, persona), channel), timezone.now())


@router.get(f"{_OF}/outbox", response=list[OutboxOut])
def list_outbox(
    request: HttpRequest,
    space: str,
    persona: str,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[dict[str, Any]]:
    """What went to the outbox, the newest first, fifty at a time; `after` is how many to leave out."""
    found = _persona(request, space, persona)
    rows = folders.posts(found)[after : after + ledger.A_PAGE]
    about = [{"post": each.pk, "folder": each.media, "published": each.published} for each in rows]
    return [said | {"there": folders.is_there(found, each)} for said, each in zip(about, rows, strict=True)]


@router.get(f"{_OF}/outbox/{{post}}", openapi_extra=sends("application/zip"))
def outbox_archive(request: HttpRequest, space: str, persona: str, post: int) -> HttpResponseBase:
    """One post of it, as an archive."""
    found = _persona(request, space, persona)
    row = get_object_or_404(folders.posts(found), pk=post)
    return Handed(folders.packed(found, row), as_attachment=True, filename=f"{row.media}.zip")


@router.get(f"{_OF}/ledger", response=list[EntryOut])
def list_calls(
    request: HttpRequest,
    space: str,
    persona: str,
    channel: int | None = Query(None, ge=1, lt=2**59),  # type: ignore[type-arg]
    outcome: Literal["done", "refused", "lost"] | None = None,
    post: int | None = Query(None, ge=1, lt=2**59),  # type: ignore[type-arg]
    before: int | None = Query(None, ge=0, lt=2**63),  # type: ignore[type-arg]
) -> list[Entry]:
    """Every call, the newest first, fifty at a time; `before` is the number of the last one that was seen."""
    found = _persona(request, space, persona)
    asked = ledger.Asked(*(str(each or "") for each in (channel, outcome, post)))
    return ledger.page(ledger.all_channels(found), asked, before)
