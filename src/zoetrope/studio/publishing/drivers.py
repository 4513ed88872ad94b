"""The driver of a channel, with what it needs from the surroundings."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.studio.publishing.channels.instagram.client import HOSTS, UPLOADS, Client
from zoetrope.studio.publishing.channels.instagram.driver import Instagram
from zoetrope.studio.publishing.channels.outbox.driver import Outbox
from zoetrope.studio.publishing.channels.seam import Driver
from zoetrope.studio.publishing.hosting import address
from zoetrope.studio.publishing.models import Channel

INSTAGRAM = "ZOETROPE_INSTAGRAM_URL"
"""In the environment: another host than Meta's, for a gateway or a rehearsal."""
_HERE = ("127.0.0.1", "localhost", "::1")


@contextmanager
def driver_of(channel: Channel) -> Iterator[Driver]:
    """Ready to be asked, and put away afterwards."""
    if channel.kind == Channel.Kind.OUTBOX:
        yield Outbox(outbox_of(channel), timezone.now)
        return
    with closing(client_of(channel)) as client:
        yield Instagram(client, channel.account, address)


def client_of(channel: Channel) -> Client:
    """The account's client."""
    base, uploads = HOSTS[channel.login or Channel.Login.INSTAGRAM], UPLOADS
    if other := os.environ.get(INSTAGRAM, "").rstrip("/"):
        parts = urlsplit(other)
        # The account's token goes there.
        if parts.scheme != "https" and parts.hostname not in _HERE:
            raise UserError(f"{INSTAGRAM} must begin with https://, or lead to this machine.")
        base = uploads = other
    return Client(channel.token.tell(), channel.version, base, uploads)


def outbox_of(channel: Channel) -> Path:
    """The folder that a channel's posts appear in."""
    return home() / "outbox" / channel.persona.folder
