"""Calls for an account itself, not for a post: they stand in the ledger too."""

from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from django.utils import timezone

from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.drivers import client_of
from zoetrope.studio.publishing.models import Channel
from zoetrope.studio.publishing.noting import noted

T = TypeVar("T")


def asked(channel: Channel, call: str, ask: Callable[[Client], T]) -> T:
    """What the account answers; how that came out is written down, if there is a channel yet."""
    with closing(client_of(channel)) as client:
        return noted(channel.pk, None, call, timezone.now(), lambda: ask(client))
