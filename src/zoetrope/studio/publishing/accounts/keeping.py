"""Accounts are connected, checked, renamed and retired. A token is asked whose it is before anything is kept."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing.accounts import tokens
from zoetrope.studio.publishing.accounts.calls import asked
from zoetrope.studio.publishing.channels.instagram import connecting
from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.seam import Lost, Refused
from zoetrope.studio.publishing.models import Channel, Post

T = TypeVar("T")
MOST = 20
"""Channels of a persona."""
LONGEST_NAME = 60
VERSION = r"v\d{1,3}\.\d"
CHECK = "check"
_CONNECTED = "This account is connected already: its token is replaced on its own page; nothing was kept."
_UNDER_WAY = (Post.State.PUBLISHING, Post.State.UNCONFIRMED)


def channels_of(persona: Persona) -> list[Channel]:
    """Its ways out. There is always an outbox; until something goes there it has no row."""
    rows = list(persona.channels.filter(retired=None).select_related("persona")[: MOST + 1])
    boxes = [each for each in rows if each.kind == Channel.Kind.OUTBOX]
    others = [each for each in rows if each.kind != Channel.Kind.OUTBOX]
    return [*(boxes or [Channel(space=persona.space, persona=persona, name="Outbox")]), *others]


def connect(
    persona: Persona, login: str, account: str, token: str, name: str = "", known: tokens.Held | None = None
) -> Channel:
    """An account by its token; one that was retired comes back. Without a number the token's own account."""
    if not re.fullmatch(connecting.TOKEN, token):
        raise UserError("A token is one long word of letters and digits; nothing was kept.")
    probe = Channel(space=persona.space, persona=persona, kind=Channel.Kind.INSTAGRAM, login=login, token=token)
    probe.account = account or _only(probe)
    username = _told(probe, lambda client: connecting.name_of(client, probe.account))
    _free(probe)
    new = known or tokens.settled(probe)
    said = {"login": login, "name": name.strip() or username, "error": "", "rests": None, "retired": None}
    said |= _kept(new)
    same: dict[str, Any] = {"space": persona.space, "persona": persona, "account": probe.account, "kind": probe.kind}
    try:
        return _added(persona, same, said)
    except IntegrityError:
        # Somebody else connected it while its account was asked.
        raise UserError(_CONNECTED) from None


def _added(persona: Persona, same: dict[str, Any], said: dict[str, Any]) -> Channel:
    with transaction.atomic():
        Persona.objects.select_for_update().get(pk=persona.pk)
        if persona.channels.filter(retired=None).count() >= MOST:
            raise UserError(f"{persona} has {MOST} channels, which is the most: retire one first; nothing was kept.")
        return Channel.objects.update_or_create(**same, defaults=said)[0]


def _kept(new: tokens.Held) -> dict[str, Any]:
    return {"token": new.token, "token_made": new.made, "token_ends": new.ends}


def _only(probe: Channel) -> str:
    """The one account that a token is for."""
    found = _told(probe, lambda client: connecting.accounts(client, probe.login))
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError("The token is for no professional Instagram account; nothing was kept.")
    raise UserError(f"The token is for several accounts ({', '.join(found[:5])}): say which one; nothing was kept.")


def _free(probe: Channel) -> None:
    """One account, one channel: two would not know of each other's posts, and the database keeps only one."""
    if Channel.objects.filter(account=probe.account, kind=probe.kind, retired=None).exists():
        raise UserError(_CONNECTED)


def _told(channel: Channel, ask: Callable[[Client], T]) -> T:
    """What an account says about itself, or one sentence on why it does not."""
    try:
        return asked(channel, CHECK, ask)
    except Refused as error:
        raise UserError(f"The token was refused and nothing was kept: {error}") from None
    except Lost as error:
        raise UserError(f"Nothing was kept, as the token could not be checked: {error}") from None


def replace(channel: Channel, token: str) -> None:
    """Another token for the same account; what was wrong with the old one is over."""
    _instagram(channel)
    if not re.fullmatch(connecting.TOKEN, token):
        raise UserError("A token is one long word of letters and digits; the old one was kept.")
    probe = Channel.objects.get(pk=channel.pk)
    probe.token = token
    _told(probe, lambda client: connecting.name_of(client, channel.account))
    row = Channel.objects.filter(pk=channel.pk, retired=None)
    row.update(**_kept(tokens.settled(probe)), error="")


def rename(channel: Channel, name: str, version: str = "") -> None:
    """Call it otherwise, or speak to another version of the API."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise UserError(f"A channel has a name of at most {LONGEST_NAME} characters; nothing was changed.")
    if version and not re.fullmatch(VERSION, version):
        raise UserError("A version looks like v26.0; nothing was changed.")
    Channel.objects.filter(pk=channel.pk).update(name=name.strip(), version=version or channel.version)


def all_well(channel: Channel) -> None:
    """What was wrong has been seen to: the account is asked, and then posts go out again."""
    _instagram(channel)
    _told(channel, lambda client: connecting.name_of(client, channel.account))
    Channel.objects.filter(pk=channel.pk).update(error="")


def retire(channel: Channel) -> None:
    """Nothing goes out there any more. Its ledger stays; its token is kept only where a post's fate is open."""
    _instagram(channel)
    with transaction.atomic():
        waiting = channel.posts.filter(state__in=Post.WAITING).count()
        if waiting:
            several = "posts wait" if waiting > 1 else "post waits"
            raise UserError(f"{waiting} {several} to go out there: take back or move what waits; nothing was changed.")
        values: dict[str, Any] = {"retired": timezone.now()}
        if not channel.posts.filter(state__in=_UNDER_WAY).exists():
            values |= {"token": "", "token_made": None, "token_ends": None}
        Channel.objects.filter(pk=channel.pk, retired=None).update(**values)


def _instagram(channel: Channel) -> None:
    if channel.kind != Channel.Kind.INSTAGRAM:
        raise UserError("The outbox is always there and needs no account; nothing was changed.")


ACTS: dict[str, Callable[[Channel], None]] = {"all-well": all_well, "retire": retire}
"""What is done by a word."""
